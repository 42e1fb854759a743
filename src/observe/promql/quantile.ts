/** Quantiles: of values, and of observations that are counted in cumulative buckets. */

/** One bucket of a classic histogram: observations of at most `bound`. */
export type Bucket = { readonly bound: number; count: number };

/** The q-quantile of values, interpolated between neighbours; NaN counts as the smallest. */
export function quantileOf(q: number, values: Float64Array): number {
  if (values.length === 0 || Number.isNaN(q)) return Number.NaN;
  if (q < 0) return Number.NEGATIVE_INFINITY;
  if (q > 1) return Number.POSITIVE_INFINITY;
  const sorted = values
    .slice()
    .sort((a, b) => (Number.isNaN(a) ? (Number.isNaN(b) ? 0 : -1) : Number.isNaN(b) ? 1 : a - b));
  const rank = q * (sorted.length - 1);
  const lower = Math.max(0, Math.floor(rank));
  const upper = Math.min(sorted.length - 1, lower + 1);
  const weight = rank - Math.floor(rank);
  return sorted[lower]! * (1 - weight) + sorted[upper]! * weight;
}

/**
 * The q-quantile of what a histogram counted, even within a bucket. The last bucket's bound has to be +Inf; a
 * quantile in it is answered with the bound before it. `buckets` is sorted and made monotonic in place.
 */
export function bucketQuantile(q: number, buckets: Bucket[]): number {
  if (Number.isNaN(q)) return Number.NaN;
  if (q < 0) return Number.NEGATIVE_INFINITY;
  if (q > 1) return Number.POSITIVE_INFINITY;
  buckets.sort((a, b) => a.bound - b.bound);
  if (buckets.at(-1)?.bound !== Number.POSITIVE_INFINITY) return Number.NaN;
  const merged = mergeEqualBounds(buckets);
  makeMonotonic(merged);
  const last = merged.length - 1;
  if (merged.length < 2) return Number.NaN;
  const observations = merged[last]!.count;
  if (observations === 0) return Number.NaN;
  let rank = q * observations;
  let index = 0;
  while (index < last && !(merged[index]!.count >= rank)) index += 1;
  if (index === last) return merged[last - 1]!.bound;
  const { bound, count } = merged[index]!;
  if (index === 0) return bound <= 0 ? bound : bound * (rank / count);
  const below = merged[index - 1]!;
  rank -= below.count;
  return below.bound + (bound - below.bound) * (rank / (count - below.count));
}

function mergeEqualBounds(sorted: readonly Bucket[]): Bucket[] {
  const merged: Bucket[] = [];
  for (const { bound, count } of sorted) {
    const last = merged.at(-1);
    if (last?.bound === bound) last.count += count;
    else merged.push({ bound, count });
  }
  return merged;
}

/** Counts of buckets that were read at slightly different moments may fall; they are lifted to the largest before. */
function makeMonotonic(buckets: readonly Bucket[]): void {
  let max = Number.NEGATIVE_INFINITY;
  for (const bucket of buckets) {
    if (bucket.count > max) max = bucket.count;
    else if (bucket.count < max) bucket.count = max;
  }
}
