/**
 * BM25 as one would write it in an afternoon: the yardstick of the retrieval benches. Nothing of the
 * appliance is in it, so a mistake there can not hide here.
 *
 * Textbook parameters (k1 1.2, b 0.75), words cut at everything that is no letter or digit. The stemmed one
 * uses Porter's stemmer and the stop words of another project (@orama), the plain one neither.
 */
import { stemmer } from "@orama/stemmers/english";
import { stopwords } from "@orama/stopwords/english";

const K1 = 1.2;
const B = 0.75;
const STOP = new Set(stopwords.flatMap((word) => [word, ...word.split("'")]));

export class PlainBm25 {
  readonly #texts: readonly ReadonlyMap<string, number>[];
  readonly #lengths: readonly number[];
  readonly #averageLength: number;
  readonly #holders = new Map<string, number>();
  readonly #isStemmed: boolean;

  constructor(texts: readonly string[], { isStemmed }: { readonly isStemmed: boolean }) {
    this.#isStemmed = isStemmed;
    const words = texts.map((text) => this.#wordsOf(text));
    this.#lengths = words.map((list) => list.length);
    this.#averageLength = this.#lengths.reduce((sum, length) => sum + length, 0) / texts.length;
    this.#texts = words.map((list) => {
      const counts = new Map<string, number>();
      for (const word of list) counts.set(word, (counts.get(word) ?? 0) + 1);
      for (const word of counts.keys()) this.#holders.set(word, (this.#holders.get(word) ?? 0) + 1);
      return counts;
    });
  }

  scores(query: string): Float64Array {
    const scores = new Float64Array(this.#texts.length);
    for (const word of new Set(this.#wordsOf(query))) {
      const holders = this.#holders.get(word) ?? 0;
      const idf = Math.log(1 + (this.#texts.length - holders + 0.5) / (holders + 0.5));
      this.#texts.forEach((counts, i) => {
        const count = counts.get(word);
        if (count === undefined) return;
        const norm = K1 * (1 - B + (B * this.#lengths[i]!) / this.#averageLength);
        scores[i]! += (idf * count * (K1 + 1)) / (count + norm);
      });
    }
    return scores;
  }

  #wordsOf(text: string): string[] {
    const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
    return this.#isStemmed ? words.filter((word) => !STOP.has(word)).map((word) => stemmer(word)) : words;
  }
}
