/**
 * usearch as its npm package gives it, in this process: what the appliance's vectors are compared with.
 *
 * Its time is processor time of this thread, so that other guests of the machine do not count; rounds of both
 * sides are interleaved by the benches.
 */
import { readFileSync } from "node:fs";
import usearch from "usearch";

const { Index, MetricKind, ScalarKind } = usearch;

export type UsearchOptions = {
  readonly dimensions: number;
  readonly M: number;
  readonly efConstruction: number;
  readonly ef: number;
};

export class UsearchReference {
  readonly #dimensions: number;
  readonly #index: InstanceType<typeof Index>;
  #count = 0;

  /** bf16, inner product of unit vectors. */
  constructor({ dimensions, M, efConstruction, ef }: UsearchOptions) {
    this.#dimensions = dimensions;
    this.#index = new Index({
      dimensions,
      metric: MetricKind.IP,
      quantization: ScalarKind.BF16,
      connectivity: M,
      expansion_add: efConstruction,
      expansion_search: ef,
      multi: false,
    });
  }

  /** Inserts rows `from` to `from + count` of `vectors`, one thread; keys are numbered from 0 in the order of adding. */
  add(vectors: Float32Array, from: number, count: number): void {
    const keys = BigUint64Array.from({ length: count }, () => BigInt(this.#count++));
    const d = this.#dimensions;
    this.#index.add(keys, vectors.subarray(from * d, (from + count) * d), 1);
  }

  /** Searches once, on this thread. */
  search(query: Float32Array, k: number): BigUint64Array {
    return this.#index.search(query, k, 1).keys;
  }
}

/** For each query the numbers of its `k` nearest rows by inner product in f32, by brute force over all. */
export function exactNearest(options: {
  readonly vectors: Float32Array;
  readonly queries: Float32Array;
  readonly dimensions: number;
  readonly k: number;
}): Set<number>[] {
  const { vectors, queries, dimensions, k } = options;
  const found: Set<number>[] = [];
  for (let at = 0; at < queries.length; at += dimensions) {
    // A copy: exactSearch reads from the start of the buffer, whatever part of it the array is.
    const query = queries.slice(at, at + dimensions);
    const { keys } = usearch.exactSearch(vectors, query, dimensions, k, MetricKind.IP, 0) as {
      keys: BigUint64Array;
    };
    found.push(new Set(Array.from(keys, Number)));
  }
  return found;
}

/** Processor seconds this thread, the main one of the process, has used so far. */
export function threadSeconds(): number {
  return Number(readFileSync("/proc/self/schedstat", "utf8").split(" ")[0]) / 1e9;
}
