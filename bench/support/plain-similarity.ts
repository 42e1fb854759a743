/** Similarities in plain JavaScript: what the native ones are timed against. */

/** Dot products of every row of `a` with every row of `b`, row-major into `out`. */
export function plainSimilarities(
  a: Float32Array,
  b: Float32Array,
  dimensions: number,
  out: Float32Array,
): void {
  let to = 0;
  for (let i = 0; i < a.length; i += dimensions) {
    for (let j = 0; j < b.length; j += dimensions) {
      let sum = 0;
      for (let d = 0; d < dimensions; d++) sum += a[i + d]! * b[j + d]!;
      out[to++] = sum;
    }
  }
}

export function total(values: Float32Array, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += values[i]!;
  return sum;
}
