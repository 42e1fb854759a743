/**
 * A run held against an earlier one: pass or fail for each figure, by what both runs' noise allows.
 *
 * Figures of the same machine are compared as they are. Of another machine, or another day, the reference loop of
 * both runs says how much faster a core was, and throughput and latency are scaled by it. A figure fails when it
 * is worse by more than TOLERANCE beyond the two confidence intervals.
 */
import type { BenchResult, PhaseResult } from "./result.ts";

export type Verdict = {
  /** "mixed / latency / p99" */
  readonly figure: string;
  readonly unit: string;
  readonly before: number;
  readonly now: number;
  /** now by before, after scaling: above 1 is better */
  readonly ratio: number;
  readonly outcome: "pass" | "fail" | "better";
};

export type Comparison = {
  readonly isSameMachine: boolean;
  /** how much faster a core is now than it was then, by the reference loop */
  readonly coreRatio: number;
  readonly verdicts: readonly Verdict[];
  /** phases of the workloads measured now that only the earlier run has */
  readonly missing: readonly string[];
};

/** Beyond the noise that was measured. */
const TOLERANCE = 0.1;

export function compareRuns(before: BenchResult, now: BenchResult): Comparison {
  const coreRatio = now.generator.referencePerMs / before.generator.referencePerMs;
  const phasesOf = (run: BenchResult): Map<string, PhaseResult> =>
    new Map(
      run.workloads.flatMap(({ name, phases }) =>
        phases.map((phase) => [`${name} / ${phase.name}`, phase] as const),
      ),
    );
  const old = phasesOf(before);
  const fresh = phasesOf(now);
  const measured = new Set(now.workloads.map(({ name }) => name));
  const verdicts: Verdict[] = [];
  for (const [name, phase] of fresh) {
    const twin = old.get(name);
    if (twin !== undefined) verdicts.push(...phaseVerdicts(name, twin, phase, coreRatio));
  }
  return {
    isSameMachine: before.generator.machine === now.generator.machine,
    coreRatio,
    verdicts,
    missing: [...old.keys()].filter((name) => !fresh.has(name) && measured.has(name.split(" / ")[0]!)),
  };
}

function phaseVerdicts(name: string, before: PhaseResult, now: PhaseResult, coreRatio: number): Verdict[] {
  const verdicts: Verdict[] = [];
  if (now.loop === "closed") {
    const noise =
      relative(before.throughput.plusMinus, before.throughput.mean) +
      relative(now.throughput.plusMinus, now.throughput.mean);
    const ratio = now.throughput.mean / (before.throughput.mean * coreRatio);
    verdicts.push({
      figure: `${name} / throughput`,
      unit: "a second",
      before: before.throughput.mean,
      now: now.throughput.mean,
      ratio,
      outcome: outcomeOf(ratio, noise),
    });
  }
  // A closed loop's latency is its connections by its throughput, which was judged already.
  if (now.loop === "open" && before.latency !== null && now.latency !== null) {
    for (const share of ["p50", "p99"] as const) {
      const [was, is] = [before.latency[share], now.latency[share]];
      const noise = widthOf(was) + widthOf(is);
      const ratio = was.value / coreRatio / is.value;
      verdicts.push({
        figure: `${name} / ${share}`,
        unit: "ms",
        before: was.value,
        now: is.value,
        ratio,
        outcome: outcomeOf(ratio, noise),
      });
    }
  }
  if (now.failures > before.failures) {
    verdicts.push({
      figure: `${name} / failures`,
      unit: "",
      before: before.failures,
      now: now.failures,
      ratio: 0,
      outcome: "fail",
    });
  }
  return verdicts;
}

function outcomeOf(ratio: number, noise: number): Verdict["outcome"] {
  if (ratio < 1 - noise - TOLERANCE) return "fail";
  return ratio > 1 + noise + TOLERANCE ? "better" : "pass";
}

function relative(plusMinus: number | null, mean: number): number {
  return plusMinus === null ? TOLERANCE : plusMinus / mean;
}

/** Half the confidence interval, relative to the figure. */
function widthOf({ value, low, high }: { value: number; low: number | null; high: number | null }): number {
  if (low === null || high === null) return TOLERANCE;
  return (high - low) / 2 / value;
}
