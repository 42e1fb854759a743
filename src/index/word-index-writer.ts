/**
 * The writing end of the word index: adds a memory's terms to the posting lists, and takes a forgotten
 * memory's terms out of the document frequencies.
 *
 * One thread owns it, the home writer of the space. Readers on other threads follow along without locks;
 * `layout/posting.ts` says in which order things are stored for that. The term hash table doubles when it is
 * more than half full: the new one is filled first and then published, the old one retired.
 */
import { assert } from "../base/assert.ts";
import {
  POSTING_BLOCK,
  POSTING_CAPACITIES,
  POSTING_UNIT_BYTES,
  POSTING_UNIT_WORDS,
  postingBlockUnits,
  TERM,
  TERM_RECORD_WORDS,
} from "../layout/posting.ts";
import type { ByteArena, SlotArena } from "../shm/arena.ts";
import type { SharedTable } from "../shm/shared-table.ts";
import { encodeLengthByte } from "./bm25.ts";
import { ForwardCursor } from "./forward-cursor.ts";
import { type RebuildSource, rebuildPostings } from "./posting-rebuild.ts";

const POSTING_CAPACITY_MAX = POSTING_CAPACITIES[POSTING_CAPACITIES.length - 1]!;

export type WordIndexArenas = {
  readonly terms: SlotArena;
  readonly postings: ByteArena;
  readonly forward: ByteArena;
  /** term index + 1 by hash, open addressing with linear probing */
  readonly termHashes: SharedTable;
};

/** Terms of one memory: hashes and frequencies, the first `count` entries counting. */
export type TermList = {
  readonly count: number;
  readonly los: Uint32Array;
  readonly his: Uint32Array;
  readonly frequencies: Uint16Array | Uint32Array;
};

export class WordIndexWriter {
  readonly #terms: SlotArena;
  readonly #postings: ByteArena;
  readonly #forward: ByteArena;
  readonly #termHashes: SharedTable;
  #termCount: number;
  #scratch = new Uint8Array(4096);

  /** @param termCount terms already in the term arena (0 for a new space) */
  constructor(arenas: WordIndexArenas, termCount: number) {
    this.#terms = arenas.terms;
    this.#postings = arenas.postings;
    this.#forward = arenas.forward;
    this.#termHashes = arenas.termHashes;
    this.#termCount = termCount;
    // Unit 0 means "no block", so the first unit is given away.
    if (this.#postings.usedBytes === 0) this.#postings.allocate(POSTING_UNIT_BYTES);
  }

  get termCount(): number {
    return this.#termCount;
  }

  /**
   * Adds the terms of a new memory, and writes its forward list.
   * @returns byte offset of the forward list
   */
  add(slot: number, tokenCount: number, list: TermList): number {
    const lengthByte = encodeLengthByte(tokenCount);
    if (this.#scratch.byteLength < list.count * 10 + 5) this.#scratch = new Uint8Array(list.count * 20 + 5);
    const scratch = this.#scratch;
    let at = putVarint(scratch, 0, list.count);
    for (let i = 0; i < list.count; i++) {
      const frequency = list.frequencies[i]!;
      const termIndex = this.#termIndexOf(list.los[i]!, list.his[i]!);
      at = putVarint(scratch, at, termIndex);
      at = putVarint(scratch, at, frequency);
      this.#post(termIndex, slot, frequency, lengthByte);
    }
    const forwardAt = this.#forward.allocate(at);
    this.#forward.write(forwardAt, scratch, at);
    return forwardAt;
  }

  /** Derives all posting lists from the forward lists of the live memories, as recovery does. */
  rebuild(memories: Pick<RebuildSource, "count" | "slots" | "lengthBytes" | "forwardAt">): void {
    rebuildPostings({
      ...memories,
      terms: this.#terms,
      termCount: this.#termCount,
      forward: this.#forward,
      postings: this.#postings,
    });
  }

  /** The terms of a memory, from its forward list. */
  termsOf(forwardAt: number): TermList {
    const los: number[] = [];
    const his: number[] = [];
    const frequencies: number[] = [];
    this.#eachTerm(forwardAt, (termIndex, frequency) => {
      const { words, base } = this.#record(termIndex);
      los.push(words[base + TERM.hashLow]!);
      his.push(words[base + TERM.hashHigh]!);
      frequencies.push(frequency);
    });
    return {
      count: los.length,
      los: Uint32Array.from(los),
      his: Uint32Array.from(his),
      frequencies: Uint32Array.from(frequencies),
    };
  }

  /** Takes a forgotten memory's terms out of the document frequencies. */
  forget(forwardAt: number): void {
    this.#eachTerm(forwardAt, (termIndex) => {
      const { words, base } = this.#record(termIndex);
      Atomics.sub(words, base + TERM.liveCount, 1);
    });
  }

  /** Enters every term of the term arena into the hash table; recovery calls it once the arena is loaded. */
  rebuildTermHashes(termCount: number): void {
    this.#termCount = termCount;
    this.#termHashes.clear(termCount);
    for (let termIndex = 0; termIndex < termCount; termIndex++) {
      const { words, base } = this.#record(termIndex);
      words[base + TERM.liveCount] = 0;
      words[base + TERM.postingCount] = 0;
      words[base + TERM.head] = 0;
      words[base + TERM.tail] = 0;
      this.#termHashes.insert(words[base + TERM.hashLow]!, termIndex + 1);
    }
  }

  #termIndexOf(hashLow: number, hashHigh: number): number {
    const table = this.#termHashes;
    for (let at = table.first(hashLow); ; at = table.next(at)) {
      const value = table.at(at);
      if (value === 0) break;
      const { words, base } = this.#record(value - 1);
      if (words[base + TERM.hashLow] === hashLow && words[base + TERM.hashHigh] === hashHigh)
        return value - 1;
    }
    const termIndex = this.#termCount;
    this.#terms.ensure(termIndex);
    const { words, base } = this.#record(termIndex);
    words[base + TERM.hashLow] = hashLow;
    words[base + TERM.hashHigh] = hashHigh;
    this.#termCount = termIndex + 1;
    if (table.isCrowded) {
      table.grow(this.#termCount, (insert) => {
        for (let i = 0; i <= termIndex; i++) {
          const record = this.#record(i);
          insert(record.words[record.base + TERM.hashLow]!, i + 1);
        }
      });
    } else {
      table.insert(hashLow, termIndex + 1);
    }
    return termIndex;
  }

  #post(termIndex: number, slot: number, frequency: number, lengthByte: number): void {
    const { words, base } = this.#record(termIndex);
    const tail = words[base + TERM.tail]!;
    let block = tail === 0 ? 0 : this.#fitting(tail);
    if (block === 0) block = this.#newBlock(words, base, tail);
    const postings = this.#postings;
    const chunk = postings.chunkOf(block * POSTING_UNIT_BYTES);
    const at = postings.offsetIn(block * POSTING_UNIT_BYTES) >>> 2;
    const blockWords = postings.u32(chunk);
    const count = blockWords[at + POSTING_BLOCK.count]!;
    const capacity = blockWords[at + POSTING_BLOCK.capacity]!;
    blockWords[at + POSTING_BLOCK.slots + count] = slot;
    const bytes = postings.u8(chunk);
    const pairAt = (at + POSTING_BLOCK.slots + capacity) * 4 + count * 2;
    bytes[pairAt] = frequency > 255 ? 255 : frequency;
    bytes[pairAt + 1] = lengthByte;
    Atomics.store(blockWords, at + POSTING_BLOCK.count, count + 1);
    words[base + TERM.postingCount] = words[base + TERM.postingCount]! + 1;
    Atomics.add(words, base + TERM.liveCount, 1);
  }

  /** The block itself while it has room, else 0. */
  #fitting(block: number): number {
    const postings = this.#postings;
    const words = postings.u32(postings.chunkOf(block * POSTING_UNIT_BYTES));
    const at = postings.offsetIn(block * POSTING_UNIT_BYTES) >>> 2;
    return words[at + POSTING_BLOCK.count]! < words[at + POSTING_BLOCK.capacity]! ? block : 0;
  }

  #newBlock(termWords: Uint32Array, termBase: number, tail: number): number {
    const postings = this.#postings;
    let capacity: number = POSTING_CAPACITIES[0];
    let tailWords: Uint32Array | undefined;
    let tailAt = 0;
    if (tail !== 0) {
      tailWords = postings.u32(postings.chunkOf(tail * POSTING_UNIT_BYTES));
      tailAt = postings.offsetIn(tail * POSTING_UNIT_BYTES) >>> 2;
      const last = tailWords[tailAt + POSTING_BLOCK.capacity]!;
      // Blocks that a rebuild made have other capacities; behind a large one goes a block of the largest kind.
      capacity = POSTING_CAPACITIES.find((each) => each > last) ?? POSTING_CAPACITY_MAX;
    }
    const position = postings.allocate(postingBlockUnits(capacity) * POSTING_UNIT_BYTES);
    assert(position % POSTING_UNIT_BYTES === 0, "posting blocks start at a unit");
    const block = position / POSTING_UNIT_BYTES;
    const words = postings.u32(postings.chunkOf(position));
    const at = postings.offsetIn(position) >>> 2;
    words[at + POSTING_BLOCK.next] = 0;
    words[at + POSTING_BLOCK.count] = 0;
    words[at + POSTING_BLOCK.capacity] = capacity;
    termWords[termBase + TERM.tail] = block;
    if (tailWords !== undefined) Atomics.store(tailWords, tailAt + POSTING_BLOCK.next, block);
    else Atomics.store(termWords, termBase + TERM.head, block);
    return block;
  }

  #eachTerm(forwardAt: number, visit: (termIndex: number, frequency: number) => void): void {
    const list = new ForwardCursor(this.#forward);
    list.open(forwardAt);
    for (let left = list.next(); left > 0; left--) visit(list.next(), list.next());
  }

  #record(termIndex: number): { words: Uint32Array; base: number } {
    const terms = this.#terms;
    return {
      words: terms.u32(terms.chunkOfSlot(termIndex)),
      base: terms.indexInChunk(termIndex) * TERM_RECORD_WORDS,
    };
  }
}

/** Writes `value` as LEB128 at `at`; returns the offset behind it. */
function putVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value;
  let end = at;
  while (rest >= 128) {
    bytes[end++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  bytes[end++] = rest;
  return end;
}

assert(POSTING_UNIT_WORDS === POSTING_BLOCK.slots, "slots start behind the block's head");
