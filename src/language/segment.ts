/**
 * Cuts a text into words, and hashes each while reading it.
 *
 * A word is a run of letters and digits, lower-cased; an apostrophe between two letters belongs to it.
 * Scripts written without spaces give overlapping pairs of characters (a lone character gives itself),
 * which finds words in them without a dictionary. Everything else separates words.
 *
 * `Intl.Segmenter` would cut the same words from Latin text, at 20-30 times the cost (it makes an object a
 * segment); one pass over the code units with a table takes about 2 µs for a text of 125 characters.
 *
 * Text is read as it came. Only when it holds a character that NFKC changes (a combining accent, a
 * full-width form, a ligature) is it normalised and read again, so `spans.text` says what the offsets mean.
 */
import { assert } from "../base/assert.ts";
import {
  classOf,
  classOfAstral,
  IS_APOSTROPHE,
  IS_BREAK,
  IS_DENSE,
  IS_SURROGATE,
  IS_UNSETTLED,
  LAST_MARKER,
} from "./char-class.ts";
import { finishHi, finishLo, HI_SEED, LO_SEED, stepHi, stepLo } from "./term-hash.ts";

/** Code units of a word that count: what follows belongs to the word but is not looked at (blobs, links). */
export const WORD_UNITS_MAX = 64;

const APOSTROPHE = 0x27;

/** The words of one text; reused from text to text, growing to the longest one seen. */
export class WordSpans {
  /** what the offsets point into: the text given, or its NFKC form */
  text = "";
  count = 0;
  /** offset of a word's first code unit */
  starts: Uint32Array;
  /** offset behind a word's last code unit, at most WORD_UNITS_MAX behind the first */
  ends: Uint32Array;
  /** hash of the lower-cased word, as `hashTerm` computes it */
  los: Uint32Array;
  his: Uint32Array;
  /** 1: a piece of a script without spaces */
  dense: Uint8Array;

  constructor(capacity = 256) {
    assert(Number.isInteger(capacity) && capacity > 0, "a span buffer holds at least one word");
    this.starts = new Uint32Array(capacity);
    this.ends = new Uint32Array(capacity);
    this.los = new Uint32Array(capacity);
    this.his = new Uint32Array(capacity);
    this.dense = new Uint8Array(capacity);
  }

  /** Makes room for `capacity` words, keeping what is there. */
  reserve(capacity: number): void {
    if (capacity <= this.starts.length) return;
    const roomier = Math.max(capacity, this.starts.length * 2);
    this.starts = grown(this.starts, new Uint32Array(roomier));
    this.ends = grown(this.ends, new Uint32Array(roomier));
    this.los = grown(this.los, new Uint32Array(roomier));
    this.his = grown(this.his, new Uint32Array(roomier));
    this.dense = grown(this.dense, new Uint8Array(roomier));
  }
}

/** Cuts `text` into `spans`, replacing what they held. About 2 µs for 125 characters of English. */
export function segment(text: string, spans: WordSpans): void {
  if (!cut(text, spans)) {
    const settled = cut(text.normalize("NFKC"), spans, true);
    assert(settled, "text in NFKC is cut without being normalised again");
  }
}

/** The lower-cased form of word `index`, as it was hashed. */
export function wordAt(spans: WordSpans, index: number): string {
  const end = spans.ends[index]!;
  let word = "";
  for (let i = spans.starts[index]!; i < end; i++) {
    const entry = classOf(spans.text.charCodeAt(i));
    if (entry > LAST_MARKER) word += String.fromCharCode(entry);
    else if (entry === IS_APOSTROPHE) word += "'";
    else word += spans.text[i];
  }
  return word;
}

/** @returns false when the text must be brought to NFKC first; with `settled` it is taken as it is */
function cut(text: string, spans: WordSpans, settled = false): boolean {
  spans.text = text;
  spans.count = 0;
  const length = text.length;
  let count = 0;
  let room = spans.starts.length;
  let i = 0;
  while (i < length) {
    let entry = classOf(text.charCodeAt(i));
    if (entry === IS_BREAK || entry === IS_APOSTROPHE) {
      i++;
      continue;
    }
    if (count + 2 > room) {
      spans.reserve(count + 2);
      room = spans.starts.length;
    }
    if (entry === IS_DENSE || entry === IS_SURROGATE || entry === IS_UNSETTLED) {
      if (entry === IS_UNSETTLED && !settled) return false;
      if (entry === IS_UNSETTLED) {
        i++; // a mark that has no composed form: nothing to hold it
        continue;
      }
      const codePoint = text.codePointAt(i)!;
      const kind = entry === IS_DENSE ? IS_DENSE : classOfAstral(codePoint);
      if (kind === IS_UNSETTLED && !settled) return false;
      const width = codePoint > 0xffff ? 2 : 1;
      if (kind === IS_DENSE) {
        i = cutDense(text, i, spans, count);
        count = spans.count;
        room = spans.starts.length;
      } else if (kind === IS_SURROGATE && width === 2) {
        // A letter of a rare script beyond the basic plane: a word of its own.
        putSpan(spans, count++, text, i, i + width, 0);
        i += width;
      } else i += width;
      continue;
    }

    // The hot loop: a word in a script with letters.
    const start = i;
    let lo = LO_SEED;
    let hi = HI_SEED;
    let units = 0;
    let end = i;
    for (;;) {
      if (entry > LAST_MARKER) {
        if (units < WORD_UNITS_MAX) {
          lo = stepLo(lo, entry);
          hi = stepHi(hi, entry);
          units++;
          end = i + 1;
        }
      } else if (entry === IS_APOSTROPHE) {
        if (i + 1 >= length || classOf(text.charCodeAt(i + 1)) <= LAST_MARKER) break;
        if (units < WORD_UNITS_MAX) {
          lo = stepLo(lo, APOSTROPHE);
          hi = stepHi(hi, APOSTROPHE);
          units++;
          end = i + 1;
        }
      } else if (entry === IS_UNSETTLED) {
        if (!settled) return false;
        break;
      } else break;
      if (++i >= length) break;
      entry = classOf(text.charCodeAt(i));
    }
    spans.starts[count] = start;
    spans.ends[count] = end;
    spans.los[count] = finishLo(lo, hi, units);
    spans.his[count] = finishHi(lo, hi, units);
    spans.dense[count] = 0;
    count++;
  }
  spans.count = count;
  return true;
}

/** A run of characters without spaces, as overlapping pairs; returns the offset behind it. */
function cutDense(text: string, from: number, spans: WordSpans, firstIndex: number): number {
  let count = firstIndex;
  let previous = -1;
  let pairs = 0;
  let i = from;
  while (i < text.length) {
    const codePoint = text.codePointAt(i)!;
    const kind = codePoint > 0xffff ? classOfAstral(codePoint) : classOf(codePoint);
    if (kind !== IS_DENSE) break;
    const width = codePoint > 0xffff ? 2 : 1;
    if (previous >= 0) {
      spans.reserve(count + 2);
      putSpan(spans, count++, text, previous, i + width, 1);
      pairs++;
    }
    previous = i;
    i += width;
  }
  if (pairs === 0) putSpan(spans, count++, text, from, i, 1);
  spans.count = count;
  return i;
}

function putSpan(
  spans: WordSpans,
  index: number,
  text: string,
  start: number,
  end: number,
  dense: 0 | 1,
): void {
  let lo = LO_SEED;
  let hi = HI_SEED;
  for (let i = start; i < end; i++) {
    const codeUnit = text.charCodeAt(i);
    lo = stepLo(lo, codeUnit);
    hi = stepHi(hi, codeUnit);
  }
  spans.starts[index] = start;
  spans.ends[index] = end;
  spans.los[index] = finishLo(lo, hi, end - start);
  spans.his[index] = finishHi(lo, hi, end - start);
  spans.dense[index] = dense;
}

function grown<A extends Uint32Array | Uint8Array>(from: A, to: A): A {
  to.set(from);
  return to;
}
