/** BM25 over posting lists through the shim (native/words-score.c): plain functions on arenas and arrays. */
import { type Pointer, ptr } from "bun:ffi";
import { assert } from "../base/assert.ts";
import { openShim } from "./library.ts";

const shim = openShim({
  shim_words_accumulate: {
    args: ["ptr", "u64", "u32", "u32", "f32", "ptr", "ptr", "ptr", "u32"],
    returns: "u32",
  },
  shim_words_reset: { args: ["ptr", "ptr", "u32"], returns: "void" },
  shim_words_best: {
    args: ["ptr", "u32", "ptr", "ptr", "ptr", "u32", "u32", "ptr", "ptr"],
    returns: "u32",
  },
});

/** Scores by slot, and the slots whose score is not 0. Both have room for every slot, `touched` for one more. */
export type ScoreArrays = { readonly scores: Float32Array; readonly touched: Uint32Array };

export type PostingList = {
  /** chunk table of the posting arena */
  readonly tableAddress: number;
  readonly chunkBytes: number;
  /** unit of the first block, 0 for an empty list */
  readonly head: number;
  /** slots from here on are not seen */
  readonly nodeCount: number;
};

/**
 * Adds a term's BM25 scores to those of its memories.
 *
 * @param gain idf times (k1 + 1)
 * @param norms by length byte
 * @returns how many slots are touched now
 */
export function accumulatePostings(
  list: PostingList,
  gain: number,
  norms: Float32Array,
  arrays: ScoreArrays,
  touchedCount: number,
): number {
  assert(arrays.scores.length >= list.nodeCount, "there is a score for every slot");
  assert(arrays.touched.length > list.nodeCount, "there is room for every slot and one more");
  return shim.shim_words_accumulate(
    list.tableAddress as Pointer,
    list.chunkBytes,
    list.head,
    list.nodeCount,
    gain,
    ptr(norms),
    ptr(arrays.scores),
    ptr(arrays.touched),
    touchedCount,
  );
}

/** Zeroes the scores that were touched. */
export function resetScores(arrays: ScoreArrays, touchedCount: number): void {
  if (touchedCount > 0) shim.shim_words_reset(ptr(arrays.scores), ptr(arrays.touched), touchedCount);
}

/**
 * Picks the best scored of the touched slots that are live, or that `passes` lets through, in no order.
 *
 * @param passes by position in `touched`
 * @param headers of the space, to see which slots are live
 * @param out as long as the most that are wanted
 * @returns how many were picked
 */
export function bestScores(
  arrays: ScoreArrays,
  touchedCount: number,
  passes: Uint8Array | undefined,
  headers: { readonly tableAddress: number; readonly chunkShift: number },
  k: number,
  out: { readonly slots: Uint32Array; readonly scores: Float32Array },
): number {
  assert(k <= out.slots.length && k <= out.scores.length, "there is room for the best");
  assert(passes === undefined || passes.length >= touchedCount, "every touched slot was filtered");
  if (k === 0 || touchedCount === 0) return 0;
  return shim.shim_words_best(
    ptr(arrays.touched),
    touchedCount,
    ptr(arrays.scores),
    passes === undefined ? null : ptr(passes),
    headers.tableAddress as Pointer,
    headers.chunkShift,
    k,
    ptr(out.slots),
    ptr(out.scores),
  );
}
