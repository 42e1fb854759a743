/**
 * Reads the records of one segment, front to back, through a window of memory.
 *
 * A record counts when its length lies within the segment, its checksum passes with the segment's seed, and
 * it bears the number that is due. The first that does not count ends the reading; what that means is decided
 * in `log-recovery.ts` and by `replay`. The fields of the reader show the record it stands on; nothing is
 * allocated per record.
 */
import { assert } from "../base/assert.ts";
import {
  LOG_KIND_MARK,
  LOG_KIND_SEAL,
  LOG_PAYLOAD_BYTES_MAX,
  LOG_RECORD_HEAD_BYTES,
  LOG_RECORD_WORD,
  LOG_SEAL_PAYLOAD_BYTES,
  LOG_SEGMENT_HEAD_BYTES,
  logRecordBytes,
} from "../layout/log-record.ts";
import { crc32c } from "./checksum.ts";
import type { Disk } from "./disk.ts";
import type { SegmentHead } from "./log-segment.ts";

/** Holds the longest record twice, so that a window is read mostly once. */
const WINDOW_BYTES = 2 * (LOG_PAYLOAD_BYTES_MAX + 4096);

export type Seal = { readonly number: number; readonly seed: number };

/** A record that proves what was durable before it. */
export type Evidence = { readonly at: number; readonly sequence: number; readonly syncedSequence: number };

export class SegmentReader {
  readonly #disk: Disk;
  readonly #window: Uint8Array;
  readonly #words: Uint32Array;
  #file = -1;
  #bytes = 0;
  #seed = 0;
  /** the window holds the file's bytes from here on */
  #windowAt = 0;
  #windowCount = 0;
  #nextAt = 0;

  /** byte of the record stood on, in the file */
  recordAt = 0;
  kind = 0;
  spaceId = 0;
  sequence = 0;
  syncedSequence = 0;
  payloadBytes = 0;
  /** byte of the payload in `window` */
  payloadAt = 0;

  /** the number that is due next */
  dueSequence = 0;
  /** the seal, once it was met */
  seal: Seal | undefined;
  /** set when the last record met is a mark: the next record goes where it lies */
  marked = false;

  constructor(disk: Disk, segmentBytesMax: number) {
    this.#disk = disk;
    const bytes = Math.min(WINDOW_BYTES, (segmentBytesMax + 7) & ~7);
    this.#window = new Uint8Array(bytes);
    this.#words = new Uint32Array(this.#window.buffer);
  }

  get window(): Uint8Array {
    return this.#window;
  }

  /** The end of what counted: where the next record goes. */
  get endAt(): number {
    return this.#nextAt;
  }

  open(file: number, head: SegmentHead): void {
    this.#file = file;
    this.#bytes = head.segmentBytes;
    this.#seed = head.seed;
    this.#windowCount = 0;
    this.#nextAt = LOG_SEGMENT_HEAD_BYTES;
    this.dueSequence = head.firstSequence;
    this.seal = undefined;
    this.marked = false;
  }

  /** Steps to the next record of a caller; false at the end of what counts. */
  next(): boolean {
    if (this.seal || this.marked || !this.#parse(this.#nextAt)) return false;
    if (this.sequence !== this.dueSequence) return false;
    if (this.kind === LOG_KIND_MARK) {
      this.marked = true;
      return false;
    }
    this.#nextAt += logRecordBytes(this.payloadBytes);
    if (this.kind === LOG_KIND_SEAL) {
      if (this.payloadBytes !== LOG_SEAL_PAYLOAD_BYTES) return false;
      const word = this.payloadAt / 4;
      this.seal = {
        number: this.#words[word]! + this.#words[word + 1]! * 2 ** 32,
        seed: this.#words[word + 2]!,
      };
      return false;
    }
    this.dueSequence++;
    return true;
  }

  /** The last byte from `at` on that is not zero, plus one; `at` when all are zero. */
  lastUsedByte(at: number): number {
    let last = at;
    for (let block = at & ~7; block < this.#bytes; block += this.#windowCount) {
      this.#fill(block);
      const words = this.#windowCount >>> 2;
      for (let word = words - 1; word >= 0; word--) {
        if (this.#words[word] === 0) continue;
        for (let byte = word * 4 + 3; byte >= word * 4; byte--) {
          if (this.#window[byte] !== 0) {
            last = Math.max(last, block + byte + 1);
            break;
          }
        }
        break;
      }
    }
    return last;
  }

  /**
   * Looks behind a hole at `at` for a record saying that record `sequence`, which should lie in the hole, was
   * durable once. The seed keeps chance out: 32 random bits in the checksum, plausible numbers besides.
   */
  findEvidence(at: number, sequence: number): Evidence | undefined {
    const sequenceMax = sequence + (this.#bytes - at) / LOG_RECORD_HEAD_BYTES;
    for (let position = at + 8; position + LOG_RECORD_HEAD_BYTES <= this.#bytes; position += 8) {
      this.#need(position, LOG_RECORD_HEAD_BYTES);
      const word = (position - this.#windowAt) / 4;
      const synced = this.#number(word + LOG_RECORD_WORD.syncedLow);
      if (synced < sequence || synced > sequenceMax) continue;
      if (!this.#parse(position) || this.sequence <= synced) continue;
      return { at: position, sequence: this.sequence, syncedSequence: this.syncedSequence };
    }
    return undefined;
  }

  /** Checks the record at a byte of the file and shows it in the fields. */
  #parse(at: number): boolean {
    if (at + LOG_RECORD_HEAD_BYTES > this.#bytes) return false;
    this.#need(at, LOG_RECORD_HEAD_BYTES);
    let word = (at - this.#windowAt) / 4;
    const payloadBytes = this.#words[word + LOG_RECORD_WORD.payloadBytes]!;
    if (payloadBytes > LOG_PAYLOAD_BYTES_MAX) return false;
    const recordBytes = logRecordBytes(payloadBytes);
    if (at + recordBytes > this.#bytes) return false;
    if (this.#words[word + LOG_RECORD_WORD.crc] === 0 && this.#words[word + LOG_RECORD_WORD.kind] === 0)
      return false;
    this.#need(at, recordBytes);
    word = (at - this.#windowAt) / 4;
    const crc = crc32c(this.#seed, this.#window, at - this.#windowAt + 4, recordBytes - 4);
    if (crc !== this.#words[word + LOG_RECORD_WORD.crc]) return false;
    this.recordAt = at;
    this.sequence = this.#number(word + LOG_RECORD_WORD.sequenceLow);
    this.syncedSequence = this.#number(word + LOG_RECORD_WORD.syncedLow);
    this.spaceId = this.#words[word + LOG_RECORD_WORD.spaceId]!;
    this.kind = this.#words[word + LOG_RECORD_WORD.kind]!;
    this.payloadBytes = payloadBytes;
    this.payloadAt = at - this.#windowAt + LOG_RECORD_HEAD_BYTES;
    return true;
  }

  #number(word: number): number {
    return this.#words[word]! + this.#words[word + 1]! * 2 ** 32;
  }

  #need(at: number, count: number): void {
    if (at >= this.#windowAt && at + count <= this.#windowAt + this.#windowCount) return;
    this.#fill(at);
    assert(count <= this.#windowCount, "a record that lies within its segment fits the window");
  }

  #fill(at: number): void {
    const count = Math.min(this.#window.length, this.#bytes - at);
    const got = this.#disk.read(this.#file, this.#window, 0, count, at);
    assert(got === count, "a segment does not shrink while it is read");
    this.#windowAt = at;
    this.#windowCount = count;
  }
}
