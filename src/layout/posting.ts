/**
 * The word index in shared memory: terms, their posting lists, and per memory the list of its terms.
 *
 * Term arena, one record of 32 bytes per term, dense, numbered from 0:
 *   byte 0         8             12         16         20
 *        | hash    | live count  | postings | head     | tail | (unused) … 32
 *
 * Posting arena, blocks in units of 16 bytes, the position of a block being its unit index (0: none):
 *   byte 0      4       8          12  16
 *        | next | count | capacity | 0 | slot, u32 × capacity | (frequency u8, length u8) × capacity
 *
 * A block never spans two chunks. The writer stores slot, frequency and length, then the count (atomically);
 * a new block is filled before `next` of the one before points to it. Slots in a list only grow, so readers
 * stop at the first one at or beyond the node count they loaded. Postings of forgotten memories stay until
 * the space is rewritten; the live count is what idf uses.
 *
 * Forward arena, per memory: the number of terms, then (term index, frequency) for each, as LEB128.
 */
export const TERM_RECORD_BYTES = 32;
export const TERM_RECORD_WORDS = TERM_RECORD_BYTES / 4;

/** Word index in a term record. */
export const TERM = {
  hashLow: 0,
  hashHigh: 1,
  /** live memories that hold the term: the document frequency of BM25 */
  liveCount: 2,
  /** postings, those of forgotten memories included */
  postingCount: 3,
  /** unit of the first block, 0 where there is none yet */
  head: 4,
  /** unit of the last block */
  tail: 5,
} as const;

export const POSTING_UNIT_BYTES = 16;
export const POSTING_UNIT_WORDS = POSTING_UNIT_BYTES / 4;

/** Word index in a posting block. */
export const POSTING_BLOCK = { next: 0, count: 1, capacity: 2, slots: 4 } as const;

/** Capacities of a list's blocks, first to last; the last one repeats. Most terms occur once. */
export const POSTING_CAPACITIES = [2, 8, 16, 32, 64, 128, 256] as const;

/** Whole units of a block that holds `capacity` postings. */
export function postingBlockUnits(capacity: number): number {
  return Math.ceil((POSTING_UNIT_BYTES + capacity * 6) / POSTING_UNIT_BYTES);
}
