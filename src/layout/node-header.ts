/**
 * The header of a memory: two cache lines in the header arena, one header per slot.
 *
 *   byte  0        8            16          24         32            36          40          44
 *         | id hash | timestamp | stored at | content at | content bytes | tokens | confidence | norm
 *         48            56          64      68     69      70      72          80            84        88
 *         | forward at | tag bloom | state | kind | phase | flags | sequence | bindings at | fan-out | last used
 *         96          100         104          108       112               116               120         124 … 128
 *         | use count | stability | importance | valence | binding version | last activation | coherence | member count
 *
 * Line 0 is written before the slot is published and never changes afterwards, and neither do the kind and the
 * sequence. The rest of line 1 may change, and only the home writer of the space changes it; each field is one
 * aligned store, and readers may see it a moment late. A slot is published when the
 * space's node count passes it (an atomic store), so whoever reads the count first sees a whole header.
 *
 * `test/layout/native-layout.test.ts` compares these numbers with C's `offsetof`.
 */
import { assert } from "../base/assert.ts";
import { CACHE_LINE_BYTES } from "./cache-line.ts";
import { MEMORY_PHASES } from "./metric-codes.ts";

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
  /** u8, a NODE_KIND */
  kind: 68,
  /** u8, a NODE_PHASE: how far consolidation has come with it */
  phase: 69,
  /** u16, 0: none are given out yet */
  flags: 70,
  /** f64: log sequence number of the write that made it; grows with the slot */
  sequence: 72,
  /** u32: unit of its extent in the binding arena, 0 while it has none */
  bindingsAt: 80,
  /** u32: its live bindings, of both directions */
  fanOut: 84,
  /** f64, ms since the epoch: when it was used last; 0 while it never was */
  lastUsedMs: 88,
  /** u32: how often it was used */
  useCount: 96,
  /** f32, hours: how slowly it fades; 0 until a use has set it, and as the space's curve begins until then */
  stabilityHours: 100,
  /** f32, 0 to 1 */
  importance: 104,
  /** f32, -1 to 1 */
  valence: 108,
  /** u32: grows with every change of its bindings */
  bindingVersion: 112,
  /** f32: activation it was left with when it was used last */
  lastActivation: 116,
  /** f32, of a concept: mean similarity of its members to its centroid */
  coherence: 120,
  /** u32, of a concept */
  memberCount: 124,
} as const;

export const NODE_STATE = { free: 0, live: 1, forgotten: 2 } as const;
/** What a node is. A concept has a centroid in the place of the vector, and its gist in that of the content. */
export const NODE_KIND = { memory: 0, episode: 1, concept: 2 } as const;
export type NodeKind = keyof typeof NODE_KIND;
/** Where a node stands between fast and slow memory. */
export const NODE_PHASE = { recent: 0, consolidating: 1, remote: 2 } as const;
export type NodePhase = keyof typeof NODE_PHASE;

/** Importance of a node whose storer gave none. */
export const IMPORTANCE_DEFAULT = 0.5;

assert(NODE_HEADER_BYTES === 2 * CACHE_LINE_BYTES, "a header fills two cache lines");
assert(NODE_HEADER.state === CACHE_LINE_BYTES, "what may change starts on the second line");
assert(NODE_HEADER.memberCount + 4 === NODE_HEADER_BYTES, "the fields fill the header");
assert(
  MEMORY_PHASES.every((phase, code) => NODE_PHASE[phase] === code),
  "metrics show every phase by its name",
);
