/**
 * The reading end of a memory space, one per space and thread: everything a recall or a read needs, straight
 * from shared memory, without a lock and without asking another thread.
 *
 * Use it inside an epoch (`shm/epochs.ts`), and `refresh()` it first. What one call returns is consistent with
 * the node count it loaded at its start.
 */

import type { Hash64 } from "../base/hash64.ts";
import { type Bm25Settings, type ScoreAccumulator, WordIndexReader } from "../index/word-index-reader.ts";
import type { Language } from "../language/languages.ts";
import { CONTENT_RECORD, CONTENT_RECORD_HEAD_BYTES, DETAILS_END } from "../layout/content-record.ts";
import {
  NODE_HEADER,
  NODE_HEADER_BYTES,
  NODE_KIND,
  NODE_STATE,
  type NodeKind,
} from "../layout/node-header.ts";
import { ByteArenaReader, SlotArenaReader } from "../shm/arena.ts";
import { SharedTableReader } from "../shm/shared-table.ts";
import type { Memory } from "./engine.ts";
import { findSlot, findSlotByHash, type IdKey, idHashAt } from "./id-index.ts";
import { BindingReader } from "./mind/binding-reader.ts";
import { kindOf, readTraits } from "./mind/node-traits.ts";
import type { NodeTraits } from "./mind/traits-record.ts";
import { quantizationOf, spaceGeometry } from "./space-geometry.ts";
import type { SpaceRoot } from "./space-table.ts";

const WORDS = NODE_HEADER_BYTES / 4;
const NUMBERS = NODE_HEADER_BYTES / 8;
const STATE = NODE_HEADER.state / 4;
const KIND_NAMES = Object.keys(NODE_KIND) as readonly NodeKind[];
// A byte order mark that a client stored is part of its text.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export class SpaceReader {
  readonly root: SpaceRoot;
  readonly generation: number;
  readonly name: string;
  readonly dimensions: number;
  readonly embedder: string;
  readonly language: Language;
  readonly headers: SlotArenaReader;
  readonly vectors: SlotArenaReader;
  readonly quantised: SlotArenaReader;
  readonly content: ByteArenaReader;
  readonly words: WordIndexReader;
  readonly bindings: BindingReader;
  readonly #ids: SharedTableReader;

  constructor(root: SpaceRoot, bm25: Bm25Settings, accumulator: ScoreAccumulator) {
    this.root = root;
    this.generation = root.load("generation");
    this.name = root.text("name");
    this.dimensions = root.load("dimensions");
    this.embedder = root.text("embedder");
    this.language = root.text("language") as Language;
    const g = spaceGeometry(this.dimensions, quantizationOf(root.load("quantization")));
    this.headers = new SlotArenaReader({ ...g.headers, tableAddress: root.number("headerTable") });
    this.bindings = new BindingReader(this.headers, root.number("bindingTable"));
    this.vectors = new SlotArenaReader({ ...g.vectors, tableAddress: root.number("vectorTable") });
    this.quantised = new SlotArenaReader({ ...g.quantised, tableAddress: root.number("quantisedTable") });
    this.content = new ByteArenaReader({
      chunkBytes: g.contentChunkBytes,
      tableAddress: root.number("contentTable"),
    });
    this.words = new WordIndexReader(
      {
        terms: new SlotArenaReader({ ...g.terms, tableAddress: root.number("termTable") }),
        postings: { chunkBytes: g.postingChunkBytes, tableAddress: root.number("postingTable") },
        termHashes: new SharedTableReader(root, "termTableGeneration"),
      },
      bm25,
      accumulator,
    );
    this.#ids = new SharedTableReader(root, "idTableGeneration");
  }

  /** False once the space was deleted; the reader is then dropped. */
  get isCurrent(): boolean {
    return this.root.isOpen && this.root.load("generation") === this.generation;
  }

  /** The live slot of an id, or -1. */
  find(key: IdKey): number {
    this.#ids.refresh();
    return findSlot(this.#ids, this.headers, this.content, key);
  }

  isLive(slot: number): boolean {
    const words = this.headers.u32(this.headers.chunkOfSlot(slot));
    return Atomics.load(words, this.headers.indexInChunk(slot) * WORDS + STATE) === NODE_STATE.live;
  }

  /** Whether the memory is live and waits for its embedding. */
  isPending(slot: number): boolean {
    if (!this.isLive(slot)) return false;
    const { headers } = this;
    const base = headers.indexInChunk(slot) * WORDS;
    return headers.f32(headers.chunkOfSlot(slot))[base + NODE_HEADER.vectorNorm / 4] === 0;
  }

  /** The live slot of a node by the hash of its id, or -1. */
  slotOf(node: Hash64): number {
    this.#ids.refresh();
    return findSlotByHash(this.#ids, this.headers, node);
  }

  /** Hash of the id of the node in a slot: what the log names it by. */
  nodeAt(slot: number): Hash64 {
    return idHashAt(this.headers, slot);
  }

  /** A NODE_KIND. */
  kind(slot: number): number {
    return kindOf(this.headers, slot);
  }

  /** Grows with every change of the node's bindings. */
  bindingVersion(slot: number): number {
    return this.headers.u32(this.headers.chunkOfSlot(slot))[
      this.headers.indexInChunk(slot) * WORDS + NODE_HEADER.bindingVersion / 4
    ]!;
  }

  /** What of the node changes while it lives. @returns `into` */
  traits(slot: number, into: NodeTraits): NodeTraits {
    return readTraits(this.headers, slot, into);
  }

  /** Whether it has an embedding. */
  hasVector(slot: number): boolean {
    const { headers } = this;
    return (
      headers.f32(headers.chunkOfSlot(slot))[
        headers.indexInChunk(slot) * WORDS + NODE_HEADER.vectorNorm / 4
      ] !== 0
    );
  }

  /** Low half of the id's hash: tells two versions of one memory from two memories. */
  idHashLow(slot: number): number {
    return this.headers.u32(this.headers.chunkOfSlot(slot))[
      this.headers.indexInChunk(slot) * WORDS + NODE_HEADER.idHash / 4
    ]!;
  }

  /** When it happened, ms since the Unix epoch. */
  timestampMs(slot: number): number {
    const { headers } = this;
    return headers.f64(headers.chunkOfSlot(slot))[
      headers.indexInChunk(slot) * NUMBERS + NODE_HEADER.timestampMs / 8
    ]!;
  }

  /** When it was stored here, ms since the Unix epoch. */
  storedAtMs(slot: number): number {
    const { headers } = this;
    return headers.f64(headers.chunkOfSlot(slot))[
      headers.indexInChunk(slot) * NUMBERS + NODE_HEADER.storedAtMs / 8
    ]!;
  }

  hasTags(slot: number): boolean {
    const words = this.headers.u32(this.headers.chunkOfSlot(slot));
    const at = this.headers.indexInChunk(slot) * WORDS + NODE_HEADER.tagBloom / 4;
    return words[at] !== 0 || words[at + 1] !== 0;
  }

  /** The start of a memory's content, `byteLength` bytes of it at most, and whether it has metadata; some 300 ns. */
  opening(slot: number, byteLength: number): { readonly text: string; readonly hasMetadata: boolean } {
    const { headers, content } = this;
    const chunk = headers.chunkOfSlot(slot);
    const index = headers.indexInChunk(slot);
    const contentAt = headers.f64(chunk)[index * NUMBERS + NODE_HEADER.contentAt / 8]!;
    const recordBytes = headers.u32(chunk)[index * WORDS + NODE_HEADER.contentBytes / 4]!;
    const { bytes, words } = recordScratch(recordBytes);
    content.readInto(contentAt, bytes, CONTENT_RECORD_HEAD_BYTES);
    const head = words[0]!;
    const textAt = CONTENT_RECORD_HEAD_BYTES + (head >>> 16) * 8 + (head & 0xffff);
    const textBytes = Math.min(byteLength, words[CONTENT_RECORD.contentBytes / 4]!);
    const hasMetadata = words[CONTENT_RECORD.metadataBytes / 4]! > 0;
    content.readInto(contentAt + textAt, bytes, textBytes);
    return { text: decoder.decode(bytes.subarray(0, textBytes)), hasMetadata };
  }

  /** 0 to 1, as it is stored: a single. */
  confidence(slot: number): number {
    const { headers } = this;
    return headers.f32(headers.chunkOfSlot(slot))[
      headers.indexInChunk(slot) * WORDS + NODE_HEADER.confidence / 4
    ]!;
  }

  /** Reads the id alone: a third of what the whole memory costs. */
  id(slot: number): string {
    const { headers, content } = this;
    const chunk = headers.chunkOfSlot(slot);
    const index = headers.indexInChunk(slot);
    const contentAt = headers.f64(chunk)[index * NUMBERS + NODE_HEADER.contentAt / 8]!;
    const { bytes, words } = recordScratch(CONTENT_RECORD_HEAD_BYTES);
    content.readInto(contentAt, bytes, CONTENT_RECORD_HEAD_BYTES);
    const idBytes = words[0]! & 0xffff;
    const idAt = contentAt + CONTENT_RECORD_HEAD_BYTES + (words[0]! >>> 16) * 8;
    const text = recordScratch(idBytes).bytes;
    content.readInto(idAt, text, idBytes);
    return decoder.decode(text.subarray(0, idBytes));
  }

  /** Reads a whole memory. */
  memory(slot: number): Memory {
    const { headers, content } = this;
    const chunk = headers.chunkOfSlot(slot);
    const index = headers.indexInChunk(slot);
    const numbers = headers.f64(chunk);
    const contentAt = numbers[index * NUMBERS + NODE_HEADER.contentAt / 8]!;
    const recordBytes = headers.u32(chunk)[index * WORDS + NODE_HEADER.contentBytes / 4]!;
    // Copied out: a view of the chunk would count as this thread's heap, whole.
    const { bytes, words } = recordScratch(recordBytes);
    content.readInto(contentAt, bytes, recordBytes);
    const head = words[0]!;
    const idBytes = head & 0xffff;
    const tagCount = head >>> 16;
    const contentBytes = words[CONTENT_RECORD.contentBytes / 4]!;
    const metadataBytes = words[CONTENT_RECORD.metadataBytes / 4]!;
    const tagsBytes = words[CONTENT_RECORD.tagsBytes / 4]!;
    const idAt = CONTENT_RECORD_HEAD_BYTES + tagCount * 8;
    const textAt = idAt + idBytes;
    const tagsAt = textAt + contentBytes;
    const metadataAt = tagsAt + tagsBytes;
    const kind = KIND_NAMES[this.kind(slot)]!;
    return {
      id: decoder.decode(bytes.subarray(idAt, textAt)),
      content: decoder.decode(bytes.subarray(textAt, tagsAt)),
      tags: tagCount === 0 ? [] : decoder.decode(bytes.subarray(tagsAt, metadataAt)).split("\0"),
      ...detailsAndMetadata(
        kind,
        metadataBytes === 0 ? "" : decoder.decode(bytes.subarray(metadataAt, metadataAt + metadataBytes)),
      ),
      timestampMs: numbers[index * NUMBERS + NODE_HEADER.timestampMs / 8]!,
      storedAtMs: numbers[index * NUMBERS + NODE_HEADER.storedAtMs / 8]!,
      confidence: asStored(headers.f32(chunk)[index * WORDS + NODE_HEADER.confidence / 4]!),
      kind,
      importance: asStored(headers.f32(chunk)[index * WORDS + NODE_HEADER.importance / 4]!),
      valence: asStored(headers.f32(chunk)[index * WORDS + NODE_HEADER.valence / 4]!),
    };
  }
}

/** A number that was stored as f32, as its storer gave it. */
function asStored(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

/** What a record holds in the place of the metadata (`layout/content-record.ts`). */
function detailsAndMetadata(kind: NodeKind, text: string): Pick<Memory, "detailsJson" | "metadataJson"> {
  if (kind === "memory") return { detailsJson: undefined, metadataJson: text || undefined };
  const end = text.indexOf(DETAILS_END);
  return {
    detailsJson: text.slice(0, end) || undefined,
    metadataJson: text.slice(end + DETAILS_END.length) || undefined,
  };
}

let scratch = { bytes: new Uint8Array(0), words: new Uint32Array(0) };

/** Memory of this thread for one content record. */
function recordScratch(byteLength: number): { readonly bytes: Uint8Array; readonly words: Uint32Array } {
  if (scratch.bytes.byteLength < byteLength) {
    const buffer = new ArrayBuffer(2 ** Math.ceil(Math.log2(Math.max(4096, byteLength))));
    scratch = { bytes: new Uint8Array(buffer), words: new Uint32Array(buffer) };
  }
  return scratch;
}
