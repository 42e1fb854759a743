/**
 * The distinct terms of one text with their frequencies: what the analyser writes and the word index reads.
 *
 * One buffer per thread is reused from text to text. Distinct terms are found through a small
 * open-addressing table beside the arrays; a generation number empties it without touching it.
 *
 *   losHis    count entries, in the order of first occurrence
 *   slots     power of two, at least twice the capacity; generation and index of a term, packed
 */
import { assert } from "../base/assert.ts";

const FREQUENCY_MAX = 65_535;

export class TermBuffer {
  /** number of distinct terms */
  count = 0;
  /** terms counted with repetition, stop words left out: the length of the text for BM25 */
  tokenCount = 0;
  /** low and high halves of the term hashes; see `term-hash.ts` */
  los: Uint32Array;
  his: Uint32Array;
  /** occurrences in the text, 1 to 65,535 (more are counted as 65,535) */
  frequencies: Uint16Array;

  #slotTerms: Uint32Array;
  #slotGenerations: Uint32Array;
  #slotMask: number;
  #generation = 1;

  /** @param capacity distinct terms it holds without growing */
  constructor(capacity = 256) {
    assert(Number.isInteger(capacity) && capacity > 0, "a term buffer holds at least one term");
    this.los = new Uint32Array(capacity);
    this.his = new Uint32Array(capacity);
    this.frequencies = new Uint16Array(capacity);
    const slots = slotCountFor(capacity);
    this.#slotTerms = new Uint32Array(slots);
    this.#slotGenerations = new Uint32Array(slots);
    this.#slotMask = slots - 1;
  }

  /** Empties the buffer. */
  clear(): void {
    this.count = 0;
    this.tokenCount = 0;
    this.#generation++;
    if (this.#generation === 0xffff_ffff) {
      this.#slotGenerations.fill(0);
      this.#generation = 1;
    }
  }

  /** Counts one occurrence of a term; returns its index. Grows when full, by doubling. */
  add(lo: number, hi: number): number {
    this.tokenCount++;
    let slot = (lo ^ (hi >>> 7)) & this.#slotMask;
    while (this.#slotGenerations[slot] === this.#generation) {
      const index = this.#slotTerms[slot]!;
      if (this.los[index] === lo && this.his[index] === hi) {
        if (this.frequencies[index]! < FREQUENCY_MAX) this.frequencies[index]!++;
        return index;
      }
      slot = (slot + 1) & this.#slotMask;
    }
    if (this.count === this.los.length) {
      this.#grow();
      this.tokenCount--;
      return this.add(lo, hi);
    }
    const index = this.count++;
    this.#slotTerms[slot] = index;
    this.#slotGenerations[slot] = this.#generation;
    this.los[index] = lo;
    this.his[index] = hi;
    this.frequencies[index] = 1;
    return index;
  }

  #grow(): void {
    const capacity = this.los.length * 2;
    this.los = copied(this.los, new Uint32Array(capacity));
    this.his = copied(this.his, new Uint32Array(capacity));
    this.frequencies = copied(this.frequencies, new Uint16Array(capacity));
    const slots = slotCountFor(capacity);
    this.#slotTerms = new Uint32Array(slots);
    this.#slotGenerations = new Uint32Array(slots);
    this.#slotMask = slots - 1;
    this.#generation = 1;
    for (let index = 0; index < this.count; index++) {
      let slot = (this.los[index]! ^ (this.his[index]! >>> 7)) & this.#slotMask;
      while (this.#slotGenerations[slot] === this.#generation) slot = (slot + 1) & this.#slotMask;
      this.#slotTerms[slot] = index;
      this.#slotGenerations[slot] = this.#generation;
    }
  }
}

function slotCountFor(capacity: number): number {
  return 2 ** Math.ceil(Math.log2(capacity * 2));
}

function copied<A extends Uint32Array | Uint16Array>(from: A, to: A): A {
  to.set(from);
  return to;
}
