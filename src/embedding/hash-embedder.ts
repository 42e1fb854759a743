/**
 * The built-in embedder `hash/1`: vectors from the words of a text and the parts of its words, with no model.
 *
 * Every feature adds its weight, with a sign, at a few places chosen by its hash (feature hashing: Weinberger
 * et al. 2009, "Feature Hashing for Large Scale Multitask Learning"), so that the dot product of two texts
 * is about the weight of the features they share. The same text always gives the same vector.
 *
 *   feature                         weight                                    places
 *   a word's stem                   tf' · length'                             4
 *   n-grams of 3-5 letters of it    0.8 of that, shared by root of number     2 each
 *   a stop word                     0.1                                       4
 *
 *   tf'      1.9 tf / (tf + 0.9): repetition counts less and less, as in BM25
 *   length'  min(1, 0.4 + 0.12 letters): short words are common words (Zipf's law of abbreviation), the
 *            one thing about a word's frequency that is known without having seen a text
 *
 * What a space has learned about its words comes in with the query, where each weight is multiplied by
 * idf^0.7: memories keep the vectors they came with.
 *
 * Long texts. A unit vector favours short texts, which spend all their length on few words. So memories get a
 * ballast: the last twelfth of the dimensions holds the features folded onto it, stretched to the length
 * √20, and queries have nothing there. That divides by √(features² + 20) instead of by √features²
 * (pivoted normalisation: Singhal et al. 1996), while two memories that are alike stay as alike as they are.
 *
 *   dimension  0                        704            768
 *              | features               | ballast, memories only
 *
 * bench/retrieval/offline.ts, three conversations, recall@10 60.7. Found with four seeds of the hash, before
 * irregular forms were joined to their stems: 59.4, without ballast 56.8, without n-grams 57.9, with one place a
 * stem 58.2, without the length of words 58.8. A list of the frequencies of English words in place of their
 * length was no better. A graph (M 16, ef 102) over 12,000 such vectors finds 0.97 of the exact first ten.
 */
import { assert } from "../base/assert.ts";
import { termCacheOf } from "../language/analyse.ts";
import { classOf, LAST_MARKER } from "../language/char-class.ts";
import type { Language } from "../language/languages.ts";
import { segment, WordSpans } from "../language/segment.ts";
import { TermBuffer } from "../language/term-buffer.ts";
import { finishHi, finishLo, HI_SEED, LO_SEED, mix32, stepHi, stepLo } from "../language/term-hash.ts";
import type { EmbedderState, EmbeddingProvider, EmbedKind, EmbedOptions, TermIdf } from "./embedder.ts";

export const HASH_EMBEDDER_ID = "hash/1";
export const HASH_DIMENSIONS_DEFAULT = 768;

const FREQUENCY_SATURATION = 0.9;
const STOP_WORD_WEIGHT = 0.1;
const NGRAM_SHARE = 0.8;
const NGRAM_LETTERS_MIN = 3;
const NGRAM_LETTERS_MAX = 5;
const IDF_EXPONENT = 0.7;
const BALLAST_SQUARED = 20;
const BALLAST_PART = 12;
/** stands before and behind a word, so that beginnings and ends are features of their own */
const WORD_EDGE = 0x20;

export class HashEmbedder implements EmbeddingProvider {
  readonly id = HASH_EMBEDDER_ID;
  readonly family = "hashed";
  readonly dimensions: number;

  readonly #sums: Float64Array;
  /** dimensions that features fall into; the rest is ballast */
  readonly #featureDimensions: number;
  readonly #spans = new WordSpans();
  readonly #terms = new TermBuffer();
  /** word of the first occurrence of each distinct term */
  #firstSpans = new Uint32Array(256);
  readonly #letters = new Uint16Array(128);
  #textCount = 0;

  /** @param dimensions length of its vectors, 1 to 65,536 */
  constructor(dimensions: number = HASH_DIMENSIONS_DEFAULT) {
    assert(Number.isInteger(dimensions) && dimensions >= 1, "a vector has at least one dimension");
    assert(dimensions <= 65_536, "places are chosen with 16 bits");
    this.dimensions = dimensions;
    this.#sums = new Float64Array(dimensions);
    this.#featureDimensions = dimensions - Math.floor(dimensions / BALLAST_PART);
  }

  embed(texts: readonly string[], kind: EmbedKind, options?: EmbedOptions): Promise<Float32Array[]> {
    return Promise.resolve(this.embedSync(texts, kind, options));
  }

  embedSync(
    texts: readonly string[],
    kind: EmbedKind,
    options?: Omit<EmbedOptions, "signal">,
  ): Float32Array[] {
    const language = options?.language ?? "english";
    return texts.map((text) =>
      kind === "query" ? this.embedQuery(text, language, options?.idf) : this.embedMemory(text, language),
    );
  }

  /** A unit vector. 15-18 µs for 125 characters. */
  embedMemory(text: string, language: Language): Float32Array {
    this.#sumFeatures(text, language, undefined);
    return this.#withBallast();
  }

  /** A unit vector that has no ballast. @param idf how rare terms are in the space asked, where that is known */
  embedQuery(text: string, language: Language, idf?: TermIdf): Float32Array {
    this.#sumFeatures(text, language, idf);
    return this.#withoutBallast();
  }

  state(): EmbedderState {
    return {
      status: "ok",
      detail: { provider: this.id, dimensions: this.dimensions, texts: this.#textCount },
    };
  }

  close(): void {}

  /** Adds up the features of `text` in `#sums`; there is always one. */
  #sumFeatures(text: string, language: Language, idf: TermIdf | undefined): void {
    this.#textCount++;
    const spans = this.#spans;
    const terms = this.#terms;
    this.#sums.fill(0);
    segment(text, spans);
    terms.clear();
    const cache = termCacheOf(language);
    for (let index = 0; index < spans.count; index++) {
      const slot = cache.slotOf(spans, index);
      const lo = cache.termLos[slot]!;
      if (lo === 0) {
        this.#addTerm(spans.los[index]!, spans.his[index]!, STOP_WORD_WEIGHT);
        continue;
      }
      const distinctBefore = terms.count;
      const term = terms.add(lo, cache.termHis[slot]!);
      if (term === distinctBefore) this.#rememberSpan(term, index);
    }
    for (let term = 0; term < terms.count; term++) {
      const span = this.#firstSpans[term]!;
      const frequency = terms.frequencies[term]!;
      let weight = ((1 + FREQUENCY_SATURATION) * frequency) / (frequency + FREQUENCY_SATURATION);
      if (spans.dense[span] === 0) weight *= commonness(spans.ends[span]! - spans.starts[span]!);
      if (idf !== undefined) weight *= idf(terms.los[term]!, terms.his[term]!) ** IDF_EXPONENT;
      this.#addTerm(terms.los[term]!, terms.his[term]!, weight);
      this.#addParts(spans, span, weight * NGRAM_SHARE);
    }
    if (spans.count === 0) this.#addSymbols(text);
  }

  #rememberSpan(term: number, span: number): void {
    if (term >= this.#firstSpans.length) {
      const roomier = new Uint32Array(this.#firstSpans.length * 2);
      roomier.set(this.#firstSpans);
      this.#firstSpans = roomier;
    }
    this.#firstSpans[term] = span;
  }

  #addTerm(lo: number, hi: number, weight: number): void {
    const share = weight / 2; // the root of 4 places
    this.#add(mix32(lo ^ 0x1b56c4e9), share);
    this.#add(mix32(hi ^ 0x7f4a7c15), share);
    this.#add(mix32((lo + Math.imul(hi, 0x9e3779b1)) | 0), share);
    this.#add(mix32((hi + Math.imul(lo, 0x85ebca6b)) ^ 0x3c6ef372), share);
  }

  /** The n-grams of a word; of a pair of characters from a script without spaces, the two. */
  #addParts(spans: WordSpans, span: number, weight: number): void {
    const letters = this.#letters;
    const start = spans.starts[span]!;
    const end = spans.ends[span]!;
    const isDense = spans.dense[span] === 1;
    const shortest = isDense ? 1 : NGRAM_LETTERS_MIN;
    let count = 0;
    if (!isDense) letters[count++] = WORD_EDGE;
    for (let i = start; i < end; i++) letters[count++] = foldedUnit(spans.text.charCodeAt(i));
    if (!isDense) letters[count++] = WORD_EDGE;
    const longest = isDense ? 1 : NGRAM_LETTERS_MAX;

    let grams = 0;
    for (let length = shortest; length <= longest; length++) grams += Math.max(0, count - length + 1);
    if (grams === 0) return;
    const share = weight / Math.sqrt(grams * 2);
    for (let first = 0; first + shortest <= count; first++) {
      let lo = ~LO_SEED;
      let hi = ~HI_SEED;
      const behind = Math.min(count, first + longest);
      for (let i = first; i < behind; i++) {
        lo = stepLo(lo, letters[i]!);
        hi = stepHi(hi, letters[i]!);
        const length = i - first + 1;
        if (length < shortest) continue;
        this.#add(finishLo(lo, hi, length), share);
        this.#add(finishHi(lo, hi, length), share);
      }
    }
  }

  /** A text without a word (an emoji, a row of dashes): its symbols stand for it; an empty one for itself. */
  #addSymbols(text: string): void {
    let lo = LO_SEED;
    let hi = HI_SEED;
    let symbols = 0;
    for (const symbol of text.trim()) {
      const codePoint = symbol.codePointAt(0)!;
      this.#addTerm(mix32(codePoint), mix32(~codePoint), 1);
      lo = stepLo(lo, codePoint);
      hi = stepHi(hi, codePoint);
      symbols++;
    }
    this.#addTerm(finishLo(lo, hi, symbols), finishHi(lo, hi, symbols), 1);
  }

  /** One place: 16 bits choose it, the lowest bit its sign. */
  #add(hash: number, weight: number): void {
    const place = ((hash >>> 16) * this.#featureDimensions) >>> 16;
    this.#sums[place]! += (hash & 1) === 0 ? weight : -weight;
  }

  #withoutBallast(): Float32Array {
    const sums = this.#sums;
    const vector = new Float32Array(this.dimensions);
    const squared = squaredLength(sums, this.#featureDimensions);
    if (squared === 0) {
      vector[0] = 1; // every feature met its opposite: a unit vector all the same
      return vector;
    }
    const scale = 1 / Math.sqrt(squared);
    for (let i = 0; i < this.#featureDimensions; i++) vector[i] = sums[i]! * scale;
    return vector;
  }

  #withBallast(): Float32Array {
    const sums = this.#sums;
    const features = this.#featureDimensions;
    const ballastDimensions = this.dimensions - features;
    if (ballastDimensions === 0) return this.#withoutBallast();
    for (let i = 0, at = features; i < features; i++) {
      sums[at]! += sums[i]!;
      if (++at === this.dimensions) at = features;
    }
    const squared = squaredLength(sums, features);
    const foldedSquared = squaredLength(sums, this.dimensions) - squared;
    if (squared === 0 || foldedSquared <= 0) return this.#withoutBallast();
    const vector = new Float32Array(this.dimensions);
    const scale = 1 / Math.sqrt(squared + BALLAST_SQUARED);
    const ballastScale = Math.sqrt(BALLAST_SQUARED / foldedSquared) * scale;
    for (let i = 0; i < features; i++) vector[i] = sums[i]! * scale;
    for (let i = features; i < this.dimensions; i++) vector[i] = sums[i]! * ballastScale;
    return vector;
  }
}

/** What a word's length says about how much it tells, 0.52 to 1. */
function commonness(letters: number): number {
  return Math.min(1, 0.4 + 0.12 * letters);
}

function squaredLength(values: Float64Array, end: number): number {
  let sum = 0;
  for (let i = 0; i < end; i++) sum += values[i]! * values[i]!;
  return sum;
}

/** Base letters of U+00C0 to U+024F, lower case; filled at import. */
const LATIN_FIRST = 0xc0;
const LATIN_BEHIND = 0x250;
const latinBases = new Uint16Array(LATIN_BEHIND - LATIN_FIRST);
for (let unit = LATIN_FIRST; unit < LATIN_BEHIND; unit++) {
  latinBases[unit - LATIN_FIRST] = String.fromCharCode(unit).toLowerCase().normalize("NFD").charCodeAt(0);
}

/** Lower case, and without diacritics where the letter is Latin. */
function foldedUnit(codeUnit: number): number {
  if (codeUnit >= LATIN_FIRST && codeUnit < LATIN_BEHIND) return latinBases[codeUnit - LATIN_FIRST]!;
  const entry = classOf(codeUnit);
  return entry > LAST_MARKER ? entry : codeUnit;
}
