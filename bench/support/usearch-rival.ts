/** usearch as its npm package gives it, in-process and single-threaded: what our graph is measured against. */
import type { Quantization } from "../../src/layout/space-root.ts";

export type UsearchOptions = {
  readonly dimensions: number;
  readonly quantization: Quantization;
  readonly M: number;
  readonly efConstruction: number;
  readonly ef: number;
};

export type UsearchRival = {
  /** Adds `count` vectors, row-major, with keys from `firstKey` on. */
  add(firstKey: number, vectors: Float32Array, count: number): void;
  /** Keys of the k nearest. */
  search(query: Float32Array, k: number): BigUint64Array;
};

/** The metric is `ip`: vectors and queries are of unit length, and `cos` is some 20 % slower. */
export async function openUsearch(options: UsearchOptions): Promise<UsearchRival> {
  const { Index, MetricKind, ScalarKind } = (await import("usearch")).default;
  const kinds = { f32: ScalarKind.F32, bf16: ScalarKind.BF16, f16: ScalarKind.F16, i8: ScalarKind.I8 };
  const index = new Index({
    dimensions: options.dimensions,
    metric: MetricKind.IP,
    quantization: kinds[options.quantization],
    connectivity: options.M,
    expansion_add: options.efConstruction,
    expansion_search: options.ef,
    multi: false,
  });
  return {
    add(firstKey, vectors, count) {
      const keys = BigUint64Array.from({ length: count }, (_, i) => BigInt(firstKey + i));
      index.add(keys, vectors, 1);
    },
    search: (query, k) => index.search(query, k, 1).keys,
  };
}
