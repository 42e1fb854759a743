import { expect, test } from "bun:test";
import { join } from "node:path";

test("profile-cost.bench runs in its small size and says what sampling costs", () => {
  const bench = join(import.meta.dir, "../../bench/operate/profile-cost.bench.ts");
  const run = Bun.spawnSync([process.execPath, bench, "--small"], { timeout: 110_000 });
  const output = run.stdout.toString();
  expect([run.exitCode, run.stderr.toString()]).toEqual([0, ""]);
  expect(output).toMatch(/(PASS|MISS) throughput lost while sampling, share: -?[\d.]+/);
  expect(output).toMatch(/(PASS|MISS) processor time added while sampling, share: -?[\d.]+/);
  expect(output).toMatch(/recalls a second, sampled by quiet: [\d.]+, 95 % within [\d.]+ to [\d.]+/);
}, 120_000);
