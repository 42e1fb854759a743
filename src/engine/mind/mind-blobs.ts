/**
 * The mind of a space in a checkpoint (`layout/mind-record.ts`): copied by another thread while the home writer goes
 * on, and read back by recovery.
 *
 * Nodes are gone through from the first slot on, up to the last one published at the end of the walk. Whoever is
 * replaced behind the walk has been copied; whoever is replaced before it is met as its successor, which has a higher
 * slot. What changes behind the walk is in the log behind the checkpoint's cut.
 */
import {
  BIND_BYTES,
  MIND_BLOB,
  MIND_BLOB_FORMAT,
  MIND_BLOB_HEAD_BYTES,
  MIND_BLOB_MAGIC,
  TRAITS_BYTES,
} from "../../layout/mind-record.ts";
import { NODE_HEADER, NODE_HEADER_BYTES, NODE_STATE } from "../../layout/node-header.ts";
import type { SlotArenaReader } from "../../shm/arena.ts";
import { idHashAt } from "../id-index.ts";
import { bindFault, writeBind } from "./bind-record.ts";
import { BindingList, type BindingReader } from "./binding-reader.ts";
import { viewOf } from "./compound.ts";
import { readTraits } from "./node-traits.ts";
import { type NodeTraits, TRAIT_NAMES, TRAITS_AT_BIRTH, traitsFault, writeTraits } from "./traits-record.ts";

export type MindBlob = keyof typeof MIND_BLOB_MAGIC;

export const MIND_BLOBS = Object.keys(MIND_BLOB_MAGIC) as readonly MindBlob[];

export const MIND_BLOB_RECORD_BYTES: Readonly<Record<MindBlob, number>> = {
  traits: TRAITS_BYTES,
  bindings: BIND_BYTES,
};

const PIECE_BYTES = 1024 * 1024;
const STATE = NODE_HEADER.state / 4;
const WORDS = NODE_HEADER_BYTES / 4;

/** A space as the copying thread reads it. */
export type MindSource = {
  readonly headers: SlotArenaReader;
  readonly bindings: BindingReader;
  /** slots published by now */
  readonly nodeCount: () => number;
};

/** The bytes of a blob, piece by piece; none at all where there is nothing to be said. */
export function* mindBlob(blob: MindBlob, source: MindSource): Generator<Uint8Array> {
  const records = blob === "traits" ? traitsOf(source) : bindingsOf(source);
  let isBegun = false;
  for (const piece of records) {
    if (!isBegun) yield blobHead(blob);
    isBegun = true;
    yield piece;
  }
}

/** The records of a blob, or what is wrong with it. */
export function openMindBlob(blob: MindBlob, bytes: Uint8Array): Uint8Array | string {
  if (bytes.byteLength < MIND_BLOB_HEAD_BYTES) return `it has ${bytes.byteLength} bytes, less than its head`;
  const view = viewOf(bytes);
  const magic = new TextDecoder("latin1").decode(bytes.subarray(0, MIND_BLOB.format));
  if (magic !== MIND_BLOB_MAGIC[blob]) return `it does not begin with ${MIND_BLOB_MAGIC[blob]}`;
  const format = view.getUint32(MIND_BLOB.format, true);
  if (format !== MIND_BLOB_FORMAT) return `its format is ${format}, this program reads ${MIND_BLOB_FORMAT}`;
  const recordBytes = view.getUint32(MIND_BLOB.recordBytes, true);
  if (recordBytes !== MIND_BLOB_RECORD_BYTES[blob]) return `its records have ${recordBytes} bytes`;
  const records = bytes.subarray(MIND_BLOB_HEAD_BYTES);
  if (records.byteLength % recordBytes !== 0) return "it ends in a record";
  return (blob === "traits" ? traitsFault(viewOf(records)) : bindFault(viewOf(records))) ?? records;
}

function blobHead(blob: MindBlob): Uint8Array {
  const head = new Uint8Array(MIND_BLOB_HEAD_BYTES);
  const view = viewOf(head);
  new TextEncoder().encodeInto(MIND_BLOB_MAGIC[blob], head);
  view.setUint32(MIND_BLOB.format, MIND_BLOB_FORMAT, true);
  view.setUint32(MIND_BLOB.recordBytes, MIND_BLOB_RECORD_BYTES[blob], true);
  return head;
}

/** Traits of the live nodes that have others than they were born with. */
function* traitsOf({ headers, nodeCount }: MindSource): Generator<Uint8Array> {
  const piece = new Piece(TRAITS_BYTES);
  const traits: NodeTraits = { ...TRAITS_AT_BIRTH };
  for (let slot = 0; slot < nodeCount(); slot++) {
    if (!isLive(headers, slot)) continue;
    readTraits(headers, slot, traits);
    if (TRAIT_NAMES.every((name) => traits[name] === TRAITS_AT_BIRTH[name])) continue;
    if (piece.isFull) yield piece.take();
    writeTraits(piece.view, piece.next(), idHashAt(headers, slot), traits);
  }
  if (!piece.isEmpty) yield piece.take();
}

/** Bindings that stand at their source. */
function* bindingsOf({ headers, bindings, nodeCount }: MindSource): Generator<Uint8Array> {
  const piece = new Piece(BIND_BYTES);
  const list = new BindingList();
  for (let slot = 0; slot < nodeCount(); slot++) {
    if (bindings.fanOut(slot) === 0 || !isLive(headers, slot)) continue;
    const count = bindings.read(slot, nodeCount(), list);
    const source = idHashAt(headers, slot);
    for (let i = 0; i < count; i++) {
      if (list.reversed[i] === 1) continue;
      if (piece.isFull) yield piece.take();
      writeBind(piece.view, piece.next(), {
        source,
        destination: idHashAt(headers, list.targets[i]!),
        kind: list.kinds[i]!,
        strength: list.strengths[i]!,
        lastUsedSeconds: list.lastUsedSeconds[i]!,
        useCount: list.useCounts[i]!,
      });
    }
  }
  if (!piece.isEmpty) yield piece.take();
}

function isLive(headers: SlotArenaReader, slot: number): boolean {
  const words = headers.u32(headers.chunkOfSlot(slot));
  return Atomics.load(words, headers.indexInChunk(slot) * WORDS + STATE) === NODE_STATE.live;
}

/** Records gathered until they are worth writing. */
class Piece {
  readonly #recordBytes: number;
  #bytes = new Uint8Array(PIECE_BYTES);
  view = viewOf(this.#bytes);
  #length = 0;

  constructor(recordBytes: number) {
    this.#recordBytes = recordBytes;
  }

  get isFull(): boolean {
    return this.#length + this.#recordBytes > PIECE_BYTES;
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** Where the next record goes. */
  next(): number {
    const at = this.#length;
    this.#length += this.#recordBytes;
    return at;
  }

  /** What was gathered; valid until more is. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    return taken;
  }
}
