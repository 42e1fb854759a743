/**
 * One record of the log, and the segment file that holds records. `src/storage/local-log.ts` tells the
 * protocol; these are its bytes, little-endian.
 *
 * Segment file, `log/00000001.log`; records start in a block of their own, so that no later write shares a
 * block with the header:
 *   byte 0       8         12         16      20       24               32               40              48     52 … 60      64 … 4096
 *        | magic | version | topology | stream | 0     | segment number | first sequence | segment bytes | seed | 0   | crc | 0      | records …
 *
 * Record, at a multiple of 8:
 *   byte 0     4               8          16                24         28     30   32
 *        | crc | payload bytes | sequence | synced sequence | space id | kind | 0  | payload, padded with zeros to 8
 *
 * The crc is CRC-32C over everything behind it, padding included, continued from the segment's seed: a record
 * of another segment, or of an earlier life of the same blocks, does not pass. The synced sequence says that
 * every record up to that number was durable when this one was appended; it is how a torn tail and damage are
 * told apart.
 */
import { assert } from "../base/assert.ts";

export const LOG_SEGMENT_MAGIC = "ENGRLOG1";
export const LOG_FORMAT_VERSION = 1;
export const LOG_SEGMENT_HEAD_BYTES = 4096;

/** Byte offsets in the head of a segment. */
export const LOG_SEGMENT = {
  magic: 0,
  /** u32 */
  version: 8,
  /** u32: generation of the stream topology */
  topology: 12,
  /** u32: the stream, which is the home writer's index */
  stream: 16,
  /** u64, from 1, contiguous */
  number: 24,
  /** u64: sequence of its first record */
  firstSequence: 32,
  /** u64: size of the file */
  segmentBytes: 40,
  /** u32, random, not 0 */
  seed: 48,
  /** u32: CRC-32C of the bytes before it */
  crc: 60,
} as const;

export const LOG_RECORD_HEAD_BYTES = 32;
/** Word (u32) index in the head of a record. */
export const LOG_RECORD_WORD = {
  crc: 0,
  payloadBytes: 1,
  sequenceLow: 2,
  sequenceHigh: 3,
  syncedLow: 4,
  syncedHigh: 5,
  spaceId: 6,
  /** low half; the high half is 0 */
  kind: 7,
} as const;

export const LOG_PAYLOAD_BYTES_MAX = 4 * 1024 * 1024;

/** Kinds from here on are the log's own; callers use 1 to LOG_KIND_MAX. */
export const LOG_KIND_MAX = 0xfff0;
/** Vouches for what lies before it; the next record takes its place. No payload; numbered as the next record. */
export const LOG_KIND_MARK = 0xffff;
/** The last record of a full segment; numbered as the next record. Payload: number u64, seed u32, 0 u32 of the next segment. */
export const LOG_KIND_SEAL = 0xfffe;
export const LOG_SEAL_PAYLOAD_BYTES = 16;

/** Bytes that a record takes in the log. */
export function logRecordBytes(payloadBytes: number): number {
  return LOG_RECORD_HEAD_BYTES + ((payloadBytes + 7) & ~7);
}

export const LOG_SEAL_BYTES: number = logRecordBytes(LOG_SEAL_PAYLOAD_BYTES);

assert(LOG_SEGMENT_HEAD_BYTES % 8 === 0, "records start at a multiple of 8");
assert(LOG_SEGMENT.crc + 4 === 64, "the head's fields fill 64 bytes");
assert(LOG_SEAL_BYTES >= LOG_RECORD_HEAD_BYTES, "room kept for a seal is room for a mark");
