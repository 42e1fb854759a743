/**
 * Turns text into terms: the one way both memories and queries become something the word index can match.
 *
 *   text → words (segment.ts) → possessives and elisions cut → stop words dropped → stemmed
 *        → diacritics folded → 64-bit term hash (term-hash.ts)
 *
 * Stems are made with diacritics, because the Snowball algorithms use them, and folded afterwards, so that
 * "cafe" finds "café". English is folded first: an accent there is a loan, and its stemmer knows none.
 *
 * A word's term is remembered in a direct-mapped cache of 16,384 entries keyed by the hash the segmenter
 * made of the word (16 bytes an entry, 256 KiB a language in use on a thread). A hit makes no string, so a
 * turn of 125 characters takes 3-4 µs; a miss costs 1-5 µs for the stem.
 *
 * What comes out is part of the data format: stored forward lists hold these terms.
 */
import { ENGLISH_IRREGULAR } from "./english-irregular.ts";
import { LANGUAGE_RULES, type Language } from "./languages.ts";
import { segment, WordSpans, wordAt } from "./segment.ts";
import type { TermBuffer } from "./term-buffer.ts";
import { hashTerm } from "./term-hash.ts";

/** Raised whenever a text may give other terms than before; an older space is then re-analysed. */
export const ANALYSER_VERSION = 1;

/** One word of a text, for people: `explain` and tests. */
export type AnalysedWord = {
  /** as it stands in the text */
  readonly surface: string;
  /** what it is indexed as; undefined for a stop word */
  readonly term: string | undefined;
  readonly lo: number;
  readonly hi: number;
};

const CACHE_SLOTS = 16_384;
const spans = new WordSpans();
const caches = new Map<Language, TermCache>();

/** Replaces what `out` holds by the terms of `text`. Costs 3-4 µs for 125 characters. */
export function analyse(text: string, language: Language, out: TermBuffer): void {
  segment(text, spans);
  out.clear();
  const cache = termCacheOf(language);
  for (let index = 0; index < spans.count; index++) {
    const slot = cache.slotOf(spans, index);
    const lo = cache.termLos[slot]!;
    if (lo !== 0) out.add(lo, cache.termHis[slot]!);
  }
}

/** The same analysis as strings, in the order of the text. Allocates; for `explain`, not for indexing. */
export function analyseWords(text: string, language: Language): AnalysedWord[] {
  const own = new WordSpans();
  segment(text, own);
  const words: AnalysedWord[] = [];
  for (let index = 0; index < own.count; index++) {
    const surface = own.text.slice(own.starts[index], own.ends[index]);
    const term = own.dense[index] === 1 ? wordAt(own, index) : termOf(wordAt(own, index), language);
    const hash = term === undefined ? undefined : hashTerm(term);
    words.push({ surface, term, lo: hash?.lo ?? 0, hi: hash?.hi ?? 0 });
  }
  return words;
}

/** The term a lower-cased word is indexed as; undefined where it is a stop word. */
export function termOf(word: string, language: Language): string | undefined {
  const rules = LANGUAGE_RULES[language];
  const stops = stopWordsOf(language);
  if (stops.has(word)) return undefined;
  let bare = word;
  if (word.includes("'")) {
    if (rules.apostrophe === "elision") bare = word.slice(word.indexOf("'") + 1);
    else if (rules.apostrophe === "possessive") bare = word.replace(/'s$/, "");
    bare = bare.replaceAll("'", "");
    if (stops.has(bare)) return undefined;
  }
  if (language === "english") {
    const folded = foldDiacritics(bare);
    return rules.stem(ENGLISH_IRREGULAR.get(folded) ?? folded);
  }
  return foldDiacritics(rules.stem(bare));
}

/** Letters without their marks: é to e, ß to ss, ø to o. */
export function foldDiacritics(word: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is ASCII, whole
  if (/^[\x00-\x7f]*$/.test(word)) return word;
  return word
    .normalize("NFD")
    .replace(/[\u0300-\u036f]/g, "")
    .replace(/[ßæœøłđðþı]/g, (letter) => UNDECOMPOSED[letter]!)
    .normalize("NFC");
}

const UNDECOMPOSED: Readonly<Record<string, string>> = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  ł: "l",
  đ: "d",
  ð: "d",
  þ: "th",
  ı: "i",
};

/** Term hashes of words already seen, by the hash of the word. */
export class TermCache {
  /** 0 marks a stop word: no term hash has a low half of 0 */
  readonly termLos = new Uint32Array(CACHE_SLOTS);
  readonly termHis = new Uint32Array(CACHE_SLOTS);
  readonly #wordLos = new Uint32Array(CACHE_SLOTS);
  readonly #wordHis = new Uint32Array(CACHE_SLOTS);
  readonly #language: Language;

  constructor(language: Language) {
    this.#language = language;
  }

  /** Where word `index` of `spans` has its term, resolved now if it was not there. */
  slotOf(words: WordSpans, index: number): number {
    const lo = words.los[index]!;
    const hi = words.his[index]!;
    const slot = lo & (CACHE_SLOTS - 1);
    // An empty slot has a low half of 0, which no word has.
    if (this.#wordLos[slot] !== lo || this.#wordHis[slot] !== hi) this.#resolve(words, index, slot);
    return slot;
  }

  #resolve(words: WordSpans, index: number, slot: number): void {
    const word = wordAt(words, index);
    const term = words.dense[index] === 1 ? word : termOf(word, this.#language);
    const hash = term === undefined ? undefined : hashTerm(term);
    this.termLos[slot] = hash?.lo ?? 0;
    this.termHis[slot] = hash?.hi ?? 0;
    this.#wordLos[slot] = words.los[index]!;
    this.#wordHis[slot] = words.his[index]!;
  }
}

/** This thread's cache for a language. */
export function termCacheOf(language: Language): TermCache {
  let cache = caches.get(language);
  if (cache === undefined) {
    cache = new TermCache(language);
    caches.set(language, cache);
  }
  return cache;
}

const stopSets = new Map<Language, ReadonlySet<string>>();

function stopWordsOf(language: Language): ReadonlySet<string> {
  let stops = stopSets.get(language);
  if (stops === undefined) {
    stops = new Set(LANGUAGE_RULES[language].stopWords);
    stopSets.set(language, stops);
  }
  return stops;
}
