/** The key under which an id is looked up. */
import { type Hash64, hashBytes } from "../base/hash64.ts";
import type { IdKey } from "./id-index.ts";

const encoder = new TextEncoder();
const hash: Hash64 = { low: 0, high: 0 };
let scratch = new Uint8Array(1024);

/** Valid until the next call: its bytes are shared. */
export function idKeyOf(id: string): IdKey {
  if (scratch.byteLength < id.length * 3) scratch = new Uint8Array(id.length * 3);
  const length = encoder.encodeInto(id, scratch).written;
  hashBytes(scratch, 0, length, hash);
  return { hashLow: hash.low, hashHigh: hash.high, bytes: scratch, at: 0, length };
}
