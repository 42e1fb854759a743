/**
 * Texts whose words are as unevenly used as those of a language: the word of rank r comes with a frequency
 * proportional to 1 / (r + 2.7) (Zipf-Mandelbrot), from a vocabulary made of syllables by a seed.
 *
 * A word index costs what its commonest words cost, so words drawn evenly would flatter it.
 */
import { Random } from "../../base/random.ts";

export const VOCABULARY_WORDS = 20_000;
const RANK_SHIFT = 2.7;
const ONSETS = [
  "b",
  "br",
  "d",
  "f",
  "g",
  "gr",
  "h",
  "k",
  "l",
  "m",
  "n",
  "p",
  "pl",
  "r",
  "s",
  "st",
  "t",
  "tr",
  "v",
  "w",
];
const VOWELS = ["a", "e", "i", "o", "u", "ai", "ea", "ou"];
const CODAS = ["", "", "", "l", "m", "n", "r", "s", "t", "ck"];

export class ZipfText {
  readonly #random: Random;
  readonly #words: string[];
  readonly #cumulative: Float64Array;

  constructor(seed: number, words: number = VOCABULARY_WORDS) {
    this.#random = new Random(seed);
    this.#words = this.#vocabulary(words);
    this.#cumulative = new Float64Array(words);
    let sum = 0;
    for (let rank = 0; rank < words; rank++) {
      sum += 1 / (rank + 1 + RANK_SHIFT);
      this.#cumulative[rank] = sum;
    }
  }

  /** `least` to `most` words. */
  text(least: number, most: number): string {
    const count = least + this.#random.below(most - least + 1);
    const words: string[] = [];
    for (let i = 0; i < count; i++) words.push(this.#word());
    return words.join(" ");
  }

  #word(): string {
    const cumulative = this.#cumulative;
    const drawn = this.#random.float() * cumulative[cumulative.length - 1]!;
    let low = 0;
    let high = cumulative.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (cumulative[middle]! < drawn) low = middle + 1;
      else high = middle;
    }
    return this.#words[low]!;
  }

  /** Short words first: what is said often is short. */
  #vocabulary(count: number): string[] {
    const pick = (from: readonly string[]): string => from[this.#random.below(from.length)]!;
    const found = new Set<string>();
    while (found.size < count) {
      const syllables = 1 + Math.floor(Math.log2(1 + found.size / 150) / 2.5);
      let word = "";
      for (let i = 0; i < syllables; i++) word += pick(ONSETS) + pick(VOWELS) + pick(CODAS);
      // Where few short words are left, a longer one is taken.
      found.add(found.has(word) ? word + pick(ONSETS) + pick(VOWELS) : word);
    }
    return [...found];
  }
}
