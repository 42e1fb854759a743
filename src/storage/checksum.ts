/**
 * CRC-32C (Castagnoli), as every file of storage uses it: over a part of a view, or over memory by address.
 *
 * It is continued: `crc32c(crc32c(0, a), b)` is that of a followed by b, which is how a record is tied to its
 * segment's seed and how a file that grows keeps the checksum of its last, partial piece.
 */
import { ptr } from "bun:ffi";
import { crc32cAt } from "../ffi/crc32c.ts";
import type { Piece } from "./disk.ts";

/** Continues `crc` over `count` bytes of `bytes` from `at` on; 0 begins. */
export function crc32c(crc: number, bytes: Uint8Array, at: number, count: number): number {
  return count === 0 ? crc : crc32cAt(ptr(bytes, at) as number, count, crc);
}

/** Continues `crc` over `count` bytes of a piece, from its byte `at` on. */
export function crc32cPiece(crc: number, piece: Piece, at: number, count: number): number {
  if (count === 0) return crc;
  return piece instanceof Uint8Array
    ? crc32c(crc, piece, at, count)
    : crc32cAt(piece.address + at, count, crc);
}
