/**
 * The header of a memory: two cache lines in the header arena, one header per slot.
 *
 *   byte  0        8            16          24         32            36          40          44
 *         | id hash | timestamp | stored at | content at | content bytes | tokens | confidence | norm
 *         48            56          64      68          72
 *         | forward at | tag bloom | state | (unused) | sequence number | (unused) … 128
 *
 * Line 0 is written before the slot is published and never changes afterwards. Line 1 may change, and only
 * the home writer of the space changes it; readers may see it a moment late. A slot is published when the
 * space's node count passes it (an atomic store), so whoever reads the count first sees a whole header.
 *
 * `test/layout/native-layout.test.ts` compares these numbers with C's `offsetof`.
 */
import { assert } from "../base/assert.ts";
import { CACHE_LINE_BYTES } from "./cache-line.ts";

export const NODE_HEADER_BYTES = 128;

/** Byte offsets in a header. */
export const NODE_HEADER = {
  /** u64 as two u32, low word first: hash of the id's UTF-8 bytes */
  idHash: 0,
  /** f64, ms since the epoch: when it happened, as the caller says */
  timestampMs: 8,
  /** f64, ms since the epoch: when it was stored here */
  storedAtMs: 16,
  /** f64: byte offset of its record in the content arena */
  contentAt: 24,
  /** u32: bytes of that record */
  contentBytes: 32,
  /** u32: terms counted with repetition, the document length of BM25 */
  tokenCount: 36,
  /** f32, 0 to 1 */
  confidence: 40,
  /** f32: length of the embedding before it was normalised; 0 where there is no vector (yet) */
  vectorNorm: 44,
  /** f64: byte offset of its term list in the forward arena */
  forwardAt: 48,
  /** u64 as two u32: one bit per tag, bit = low 6 bits of the tag's hash */
  tagBloom: 56,
  /** u32, a NODE_STATE */
  state: 64,
  /** f64: log sequence number of the write that made it */
  sequence: 72,
} as const;

export const NODE_STATE = { free: 0, live: 1, forgotten: 2 } as const;

assert(NODE_HEADER_BYTES === 2 * CACHE_LINE_BYTES, "a header fills two cache lines");
assert(NODE_HEADER.state === CACHE_LINE_BYTES, "what may change starts on the second line");
