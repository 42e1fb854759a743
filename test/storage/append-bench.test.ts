import { expect, test } from "bun:test";
import { join } from "node:path";

test("append.bench runs in its small size and prints percentiles", () => {
  const bench = join(import.meta.dir, "../../bench/storage/append.bench.ts");
  const run = Bun.spawnSync([process.execPath, bench, "--small"]);
  const output = run.stdout.toString();
  expect(run.exitCode).toBe(0);
  expect(output).toMatch(/append +\d+ ns a record/);
  expect(output).toMatch(/^appliance +64( +\d+){5}$/m);
  expect(output).toMatch(/^naive +64( +\d+){5}$/m);
});
