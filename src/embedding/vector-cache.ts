/**
 * Embeddings of texts seen lately, within a bound of bytes: the one not asked for longest goes first.
 *
 * A Map keeps its keys in the order they were put, so "used" is "taken out and put in again", and the first
 * key is the next to go. Vectors are kept as they came; callers must not write into them.
 */
import { assert } from "../base/assert.ts";
import type { CacheCounts } from "./embedder.ts";

/** Entry of the Map, header of the vector and of the string, roughly. */
const ENTRY_BYTES = 160;

export class VectorCache {
  readonly bytesMax: number;
  #bytes = 0;
  #hits = 0;
  #misses = 0;
  readonly #vectors = new Map<string, Float32Array>();

  /** @param bytesMax 0 keeps nothing */
  constructor(bytesMax: number) {
    assert(bytesMax >= 0, "a cache holds no less than nothing");
    this.bytesMax = bytesMax;
  }

  get counts(): CacheCounts {
    return { hits: this.#hits, misses: this.#misses, entries: this.#vectors.size, bytes: this.#bytes };
  }

  get(key: string): Float32Array | undefined {
    const vector = this.#vectors.get(key);
    if (vector === undefined) {
      this.#misses++;
      return undefined;
    }
    this.#hits++;
    this.#vectors.delete(key);
    this.#vectors.set(key, vector);
    return vector;
  }

  put(key: string, vector: Float32Array): void {
    const bytes = bytesOf(key, vector);
    if (bytes > this.bytesMax) return;
    const before = this.#vectors.get(key);
    if (before !== undefined) {
      this.#bytes -= bytesOf(key, before);
      this.#vectors.delete(key);
    }
    this.#vectors.set(key, vector);
    this.#bytes += bytes;
    for (const [oldest, vectorOfOldest] of this.#vectors) {
      if (this.#bytes <= this.bytesMax) break;
      this.#vectors.delete(oldest);
      this.#bytes -= bytesOf(oldest, vectorOfOldest);
    }
  }

  clear(): void {
    this.#vectors.clear();
    this.#bytes = 0;
  }
}

function bytesOf(key: string, vector: Float32Array): number {
  return ENTRY_BYTES + key.length * 2 + vector.byteLength;
}
