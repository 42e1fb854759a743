/** Texts by their learned meaning through the shim (native/meaning-fold.c): folded in, and compared. */
import { ptr } from "bun:ffi";
import { assert } from "../base/assert.ts";
import { openShim } from "./library.ts";
import { quantiseVector } from "./vector.ts";

const shim = openShim({
  shim_meaning_fold: { args: ["ptr", "u32", "u32"], returns: "void" },
  shim_meaning_text: { args: ["ptr", "ptr", "ptr", "u32", "ptr"], returns: "f64" },
  shim_meaning_compare: { args: ["ptr", "ptr", "ptr", "u32", "u32", "ptr"], returns: "void" },
  shim_meaning_best: { args: ["ptr", "ptr", "u32", "u32", "u32", "ptr", "ptr"], returns: "u32" },
});

export const MEANING_DIMENSIONS_MAX = 512;
/** Behind the numbers of an i8 vector: its scale and its sum (native/kernel-dot.h). */
const TRAILER_BYTES = 8;

/** Bytes of one i8 vector. */
export function meaningVectorBytes(dimensions: number): number {
  assert(dimensions % 8 === 0 && dimensions > 0, "dimensions of a meaning come in eights");
  return dimensions + TRAILER_BYTES;
}

/** Unit vectors of f32, row-major, as i8 vectors with their trailers. */
export function quantisedRows(units: Float32Array, dimensions: number): Uint8Array {
  const stride = meaningVectorBytes(dimensions);
  const rowCount = units.length / dimensions;
  const rows = new Uint8Array(rowCount * stride);
  if (rowCount === 0) return rows;
  const from = ptr(units);
  const to = ptr(rows);
  for (let row = 0; row < rowCount; row++) {
    quantiseVector("i8", from + row * dimensions * 4, to + row * stride, dimensions);
  }
  return rows;
}

type ChunkTable = { readonly tableAddress: number; readonly chunkShift: number };

/** Addresses of a learned meaning, of the space it is about, and of the memories' vectors. */
export type MeaningPlaces = {
  /** u32 by term: its row, 0xffffffff for none */
  readonly rowsAddress: number;
  /** f32 by row */
  readonly gainsAddress: number;
  /** i8 vectors by row */
  readonly vectorsAddress: number;
  readonly termCount: number;
  readonly dimensions: number;
  readonly headers: ChunkTable;
  readonly forward: { readonly tableAddress: number; readonly chunkBytes: number };
  readonly memories: ChunkTable;
};

/** A meaning as C takes it; to be used only while what it names is there. */
export class MeaningHandle {
  readonly vectorBytes: number;
  readonly #block: BigUint64Array;

  constructor(places: MeaningPlaces) {
    const { dimensions } = places;
    assert(dimensions <= MEANING_DIMENSIONS_MAX, "C has room for that many dimensions");
    this.vectorBytes = meaningVectorBytes(dimensions);
    this.#block = BigUint64Array.from(
      [
        places.rowsAddress,
        places.gainsAddress,
        places.vectorsAddress,
        places.termCount,
        dimensions,
        this.vectorBytes,
        places.headers.tableAddress,
        places.headers.chunkShift,
        places.forward.tableAddress,
        places.forward.chunkBytes,
        places.memories.tableAddress,
        places.memories.chunkShift,
      ],
      BigInt,
    );
  }

  /** Folds the slots `[from, to)` in; the arena of the memories' vectors has room for them. */
  fold(from: number, to: number): void {
    shim.shim_meaning_fold(ptr(this.#block), from, to);
  }

  /**
   * Folds terms into `out`, as an i8 vector.
   * @returns the weight of the terms that are known; 0: the vector says nothing
   */
  text(terms: Uint32Array, occurrences: Uint16Array, count: number, out: Uint8Array): number {
    assert(terms.length >= count && occurrences.length >= count, "the terms are there");
    assert(out.length >= this.vectorBytes, "there is room for a vector");
    if (count === 0) return 0;
    return shim.shim_meaning_text(ptr(this.#block), ptr(terms), ptr(occurrences), count, ptr(out));
  }

  /** Cosines of `count` slots with a text; slots from `covered` on are folded in for it. */
  compare(text: Uint8Array, slots: Uint32Array, count: number, covered: number, cosines: Float32Array): void {
    assert(slots.length >= count && cosines.length >= count, "there is room for every cosine");
    if (count === 0) return;
    shim.shim_meaning_compare(ptr(this.#block), ptr(text), ptr(slots), count, covered, ptr(cosines));
  }

  /**
   * The `k` live slots below `slotCount` nearest to a text, in no order; slots from `covered` on are folded in for
   * it, some microseconds each.
   *
   * @returns how many
   */
  best(
    text: Uint8Array,
    covered: number,
    slotCount: number,
    k: number,
    out: { readonly slots: Uint32Array; readonly scores: Float32Array },
  ): number {
    assert(k <= out.slots.length && k <= out.scores.length, "there is room for the best");
    if (k === 0 || slotCount === 0) return 0;
    return shim.shim_meaning_best(
      ptr(this.#block),
      ptr(text),
      covered,
      slotCount,
      k,
      ptr(out.slots),
      ptr(out.scores),
    );
  }
}
