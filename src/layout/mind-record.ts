/**
 * What the log says of the mind, kinds 5 to 8 of `LOG_KIND`, and the two blobs of a checkpoint that hold the same.
 *
 * Records carry results, never differences: a strength is now this much, a node was used so many times. So a
 * checkpoint may copy what there is while the writer goes on, and the log behind its cut, applied over it, ends where
 * the writer was. Nodes are named by the hash of their id, since compaction and a new home give them other slots.
 *
 * traits: records of 48 bytes, each with the values of the fields named in its mask
 *   byte 0         8           16          20          24           28        32                36          40             44      45  46
 *        | id hash | last used | use count | stability | importance | valence | last activation | coherence | member count | phase | 0 | fields
 *
 * bind: records of 32 bytes; strength 0 takes the binding away
 *   byte 0        8             16     17  18          20         24                  28
 *        | source | destination | kind | 0 | use count | strength | last used seconds | 0
 *
 * compound: parts, applied all together or not at all; a part is padded to 8 bytes. Parts are remember, forget,
 * traits, bind and progress
 *   byte 0      4       8
 *        | kind | bytes | payload … | next part
 *
 * progress: 16 bytes: how far a walk over the nodes has come, by the sequence number of the last one it has done
 *   byte 0      8
 *        | walk, u32, 0 | sequence, f64
 *
 * Blobs `traits` and `bindings` of a space: 16 bytes of head, then records as above: traits with every field, and
 * bindings that stand at their source.
 *   byte 0        8                12             16
 *        | magic  | format, u32    | record bytes, u32 | records …
 *
 * A use request (`WRITE_OP.use`, never logged itself): records of 24 bytes
 *   byte 0         8           16       20
 *        | id hash | at, ms    | how, u32 | group, u32
 */
import { assert } from "../base/assert.ts";

export const TRAITS_BYTES = 48;
/** Byte offsets. */
export const TRAITS = {
  /** u64 as two u32 */
  idHash: 0,
  /** f64, ms */
  lastUsedMs: 8,
  /** u32 */
  useCount: 16,
  /** f32 */
  stabilityHours: 20,
  /** f32 */
  importance: 24,
  /** f32 */
  valence: 28,
  /** f32 */
  lastActivation: 32,
  /** f32 */
  coherence: 36,
  /** u32 */
  memberCount: 40,
  /** u8 */
  phase: 44,
  /** u16, TRAIT_FIELD bits */
  fields: 46,
} as const;

/** Which fields of a traits record count. */
export const TRAIT_FIELD = {
  lastUsedMs: 1,
  useCount: 2,
  stabilityHours: 4,
  importance: 8,
  valence: 16,
  lastActivation: 32,
  coherence: 64,
  memberCount: 128,
  phase: 256,
} as const;
export const TRAIT_FIELDS_ALL = 511;

export const BIND_BYTES = 32;
/** Byte offsets. */
export const BIND = {
  /** u64 as two u32 each */
  source: 0,
  destination: 8,
  /** u8, a BINDING_KIND */
  kind: 16,
  /** u16 */
  useCount: 18,
  /** f32 */
  strength: 20,
  /** u32 */
  lastUsedSeconds: 24,
} as const;

export const COMPOUND_PART_HEAD_BYTES = 8;
export const COMPOUND_PART = { kind: 0, bytes: 4 } as const;
/** A message is at most this long; whoever has more to say sends several. Half a request ring is at least twice that. */
export const MIND_PAYLOAD_BYTES_MAX: number = 1024 * 1024;

export const PROGRESS_BYTES = 16;
export const PROGRESS = { walk: 0, sequence: 8 } as const;
/** Who walks over the nodes of a space. */
export const WALK = { association: 0, consolidation: 1 } as const;
export type Walk = keyof typeof WALK;

export const MIND_BLOB_HEAD_BYTES = 16;
export const MIND_BLOB = { magic: 0, format: 8, recordBytes: 12 } as const;
export const MIND_BLOB_MAGIC = { traits: "ENGRTRAI", bindings: "ENGRBIND" } as const;
export const MIND_BLOB_FORMAT = 1;

export const USE_BYTES = 24;
export const USE_REQUEST = {
  /** u64 as two u32 */
  idHash: 0,
  /** f64 */
  atMs: 8,
  /** u32, a USE */
  how: 16,
  /** u32: uses next to each other with the same number, not 0, happened together and strengthen what binds them */
  group: 20,
} as const;
/** How a node was used: found by a recall, said again on purpose, or brought up by a neighbour. */
export const USE = { retrieved: 0, reinforced: 1, primed: 2 } as const;
export type UseHow = keyof typeof USE;
export const USE_HOWS = ["retrieved", "reinforced", "primed"] as const satisfies readonly UseHow[];

assert(
  USE_HOWS.every((how, code) => USE[how] === code),
  "metrics show every use by its name",
);
assert(
  Object.values(TRAIT_FIELD).reduce((sum, bit) => sum + bit, 0) === TRAIT_FIELDS_ALL,
  "the mask has a bit for every field",
);
