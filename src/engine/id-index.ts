/**
 * Which slot holds an id: an open-addressing table of slot + 1, keyed by the low half of the id's hash.
 *
 * The writer stores an entry once the slot's header says `live`. A forgotten id keeps its entry, which then
 * points to a forgotten slot, until the id is stored again or the table grows.
 */
import type { Hash64 } from "../base/hash64.ts";
import { CONTENT_RECORD, CONTENT_RECORD_HEAD_BYTES } from "../layout/content-record.ts";
import { NODE_HEADER, NODE_HEADER_BYTES, NODE_STATE } from "../layout/node-header.ts";
import type { ByteArena, ByteArenaReader, SlotArena, SlotArenaReader } from "../shm/arena.ts";
import type { SharedTable, SharedTableReader } from "../shm/shared-table.ts";

const WORDS = NODE_HEADER_BYTES / 4;
const HASH_LOW = NODE_HEADER.idHash / 4;
const HASH_HIGH = HASH_LOW + 1;
const STATE = NODE_HEADER.state / 4;
const CONTENT_AT = NODE_HEADER.contentAt / 8;

export type IdKey = {
  readonly hashLow: number;
  readonly hashHigh: number;
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly length: number;
};

/**
 * The live slot of an id, or -1.
 * @param entry set to the table position that holds the id, live or forgotten; -1 where there is none
 */
export function findSlot(
  table: SharedTable | SharedTableReader,
  headers: SlotArena | SlotArenaReader,
  content: ByteArena | ByteArenaReader,
  key: IdKey,
  entry?: { position: number },
): number {
  if (entry !== undefined) entry.position = -1;
  for (let at = table.first(key.hashLow); ; at = table.next(at)) {
    const value = table.at(at);
    if (value === 0) return -1;
    const slot = value - 1;
    const chunk = headers.chunkOfSlot(slot);
    const words = headers.u32(chunk);
    const base = headers.indexInChunk(slot) * WORDS;
    if (words[base + HASH_LOW] !== key.hashLow || words[base + HASH_HIGH] !== key.hashHigh) continue;
    const contentAt = headers.f64(chunk)[base / 2 + CONTENT_AT]!;
    if (!sameId(content, contentAt, key)) continue;
    if (entry !== undefined) entry.position = at;
    return Atomics.load(words, base + STATE) === NODE_STATE.live ? slot : -1;
  }
}

/** The live slot of a node by the hash of its id alone, or -1. Two ids share one with a chance of 2^-64. */
export function findSlotByHash(
  table: SharedTable | SharedTableReader,
  headers: SlotArena | SlotArenaReader,
  { low, high }: Hash64,
): number {
  for (let at = table.first(low); ; at = table.next(at)) {
    const value = table.at(at);
    if (value === 0) return -1;
    const slot = value - 1;
    const words = headers.u32(headers.chunkOfSlot(slot));
    const base = headers.indexInChunk(slot) * WORDS;
    if (words[base + HASH_LOW] !== low || words[base + HASH_HIGH] !== high) continue;
    if (Atomics.load(words, base + STATE) === NODE_STATE.live) return slot;
  }
}

/** The hash of the id of the node in a slot. */
export function idHashAt(headers: SlotArena | SlotArenaReader, slot: number): Hash64 {
  const words = headers.u32(headers.chunkOfSlot(slot));
  const base = headers.indexInChunk(slot) * WORDS;
  return { low: words[base + HASH_LOW]!, high: words[base + HASH_HIGH]! };
}

/** The heads of records are read to here: contents are not viewed (docs/decisions/views-and-the-heap.md). */
const head = new Uint8Array(CONTENT_RECORD_HEAD_BYTES);

function sameId(content: ByteArena | ByteArenaReader, contentAt: number, key: IdKey): boolean {
  content.readInto(contentAt, head, CONTENT_RECORD_HEAD_BYTES);
  const idBytes = head[CONTENT_RECORD.idBytes]! | (head[CONTENT_RECORD.idBytes + 1]! << 8);
  if (idBytes !== key.length) return false;
  const tagCount = head[CONTENT_RECORD.tagCount]! | (head[CONTENT_RECORD.tagCount + 1]! << 8);
  const idAt = contentAt + CONTENT_RECORD_HEAD_BYTES + tagCount * 8;
  return content.equals(idAt, key.bytes, key.at, key.length);
}
