/**
 * The traits of a node where they lie: in line 1 of its header (`layout/node-header.ts`).
 *
 * The home writer writes them, each with one store; any thread reads them, a moment late.
 */

import { TRAIT_FIELD } from "../../layout/mind-record.ts";
import { NODE_HEADER, NODE_HEADER_BYTES } from "../../layout/node-header.ts";
import type { SlotArena, SlotArenaReader } from "../../shm/arena.ts";
import type { NodeTraits } from "./traits-record.ts";

const WORDS = NODE_HEADER_BYTES / 4;
const NUMBERS = NODE_HEADER_BYTES / 8;
/** kind and phase are the low bytes of one word, and the flags its high half */
const KIND = NODE_HEADER.kind / 4;
const LAST_USED = NODE_HEADER.lastUsedMs / 8;
const USE_COUNT = NODE_HEADER.useCount / 4;
const STABILITY = NODE_HEADER.stabilityHours / 4;
const IMPORTANCE = NODE_HEADER.importance / 4;
const VALENCE = NODE_HEADER.valence / 4;
const LAST_ACTIVATION = NODE_HEADER.lastActivation / 4;
const COHERENCE = NODE_HEADER.coherence / 4;
const MEMBER_COUNT = NODE_HEADER.memberCount / 4;

/** A NODE_KIND. Some 2 ns. */
export function kindOf(headers: SlotArenaReader, slot: number): number {
  // Through the view that everything else is read by: one of bytes alone is slower by 3 ns.
  return headers.u32(headers.chunkOfSlot(slot))[headers.indexInChunk(slot) * WORDS + KIND]! & 0xff;
}

/** A NODE_PHASE. */
export function phaseOf(headers: SlotArenaReader, slot: number): number {
  return (headers.u32(headers.chunkOfSlot(slot))[headers.indexInChunk(slot) * WORDS + KIND]! >>> 8) & 0xff;
}

/** The node's live bindings, of both directions. */
export function fanOutOf(headers: SlotArenaReader, slot: number): number {
  return headers.u32(headers.chunkOfSlot(slot))[headers.indexInChunk(slot) * WORDS + NODE_HEADER.fanOut / 4]!;
}

/** Log sequence number of the write that made the node: what a walk's progress is told by. */
export function sequenceOf(headers: SlotArenaReader, slot: number): number {
  return headers.f64(headers.chunkOfSlot(slot))[
    headers.indexInChunk(slot) * NUMBERS + NODE_HEADER.sequence / 8
  ]!;
}

/** @returns `into` */
export function readTraits(headers: SlotArenaReader, slot: number, into: NodeTraits): NodeTraits {
  const chunk = headers.chunkOfSlot(slot);
  const index = headers.indexInChunk(slot);
  const words = headers.u32(chunk);
  const floats = headers.f32(chunk);
  const base = index * WORDS;
  into.lastUsedMs = headers.f64(chunk)[index * NUMBERS + LAST_USED]!;
  into.useCount = words[base + USE_COUNT]!;
  into.stabilityHours = floats[base + STABILITY]!;
  into.importance = floats[base + IMPORTANCE]!;
  into.valence = floats[base + VALENCE]!;
  into.lastActivation = floats[base + LAST_ACTIVATION]!;
  into.coherence = floats[base + COHERENCE]!;
  into.memberCount = words[base + MEMBER_COUNT]!;
  into.phase = phaseOf(headers, slot);
  return into;
}

/** Writes the fields of the mask (TRAIT_FIELD bits). */
export function storeTraits(
  headers: SlotArena,
  slot: number,
  traits: Readonly<NodeTraits>,
  fields: number,
): void {
  const chunk = headers.chunkOfSlot(slot);
  const index = headers.indexInChunk(slot);
  const words = headers.u32(chunk);
  const floats = headers.f32(chunk);
  const base = index * WORDS;
  if (fields & TRAIT_FIELD.lastUsedMs) headers.f64(chunk)[index * NUMBERS + LAST_USED] = traits.lastUsedMs;
  if (fields & TRAIT_FIELD.useCount) words[base + USE_COUNT] = traits.useCount;
  if (fields & TRAIT_FIELD.stabilityHours) floats[base + STABILITY] = traits.stabilityHours;
  if (fields & TRAIT_FIELD.importance) floats[base + IMPORTANCE] = traits.importance;
  if (fields & TRAIT_FIELD.valence) floats[base + VALENCE] = traits.valence;
  if (fields & TRAIT_FIELD.lastActivation) floats[base + LAST_ACTIVATION] = traits.lastActivation;
  if (fields & TRAIT_FIELD.coherence) floats[base + COHERENCE] = traits.coherence;
  if (fields & TRAIT_FIELD.memberCount) words[base + MEMBER_COUNT] = traits.memberCount;
  if (fields & TRAIT_FIELD.phase) {
    headers.u8(chunk)[index * NODE_HEADER_BYTES + NODE_HEADER.phase] = traits.phase;
  }
}
