/**
 * The texts that meaning is learned from: one sparse row a memory, one column a term.
 *
 * Entry (memory, term) is tf' · gain(term), and each row is brought to length 1 (log-entropy and log-idf weights
 * are the usual ones of latent semantic analysis: Dumais 1991, "Improving the retrieval of information from
 * external sources"; of the two, idf is there already):
 *
 *   tf'   log2(1 + occurrences)
 *   gain  the term's idf in the space, when it was learned
 *
 * Texts stand in the order in which they were stored. `runs` says which of them were stored one after another:
 * neighbours in a run are each other's context (`context.ts`).
 */
import { assert } from "../../base/assert.ts";

export type TextMatrix = {
  readonly textCount: number;
  readonly termCount: number;
  /** where each text's entries begin; textCount + 1 numbers */
  readonly starts: Uint32Array;
  readonly terms: Uint32Array;
  readonly weights: Float32Array;
  /** by text: number of the run it belongs to, never falling */
  readonly runs: Uint32Array;
};

/** How much a term counts that occurs `occurrences` times in a text. */
export function occurrenceWeight(occurrences: number): number {
  return Math.log2(1 + occurrences);
}

/** Gathers a matrix text by text. */
export class TextMatrixBuilder {
  readonly #gains: Float32Array;
  readonly #starts: Uint32Array;
  readonly #runs: Uint32Array;
  readonly #terms: Uint32Array;
  readonly #weights: Float32Array;
  #textCount = 0;
  #entryCount = 0;
  #run = 0;

  /**
   * @param gains by term
   * @param room texts and entries it takes at most
   */
  constructor(gains: Float32Array, room: { readonly texts: number; readonly entries: number }) {
    this.#gains = gains;
    this.#starts = new Uint32Array(room.texts + 1);
    this.#runs = new Uint32Array(room.texts);
    this.#terms = new Uint32Array(room.entries);
    this.#weights = new Float32Array(room.entries);
  }

  /** Texts added from here on are no neighbours of those before. */
  beginRun(): void {
    this.#run += 1;
  }

  /** Adds an entry to the text under way. @returns false where there is no room left */
  add(term: number, occurrences: number): boolean {
    if (this.#entryCount === this.#terms.length) return false;
    assert(term < this.#gains.length, "a term has a gain");
    this.#terms[this.#entryCount] = term;
    this.#weights[this.#entryCount] = occurrenceWeight(occurrences) * this.#gains[term]!;
    this.#entryCount += 1;
    return true;
  }

  /** Ends the text under way; one without entries stays, as a gap between its neighbours. */
  endText(): void {
    const text = this.#textCount;
    assert(text < this.#runs.length, "there is room for every text");
    const start = this.#starts[text]!;
    let squared = 0;
    for (let at = start; at < this.#entryCount; at++) squared += this.#weights[at]! ** 2;
    const scale = squared > 0 ? 1 / Math.sqrt(squared) : 0;
    for (let at = start; at < this.#entryCount; at++) this.#weights[at]! *= scale;
    this.#runs[text] = this.#run;
    this.#textCount = text + 1;
    this.#starts[text + 1] = this.#entryCount;
  }

  finish(): TextMatrix {
    return {
      textCount: this.#textCount,
      termCount: this.#gains.length,
      starts: this.#starts.subarray(0, this.#textCount + 1),
      terms: this.#terms.subarray(0, this.#entryCount),
      weights: this.#weights.subarray(0, this.#entryCount),
      runs: this.#runs.subarray(0, this.#textCount),
    };
  }
}
