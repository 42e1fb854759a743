import { expect, test } from "bun:test";
import { join } from "node:path";

test("events.bench runs in its small size and says what an event costs", () => {
  const bench = join(import.meta.dir, "../../bench/observe/events.bench.ts");
  const run = Bun.spawnSync([process.execPath, bench, "--small"]);
  const output = run.stdout.toString();
  expect([run.exitCode, run.stderr.toString()]).toEqual([0, ""]);
  expect(output).toMatch(/a recall of ten, with a listener +fastest tenth +[\d.]+/);
  expect(output).toMatch(/(PASS|MISS) an event nobody listens to/);
});
