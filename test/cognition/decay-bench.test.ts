import { expect, test } from "bun:test";
import { join } from "node:path";

test("decay.bench runs in its small size and compares every curve with the plain version", () => {
  const bench = join(import.meta.dir, "../../bench/cognition/decay.bench.ts");
  const run = Bun.spawnSync([process.execPath, bench, "--small"]);
  expect(run.exitCode, run.stderr.toString()).toBe(0);
  const printed = run.stdout.toString();
  const figures = ["retention, exponential", "retention, power", "retention, two-component", "fan division"];
  for (const figure of figures) {
    expect(printed).toMatch(new RegExp(`^(PASS|MISS) ${figure}, against plain`, "m"));
  }
});
