/** Every command of docs/howto/identify-slow-queries.md, run as it stands against a running appliance. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { SETTINGS } from "../../src/config/schema.ts";
import { answered } from "../support/appliance-client.ts";
import { ApplianceProcess, ScratchDirectory } from "../support/appliance-process.ts";
import { commandsOf, programDirectory, readPage, runLine } from "../support/page-commands.ts";

const PAGE = readPage("docs/howto/identify-slow-queries.md");
const COMMANDS = commandsOf(PAGE);

const directory = new ScratchDirectory("slow-page");
let appliance: ApplianceProcess;
let environment: Record<string, string>;

beforeAll(async () => {
  const bin = programDirectory(directory.path);
  appliance = await ApplianceProcess.start({
    data: directory.data,
    settings: {
      "thread_pools.api_workers": 1,
      "numa.enabled": false,
      "monitoring.slow_query_threshold_ms": 0,
    },
  });
  environment = {
    PATH: `${bin}:${process.env["PATH"]}`,
    URL: appliance.url,
    ENGRAM_URL: appliance.url,
    ENGRAM_CONFIG: "",
  };
  for (let i = 0; i < 3; i++) answered(await appliance.client.remember({ content: `Memory ${i}` }));
  answered(await appliance.client.recall({ query: "memory" }));
}, 60_000);
afterAll(async () => {
  await appliance.stop();
  directory[Symbol.dispose]();
});

test("the page has its commands, and names settings and causes that there are", async () => {
  expect(COMMANDS.length).toBeGreaterThanOrEqual(12);
  const paths = new Set(SETTINGS.map(({ path }) => path));
  for (const [, name] of PAGE.matchAll(/`([a-z_]+\.[a-z_]+)`/g))
    expect([name, paths.has(name!)]).toEqual([name, true]);
  const { adviceFor } = await import("../../src/operate/slow-report.ts");
  const { PLAIN } = await import("../observe/made-slow-operation.ts");
  const named = [...PAGE.matchAll(/^\| (`[a-z_]+`(?:, `[a-z_]+`)*) \|/gm)].flatMap(([, cell]) =>
    cell!.replaceAll("`", "").split(", "),
  );
  expect(named.length).toBe(14);
  for (const cause of named) expect(adviceFor(cause as "high_ef", PLAIN).title.length).toBeGreaterThan(10);
});

for (const { line } of COMMANDS) {
  test(line, async () => {
    const { status, out, err } = await runLine(line, { directory: directory.path, environment });
    expect([line, status, status === 0 ? "" : out + err]).toEqual([line, 0, ""]);
    expect(out.length).toBeGreaterThan(0);
    if (line === "engram-appliance slow-queries") expect(out).toMatch(/^\d+ slow operations in the last 24h/);
    if (line.startsWith("curl")) JSON.parse(out);
  }, 30_000);
}
