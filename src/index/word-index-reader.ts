/**
 * The reading end of the word index: BM25 scores of all memories that hold a query's terms.
 *
 * Each thread that answers recalls has one reader per space. Scores are gathered term by term into a dense
 * accumulator (one f32 per slot) with a list of touched slots, so a search costs the postings it reads and
 * nothing for the memories it does not touch (Zobel & Moffat 2006, term-at-a-time evaluation).
 */
import { accumulatePostings, type PostingList, resetScores, type ScoreArrays } from "../ffi/words.ts";
import { TERM, TERM_RECORD_WORDS } from "../layout/posting.ts";
import type { SlotArenaReader } from "../shm/arena.ts";
import type { SharedTableReader } from "../shm/shared-table.ts";
import { fillNormTable, inverseDocumentFrequency } from "./bm25.ts";
import type { TermList } from "./word-index-writer.ts";

export type WordIndexViews = {
  readonly terms: SlotArenaReader;
  /** the posting arena, which only C looks into */
  readonly postings: { readonly tableAddress: number; readonly chunkBytes: number };
  readonly termHashes: SharedTableReader;
};

export type Bm25Settings = { readonly k1: number; readonly b: number };

/** The accumulators of one thread, shared by all its readers: whoever searched resets them. */
export class ScoreAccumulator implements ScoreArrays {
  /** by slot */
  scores = new Float32Array(0);
  touched = new Uint32Array(0);
  touchedCount = 0;

  /** Makes room for slots below `slotCount`. */
  reserve(slotCount: number): void {
    if (this.scores.length >= slotCount && this.touched.length > slotCount) return;
    const length = Math.max(4096, 2 ** Math.ceil(Math.log2(slotCount + 1)));
    this.scores = new Float32Array(length);
    this.touched = new Uint32Array(length + 1);
  }

  /** Adds one term's scores. */
  add(list: PostingList, gain: number, norms: Float32Array): void {
    this.touchedCount = accumulatePostings(list, gain, norms, this, this.touchedCount);
  }

  /** Zeroes what was touched. */
  reset(): void {
    resetScores(this, this.touchedCount);
    this.touchedCount = 0;
  }
}

export class WordIndexReader {
  readonly #views: WordIndexViews;
  readonly #settings: Bm25Settings;
  readonly #accumulator: ScoreAccumulator;
  readonly #norms = new Float32Array(256);
  #normsAverage = -1;

  constructor(views: WordIndexViews, settings: Bm25Settings, accumulator: ScoreAccumulator) {
    this.#views = views;
    this.#settings = settings;
    this.#accumulator = accumulator;
  }

  /** Live memories that hold the term; 0 for one that was never seen. */
  liveCount(hashLow: number, hashHigh: number): number {
    const base = this.#find(hashLow, hashHigh);
    return base < 0 ? 0 : this.#foundWords![base + TERM.liveCount]!;
  }

  /** The number of a term; -1 for one that was never seen. */
  termIndex(hashLow: number, hashHigh: number): number {
    return this.#find(hashLow, hashHigh) < 0 ? -1 : this.#foundIndex;
  }

  /**
   * Adds up the BM25 scores of the query's terms in the accumulator, which the caller resets.
   *
   * @param facts liveCount and averageTokens of the space; slots at or beyond nodeCount are not seen
   * @returns the sum of the idf of all terms, also of those that no memory holds: the query's mass
   */
  score(query: TermList, facts: { nodeCount: number; liveCount: number; averageTokens: number }): number {
    const accumulator = this.#accumulator;
    accumulator.reserve(facts.nodeCount);
    if (facts.averageTokens !== this.#normsAverage) {
      fillNormTable(this.#norms, facts.averageTokens, this.#settings.k1, this.#settings.b);
      this.#normsAverage = facts.averageTokens;
    }
    const { tableAddress, chunkBytes } = this.#views.postings;
    const list = { tableAddress, chunkBytes, nodeCount: facts.nodeCount };
    let mass = 0;
    for (let i = 0; i < query.count; i++) {
      const base = this.#find(query.los[i]!, query.his[i]!);
      const words = this.#foundWords;
      const withTermCount = base < 0 ? 0 : words![base + TERM.liveCount]!;
      const idf = inverseDocumentFrequency({ memoryCount: facts.liveCount, withTermCount });
      const weight = idf * query.frequencies[i]!;
      mass += weight;
      if (withTermCount === 0 || words === undefined) continue;
      const head = Atomics.load(words, base + TERM.head);
      accumulator.add({ ...list, head }, weight * (this.#settings.k1 + 1), this.#norms);
    }
    return mass;
  }

  #foundWords: Uint32Array | undefined;
  #foundIndex = -1;

  /** Word index of the term's record in `#foundWords`, or -1. */
  #find(hashLow: number, hashHigh: number): number {
    const { terms, termHashes } = this.#views;
    termHashes.refresh();
    for (let at = termHashes.first(hashLow); ; at = termHashes.next(at)) {
      const value = termHashes.at(at);
      if (value === 0) return -1;
      const words = terms.u32(terms.chunkOfSlot(value - 1));
      const base = terms.indexInChunk(value - 1) * TERM_RECORD_WORDS;
      if (words[base + TERM.hashLow] === hashLow && words[base + TERM.hashHigh] === hashHigh) {
        this.#foundWords = words;
        this.#foundIndex = value - 1;
        return base;
      }
    }
  }
}
