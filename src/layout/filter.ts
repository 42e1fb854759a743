/**
 * A recall's filter, as the C predicate reads it: one block, rebuilt for each filtered recall.
 *
 *   byte 0      8    16               20          24          32           36      40          48
 *        | from | to | min confidence | tag count | tag bloom | node count | kinds | stored to | tag hash, u64 × tag count
 *
 * A slot passes when it is below the node count, live, `from <= timestamp <= to`, its confidence is at least
 * the minimum, it was stored in time, its kind is among the kinds asked for, its bloom covers the filter's bloom, and each of the filter's
 * tag hashes is in its record.
 */
export const FILTER_HEAD_BYTES = 48;
export const FILTER_TAGS_MAX = 32;

export const FILTER = {
  /** f64, ms; -Infinity where open */
  fromMs: 0,
  /** f64, ms, inclusive; +Infinity where open */
  toMs: 8,
  /** f32; 0 where open */
  minConfidence: 16,
  /** u32, at most FILTER_TAGS_MAX */
  tagCount: 20,
  /** u64 as two u32 */
  tagBloom: 24,
  /** u32: slots from here on were published after the recall began, and are not seen */
  nodeCount: 32,
  /** u32: bit k set lets the NODE_KIND k pass; 0 lets all of them */
  kinds: 36,
  /** f64, ms: what was stored later is not seen; 0 where open */
  storedToMs: 40,
} as const;
