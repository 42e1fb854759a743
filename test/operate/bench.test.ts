import { describe, expect, test } from "bun:test";
import { adviseOn } from "../../src/operate/bench/advice.ts";
import { factsBetween, parseSamples } from "../../src/operate/bench/appliance-facts.ts";
import { BASELINE } from "../../src/operate/bench/baseline.ts";
import { latencyFigures, meanOf, quantileOf } from "../../src/operate/bench/quantiles.ts";
import { fillingBatches, prepareRequests } from "../../src/operate/bench/requests.ts";
import type { BenchResult, PhaseResult } from "../../src/operate/bench/result.ts";
import { arrivalTimes, isBurst } from "../../src/operate/bench/schedule.ts";
import { compareRuns } from "../../src/operate/bench/verdict.ts";
import { WORKLOADS } from "../../src/operate/bench/workloads.ts";

const LATENCY = latencyFigures(Float64Array.from({ length: 10_000 }, (_, at) => 1 + at / 1000));

function phase(changes: Partial<PhaseResult> = {}): PhaseResult {
  return {
    name: "throughput",
    loop: "closed",
    connections: 32,
    seconds: 10,
    rate: null,
    throughput: { mean: 1000, plusMinus: 20 },
    failures: 0,
    latency: LATENCY,
    classes: {},
    sentLateMs: null,
    ...changes,
  };
}

function result(phases: PhaseResult[], changes: Partial<BenchResult["generator"]> = {}): BenchResult {
  return {
    ...BASELINE,
    generator: { ...BASELINE.generator, machine: "a", referencePerMs: 100, ...changes },
    workloads: [
      {
        name: "mixed",
        phases,
        facts: { cpuSecondsPerRequest: null, flushP99Ms: null, tailMax: null, residentBytes: null },
      },
    ],
  };
}

describe("quantiles", () => {
  test("quantileOf gives an interval that holds the true quantile in about 95 of 100 samples", () => {
    let held = 0;
    const TRIALS = 400;
    for (let trial = 0; trial < TRIALS; trial++) {
      const due = arrivalTimes({ base: 1000 }, 2000, trial + 1);
      // Gaps of a Poisson process are exponential: the median is ln 2 / rate.
      const gaps = due.map((at, index) => (index === 0 ? at : at - due[index - 1]!)).sort();
      const { low, high } = quantileOf(gaps, 0.5);
      if (low! <= Math.LN2 && Math.LN2 <= high!) held += 1;
    }
    expect(held / TRIALS).toBeGreaterThan(0.91);
    expect(held / TRIALS).toBeLessThan(0.99);
  });

  test("quantileOf leaves a side open where the values are too few", () => {
    const few = Float64Array.from([1, 2, 3, 4, 5]);
    expect(quantileOf(few, 0.99)).toEqual({ value: 5, low: 5, high: null });
  });

  test("meanOf has no confidence with fewer than three windows", () => {
    expect(meanOf([10, 12])).toEqual({ mean: 11, plusMinus: null });
    // t(2) = 4.3, s = 1, n = 3.
    expect(meanOf([9, 10, 11]).plusMinus).toBeCloseTo(4.3 / Math.sqrt(3), 2);
  });
});

describe("schedule", () => {
  test("arrivalTimes makes as many requests as the rate says, the same for the same seed", () => {
    const times = arrivalTimes({ base: 500 }, 20_000, 7);
    expect(times.length).toBeGreaterThan(9600);
    expect(times.length).toBeLessThan(10_400);
    expect(arrivalTimes({ base: 500 }, 20_000, 7)).toEqual(times);
    expect(arrivalTimes({ base: 500 }, 20_000, 8)).not.toEqual(times);
    expect([...times].every((at, index) => index === 0 || at > times[index - 1]!)).toBe(true);
  });

  test("arrivalTimes puts the bursts where they belong", () => {
    const rate = { base: 100, burst: { periodMs: 1000, burstMs: 200, rate: 1000 } };
    const times = [...arrivalTimes(rate, 50_000, 3)];
    const inBurst = times.filter((at) => isBurst(rate, at)).length;
    // 50 bursts of 200 and 50 pauses of 80.
    expect(inBurst).toBeGreaterThan(9500);
    expect(inBurst).toBeLessThan(10_500);
    expect(times.length - inBurst).toBeGreaterThan(3700);
    expect(times.length - inBurst).toBeLessThan(4300);
  });
});

describe("requests", () => {
  test("prepareRequests keeps to the mix and to the tenants", () => {
    const spaces = ["a", "b", "c"];
    const prepared = prepareRequests({
      mix: { recallShare: 0.7, tenants: "noisy" },
      spaces,
      seed: 1,
      headers: { authorization: "Bearer x" },
    });
    const texts = prepared.map(({ bytes }) => Buffer.from(bytes).toString());
    const noisy = prepared.filter(({ requestClass }) => requestClass === "noisy").length / prepared.length;
    expect(noisy).toBeGreaterThan(0.77);
    expect(noisy).toBeLessThan(0.83);
    for (const [at, { requestClass }] of prepared.entries()) {
      expect(texts[at]!.includes("X-Memory-Space: a\r\n")).toBe(requestClass === "noisy");
      expect(texts[at]).toContain("authorization: Bearer x");
    }
    const recalls = texts.filter((text) => text.startsWith("POST /api/v1/memories/recall ")).length;
    expect(recalls / texts.length).toBeGreaterThan(0.66);
    expect(recalls / texts.length).toBeLessThan(0.74);
  });

  test("fillingBatches holds as many memories as were asked for", () => {
    const counts = [...fillingBatches(601, 1)].map(
      (body) => (body as { memories: unknown[] }).memories.length,
    );
    expect(counts).toEqual([250, 250, 101]);
  });

  test("every workload names a phase whose throughput its open loops refer to, and shares all its time", () => {
    for (const { phases } of Object.values(WORKLOADS)) {
      const open = phases.findIndex(({ loop }) => loop === "open");
      const reference = phases.findIndex((each) => each.loop === "closed" && each.isReference === true);
      expect(reference).toBeGreaterThanOrEqual(0);
      if (open >= 0) expect(reference).toBeLessThan(open);
      expect(phases.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 10);
    }
  });
});

describe("compareRuns", () => {
  const outcomes = (before: BenchResult, now: BenchResult) =>
    compareRuns(before, now).verdicts.map(({ outcome }) => outcome);
  const rate = (mean: number) => phase({ throughput: { mean, plusMinus: 10 } });

  test("compareRuns fails what is worse than noise and tolerance allow, and nothing less", () => {
    expect(outcomes(result([rate(1000)]), result([rate(930)]))).toEqual(["pass"]);
    expect(outcomes(result([rate(1000)]), result([rate(850)]))).toEqual(["fail"]);
    expect(outcomes(result([rate(1000)]), result([rate(1200)]))).toEqual(["better"]);
  });

  test("compareRuns scales by the speed of a core", () => {
    const half = result([rate(500)], { referencePerMs: 50, machine: "b" });
    const comparison = compareRuns(result([rate(1000)]), half);
    expect(comparison).toMatchObject({ isSameMachine: false, coreRatio: 0.5 });
    expect(comparison.verdicts[0]).toMatchObject({ outcome: "pass", ratio: 1 });
  });

  test("compareRuns judges an open loop by its latency, and new failures always", () => {
    const slow = latencyFigures(Float64Array.from({ length: 10_000 }, (_, at) => 2 * (1 + at / 1000)));
    const open = (changes: Partial<PhaseResult>) =>
      phase({ name: "latency", loop: "open", rate: 600, ...changes });
    expect(outcomes(result([open({})]), result([open({})]))).toEqual(["pass", "pass"]);
    expect(outcomes(result([open({})]), result([open({ latency: slow })]))).toEqual(["fail", "fail"]);
    expect(outcomes(result([open({})]), result([open({ failures: 3 })]))).toEqual(["pass", "pass", "fail"]);
  });

  test("compareRuns says what was not measured", () => {
    expect(compareRuns(result([rate(1), phase({ name: "gone" })]), result([rate(1)])).missing).toEqual([
      "mixed / gone",
    ]);
  });
});

describe("adviseOn", () => {
  const findings = (run: BenchResult) => adviseOn(run).map(({ finding }) => finding);
  const withFacts = (facts: Partial<BenchResult["workloads"][number]["facts"]>): BenchResult => {
    const run = result([phase()]);
    return { ...run, workloads: [{ ...run.workloads[0]!, facts: { ...run.workloads[0]!.facts, ...facts } }] };
  };
  const named = (name: string, p99: number, of = "quiet"): PhaseResult =>
    phase({
      name,
      loop: "open",
      classes: { [of]: latencyFigures(Float64Array.from({ length: 1000 }, () => p99)) },
    });

  test("adviseOn says nothing of a healthy run", () => {
    expect(findings(withFacts({ flushP99Ms: 1, tailMax: 100 }))).toEqual([]);
    expect(findings(result([named("quiet alone", 1), named("beside a noisy one", 2)]))).toEqual([]);
  });

  test("adviseOn names each trouble by its figures", () => {
    expect(findings(withFacts({ flushP99Ms: 12 }))[0]).toContain("log durable is slow");
    expect(findings(withFacts({ tailMax: 5000 }))[0]).toContain("does not keep up");
    expect(findings(result([phase({ failures: 1 })]))[0]).toContain("failed");
    expect(findings(result([phase({ loop: "open", sentLateMs: 3 })]))[0]).toContain(
      "generator itself was late",
    );
    expect(findings(result([named("quiet alone", 1), named("beside a noisy one", 5)]))[0]).toContain(
      "noisy tenant",
    );
    const uneven = latencyFigures(Float64Array.from({ length: 1000 }, (_, at) => (at < 970 ? 1 : 50)));
    expect(findings(result([phase({ loop: "open", latency: uneven })]))[0]).toContain("wait much longer");
    const scale = [phase({ name: "one connection" }), phase({ name: "all" })];
    expect(findings(result(scale))[0]).toContain("no more throughput");
  });
});

describe("factsBetween", () => {
  test("factsBetween reads growth and the bucket of a quantile from two expositions", () => {
    const text = (cpu: number, fast: number, slow: number): string =>
      [
        "# HELP process_cpu_seconds_total x",
        `process_cpu_seconds_total ${cpu}`,
        `engram_wal_flush_duration_seconds_bucket{le="0.001"} ${fast}`,
        `engram_wal_flush_duration_seconds_bucket{le="0.016"} ${fast + slow}`,
        `engram_wal_flush_duration_seconds_bucket{le="+Inf"} ${fast + slow}`,
        "engram_index_tail_vectors_max 17",
      ].join("\n");
    const facts = factsBetween(parseSamples(text(10, 100, 50)), parseSamples(text(12, 200, 55)), 1000);
    expect(facts).toEqual({ cpuSecondsPerRequest: 0.002, flushP99Ms: 16, tailMax: 17, residentBytes: null });
    // Of 105 flushes 100 were fast: P99 lies with the slow ones.
  });
});
