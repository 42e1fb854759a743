/**
 * Builds all posting lists of a space at once from the forward lists, as recovery does.
 *
 * Adding memory by memory costs some 300 ns a posting, in code that is not compiled yet when the appliance
 * starts. Here two loops go over the forward lists: the first counts each term's postings, the second fills
 * blocks of exactly that size. Nobody reads the space meanwhile, so nothing is published on the way.
 *
 * Cost: 56 ns a posting on a busy machine, 600 where they are added one by one (bench/index/posting-rebuild.bench.ts).
 */
import { assert } from "../base/assert.ts";
import {
  POSTING_BLOCK,
  POSTING_UNIT_BYTES,
  postingBlockUnits,
  TERM,
  TERM_RECORD_WORDS,
} from "../layout/posting.ts";
import type { ByteArena, SlotArena } from "../shm/arena.ts";
import { ForwardCursor } from "./forward-cursor.ts";

/** A block takes 6 bytes a posting, and must fit a chunk of the arena. */
const BLOCK_POSTINGS_MAX = 65_536;

export type RebuildSource = {
  readonly terms: SlotArena;
  readonly termCount: number;
  readonly forward: ByteArena;
  readonly postings: ByteArena;
  /** live memories, ascending; the first `count` entries of each array */
  readonly count: number;
  readonly slots: Uint32Array;
  readonly lengthBytes: Uint8Array;
  /** byte offset of each one's forward list */
  readonly forwardAt: Float64Array;
};

/** Fills the posting arena, and sets counts, heads and tails of all terms. */
export function rebuildPostings(source: RebuildSource): void {
  const counts = countPostings(source);
  const { terms, termCount, postings } = source;
  /** of each term: chunk, next word for a slot, next byte for a pair, and room in the block */
  const chunkOf = new Uint32Array(termCount);
  const wordAt = new Uint32Array(termCount);
  const pairAt = new Uint32Array(termCount);
  const roomOf = new Uint32Array(termCount);

  const open = (termIndex: number, block: number): void => {
    const position = block * POSTING_UNIT_BYTES;
    const chunk = postings.chunkOf(position);
    const at = postings.offsetIn(position) >>> 2;
    const capacity = postings.u32(chunk)[at + POSTING_BLOCK.capacity]!;
    chunkOf[termIndex] = chunk;
    wordAt[termIndex] = at + POSTING_BLOCK.slots;
    pairAt[termIndex] = (at + POSTING_BLOCK.slots + capacity) * 4;
    roomOf[termIndex] = capacity;
  };
  /** the block behind the first, for the few terms that need more than one */
  const nextBlocks = new Map<number, number[]>();
  for (let termIndex = 0; termIndex < termCount; termIndex++) {
    const count = counts[termIndex]!;
    const words = terms.u32(terms.chunkOfSlot(termIndex));
    const base = terms.indexInChunk(termIndex) * TERM_RECORD_WORDS;
    words[base + TERM.liveCount] = count;
    words[base + TERM.postingCount] = count;
    if (count === 0) continue;
    const blocks = allocateBlocks(postings, count);
    words[base + TERM.head] = blocks[0]!;
    words[base + TERM.tail] = blocks[blocks.length - 1]!;
    open(termIndex, blocks[0]!);
    if (blocks.length > 1) nextBlocks.set(termIndex, blocks.slice(1));
  }

  const wordChunks: Uint32Array[] = [];
  const byteChunks: Uint8Array[] = [];
  const chunkCount = postings.usedBytes === 0 ? 0 : postings.chunkOf(postings.usedBytes - 1) + 1;
  for (let chunk = 0; chunk < chunkCount; chunk++) {
    wordChunks.push(postings.u32(chunk));
    byteChunks.push(postings.u8(chunk));
  }

  const { count, slots, lengthBytes, forwardAt } = source;
  const list = new ForwardCursor(source.forward);
  for (let i = 0; i < count; i++) {
    list.open(forwardAt[i]!);
    const slot = slots[i]!;
    const lengthByte = lengthBytes[i]!;
    for (let left = list.next(); left > 0; left--) {
      const termIndex = list.next();
      const frequency = list.next();
      if (roomOf[termIndex] === 0) open(termIndex, nextBlocks.get(termIndex)!.shift()!);
      roomOf[termIndex]! -= 1;
      const chunk = chunkOf[termIndex]!;
      wordChunks[chunk]![wordAt[termIndex]!] = slot;
      wordAt[termIndex]! += 1;
      const pairs = byteChunks[chunk]!;
      const pair = pairAt[termIndex]!;
      pairs[pair] = frequency > 255 ? 255 : frequency;
      pairs[pair + 1] = lengthByte;
      pairAt[termIndex] = pair + 2;
    }
  }
}

function countPostings({ forward, count, forwardAt, termCount }: RebuildSource): Uint32Array {
  const counts = new Uint32Array(termCount);
  const list = new ForwardCursor(forward);
  for (let i = 0; i < count; i++) {
    list.open(forwardAt[i]!);
    for (let left = list.next(); left > 0; left--) {
      const termIndex = list.next();
      assert(termIndex < termCount, "a forward list names terms that there are");
      counts[termIndex]! += 1;
      list.next();
    }
  }
  return counts;
}

/** Blocks with room for exactly `count` postings, marked full and linked. @returns their units, in order */
function allocateBlocks(postings: ByteArena, count: number): number[] {
  const blocks: number[] = [];
  let last: { words: Uint32Array; at: number } | undefined;
  for (let left = count; left > 0; ) {
    const capacity = Math.min(left, BLOCK_POSTINGS_MAX);
    const position = postings.allocate(postingBlockUnits(capacity) * POSTING_UNIT_BYTES);
    const block = position / POSTING_UNIT_BYTES;
    const words = postings.u32(postings.chunkOf(position));
    const at = postings.offsetIn(position) >>> 2;
    words[at + POSTING_BLOCK.next] = 0;
    words[at + POSTING_BLOCK.count] = capacity;
    words[at + POSTING_BLOCK.capacity] = capacity;
    if (last !== undefined) last.words[last.at + POSTING_BLOCK.next] = block;
    last = { words, at };
    blocks.push(block);
    left -= capacity;
  }
  return blocks;
}
