/** Every command of docs/operations/profiling.md, run in its order against a running appliance. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ApplianceProcess, ScratchDirectory } from "../support/appliance-process.ts";
import { commandsOf, programDirectory, readPage, runLine } from "../support/page-commands.ts";

const PAGE = readPage("docs/operations/profiling.md");
const COMMANDS = commandsOf(PAGE);
/** What a command prints, by how it goes on after `profile`. */
const PRINTS: Readonly<Record<string, RegExp>> = {
  "--duration 10 --out before": /^Written to before$/m,
  "--duration 10 --out after": /^Written to after$/m,
  "--diff before after": /^(Gone|New|Still|Neither)/m,
};

const directory = new ScratchDirectory("profiling-page");
let appliance: ApplianceProcess;
let environment: Record<string, string>;

beforeAll(async () => {
  const bin = programDirectory(directory.path);
  appliance = await ApplianceProcess.start({
    data: directory.data,
    settings: { "thread_pools.api_workers": 1, "numa.enabled": false },
  });
  environment = { PATH: `${bin}:${process.env["PATH"]}`, ENGRAM_URL: appliance.url };
}, 60_000);
afterAll(async () => {
  await appliance.stop();
  directory[Symbol.dispose]();
});

test("the page of profiling has the commands that are tried here", () => {
  expect(COMMANDS.map(({ line }) => line)).toEqual(
    Object.keys(PRINTS).map((words) => `engram-appliance profile ${words}`),
  );
});

for (const { line } of COMMANDS) {
  test(`the page of profiling: ${line}`, async () => {
    const ran = await runLine(line, { directory: directory.path, environment });
    expect([ran.status, ran.err]).toEqual([0, expect.not.stringContaining("defect")]);
    expect(ran.out).toMatch(PRINTS[line.replace("engram-appliance profile ", "")]!);
  }, 60_000);
}

test("the page of profiling names every file that is written", () => {
  const named = [...PAGE.matchAll(/^\| `([\w.]+\.\w+)` \|/gm)].map(([, name]) => name!);
  expect(named).toEqual(["report.html", "report.json", "cpu.speedscope.json", "cpu.pprof"]);
  for (const name of named) expect(existsSync(join(directory.path, "before", name))).toBe(true);
});
