/** The word index of the appliance without shared memory: the same terms, lengths and formula. */
import {
  encodeLengthByte,
  inverseDocumentFrequency,
  makeNormTable,
  scorePosting,
} from "../../src/index/bm25.ts";
import { analyse } from "../../src/language/analyse.ts";
import { TermBuffer } from "../../src/language/term-buffer.ts";

export class NaiveWordIndex {
  readonly #postings = new Map<string, { readonly text: number; readonly frequency: number }[]>();
  readonly #lengthBytes: Uint8Array;
  readonly #textCount: number;
  readonly #tokensAverage: number;
  readonly #terms = new TermBuffer();

  constructor(texts: readonly string[]) {
    this.#textCount = texts.length;
    this.#lengthBytes = new Uint8Array(texts.length);
    let tokens = 0;
    texts.forEach((text, i) => {
      analyse(text, "english", this.#terms);
      tokens += this.#terms.tokenCount;
      this.#lengthBytes[i] = encodeLengthByte(this.#terms.tokenCount);
      for (let term = 0; term < this.#terms.count; term++) {
        const key = keyOf(this.#terms.los[term]!, this.#terms.his[term]!);
        const list = this.#postings.get(key) ?? [];
        if (list.length === 0) this.#postings.set(key, list);
        list.push({ text: i, frequency: Math.min(255, this.#terms.frequencies[term]!) });
      }
    });
    this.#tokensAverage = Math.max(1, tokens / texts.length);
  }

  idf(lo: number, hi: number): number {
    const withTermCount = this.#postings.get(keyOf(lo, hi))?.length ?? 0;
    return inverseDocumentFrequency({ memoryCount: this.#textCount, withTermCount });
  }

  search(
    query: string,
    k1: number,
    b: number,
  ): { readonly scores: Float32Array; readonly queryMass: number } {
    const norms = makeNormTable(this.#tokensAverage, k1, b);
    const scores = new Float32Array(this.#textCount);
    let queryMass = 0;
    analyse(query, "english", this.#terms);
    for (let term = 0; term < this.#terms.count; term++) {
      const idf = this.idf(this.#terms.los[term]!, this.#terms.his[term]!);
      queryMass += idf;
      for (const { text, frequency } of this.#postings.get(
        keyOf(this.#terms.los[term]!, this.#terms.his[term]!),
      ) ?? []) {
        scores[text]! += scorePosting(idf * (k1 + 1), frequency, norms[this.#lengthBytes[text]!]!);
      }
    }
    return { scores, queryMass };
  }
}

function keyOf(lo: number, hi: number): string {
  return `${lo},${hi}`;
}
