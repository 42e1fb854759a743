import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BenchResult, resultSchema } from "../../src/operate/bench/result.ts";
import { ApplianceProcess, eventually } from "../support/appliance-process.ts";
import { run } from "./run-for-test.ts";

let directory: string;
let appliance: ApplianceProcess;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "engram-bench-"));
  appliance = await ApplianceProcess.start({ data: join(directory, "data") });
  // What a load costs is the difference of two samples, and the first comes a second after the start.
  await eventually("the processor's time was sampled", async () =>
    (await (await fetch(`${appliance.url}/metrics`)).text()).includes("process_cpu_seconds_total "),
  );
});

afterAll(async () => {
  await appliance.stop();
  rmSync(directory, { recursive: true, force: true });
});

const bench = (...words: string[]) => run(["bench", "--url", appliance.url, ...words]);

test("bench measures a workload, keeps the result and leaves no space behind", async () => {
  const file = join(directory, "store.json");
  const ran = await bench("--workload", "store", "--duration", "2", "--concurrency", "4", "--out", file);
  expect(ran.err).toContain("store: throughput");
  expect(ran.out).toMatch(/store +p50 \d/);
  const result: BenchResult = resultSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  const [workload] = result.workloads;
  expect(workload!.phases.map(({ name }) => name)).toEqual(["throughput", "latency"]);
  expect(workload!.phases[0]!.latency!.count).toBeGreaterThan(0);
  expect(workload!.phases[0]!.failures).toBe(0);
  expect(workload!.phases[1]!.rate).toBeCloseTo(workload!.phases[0]!.throughput.mean * 0.6, 5);
  expect(workload!.facts.cpuSecondsPerRequest).toBeGreaterThan(0);
  const { spaces } = (await (await fetch(`${appliance.url}/api/v1/spaces`)).json()) as {
    spaces: { name: string }[];
  };
  expect(spaces.filter(({ name }) => name.startsWith("bench-"))).toEqual([]);

  const again = await bench(
    "--workload",
    "store",
    "--duration",
    "2",
    "--concurrency",
    "4",
    "--baseline",
    file,
  );
  expect(again.out).toContain(`against ${file}`);
  expect(again.out).toMatch(/(PASS|FAIL|BETTER) +store \/ throughput \/ throughput/);
  expect(again.exitCode).toBe(again.out.includes("FAIL ") ? 1 : 0);
}, 60_000);

test("bench prints one JSON value with --json", async () => {
  const ran = await bench("--workload", "store", "--duration", "2", "--concurrency", "2", "--json");
  const value = JSON.parse(ran.out) as BenchResult & { comparison: unknown; advice: unknown[] };
  expect(value.workloads[0]!.name).toBe("store");
  expect(value.comparison).toBeDefined();
  expect(Array.isArray(value.advice)).toBe(true);
}, 60_000);

test.each([
  [["--workload", "nap"], 64, "There is no workload"],
  [["--duration", "1"], 64, "from 2 to 3600"],
  [["--concurrency", "many"], 64, "whole number"],
  [["--baseline", "/nonexistent/b.json"], 66, "Cannot hold the result against"],
  [["--out", "/nonexistent/out.json"], 74, "Cannot write the result"],
])("bench refuses %j", async (words, exitCode, message) => {
  const ran = await bench(...words);
  expect(ran.exitCode).toBe(exitCode);
  expect(ran.err).toContain(message);
});

test("bench says that nothing answers, and writes nothing", async () => {
  const ran = await run(["bench", "--url", "http://127.0.0.1:9", "--workload", "store"]);
  expect(ran.exitCode).toBe(69);
  expect(ran.err).toContain("Cannot reach the appliance");
  expect(existsSync(join(directory, "none.json"))).toBe(false);
});
