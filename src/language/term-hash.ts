/**
 * The 64-bit hash that stands for a term everywhere: in postings, forward lists and the hash embedder.
 *
 * Two 32-bit lanes over UTF-16 code units, each step a multiply and a rotation by its own constants (those
 * of MurmurHash3_x86_128), finished crosswise with murmur3's `fmix32`. The function is part of the data
 * format: stored forward lists carry its results, so a change needs a new `ANALYSER_VERSION`.
 *
 * Two different terms share a hash with a chance of 2^-64 a pair: about 3 in 10 million for a space of
 * 3 million terms. Postings therefore keep no term text. (0, 0) never comes out; tables use it for "empty".
 *
 * The step and the finish are exported apart, because the segmenter hashes a word while it reads it.
 */

export const LO_SEED = 0x2f0b4c47;
export const HI_SEED = 0x5e1d3a6b;

/** One code unit into the low lane. */
export function stepLo(lane: number, codeUnit: number): number {
  const mixed = lane ^ Math.imul(codeUnit, 0x239b961b);
  return (Math.imul((mixed << 15) | (mixed >>> 17), 0xcc9e2d51) + 0x561ccd1b) | 0;
}

/** One code unit into the high lane. */
export function stepHi(lane: number, codeUnit: number): number {
  const mixed = lane ^ Math.imul(codeUnit, 0xab0e9789);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 0x1b873593) + 0x0bcaa747) | 0;
}

/** murmur3's finalizer: every input bit reaches every output bit. */
export function mix32(value: number): number {
  let h = value ^ (value >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** The low half of a finished hash, never 0. */
export function finishLo(lo: number, hi: number, length: number): number {
  const h = mix32(lo ^ Math.imul(hi, 0x9e3779b1) ^ length);
  return h === 0 ? 1 : h;
}

/** The high half of a finished hash. */
export function finishHi(lo: number, hi: number, length: number): number {
  return mix32(hi ^ Math.imul(lo, 0x7feb352d) ^ Math.imul(length, 0x165667b1));
}

/** A term's hash: `lo` and `hi`, each 0 to 2^32 - 1. `hashTerm` writes it here; read it before the next call. */
export const termHash = { lo: 0, hi: 0 };

/** Hashes a whole term into `termHash`. The empty term has a hash like any other. */
export function hashTerm(term: string): typeof termHash {
  let lo = LO_SEED;
  let hi = HI_SEED;
  for (let i = 0; i < term.length; i++) {
    const codeUnit = term.charCodeAt(i);
    lo = stepLo(lo, codeUnit);
    hi = stepHi(hi, codeUnit);
  }
  termHash.lo = finishLo(lo, hi, term.length);
  termHash.hi = finishHi(lo, hi, term.length);
  return termHash;
}
