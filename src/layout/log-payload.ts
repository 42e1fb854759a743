/**
 * What the log says: the payload of each kind of record. An API worker encodes it once; the writer appends
 * the same bytes to the log and applies them, and recovery applies them again.
 *
 * remember, byte:
 *   0           8           16        24           28     32             36           40              44      48
 *   | timestamp | stored at | id hash | confidence | norm | record bytes | dimensions | expected slot | flags | content record … | embedding … | importance | valence
 *
 * The content record is that of `content-record.ts`, padded to 8 bytes; the embedding is f32 × dimensions, a
 * unit vector, and absent where norm is 0. Importance and valence, f32 each, follow where the kind in the flags is
 * not that of a plain memory. The expected slot + 1 is set when the record gives a vector to a
 * memory that was stored without one (0 otherwise).
 *
 * forget, byte:   0         8          12   16
 *                 | id hash | id bytes | 0  | id …
 *
 * create-space, delete-space and describe-space carry JSON in UTF-8: they are rare. The kinds from 5 on are in `mind-record.ts`.
 */
export const LOG_KIND = {
  remember: 1,
  forget: 2,
  createSpace: 3,
  deleteSpace: 4,
  traits: 5,
  bind: 6,
  compound: 7,
  progress: 8,
  describeSpace: 9,
} as const;

export const REMEMBER_HEAD_BYTES = 48;
export const REMEMBER = {
  /** f64, ms */
  timestampMs: 0,
  /** f64, ms */
  storedAtMs: 8,
  /** u64 as two u32 */
  idHash: 16,
  /** f32 */
  confidence: 24,
  /** f32; 0: no vector follows */
  norm: 28,
  /** u32: bytes of the content record, padding included */
  recordBytes: 32,
  /** u32 */
  dimensions: 36,
  /** u32: slot + 1 of the vectorless memory this one completes, else 0 */
  expectedSlot: 40,
  /** u32, REMEMBER_FLAG bits; a NODE_KIND from bit REMEMBER_KIND_SHIFT on */
  flags: 44,
} as const;

/** replaces: an older memory of the same id is forgotten by this record */
export const REMEMBER_FLAG = { replaces: 1 } as const;
export const REMEMBER_KIND_SHIFT = 8;
/** Importance and valence at the end of the payload. */
export const REMEMBER_TAIL_BYTES = 8;

export const FORGET_HEAD_BYTES = 16;
export const FORGET = {
  /** u64 as two u32 */
  idHash: 0,
  /** u32 */
  idBytes: 8,
} as const;
