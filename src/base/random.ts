/**
 * Random numbers that can be repeated: sfc32 (Doty-Humphrey 2010, "small fast counting", passes PractRand),
 * seeded with one number that tests and benches print. Nothing secret may come from here; keys and log seeds
 * come from the system (`entropySeed`, `node:crypto`).
 */
import { assert } from "./assert.ts";

export class Random {
  readonly seed: number;
  #a: number;
  #b: number;
  #c: number;
  #count = 1;
  #spareGaussian = Number.NaN;

  /** @param seed a whole number; equal seeds give equal sequences on every machine */
  constructor(seed: number) {
    assert(Number.isSafeInteger(seed), "a seed is a whole number");
    this.seed = seed;
    this.#a = seed | 0;
    this.#b = Math.floor(seed / 2 ** 32) | 0;
    this.#c = 0x9e3779b9 | 0;
    for (let i = 0; i < 15; i++) this.u32();
  }

  /** 0 to 2^32 - 1. */
  u32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#count) | 0;
    this.#count = (this.#count + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** At least 0 and below 1, with 53 random bits. */
  float(): number {
    return ((this.u32() >>> 5) * 2 ** 26 + (this.u32() >>> 6)) / 2 ** 53;
  }

  /** A whole number at least 0 and below `end`. */
  below(end: number): number {
    assert(Number.isSafeInteger(end) && end > 0, "a range has at least one number");
    return Math.floor(this.float() * end);
  }

  /** Normally distributed with mean 0 and deviation 1 (Marsaglia's polar method). */
  gaussian(): number {
    const spare = this.#spareGaussian;
    if (!Number.isNaN(spare)) {
      this.#spareGaussian = Number.NaN;
      return spare;
    }
    for (;;) {
      const x = this.float() * 2 - 1;
      const y = this.float() * 2 - 1;
      const square = x * x + y * y;
      if (square === 0 || square >= 1) continue;
      const scale = Math.sqrt((-2 * Math.log(square)) / square);
      this.#spareGaussian = y * scale;
      return x * scale;
    }
  }

  /** One of the items, each as likely. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  /** Puts the items in a random order, in place (Fisher-Yates). */
  shuffle<T>(items: T[]): T[] {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [items[i], items[j]] = [items[j]!, items[i]!];
    }
    return items;
  }

  /** Fills a view with random bytes. */
  fill<View extends Uint8Array>(bytes: View): View {
    for (let i = 0; i < bytes.length; i++) bytes[i] = this.u32();
    return bytes;
  }
}

/** A seed from the system's entropy, 0 to 2^32 - 1. */
export function entropySeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]!;
}
