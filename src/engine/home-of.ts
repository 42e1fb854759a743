/** Which home writer a space belongs to: follows from its name, so that everybody comes to the same answer. */
import { type Hash64, hashBytes } from "../base/hash64.ts";

const encoder = new TextEncoder();

export function homeWriterOf(spaceName: string, writerCount: number): number {
  const hash: Hash64 = { low: 0, high: 0 };
  const bytes = encoder.encode(spaceName);
  hashBytes(bytes, 0, bytes.byteLength, hash);
  return hash.low % writerCount;
}
