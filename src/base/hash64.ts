/**
 * A 64-bit hash of bytes in two 32-bit halves: MurmurHash3's two 32-bit lanes (Appleby 2011), with fixed seeds.
 *
 * Ids and tags are found and compared by it, on disk too, so it must never change. It is no defence against
 * chosen collisions: ids are compared byte by byte after the hash, and a tag that collides with another on all
 * 64 bits only passes a filter that it should not.
 */
export type Hash64 = { low: number; high: number };

const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

/** Writes the hash of `bytes[at, at + length)` into `into`. */
export function hashBytes(bytes: Uint8Array, at: number, length: number, into: Hash64): void {
  let low = 0x2f0b4c47;
  let high = 0x61c88647;
  const wholeEnd = at + (length & ~3);
  for (let i = at; i < wholeEnd; i += 4) {
    const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    let k = Math.imul(word, C1);
    k = Math.imul((k << 15) | (k >>> 17), C2);
    low ^= k;
    low = Math.imul((low << 13) | (low >>> 19), 5) + 0xe6546b64;
    let m = Math.imul(word, C2);
    m = Math.imul((m << 17) | (m >>> 15), C1);
    high ^= m;
    high = Math.imul((high << 15) | (high >>> 17), 5) + 0x38495ab5;
  }
  let rest = 0;
  for (let i = at + length - 1; i >= wholeEnd; i--) rest = (rest << 8) | bytes[i]!;
  let k = Math.imul(rest, C1);
  k = Math.imul((k << 15) | (k >>> 17), C2);
  low = mix(low ^ k ^ length);
  let m = Math.imul(rest, C2);
  m = Math.imul((m << 17) | (m >>> 15), C1);
  high = mix(high ^ m ^ length ^ low);
  into.low = low;
  into.high = high;
}

function mix(value: number): number {
  let h = value;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  h ^= h >>> 16;
  return h >>> 0;
}
