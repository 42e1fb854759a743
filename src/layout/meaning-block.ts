/**
 * What a space has learned of its words, in shared memory: one block that is never changed once published.
 *
 *   byte 0 … 120        f64 numbers (MEANING_NUMBER)
 *        120            u32: memories folded in, slots below it; the one thing that changes, only upwards
 *        128 … rows     reserved
 *   rows   u32 by term      row of the term, or MEANING_NO_ROW; terms that came later are not in it
 *   gains  f32 by row       idf when it was learned
 *   vectors i8 by row       `dimensions` numbers and a trailer (native/kernel-dot.h): unit vectors
 *
 * The learner (the background thread) makes blocks. It writes the address into one of the root's two numbers and
 * then counts `meaningGeneration` up, whose lowest bit says which of the two holds, as with the tables of ids and
 * terms; the block before it is given back once the readers' epoch is past. The vectors of the memories lie in a
 * slot arena of their own, whose chunk table the block names.
 */
import { assert } from "../base/assert.ts";

/** Index of an f64 from the start of a block. */
export const MEANING_NUMBER = {
  /** 1 for the first that a space learned */
  version: 0,
  dimensions: 1,
  termCount: 2,
  rowCount: 3,
  /** byte offsets in the block */
  rowsAt: 4,
  gainsAt: 5,
  vectorsAt: 6,
  /** chunk table of the memories' vectors */
  memoryTable: 7,
  /** g of cognition/meaning/context.ts */
  contextGain: 8,
  /** memories it was learned from, and ms since the epoch when */
  learnedFrom: 9,
  learnedAtMs: 10,
} as const;

/** u32 index from the start of a block. */
export const MEANING_COVERED = 30;
export const MEANING_HEAD_BYTES = 128;
export const MEANING_NO_ROW = 0xffffffff;
/** Slots in a chunk of the memories' vectors. */
export const MEANING_CHUNK_SLOTS = 8192;

assert(
  (Math.max(...Object.values(MEANING_NUMBER)) + 1) * 8 <= MEANING_COVERED * 4,
  "numbers end before the count",
);
assert((MEANING_COVERED + 1) * 4 <= MEANING_HEAD_BYTES, "the count is in the head");
