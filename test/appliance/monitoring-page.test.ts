/** Every command of docs/operations/monitoring.md, run as it stands against a running appliance. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ALERT_RULES } from "../../src/observe/alerts/rules.ts";
import { ApplianceProcess, eventually, ScratchDirectory } from "../support/appliance-process.ts";
import { commandsOf, programDirectory, readPage, runLine } from "../support/page-commands.ts";

const ROOT = join(import.meta.dir, "../..");
const PAGE = readPage("docs/operations/monitoring.md");
const COMMANDS = commandsOf(PAGE);

const directory = new ScratchDirectory("monitoring-page");
let appliance: ApplianceProcess;
let environment: Record<string, string>;

beforeAll(async () => {
  const bin = programDirectory(directory.path);
  appliance = await ApplianceProcess.start({
    data: directory.data,
    settings: { "thread_pools.api_workers": 1, "numa.enabled": false },
  });
  environment = { PATH: `${bin}:${process.env["PATH"]}`, URL: appliance.url };
  for (let i = 0; i < 3; i++) {
    await fetch(`${appliance.url}/api/v1/memories/remember`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ content: `Memory ${i}` }),
    });
  }
  await eventually("rules were evaluated", async () => {
    const reply = (await (await fetch(`${appliance.url}/api/v1/alerts`)).json()) as {
      data: { evaluated_at: string | null };
    };
    return reply.data.evaluated_at !== null;
  });
}, 60_000);
afterAll(async () => {
  await appliance.stop();
  directory[Symbol.dispose]();
});

test("the page has its commands, and is told where the appliance is", () => {
  expect(PAGE).toContain("URL=http://127.0.0.1:7432\n");
  expect(COMMANDS.length).toBeGreaterThanOrEqual(17);
});

for (const { needs, line } of COMMANDS) {
  const missing = needs !== "" && Bun.which(needs) === null;
  test.skipIf(missing)(
    `${line}${missing ? `: ${needs} is not installed` : ""}`,
    async () => {
      const { status, out, err } = await runLine(line, { directory: directory.path, environment });
      expect([status, status === 0 ? "" : out + err]).toEqual([0, ""]);
      // A stream is cut off by timeout, and its status says nothing.
      if (line.includes("/stream/")) expect(err).not.toContain("curl: (");
      if (line.includes("/stream/metrics")) expect(out).toContain("event: metrics");
      if (line.startsWith("curl") && !line.includes("|") && !/\/metrics$/.test(line)) JSON.parse(out);
      if (/query/.test(line) && !/slow/.test(line)) expect(JSON.parse(out).status).toBe("success");
    },
    30_000,
  );
}

test("what the page says of silences and rules is so", async () => {
  const { silences } = (await (await fetch(`${appliance.url}/api/v1/alerts/silences`)).json()) as {
    silences: { state: string }[];
  };
  expect(silences.map(({ state }) => state)).toEqual(["active"]);
  const reference = readFileSync(join(ROOT, "docs/reference/alerts.md"), "utf8");
  expect(ALERT_RULES.filter(({ name }) => !reference.includes(`### ${name}\n`))).toEqual([]);
});
