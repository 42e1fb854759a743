/**
 * Similarities of many vectors to many others, and weighted sums, through the shim (native/centroids.c).
 *
 * Rows are given by address, as f64 numbers that JavaScript counts exactly: 768 floats each, wherever they lie.
 * `Rows` holds the addresses as C reads them and is filled again for the next batch.
 */
import { ptr } from "bun:ffi";
import { assert } from "../base/assert.ts";
import { isErrno, openShim } from "./library.ts";

const shim = openShim({
  shim_centroids_similarities: {
    args: ["u32", "ptr", "u32", "ptr", "u32", "u32", "ptr"],
    returns: "i32",
  },
  shim_centroids_matrix: { args: ["u32", "ptr", "u32", "u32", "u32", "ptr"], returns: "i32" },
  shim_centroids_sum: { args: ["ptr", "ptr", "u32", "u32", "ptr", "ptr"], returns: "f64" },
});

/** Which implementation; `best` is what the appliance runs. */
export const CENTROIDS_VARIANT = { best: 0, serial: 1, numkong: 2, tiled: 3, avx2: 4, avx512: 5 } as const;
export type CentroidsVariant = keyof typeof CENTROIDS_VARIANT;

export const MATRIX_THREADS_MAX = 64;

const WORD = 2 ** 32;

/** A list of rows by their addresses, with a fixed room. */
export class Rows {
  /** the u64 that C reads, as two u32 each */
  readonly words: Uint32Array;
  readonly capacity: number;
  count = 0;
  /** what the addresses point into, where that is memory of this thread: an address alone keeps nothing alive */
  source: Float32Array | undefined;

  constructor(capacity: number) {
    assert(Number.isInteger(capacity) && capacity > 0, "a list of rows has room for one");
    this.capacity = capacity;
    this.words = new Uint32Array(2 * capacity);
  }

  /** Rows that lie one after another in one array, which is kept alive with them. */
  static of(vectors: Float32Array, dimensions: number): Rows {
    assert(vectors.length > 0 && vectors.length % dimensions === 0, "the array holds whole rows");
    const rows = new Rows(vectors.length / dimensions);
    rows.source = vectors;
    const address = ptr(vectors);
    for (let i = 0; i < rows.capacity; i++) rows.push(address + i * dimensions * 4);
    return rows;
  }

  clear(): void {
    this.count = 0;
    this.source = undefined;
  }

  address(row: number): number {
    assert(row < this.count, "the row is in the list");
    return this.words[2 * row]! + this.words[2 * row + 1]! * WORD;
  }

  push(address: number): void {
    assert(this.count < this.capacity, "there is room for one row more");
    const at = 2 * this.count++;
    this.words[at] = address % WORD;
    this.words[at + 1] = Math.floor(address / WORD);
  }
}

/**
 * Similarities (dot products) of every row of `a` with every row of `b`.
 *
 * @param out a.count × b.count, row-major
 * @returns false where this processor can not run the variant
 */
export function similarities(
  a: Rows,
  b: Rows,
  dimensions: number,
  out: Float32Array,
  variant: CentroidsVariant = "best",
): boolean {
  assert(out.length >= a.count * b.count, "the array takes all similarities");
  const code = CENTROIDS_VARIANT[variant];
  return ran(shim.shim_centroids_similarities(code, a.words, a.count, b.words, b.count, dimensions, out));
}

/**
 * Similarities of all pairs of rows, the same to the last bit for any number of threads.
 *
 * @param out count × count, symmetric
 * @returns false where this processor can not run the variant
 */
export function similarityMatrix(
  rows: Rows,
  dimensions: number,
  threads: number,
  out: Float32Array,
  variant: CentroidsVariant = "best",
): boolean {
  assert(out.length >= rows.count ** 2, "the array takes all pairs");
  assert(threads >= 1 && threads <= MATRIX_THREADS_MAX, "a matrix has 1 to 64 threads");
  const code = CENTROIDS_VARIANT[variant];
  return ran(shim.shim_centroids_matrix(code, rows.words, rows.count, dimensions, threads, out));
}

/**
 * Writes the direction of Σ weight × row, and returns the length the sum had. Where that is 0 (below 1e-12) or
 * not finite there is no direction, and `out` is as it was.
 */
export function weightedDirection(
  rows: Rows,
  weights: Float64Array,
  scratch: Float64Array,
  out: Float32Array,
): number {
  assert(weights.length >= rows.count, "every row has a weight");
  assert(scratch.length >= out.length, "there is a sum for every dimension");
  return shim.shim_centroids_sum(rows.words, weights, rows.count, out.length, scratch, out);
}

function ran(answer: number): boolean {
  if (isErrno(answer, "ENOSYS")) return false;
  assert(answer === 0, "the shim was asked for similarities with arguments it can take");
  return true;
}
