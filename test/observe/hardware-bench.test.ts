import { expect, test } from "bun:test";
import { join } from "node:path";

test("hardware-counters.bench runs in its small size and prints what counters cost", () => {
  const bench = join(import.meta.dir, "../../bench/observe/hardware-counters.bench.ts");
  const run = Bun.spawnSync([process.execPath, bench, "--small"]);
  const output = run.stdout.toString();
  expect(run.exitCode).toBe(0);
  expect(output).toMatch(/^sampling a thread .* \d+/m);
  expect(output).toMatch(/^what open counters add to a turn +-?\d+/m);
});
