/**
 * Quantiles with their confidence, without an assumption on the distribution: the ranks between which the true
 * quantile lies with 95 % follow from the binomial distribution of how many values fall below it (order statistics,
 * as in Hahn & Meeker, Statistical Intervals, 1991, section 5.2; normal approximation).
 */
const Z_95 = 1.96;

export type QuantileFigure = {
  readonly value: number;
  /** 95 % confidence; null where the values are too few for that side */
  readonly low: number | null;
  readonly high: number | null;
};

export const SHARES = { p50: 0.5, p90: 0.9, p99: 0.99, p999: 0.999 } as const;
export type ShareName = keyof typeof SHARES;

export type LatencyFigures = Readonly<Record<ShareName, QuantileFigure>> & {
  readonly count: number;
  readonly maxMs: number;
};

/** @param latenciesMs in any order; at least one */
export function latencyFigures(latenciesMs: Float64Array): LatencyFigures {
  const sorted = Float64Array.from(latenciesMs).sort();
  const of = (share: number): QuantileFigure => quantileOf(sorted, share);
  return {
    p50: of(SHARES.p50),
    p90: of(SHARES.p90),
    p99: of(SHARES.p99),
    p999: of(SHARES.p999),
    count: sorted.length,
    maxMs: sorted.at(-1)!,
  };
}

/** @param sorted ascending */
export function quantileOf(sorted: Float64Array, share: number): QuantileFigure {
  const n = sorted.length;
  const spread = Z_95 * Math.sqrt(n * share * (1 - share));
  const low = Math.floor(n * share - spread);
  const high = Math.ceil(n * share + spread);
  return {
    value: sorted[Math.min(n - 1, Math.floor(n * share))]!,
    low: low >= 0 ? sorted[low]! : null,
    high: high < n ? sorted[high]! : null,
  };
}

export type MeanFigure = { readonly mean: number; readonly plusMinus: number | null };

/** The mean of equally long windows, with 95 % confidence; none with fewer than three. */
export function meanOf(windows: readonly number[]): MeanFigure {
  const n = windows.length;
  if (n === 0) return { mean: Number.NaN, plusMinus: null };
  const mean = windows.reduce((sum, value) => sum + value, 0) / n;
  if (n < 3) return { mean, plusMinus: null };
  const variance = windows.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  return { mean, plusMinus: studentT95(n - 1) * Math.sqrt(variance / n) };
}

/** Student's t for 95 %, two-sided: exact to a hundredth for the small degrees of freedom that matter. */
function studentT95(degrees: number): number {
  const TABLE = [12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23];
  return TABLE[degrees - 1] ?? Z_95 + 2.4 / degrees;
}
