/**
 * A figure: one operation that is timed beside its plain version, in turns, in one run.
 *
 * A bench makes its figures, `runFigures` prints their percentiles and verdicts, and `bench/check.ts` compares
 * them with `bench/baseline.json`. To take part in the check a bench stands in `bench/registered.ts`.
 *
 *   export const bench: FigureBench = {
 *     name: "fan-out",
 *     parameters: (size) => ({ memories: size.isSmall ? 1000 : 100_000 }),
 *     make: (size) => [{ name: "fan-out read", operations: 1000, run: …, plain: … }],
 *   };
 *   if (import.meta.main) await runFigures(bench);
 *
 * Both answer a checksum of what they found; where the two disagree by more than 1e-3 of it the work was not
 * the same, and the bench fails.
 */
import { formatNs } from "../../src/base/units.ts";
import { quantile } from "../../src/operate/load/http-load.ts";
import { benchArguments, Report } from "./report.ts";

export type FigureSize = { readonly isSmall: boolean; readonly seed: number };

export type Figure = {
  /** unique among all benches: it is the key in the baseline */
  readonly name: string;
  /** operations that one call does: so many that it takes a microsecond at least */
  readonly operations: number;
  readonly run: () => number;
  /** the same, written plainly */
  readonly plain: () => number;
  /** calls of `plain` for 100 of `run`, where the plain version is slow; 100 by default */
  readonly plainPerHundred?: number;
  /** promised: nanoseconds an operation, of the median or of the P99 */
  readonly medianNsMax?: number;
  readonly p99NsMax?: number;
  /** promised: how many times faster than plain, by the medians */
  readonly timesPlainMin?: number;
};

export type FigureBench = {
  readonly name: string;
  readonly parameters: (size: FigureSize) => Readonly<Record<string, string | number>>;
  /** timed calls of each figure */
  readonly calls: (size: FigureSize) => number;
  readonly make: (size: FigureSize) => readonly Figure[] | Promise<readonly Figure[]>;
  /** frees what the figures used */
  readonly close?: () => void;
};

export type FigureTimes = {
  /** nanoseconds an operation, call by call */
  readonly ns: Float64Array;
  readonly plainNs: Float64Array;
};

/** Runs a bench as a program: prints what it measured, and a verdict for what was promised. */
export async function runFigures(bench: FigureBench): Promise<void> {
  const given = benchArguments();
  const { isSmall, seed } = given;
  const size = { isSmall, seed };
  const report = new Report({ name: bench.name, arguments: given, parameters: bench.parameters(size) });
  for (const figure of await bench.make(size)) {
    const { ns, plainNs } = timeFigure(figure, bench.calls(size));
    report.line("measured", `${figure.name}: ${timesText(ns)}`);
    report.line("plain", `${figure.name}: ${timesText(plainNs)}`);
    report.figure(figure.name, percentilesOf(ns));
    report.figure(`${figure.name}, plain`, percentilesOf(plainNs));
    const { medianNsMax, p99NsMax, timesPlainMin } = figure;
    if (medianNsMax !== undefined)
      report.target({
        name: `${figure.name}, median`,
        figure: quantile(ns, 0.5),
        unit: "ns",
        atMost: medianNsMax,
      });
    if (p99NsMax !== undefined)
      report.target({
        name: `${figure.name}, P99`,
        figure: quantile(ns, 0.99),
        unit: "ns",
        atMost: p99NsMax,
      });
    const times = quantile(plainNs, 0.5) / quantile(ns, 0.5);
    report.figure(`${figure.name}, times plain`, times);
    if (timesPlainMin !== undefined)
      report.target({
        name: `${figure.name}, against plain`,
        figure: times,
        unit: "times",
        atLeast: timesPlainMin,
      });
  }
  bench.close?.();
  report.finish();
}

/**
 * Times a figure and its plain version in turns, after a warm-up of a tenth.
 *
 * @throws {Error} where the two did different work
 */
export function timeFigure(figure: Figure, calls: number): FigureTimes {
  const { operations, plainPerHundred = 100 } = figure;
  const plainEvery = Math.max(1, Math.round(100 / plainPerHundred));
  const warmUp = Math.ceil(calls / 10);
  const ns = new Float64Array(calls);
  const plainNs = new Float64Array(Math.ceil(calls / plainEvery));
  let sum = 0;
  let plainSum = 0;
  for (let call = -warmUp; call < calls; call++) {
    const startedNs = Bun.nanoseconds();
    const found = figure.run();
    const took = Bun.nanoseconds() - startedNs;
    if (call >= 0) ns[call] = took / operations;
    if (call < 0 ? call % plainEvery !== 0 : call % plainEvery > 0) continue;
    const plainStartedNs = Bun.nanoseconds();
    const expected = figure.plain();
    const plainTook = Bun.nanoseconds() - plainStartedNs;
    if (call >= 0) plainNs[call / plainEvery] = plainTook / operations;
    sum += found;
    plainSum += expected;
  }
  if (!(Math.abs(sum - plainSum) <= 1e-3 * Math.max(Math.abs(sum), Math.abs(plainSum)))) {
    throw new Error(
      `${figure.name}: the checksum of the work is ${sum}, that of the plain version ${plainSum}`,
    );
  }
  return { ns, plainNs };
}

function percentilesOf(ns: Float64Array): Readonly<Record<string, number>> {
  const at = (share: number): number => quantile(ns, share);
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1), count: ns.length };
}

function timesText(ns: Float64Array): string {
  const at = (share: number): string => formatNs(quantile(ns, share));
  return `p50 ${at(0.5)} p90 ${at(0.9)} p99 ${at(0.99)} max ${at(1)} (${ns.length} calls)`;
}
