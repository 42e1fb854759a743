/**
 * Bindings between the nodes of a space, in the binding arena: for each node that has any, one extent.
 *
 * Extent, 64 × 2^n bytes at a multiple of 64; its position is its unit index (0: none):
 *   byte 0       4       8          12        16
 *        | owner | count | capacity | version | binding × capacity …        capacities 3, 7, 15, 31, …
 *
 * Binding, 16 bytes:
 *   byte 0        4          8                   12     13      14
 *        | target | strength | last used seconds | kind | flags | use count
 *
 * A binding stands at both of its ends; the one at its destination has the flag `reverse`. Only the home writer of
 * the space changes extents. It fills an entry in and then stores the count (atomically). Strength, last use, use
 * count and target change in place, each with one store. An entry is taken out by moving the last one into its
 * place; the version is odd meanwhile and another one afterwards. A full extent is copied into one twice the size,
 * which is published by an atomic store of `bindingsAt` in the owner's header; the old one is used again once the
 * readers' epoch is past.
 *
 * So a reader loads `bindingsAt`, the version, the count, and the entries, and reads again where the version was
 * odd or has changed. A target at or beyond the node count that it loaded is passed over: it is newer than that.
 */
import { assert } from "../base/assert.ts";
import { CACHE_LINE_BYTES } from "./cache-line.ts";
import { BINDING_KINDS } from "./metric-codes.ts";

/** Causes point from what caused to what was caused, members from the concept to its episode. */
export const BINDING_KIND = {
  temporal: 0,
  session: 1,
  similar: 2,
  entity: 3,
  tag: 4,
  link: 5,
  member: 6,
  cause: 7,
} as const;
export type BindingKind = keyof typeof BINDING_KIND;
export const BINDING_KIND_COUNT = 8;
/** Kinds below this form by themselves; the others are made on purpose, and outlive them where room is short. */
export const BINDING_KIND_DELIBERATE: number = BINDING_KIND.link;

export const BINDING_FLAG = { reverse: 1 } as const;

/**
 * Most bindings at a node, of the kinds that form by themselves and of the deliberate ones. Beyond that the weakest
 * of them makes room, or the new one is not made where it is weaker still.
 */
export const BINDINGS_FORMED_MAX = 127;
export const BINDINGS_DELIBERATE_MAX = 4095;

export const BINDING_UNIT_BYTES = 64;
export const BINDING_CHUNK_BYTES: number = 2 * 1024 * 1024;
export const BINDING_EXTENT_HEAD_BYTES = 16;
export const BINDING_BYTES = 16;
export const BINDING_WORDS: number = BINDING_BYTES / 4;
export const BINDING_UNIT_WORDS: number = BINDING_UNIT_BYTES / 4;
export const BINDING_EXTENT_HEAD_WORDS: number = BINDING_EXTENT_HEAD_BYTES / 4;
/** A unit index is a chunk's index above these bits, and a unit in the chunk below them. */
export const BINDING_UNITS_PER_CHUNK: number = BINDING_CHUNK_BYTES / BINDING_UNIT_BYTES;
export const BINDING_CHUNK_SHIFT: number = 31 - Math.clz32(BINDING_UNITS_PER_CHUNK);

/** Byte offsets in the head of an extent. */
export const BINDING_EXTENT = {
  /** u32: slot of the node whose bindings these are */
  owner: 0,
  /** u32: entries in use */
  count: 4,
  /** u32: entries there is room for */
  capacity: 8,
  /** u32: odd while an entry is moved */
  version: 12,
} as const;

/** Byte offsets in a binding. */
export const BINDING = {
  /** u32: slot at the other end */
  target: 0,
  /** f32, 0 to 1 */
  strength: 4,
  /** u32, s since the epoch; 0 while it was never used */
  lastUsedSeconds: 8,
  /** u8, a BINDING_KIND */
  kind: 12,
  /** u8, BINDING_FLAG bits */
  flags: 13,
  /** u16: stays at its largest once it is there */
  useCount: 14,
} as const;

/** Sizes of extents: class n is 64 × 2^n bytes. */
export const BINDING_CLASS_COUNT = 16;

/** Bytes of an extent of a class. */
export function bindingExtentBytes(sizeClass: number): number {
  return BINDING_UNIT_BYTES * 2 ** sizeClass;
}

/** Bindings that an extent of a class has room for. */
export function bindingCapacity(sizeClass: number): number {
  return (bindingExtentBytes(sizeClass) - BINDING_EXTENT_HEAD_BYTES) / BINDING_BYTES;
}

/** The smallest class with room for `count` bindings. */
export function bindingClassFor(count: number): number {
  let sizeClass = 0;
  while (bindingCapacity(sizeClass) < count) sizeClass += 1;
  return sizeClass;
}

assert(BINDING_UNIT_BYTES === CACHE_LINE_BYTES, "the smallest extent is a cache line");
assert(BINDING_KINDS.length === BINDING_KIND_COUNT, "every kind of binding is counted");
assert(
  BINDING_KINDS.every((kind, code) => BINDING_KIND[kind] === code),
  "metrics show every kind of binding by its name",
);
assert(
  bindingExtentBytes(BINDING_CLASS_COUNT - 1) <= BINDING_CHUNK_BYTES,
  "the largest extent lies in one chunk",
);
assert(
  bindingCapacity(BINDING_CLASS_COUNT - 1) > BINDINGS_FORMED_MAX + BINDINGS_DELIBERATE_MAX,
  "a node's bindings fit one extent",
);
