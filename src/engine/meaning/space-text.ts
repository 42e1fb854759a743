/**
 * The text of a space as learning reads it: its terms and, memory by memory, their occurrences. All of it is in
 * the word index already; nothing is analysed again.
 *
 * The background thread reads beside the writer: each piece in an epoch, with the space checked to be there.
 */
import { ForwardCursor } from "../../index/forward-cursor.ts";
import { ScoreAccumulator, WordIndexReader } from "../../index/word-index-reader.ts";
import { NODE_HEADER, NODE_HEADER_BYTES, NODE_KIND, NODE_STATE } from "../../layout/node-header.ts";
import { TERM, TERM_RECORD_WORDS } from "../../layout/posting.ts";
import { ByteArenaReader, SlotArenaReader } from "../../shm/arena.ts";
import type { EpochReader } from "../../shm/epochs.ts";
import { SharedTableReader } from "../../shm/shared-table.ts";
import { quantizationOf, spaceGeometry } from "../space-geometry.ts";
import type { SpaceRoot } from "../space-table.ts";

const WORDS = NODE_HEADER_BYTES / 4;

/** Thrown inside a learning whose space was deleted or compacted: there is nothing to go on with. */
export class SpaceGone extends Error {
  override readonly name = "SpaceGone";
}

export class SpaceText {
  readonly root: SpaceRoot;
  readonly generation: number;
  readonly name: string;
  readonly createdAtMs: number;
  readonly #epoch: EpochReader;
  readonly #headers: SlotArenaReader;
  readonly #terms: SlotArenaReader;
  readonly #words: WordIndexReader;
  readonly #cursor: ForwardCursor;

  constructor(root: SpaceRoot, epoch: EpochReader) {
    this.root = root;
    this.generation = root.load("generation");
    this.name = root.text("name");
    this.createdAtMs = root.number("createdAtMs");
    this.#epoch = epoch;
    const g = spaceGeometry(root.load("dimensions"), quantizationOf(root.load("quantization")));
    this.#headers = new SlotArenaReader({ ...g.headers, tableAddress: root.number("headerTable") });
    this.#terms = new SlotArenaReader({ ...g.terms, tableAddress: root.number("termTable") });
    const forward = new ByteArenaReader({
      chunkBytes: g.forwardChunkBytes,
      tableAddress: root.number("forwardTable"),
    });
    this.#cursor = new ForwardCursor(forward);
    this.#words = new WordIndexReader(
      {
        terms: this.#terms,
        postings: { chunkBytes: g.postingChunkBytes, tableAddress: root.number("postingTable") },
        termHashes: new SharedTableReader(root, "termTableGeneration"),
      },
      { k1: 0, b: 0 },
      new ScoreAccumulator(),
    );
  }

  get isCurrent(): boolean {
    return this.root.isOpen && this.root.load("generation") === this.generation;
  }

  /** Live memories that can be learned from. */
  get liveTexts(): number {
    return Math.max(0, this.root.load("liveCount") - this.root.load("conceptCount"));
  }

  /** Reads, or changes what is published, while nothing of the space can be freed. @throws {SpaceGone} */
  inside<T>(action: () => T): T {
    return this.#epoch.inside(() => {
      if (!this.isCurrent) throw new SpaceGone(this.name);
      return action();
    });
  }

  /** Live memories that hold a term. */
  liveCount(term: number): number {
    return this.#terms.u32(this.#terms.chunkOfSlot(term))[this.#termAt(term) + TERM.liveCount]!;
  }

  /** Writes the halves of a term's hash into `out` from `at` on. */
  hashInto(term: number, out: Uint32Array, at: number): void {
    const words = this.#terms.u32(this.#terms.chunkOfSlot(term));
    const base = this.#termAt(term);
    out[at] = words[base + TERM.hashLow]!;
    out[at + 1] = words[base + TERM.hashHigh]!;
  }

  readonly termIndex = (hashLow: number, hashHigh: number): number =>
    this.#words.termIndex(hashLow, hashHigh);

  /** Calls back for every term of a slot. @returns false where there is no live memory to learn from */
  termsOf(slot: number, each: (term: number, occurrences: number) => void): boolean {
    const headers = this.#headers;
    const chunk = headers.chunkOfSlot(slot);
    const base = headers.indexInChunk(slot) * WORDS;
    const words = headers.u32(chunk);
    if (words[base + NODE_HEADER.state / 4] !== NODE_STATE.live) return false;
    // A concept's gist was said by its members already.
    if ((words[base + NODE_HEADER.kind / 4]! & 0xff) === NODE_KIND.concept) return false;
    this.#cursor.open(headers.f64(chunk)[(base + NODE_HEADER.forwardAt / 4) / 2]!);
    for (let left = this.#cursor.next(); left > 0; left--) {
      const term = this.#cursor.next();
      each(term, this.#cursor.next());
    }
    return true;
  }

  #termAt(term: number): number {
    return this.#terms.indexInChunk(term) * TERM_RECORD_WORDS;
  }
}
