/**
 * The writing end of a memory space: applies what the log says to the arenas, and publishes it.
 *
 * Exactly one thread owns it, the space's home writer, in service and in recovery alike. A memory becomes
 * visible in this order: vector and content, header line 0, word index, header state `live`, node count, id.
 * A replaced memory is forgotten after its successor is published, so that for a moment both can be seen and
 * never none; readers drop the older one.
 */
import { assert } from "../base/assert.ts";
import type { Hash64 } from "../base/hash64.ts";
import { quantiseVector } from "../ffi/vector.ts";
import { encodeLengthByte } from "../index/bm25.ts";
import { VectorGraph } from "../index/vector-graph.ts";
import { type TermList, WordIndexWriter } from "../index/word-index-writer.ts";
import type { Language } from "../language/languages.ts";
import { BINDING_CHUNK_BYTES, BINDING_UNIT_BYTES } from "../layout/binding.ts";
import { CONTENT_RECORD, CONTENT_RECORD_HEAD_BYTES } from "../layout/content-record.ts";
import { FORGETTING_CURVE } from "../layout/forgetting-curve.ts";
import { FORGET } from "../layout/log-payload.ts";
import { NODE_HEADER, NODE_HEADER_BYTES, NODE_STATE } from "../layout/node-header.ts";
import { POSTING_UNIT_BYTES } from "../layout/posting.ts";
import {
  NODE_UNBOUND,
  QUANTIZATION,
  type Quantization,
  SPACE_NUMBER,
  SPACE_STATE,
} from "../layout/space-root.ts";
import { ByteArena, SlotArena } from "../shm/arena.ts";
import { bulkPolicy, type MemoryPolicy } from "../shm/memory-policy.ts";
import { SharedTable } from "../shm/shared-table.ts";
import { findSlot, findSlotByHash, type IdKey } from "./id-index.ts";
import { SpaceMind } from "./mind/space-mind.ts";
import { nodePayload } from "./node-payload.ts";
import type { SpaceForgetting } from "./space-forgetting.ts";
import { type SpaceGeometry, spaceGeometry } from "./space-geometry.ts";
import { graphConfig } from "./space-graph.ts";
import type { SpaceRoot } from "./space-table.ts";
import { RememberView } from "./write-codec.ts";

const WORDS = NODE_HEADER_BYTES / 4;
const NUMBERS = NODE_HEADER_BYTES / 8;
const HASH_LOW = NODE_HEADER.idHash / 4;
const STATE = NODE_HEADER.state / 4;

export type SpaceDescription = {
  readonly spaceId: number;
  readonly name: string;
  readonly dimensions: number;
  readonly embedder: string;
  readonly language: Language;
  readonly quantization: Quantization;
  readonly createdAtMs: number;
  /** how its memories fade; absent as the settings say */
  readonly forgetting?: SpaceForgetting | undefined;
};

export type SpaceOptions = {
  readonly policy: MemoryPolicy;
  readonly writer: number;
  /** of the graph to be */
  readonly M: number;
  readonly efConstruction: number;
  /** number of the arenas' image; 1 where absent */
  readonly image?: number | undefined;
};

export type SpaceArenas = {
  readonly headers: SlotArena;
  readonly vectors: SlotArena;
  readonly quantised: SlotArena;
  readonly content: ByteArena;
  readonly forward: ByteArena;
  readonly terms: SlotArena;
  readonly postings: ByteArena;
  readonly bindings: ByteArena;
};

export class SpaceWriter {
  #description: SpaceDescription;
  readonly geometry: SpaceGeometry;
  readonly root: SpaceRoot;
  readonly arenas: SpaceArenas;
  readonly mind: SpaceMind;
  readonly #distinctArenas: readonly (SlotArena | ByteArena)[];
  readonly #options: SpaceOptions;
  readonly #ids: SharedTable;
  readonly #termHashes: SharedTable;
  #words: WordIndexWriter;
  #nodeCount = 0;
  #lastSequence = 0;
  readonly #entry = { position: -1 };
  readonly #adopted = new RememberView();

  /** Claims `root` for a new, empty space; readers see it once `open()` is called. */
  constructor(root: SpaceRoot, description: SpaceDescription, options: SpaceOptions) {
    const { policy } = options;
    this.root = root;
    this.#description = description;
    this.geometry = spaceGeometry(description.dimensions, description.quantization);
    root.clear();
    root.publish("state", SPACE_STATE.claimed);
    root.publish("generation", root.load("generation") + 1);
    root.publish("spaceId", description.spaceId);
    root.publish("writer", options.writer);
    root.publish("node", policy.node ?? NODE_UNBOUND);
    root.publish("dimensions", description.dimensions);
    root.publish("quantization", QUANTIZATION[description.quantization]);
    root.setNumber("createdAtMs", description.createdAtMs);
    root.setNumber("image", options.image ?? 1);
    root.setText("name", description.name);
    root.setText("embedder", description.embedder);
    root.setText("language", description.language);
    this.#publishForgetting();

    const g = this.geometry;
    const label = (part: string): string => `space ${description.name}: ${part}`;
    const bulk = bulkPolicy(policy);
    // In f32 the exact vectors are what the graph is searched with.
    const exact = description.quantization === "f32" ? policy : bulk;
    const vectors = new SlotArena({ ...g.vectors, purpose: label("vectors"), policy: exact });
    this.arenas = {
      headers: new SlotArena({ ...g.headers, purpose: label("headers"), policy }),
      vectors,
      // In f32 nothing is rounded, so the exact vectors serve the graph too.
      quantised:
        description.quantization === "f32"
          ? vectors
          : new SlotArena({ ...g.quantised, purpose: label("quantised vectors"), policy }),
      content: new ByteArena({ chunkBytes: g.contentChunkBytes, purpose: label("content"), policy: bulk }),
      forward: new ByteArena({
        chunkBytes: g.forwardChunkBytes,
        purpose: label("forward lists"),
        policy,
        alignBytes: 1,
      }),
      terms: new SlotArena({ ...g.terms, purpose: label("terms"), policy }),
      postings: new ByteArena({
        chunkBytes: g.postingChunkBytes,
        purpose: label("postings"),
        policy,
        alignBytes: POSTING_UNIT_BYTES,
      }),
      bindings: new ByteArena({
        chunkBytes: BINDING_CHUNK_BYTES,
        purpose: label("bindings"),
        policy,
        alignBytes: BINDING_UNIT_BYTES,
      }),
    };
    this.#distinctArenas = [...new Set(Object.values(this.arenas))];
    root.setNumber("headerTable", this.arenas.headers.ref.tableAddress);
    root.setNumber("vectorTable", this.arenas.vectors.ref.tableAddress);
    root.setNumber("quantisedTable", this.arenas.quantised.ref.tableAddress);
    root.setNumber("contentTable", this.arenas.content.ref.tableAddress);
    root.setNumber("forwardTable", this.arenas.forward.ref.tableAddress);
    root.setNumber("termTable", this.arenas.terms.ref.tableAddress);
    root.setNumber("postingTable", this.arenas.postings.ref.tableAddress);
    root.setNumber("bindingTable", this.arenas.bindings.ref.tableAddress);
    this.#ids = new SharedTable({
      words: root.words,
      numbers: root.numbers,
      generationWord: "idTableGeneration",
      purpose: label("ids"),
      policy,
    });
    this.#termHashes = new SharedTable({
      words: root.words,
      numbers: root.numbers,
      generationWord: "termTableGeneration",
      purpose: label("term hashes"),
      policy,
    });
    this.#words = this.#wordIndex(0);
    this.mind = new SpaceMind({
      root,
      headers: this.arenas.headers,
      arena: this.arenas.bindings,
      slotOf: this.slotOf,
    });
    this.#options = options;
    this.#openGraph();
    this.#publishBytes();
  }

  get description(): SpaceDescription {
    return this.#description;
  }

  /** Takes over what can be changed of a space; what is not named stays. */
  describe(change: { readonly forgetting?: SpaceForgetting | undefined }, sequence: number): void {
    const forgetting = { ...this.#description.forgetting, ...change.forgetting };
    this.#description = { ...this.#description, forgetting };
    this.#publishForgetting();
    this.#lastSequence = sequence;
    this.root.setNumber("lastSequence", sequence);
  }

  #publishForgetting(): void {
    const { curve, stabilityHours } = this.#description.forgetting ?? {};
    this.root.setNumber("stabilityHours", stabilityHours ?? 0);
    this.root.publish("forgettingCurve", curve === undefined ? 0 : FORGETTING_CURVE[curve] + 1);
  }

  get nodeCount(): number {
    return this.#nodeCount;
  }

  /** Slots the arenas have room for. */
  get slotsMax(): number {
    return Math.min(this.arenas.vectors.slotsMax, this.arenas.headers.slotsMax);
  }

  get termCount(): number {
    return this.#words.termCount;
  }

  get lastSequence(): number {
    return this.#lastSequence;
  }

  /** Throws the graph away and starts an empty one. No reader may have found the space yet. */
  resetGraph(): void {
    VectorGraph.attach(this.root.number("graph")).close();
    this.root.publish("indexedCount", 0);
    this.#openGraph();
  }

  /** Called with each slot that is forgotten, before it is; compaction follows along by it. */
  onForget: ((slot: number) => void) | undefined;

  get image(): number {
    return this.root.number("image");
  }

  /** Lets the indexers work on it, though readers do not see it yet. */
  openToIndexers(): void {
    this.root.publish("state", SPACE_STATE.compacting);
  }

  /** Readers may find the space from here on. */
  open(): void {
    this.root.publish("state", SPACE_STATE.open);
  }

  /** Readers no longer find the space; the owner frees its memory once the last of them is past. */
  close(): void {
    this.root.publish("state", SPACE_STATE.closing);
    this.root.publish("generation", this.root.load("generation") + 1);
  }

  /** Gives the memory back. No reader may be inside the space. */
  free(): void {
    VectorGraph.attach(this.root.number("graph")).close();
    for (const arena of this.#distinctArenas) arena.free();
    this.#ids.free();
    this.#termHashes.free();
    this.root.publish("state", SPACE_STATE.free);
  }

  /** The live slot of an id, or -1. */
  find(key: IdKey): number {
    return findSlot(this.#ids, this.arenas.headers, this.arenas.content, key);
  }

  /** The live slot of a node by the hash of its id, or -1. */
  readonly slotOf = (node: Hash64): number => findSlotByHash(this.#ids, this.arenas.headers, node);

  /** Whether the slot holds a live memory without a vector. */
  isPending(slot: number): boolean {
    if (slot >= this.#nodeCount) return false;
    const { headers } = this.arenas;
    const chunk = headers.chunkOfSlot(slot);
    const base = headers.indexInChunk(slot) * WORDS;
    return (
      headers.u32(chunk)[base + STATE] === NODE_STATE.live &&
      headers.f32(chunk)[base + NODE_HEADER.vectorNorm / 4] === 0
    );
  }

  /**
   * Takes the memory that one more record needs, before the log says that it is stored; or that `count` records
   * with `recordBytes` in all need.
   * @throws {OperatorError} `memory-refused`; nothing changed
   */
  prepare(recordBytes: number, count = 1): void {
    const { headers, vectors, quantised, content } = this.arenas;
    const last = this.#nodeCount + count - 1;
    headers.ensure(last);
    vectors.ensure(last);
    if (quantised !== vectors) quantised.ensure(last);
    content.reserve(recordBytes);
  }

  /**
   * Stores a memory, and forgets the one of the same id where there is one.
   * @param terms the terms of its content
   * @returns its slot
   */
  remember(memory: RememberView, terms: TermList, tokenCount: number, sequence: number): number {
    this.prepare(memory.recordBytes);
    const slot = this.#nodeCount;
    const { headers, vectors, quantised, content } = this.arenas;
    const contentAt = content.allocate(memory.recordBytes);
    content.writeFrom(contentAt, memory.bytes, memory.recordAt, memory.recordBytes);
    if (memory.norm > 0) {
      vectors.write(slot, memory.bytes, memory.vectorAt, memory.dimensions * 4);
      if (quantised !== vectors) {
        quantiseVector(
          this.description.quantization,
          vectors.address(slot),
          quantised.address(slot),
          memory.dimensions,
        );
      }
    }

    const key: IdKey = {
      hashLow: memory.idHashLow,
      hashHigh: memory.idHashHigh,
      bytes: memory.bytes,
      at: memory.idAt,
      length: memory.idBytes,
    };
    const older = findSlot(this.#ids, headers, content, key, this.#entry);

    const chunk = headers.chunkOfSlot(slot);
    const index = headers.indexInChunk(slot);
    const words = headers.u32(chunk);
    const numbers = headers.f64(chunk);
    const floats = headers.f32(chunk);
    const base = index * WORDS;
    words[base + HASH_LOW] = memory.idHashLow;
    words[base + HASH_LOW + 1] = memory.idHashHigh;
    numbers[index * NUMBERS + NODE_HEADER.timestampMs / 8] = memory.timestampMs;
    numbers[index * NUMBERS + NODE_HEADER.storedAtMs / 8] = memory.storedAtMs;
    numbers[index * NUMBERS + NODE_HEADER.contentAt / 8] = contentAt;
    words[base + NODE_HEADER.contentBytes / 4] = memory.recordBytes;
    words[base + NODE_HEADER.tokenCount / 4] = tokenCount;
    floats[base + NODE_HEADER.confidence / 4] = memory.confidence;
    floats[base + NODE_HEADER.vectorNorm / 4] = memory.norm;
    this.#writeTagBloom(words, base + NODE_HEADER.tagBloom / 4, memory);
    numbers[index * NUMBERS + NODE_HEADER.sequence / 8] = sequence;
    numbers[index * NUMBERS + NODE_HEADER.forwardAt / 8] = this.#words.add(slot, tokenCount, terms);
    this.mind.born(slot, memory, older);
    Atomics.store(words, base + STATE, NODE_STATE.live);

    const { root } = this;
    const { numbers: facts } = root;
    facts[SPACE_NUMBER.tokensTotal] = facts[SPACE_NUMBER.tokensTotal]! + tokenCount;
    facts[SPACE_NUMBER.contentUsedBytes] = facts[SPACE_NUMBER.contentUsedBytes]! + memory.recordBytes;
    facts[SPACE_NUMBER.lastSequence] = sequence;
    this.#lastSequence = sequence;
    this.#nodeCount = slot + 1;
    root.publish("liveCount", root.load("liveCount") + 1);
    if (memory.norm === 0) root.publish("pendingCount", root.load("pendingCount") + 1);
    root.publish("termCount", this.#words.termCount);
    root.publish("nodeCount", slot + 1);
    if (this.#entry.position >= 0) this.#ids.replace(this.#entry.position, slot + 1);
    else this.#insertId(slot, memory.idHashLow);
    if (older >= 0) {
      this.mind.succeed(older, slot);
      this.#forgetSlot(older);
    } else {
      this.mind.settle(slot, memory.idHashLow, memory.idHashHigh, memory);
    }
    this.#publishBytes();
    return slot;
  }

  /** The live slot that a forget payload names, or -1. */
  findToForget(payload: Uint8Array, idAt: number): number {
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    return this.find({
      hashLow: view.getUint32(FORGET.idHash, true),
      hashHigh: view.getUint32(FORGET.idHash + 4, true),
      bytes: payload,
      at: idAt,
      length: view.getUint32(FORGET.idBytes, true),
    });
  }

  /** Forgets a memory for good. @returns false where no live memory has the id */
  forget(payload: Uint8Array, idAt: number, sequence: number): boolean {
    const slot = this.findToForget(payload, idAt);
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    this.#lastSequence = sequence;
    this.root.setNumber("lastSequence", sequence);
    this.mind.forgetAside({
      low: view.getUint32(FORGET.idHash, true),
      high: view.getUint32(FORGET.idHash + 4, true),
    });
    if (slot < 0) return false;
    this.#forgetSlot(slot);
    return true;
  }

  /**
   * Takes over base data that a checkpoint loaded into the arenas, and derives the rest from it.
   * @param isForgotten by slot
   */
  restore(facts: {
    nodeCount: number;
    termCount: number;
    contentBytes: number;
    forwardBytes: number;
    sequence: number;
    isForgotten: (slot: number) => boolean;
  }): void {
    const { headers, content, forward } = this.arenas;
    assert(this.#nodeCount === 0, "a space is restored before anything is stored in it");
    content.restoreUsed(facts.contentBytes);
    forward.restoreUsed(facts.forwardBytes);
    this.#words = this.#wordIndex(facts.termCount);
    this.#words.rebuildTermHashes(facts.termCount);
    this.#ids.clear(facts.nodeCount);
    const slots = new Uint32Array(facts.nodeCount);
    const lengthBytes = new Uint8Array(facts.nodeCount);
    const forwardAt = new Float64Array(facts.nodeCount);
    let live = 0;
    let pending = 0;
    let tokens = 0;
    let contentUsedBytes = 0;
    for (let slot = 0; slot < facts.nodeCount; slot++) {
      const chunk = headers.chunkOfSlot(slot);
      const index = headers.indexInChunk(slot);
      const words = headers.u32(chunk);
      const base = index * WORDS;
      if (facts.isForgotten(slot)) {
        words[base + STATE] = NODE_STATE.forgotten;
        continue;
      }
      words[base + STATE] = NODE_STATE.live;
      const tokenCount = words[base + NODE_HEADER.tokenCount / 4]!;
      slots[live] = slot;
      lengthBytes[live] = encodeLengthByte(tokenCount);
      forwardAt[live] = headers.f64(chunk)[index * NUMBERS + NODE_HEADER.forwardAt / 8]!;
      this.#ids.insert(words[base + HASH_LOW]!, slot + 1);
      live += 1;
      tokens += tokenCount;
      contentUsedBytes += words[base + NODE_HEADER.contentBytes / 4]!;
      if (headers.f32(chunk)[base + NODE_HEADER.vectorNorm / 4] === 0) pending += 1;
    }
    this.#words.rebuild({ count: live, slots, lengthBytes, forwardAt });
    this.mind.restore(facts.nodeCount, facts.isForgotten);
    const { root } = this;
    this.#nodeCount = facts.nodeCount;
    this.#lastSequence = facts.sequence;
    root.setNumber("tokensTotal", tokens);
    root.setNumber("contentUsedBytes", contentUsedBytes);
    root.setNumber("lastSequence", facts.sequence);
    root.publish("liveCount", live);
    root.publish("forgottenCount", facts.nodeCount - live);
    root.publish("pendingCount", pending);
    root.publish("termCount", facts.termCount);
    root.publish("nodeCount", facts.nodeCount);
    this.#publishBytes();
  }

  /** Searches go through the graph even while it is empty: they scan then. It takes memory as it fills. */
  #openGraph(): void {
    const { M, efConstruction, policy } = this.#options;
    const { node, interleaveNodes } = policy;
    const graph = VectorGraph.open(graphConfig(this, { M, efConstruction, node, interleaveNodes }));
    this.root.setNumber("graph", graph.address);
    this.root.publish("graphM", M);
    this.root.publish("graphEfConstruction", efConstruction);
  }

  /**
   * Stores a live memory of another image of this space, as it is there, without its mind.
   * @returns its slot here; -1 where it is not live
   */
  adopt(from: SpaceWriter, slot: number): number {
    const { headers } = from.arenas;
    const chunk = headers.chunkOfSlot(slot);
    const index = headers.indexInChunk(slot);
    const base = index * WORDS;
    const words = headers.u32(chunk);
    const numbers = headers.f64(chunk);
    if (words[base + STATE] !== NODE_STATE.live) return -1;
    return this.remember(
      this.#adopted.open(nodePayload(from.arenas, slot, this.description.dimensions)),
      from.#words.termsOf(numbers[index * NUMBERS + NODE_HEADER.forwardAt / 8]!),
      words[base + NODE_HEADER.tokenCount / 4]!,
      numbers[index * NUMBERS + NODE_HEADER.sequence / 8]!,
    );
  }

  /** Forgets the memory that another image of this space holds in `slot`, where this one holds it. */
  forgetTwin(from: SpaceWriter, slot: number): void {
    const { headers, content } = from.arenas;
    const chunk = headers.chunkOfSlot(slot);
    const base = headers.indexInChunk(slot) * WORDS;
    const words = headers.u32(chunk);
    const record = new Uint8Array(words[base + NODE_HEADER.contentBytes / 4]!);
    content.readInto(headers.f64(chunk)[base / 2 + NODE_HEADER.contentAt / 8]!, record, record.byteLength);
    const view = new DataView(record.buffer);
    const twin = this.find({
      hashLow: words[base + HASH_LOW]!,
      hashHigh: words[base + HASH_LOW + 1]!,
      bytes: record,
      at: CONTENT_RECORD_HEAD_BYTES + view.getUint16(CONTENT_RECORD.tagCount, true) * 8,
      length: view.getUint16(CONTENT_RECORD.idBytes, true),
    });
    if (twin >= 0) this.#forgetSlot(twin);
  }

  #forgetSlot(slot: number): void {
    this.onForget?.(slot);
    const { headers } = this.arenas;
    const chunk = headers.chunkOfSlot(slot);
    const index = headers.indexInChunk(slot);
    const words = headers.u32(chunk);
    const base = index * WORDS;
    Atomics.store(words, base + STATE, NODE_STATE.forgotten);
    this.mind.forget(slot);
    this.#words.forget(headers.f64(chunk)[index * NUMBERS + NODE_HEADER.forwardAt / 8]!);
    const { root } = this;
    const { numbers: facts } = root;
    facts[SPACE_NUMBER.tokensTotal] =
      facts[SPACE_NUMBER.tokensTotal]! - words[base + NODE_HEADER.tokenCount / 4]!;
    facts[SPACE_NUMBER.contentUsedBytes] =
      facts[SPACE_NUMBER.contentUsedBytes]! - words[base + NODE_HEADER.contentBytes / 4]!;
    root.publish("liveCount", root.load("liveCount") - 1);
    root.publish("forgottenCount", root.load("forgottenCount") + 1);
    if (headers.f32(chunk)[base + NODE_HEADER.vectorNorm / 4] === 0) {
      root.publish("pendingCount", root.load("pendingCount") - 1);
    }
  }

  #insertId(slot: number, hashLow: number): void {
    if (!this.#ids.isCrowded) {
      this.#ids.insert(hashLow, slot + 1);
      return;
    }
    const { headers } = this.arenas;
    this.#ids.grow(this.root.load("liveCount"), (insert) => {
      for (let each = 0; each <= slot; each++) {
        const words = headers.u32(headers.chunkOfSlot(each));
        const base = headers.indexInChunk(each) * WORDS;
        if (words[base + STATE] === NODE_STATE.live) insert(words[base + HASH_LOW]!, each + 1);
      }
    });
  }

  #writeTagBloom(words: Uint32Array, at: number, memory: RememberView): void {
    let low = 0;
    let high = 0;
    for (let i = 0; i < memory.tagCount; i++) {
      const bit = memory.view.getUint32(memory.recordAt + 16 + i * 8, true) & 63;
      if (bit < 32) low |= 1 << bit;
      else high |= 1 << (bit - 32);
    }
    words[at] = low;
    words[at + 1] = high;
  }

  #wordIndex(termCount: number): WordIndexWriter {
    const { terms, postings, forward } = this.arenas;
    return new WordIndexWriter({ terms, postings, forward, termHashes: this.#termHashes }, termCount);
  }

  #publishBytes(): void {
    let bytes = this.#ids.mappedBytes + this.#termHashes.mappedBytes;
    for (const arena of this.#distinctArenas) bytes += arena.mappedBytes;
    this.root.numbers[SPACE_NUMBER.mappedBytes] = bytes;
  }
}
