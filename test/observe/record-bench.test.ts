import { expect, test } from "bun:test";
import { join } from "node:path";

test("record.bench runs in its small size and compares with the libraries", () => {
  const bench = join(import.meta.dir, "../../bench/observe/record.bench.ts");
  const run = Bun.spawnSync([process.execPath, bench, "--small"]);
  const output = run.stdout.toString();
  expect([run.exitCode, run.stderr.toString()]).toEqual([0, ""]);
  expect(output).toMatch(/histogram record, a second thread recording +fastest tenth +[\d.]+/);
  expect(output).toMatch(/(PASS|MISS) a labelled counter, the faster library against ours/);
  expect(output).toMatch(/(PASS|MISS) following an operation that is not slow: [\d.]+ ns/);
  expect(output).toMatch(/(PASS|MISS) watching 100,000 operations a second/);
});
