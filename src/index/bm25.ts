/**
 * Okapi BM25 over postings that carry one byte of frequency and one byte of length.
 *
 *   score(q, d) = Σ_t idf(t) · tf · (k1 + 1) / (tf + k1 · (1 − b + b · length / average))
 *
 * after S. Robertson and H. Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond",
 * Foundations and Trends in Information Retrieval 3(4), 2009, with the idf that stays positive
 * (ln(1 + (N − n + ½) / (n + ½))).
 *
 * The part in brackets depends on the length alone, so a query builds a table of it for the 256 length
 * bytes (`makeNormTable`), and scoring a posting is one load, one division and one multiplication.
 *
 * The defaults are those of Anserini (k1 0.9, b 0.4), found on collections of short passages; on the turns of
 * real conversations they find 1.2 points more evidence among the first ten than the textbook's 1.2 and 0.75
 * (bench/retrieval/offline.ts).
 *
 * Lengths are stored as Lucene stores them (SmallFloat.intToByte4): 0-39 exactly, then 4 significant bits.
 * An error of at most 1/8 in a length moves a score by less than 6 %.
 */
import { assert } from "../base/assert.ts";

/** How soon repetition stops counting. Lower: a term counts once; higher: every repetition counts. */
export const K1_DEFAULT = 0.9;
/** How much a long text is discounted: 0 not at all, 1 in proportion. */
export const B_DEFAULT = 0.4;

/** Byte values that are lengths themselves; those of the float code behind them are exact up to 39. */
const EXACT_LENGTHS = 24;

/** Token count of each length byte: the smallest count that is stored as it. */
export const LENGTH_OF_BYTE: Float64Array = new Float64Array(256);
for (let byte = 0; byte < 256; byte++) LENGTH_OF_BYTE[byte] = decodeLengthByte(byte);
assert(LENGTH_OF_BYTE[EXACT_LENGTHS - 1] === EXACT_LENGTHS - 1, "small lengths are stored exactly");
assert(LENGTH_OF_BYTE[255]! >= 2 ** 31 - 2 ** 28, "the largest byte stands for lengths of 31 bits");

/** How rare a term is. @param memoryCount memories in the space @param withTermCount memories with the term */
export function inverseDocumentFrequency(counts: { memoryCount: number; withTermCount: number }): number {
  const { memoryCount, withTermCount } = counts;
  assert(withTermCount >= 0, "a term is in none or more memories");
  // Counts are read while a writer changes them, so a term may seem to be in more memories than there are.
  const others = Math.max(0, memoryCount - withTermCount);
  return Math.log1p((others + 0.5) / (withTermCount + 0.5));
}

/** The byte that stands for a token count, 0 to 2^31 - 1. Larger counts never get a smaller byte. */
export function encodeLengthByte(tokenCount: number): number {
  assert(Number.isInteger(tokenCount) && tokenCount >= 0, "a length is a count");
  if (tokenCount < EXACT_LENGTHS) return tokenCount;
  return EXACT_LENGTHS + int4(Math.min(tokenCount, 2 ** 31 - 1) - EXACT_LENGTHS);
}

/**
 * k1 · (1 − b + b · length / average) for every length byte.
 *
 * @param tokensAverage mean token count of a memory, above 0 (an empty space may hand in 1)
 */
export function makeNormTable(
  tokensAverage: number,
  k1: number = K1_DEFAULT,
  b: number = B_DEFAULT,
): Float32Array {
  return fillNormTable(new Float32Array(256), tokensAverage, k1, b);
}

/** The same into a table that is there already; returns it. */
export function fillNormTable(
  table: Float32Array,
  tokensAverage: number,
  k1: number,
  b: number,
): Float32Array {
  assert(table.length === 256, "a norm table has an entry for each length byte");
  assert(tokensAverage > 0, "the average length is above 0");
  assert(k1 >= 0 && k1 <= 10, "k1 is 0 to 10");
  assert(b >= 0 && b <= 1, "b is 0 to 1");
  for (let byte = 0; byte < 256; byte++) {
    table[byte] = k1 * (1 - b + (b * LENGTH_OF_BYTE[byte]!) / tokensAverage);
  }
  return table;
}

/**
 * What one posting adds to a memory's score.
 *
 * @param weight idf · (k1 + 1), the same for the whole list
 * @param frequency occurrences, as stored: 1 to 255
 * @param norm the norm table's entry for the posting's length byte
 */
export function scorePosting(weight: number, frequency: number, norm: number): number {
  return (weight * frequency) / (frequency + norm);
}

/** The most a term can add to any memory: for skipping lists that can no longer matter. */
export function scoreBound(weight: number, frequencyMax: number, normMin: number): number {
  return (weight * frequencyMax) / (frequencyMax + normMin);
}

/** 4 significant bits of a count: 3 behind the leading one, and where that stands. */
function int4(value: number): number {
  const bits = 32 - Math.clz32(value);
  if (bits < 4) return value;
  const shift = bits - 4;
  return ((value >>> shift) & 0x07) | ((shift + 1) << 3);
}

function decodeLengthByte(byte: number): number {
  if (byte < EXACT_LENGTHS) return byte;
  const encoded = byte - EXACT_LENGTHS;
  const bits = encoded & 0x07;
  const shift = (encoded >>> 3) - 1;
  const value = shift === -1 ? bits : (bits | 0x08) * 2 ** shift;
  return EXACT_LENGTHS + value;
}
