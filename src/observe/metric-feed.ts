/**
 * Metrics as a stream of JSON: what each series is now, and what became of it since the frame before.
 *
 *   counter     total, and rate a second
 *   gauge       value
 *   histogram   total count and sum; of the time since the frame before: rate, mean and quantiles
 *
 * Quantiles lie inside a bucket, whose bounds are powers of two, by linear interpolation, as Prometheus does it.
 */
import { type Family, firstExponentOf, type HistogramSample } from "./family.ts";

const QUANTILES = { p50: 0.5, p90: 0.9, p99: 0.99 } as const;

type Frame = { readonly atMs: number; readonly totals: ReadonlyMap<string, Before> };
type Before = number | { readonly count: number; readonly sum: number; readonly buckets: Float64Array };

export class MetricFeed {
  readonly #isWanted: (name: string) => boolean;
  #before: Frame | undefined;

  constructor(isWanted: (name: string) => boolean) {
    this.#isWanted = isWanted;
  }

  /** @param nowMs monotonic @returns a JSON array, one object for each metric */
  frame(families: readonly Family[], nowMs: number): string {
    const totals = new Map<string, Before>();
    const before = this.#before;
    const seconds = before === undefined ? 0 : (nowMs - before.atMs) / 1000;
    const metrics = families
      .filter(({ name }) => this.#isWanted(name))
      .map((family) => {
        const { kind, unit } = family.declaration;
        return {
          name: family.name,
          kind,
          unit,
          series: [
            ...plainSeries(family, seconds, before, totals),
            ...timed(family, seconds, before, totals),
          ],
        };
      });
    this.#before = { atMs: nowMs, totals };
    return JSON.stringify(metrics);
  }
}

function plainSeries(
  { name, declaration, samples }: Family,
  seconds: number,
  before: Frame | undefined,
  totals: Map<string, Before>,
): unknown[] {
  return samples.map(({ labels, value }) => {
    const shown = { labels: Object.fromEntries(labels.pairs), value };
    if (declaration.kind !== "counter") return shown;
    const key = `${name}{${labels.text}}`;
    totals.set(key, value);
    const last = before?.totals.get(key);
    // A series that was not there before has no rate yet; nor has one of no time.
    return typeof last === "number" && seconds > 0 ? { ...shown, rate: (value - last) / seconds } : shown;
  });
}

function timed(
  family: Family,
  seconds: number,
  before: Frame | undefined,
  totals: Map<string, Before>,
): unknown[] {
  return family.histograms.map((now) => {
    const key = `${family.name}{${now.labels.text}}`;
    totals.set(key, { count: now.count, sum: now.sum, buckets: now.buckets.slice() });
    const shown = { labels: Object.fromEntries(now.labels.pairs), count: now.count, sum: now.sum };
    const last = before?.totals.get(key);
    if (last === undefined || typeof last === "number" || seconds <= 0) return shown;
    const count = now.count - last.count;
    const rate = count / seconds;
    if (count <= 0) return { ...shown, rate };
    const buckets = now.buckets.map((total, index) => total - last.buckets[index]!);
    const recent = { ...now, buckets, count };
    const quantiles = Object.entries(QUANTILES).map(([name, q]) => [
      name,
      quantileOf(recent, q, firstExponentOf(family.declaration)),
    ]);
    return { ...shown, rate, mean: (now.sum - last.sum) / count, ...Object.fromEntries(quantiles) };
  });
}

/** @param firstExponent of the bound of bucket 0 */
export function quantileOf(
  { buckets, count }: Pick<HistogramSample, "buckets" | "count">,
  quantile: number,
  firstExponent: number,
): number {
  const rank = quantile * count;
  let below = 0;
  for (let index = 0; index < buckets.length; index++) {
    const inside = buckets[index]!;
    if (inside > 0 && below + inside >= rank) {
      const upper = 2 ** (index + firstExponent);
      // Bucket 0 takes all from zero on.
      const lower = index === 0 ? 0 : upper / 2;
      return lower + (upper - lower) * Math.max(0, (rank - below) / inside);
    }
    below += inside;
  }
  return Number.NaN;
}
