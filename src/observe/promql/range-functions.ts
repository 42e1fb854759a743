/**
 * Functions of a range of samples, as Prometheus 2.42 computes them.
 *
 * A range holds both of its ends. Each function sees one series' samples as `times[lo, hi)` and `values[lo, hi)`,
 * at least one of them, and answers undefined where there are too few to say anything.
 */
import { KahanSum } from "./kahan.ts";
import { quantileOf } from "./quantile.ts";

/** The samples of one series in a range. */
export type Window = {
  times: Float64Array;
  values: Float64Array;
  lo: number;
  hi: number;
  /** the range, in ms; its samples need not reach its ends */
  fromMs: number;
  toMs: number;
  /** the instant that is asked about */
  atMs: number;
  /** false where no value of the whole series is less than the one before */
  mayFall: boolean;
};

/** @param scalar the function's number, where it takes one */
export type RangeFunction = (window: Window, scalar: number) => number | undefined;

/** An extrapolation stops where a series seems to begin or end: more than this many intervals away. */
const EXTRAPOLATION_INTERVALS = 1.1;

/** The change over the range, extrapolated to its ends (`extrapolatedRate` in Prometheus' promql/functions.go). */
function extrapolated(window: Window, isCounter: boolean, isRate: boolean): number | undefined {
  const { times, values, lo, hi, fromMs, toMs } = window;
  const count = hi - lo;
  if (count < 2) return undefined;
  const first = values[lo]!;
  let change = values[hi - 1]! - first;
  if (isCounter && window.mayFall) {
    // After a reset a counter starts from 0.
    for (let i = lo + 1; i < hi; i++) if (values[i]! < values[i - 1]!) change += values[i - 1]!;
  }
  const sampledSeconds = (times[hi - 1]! - times[lo]!) / 1000;
  const meanSeconds = sampledSeconds / (count - 1);
  let startSeconds = (times[lo]! - fromMs) / 1000;
  const endSeconds = (toMs - times[hi - 1]!) / 1000;
  if (isCounter && change > 0 && first >= 0) {
    // A counter can not have been below 0, so its line is not drawn further than to there.
    startSeconds = Math.min(startSeconds, sampledSeconds * (first / change));
  }
  const threshold = meanSeconds * EXTRAPOLATION_INTERVALS;
  const seconds =
    sampledSeconds +
    (startSeconds < threshold ? startSeconds : meanSeconds / 2) +
    (endSeconds < threshold ? endSeconds : meanSeconds / 2);
  const factor = seconds / sampledSeconds;
  return change * (isRate ? factor / ((toMs - fromMs) / 1000) : factor);
}

/** From the last two samples only. */
function instantaneous({ times, values, lo, hi }: Window, isRate: boolean): number | undefined {
  if (hi - lo < 2) return undefined;
  const last = values[hi - 1]!;
  const before = values[hi - 2]!;
  const seconds = (times[hi - 1]! - times[hi - 2]!) / 1000;
  if (seconds === 0) return undefined;
  if (!isRate) return last - before;
  return (last < before ? last : last - before) / seconds;
}

/** Least squares; the intercept is the line's value at `originMs`. */
function regression(window: Window, originMs: number): { slope: number; intercept: number } {
  const { times, values, lo, hi } = window;
  const first = values[lo]!;
  let isConstant = true;
  const [x, y, xy, xx] = [new KahanSum(), new KahanSum(), new KahanSum(), new KahanSum()];
  for (let i = lo; i < hi; i++) {
    const value = values[i]!;
    if (value !== first) isConstant = false;
    const seconds = (times[i]! - originMs) / 1000;
    x.add(seconds);
    y.add(value);
    xy.add(seconds * value);
    xx.add(seconds * seconds);
  }
  if (isConstant) {
    return Number.isFinite(first)
      ? { slope: 0, intercept: first }
      : { slope: Number.NaN, intercept: Number.NaN };
  }
  const n = hi - lo;
  const slope = (xy.value - (x.value * y.value) / n) / (xx.value - (x.value * x.value) / n);
  return { slope, intercept: y.value / n - (slope * x.value) / n };
}

function mean({ values, lo, hi }: Window): number {
  // Divided first, so that large values do not overflow.
  const sum = new KahanSum();
  let count = 0;
  for (let i = lo; i < hi; i++) {
    const value = values[i]!;
    count += 1;
    const sofar = sum.value;
    if (sofar === Number.POSITIVE_INFINITY || sofar === Number.NEGATIVE_INFINITY) {
      if (value === sofar || Number.isFinite(value)) continue;
    }
    sum.add(value / count - sofar / count);
  }
  return sum.value;
}

function variance({ values, lo, hi }: Window): number {
  const centre = new KahanSum();
  const squares = new KahanSum();
  let count = 0;
  for (let i = lo; i < hi; i++) {
    count += 1;
    const delta = values[i]! - centre.value;
    centre.add(delta / count);
    squares.add(delta * (values[i]! - centre.value));
  }
  return squares.value / count;
}

/** The largest value, or with sign -1 the smallest; NaN only where there is nothing else. */
function extreme({ values, lo, hi }: Window, sign: 1 | -1): number {
  let best = values[lo]!;
  for (let i = lo + 1; i < hi; i++) {
    const value = values[i]!;
    if (value * sign > best * sign || Number.isNaN(best)) best = value;
  }
  return best;
}

function countPairs({ values, lo, hi }: Window, counts: (before: number, value: number) => boolean): number {
  let count = 0;
  for (let i = lo + 1; i < hi; i++) if (counts(values[i - 1]!, values[i]!)) count += 1;
  return count;
}

export const RANGE_FUNCTIONS: Readonly<Record<string, RangeFunction>> = {
  rate: (window) => extrapolated(window, true, true),
  increase: (window) => extrapolated(window, true, false),
  delta: (window) => extrapolated(window, false, false),
  irate: (window) => instantaneous(window, true),
  idelta: (window) => instantaneous(window, false),
  deriv: (window) =>
    window.hi - window.lo < 2 ? undefined : regression(window, window.times[window.lo]!).slope,
  predict_linear: (window, seconds) => {
    if (window.hi - window.lo < 2) return undefined;
    const { slope, intercept } = regression(window, window.atMs);
    return slope * seconds + intercept;
  },
  changes: (window) => countPairs(window, (a, b) => a !== b && !(Number.isNaN(a) && Number.isNaN(b))),
  resets: (window) => countPairs(window, (a, b) => b < a),
  avg_over_time: mean,
  sum_over_time: ({ values, lo, hi }) => {
    const sum = new KahanSum();
    for (let i = lo; i < hi; i++) sum.add(values[i]!);
    return sum.value;
  },
  min_over_time: (window) => extreme(window, -1),
  max_over_time: (window) => extreme(window, 1),
  count_over_time: ({ lo, hi }) => hi - lo,
  stddev_over_time: (window) => Math.sqrt(variance(window)),
  stdvar_over_time: variance,
  last_over_time: ({ values, hi }) => values[hi - 1]!,
  present_over_time: () => 1,
  quantile_over_time: ({ values, lo, hi }, q) => quantileOf(q, values.subarray(lo, hi)),
};
