/**
 * The log in segment files on this machine's disk.
 *
 * Bytes are in `layout/log-record.ts`. How segments come into being is told in `log-segment.ts`, what a
 * crash may leave and how it is judged in `log-recovery.ts`. This file is the writing end.
 *
 *   append   into the staging buffer: number, synced sequence, checksum               (memory)
 *   write    the staging buffer to the end of the segment, in one piece               (page cache)
 *   sync     fdatasync of the segment; then, and only then, the synced sequence grows (disk)
 *
 * Rolling, in `reserve`, before a record of the coming batch is appended: make the next segment, seal this one
 * with a record that names the next, sync it, go on in the next. So everything in a segment is durable before
 * the first record of the next is written, and a torn tail can only be in the last one that was written to.
 *
 * Errors. A full disk is met in `reserve` only, where nothing has changed yet, since every byte of a segment
 * was written once before its first record. Any other error leaves the log failed: each later call throws
 * the same error, nothing is synced again, and the process has to stop. After a failed fdatasync the kernel
 * marks the lost pages clean, and a second one answers "ok".
 *
 * Cost: appending a record of 4 KB with its checksum takes under 1.5 us (bench/storage/append.bench.ts).
 */
import { assert } from "../base/assert.ts";
import { BugError, OperatorError, RequestError } from "../base/errors.ts";
import {
  LOG_KIND_MARK,
  LOG_KIND_MAX,
  LOG_KIND_SEAL,
  LOG_PAYLOAD_BYTES_MAX,
  LOG_RECORD_HEAD_BYTES,
  LOG_RECORD_WORD,
  LOG_SEAL_BYTES,
  LOG_SEAL_PAYLOAD_BYTES,
  LOG_SEGMENT_HEAD_BYTES,
  logRecordBytes,
} from "../layout/log-record.ts";
import { crc32c } from "./checksum.ts";
import { DiskError, isDiskFull } from "./disk.ts";
import type { Log, LogVisit } from "./log.ts";
import {
  diskFull,
  logBehindCheckpoint,
  logDamaged,
  logSegmentMissing,
  logSyncFailed,
  logWriteFailed,
} from "./log-errors.ts";
import { findLogEnd, type LogEnd, type LogPlace, type TornTail } from "./log-recovery.ts";
import { makeSegment, prepareSpare, type SegmentHead, segmentName } from "./log-segment.ts";
import { SegmentReader } from "./segment-reader.ts";

export type LocalLogOptions = LogPlace & {
  /** size of a segment file, wal.segment_size_mb; one that has to hold more is made larger */
  readonly segmentBytes: number;
  /** size of the staging buffer, wal.buffer_size_mb */
  readonly bufferBytes: number;
  /** a random u32 other than 0 for each segment; from the kernel's random numbers where absent */
  readonly makeSeed?: () => number;
};

export class LocalLog implements Log {
  readonly #options: LocalLogOptions;
  /** what was cut off when the log was opened */
  readonly tornTail: TornTail | undefined;

  /** oldest first; the last one is appended to */
  readonly #segments: SegmentHead[];
  #file: number;
  #seed: number;
  /** where the staging buffer will be written */
  #endAt: number;
  /** bytes that records may still take in this segment, those in the staging buffer taken off already */
  #room = 0;

  #staging: Uint8Array;
  #stagingWords: Uint32Array;
  #stagedBytes = 0;

  #appended: number;
  #written: number;
  #synced: number;
  /** bytes were written that no sync has covered yet, a mark included */
  #dirty = false;
  /** a mark lies at the end of the segment */
  #marked = false;
  #failure: Error | undefined;

  /** Makes an empty log in an existing, empty directory, and syncs it. Its first record will be `firstSequence`. */
  static create(options: LocalLogOptions, firstSequence = 1): LocalLog {
    try {
      const head = makeHead(options, { number: 1, firstSequence, recordBytes: 0 });
      const file = makeSegment(options.disk, options.directory, head);
      return new LocalLog(options, {
        segments: [head],
        file,
        endAt: LOG_SEGMENT_HEAD_BYTES,
        appendedSequence: firstSequence - 1,
        tornTail: undefined,
      });
    } catch (error) {
      throw isDiskFull(error) ? diskFull(options.directory, error) : translate(options.directory, error);
    }
  }

  /**
   * Opens a log and brings its end in order.
   *
   * @param knownSynced a sequence that was durable once, as the checkpoint says; 0 where there is none
   * @throws {OperatorError} `log-damaged`, `log-segment-missing`, `log-behind-checkpoint`, `log-write-failed`
   */
  static open(options: LocalLogOptions, knownSynced = 0): LocalLog {
    try {
      return new LocalLog(options, findLogEnd(options, knownSynced));
    } catch (error) {
      throw translate(options.directory, error);
    }
  }

  private constructor(options: LocalLogOptions, end: LogEnd) {
    assert(options.segmentBytes % 8 === 0, "a segment ends at a multiple of 8");
    this.#options = options;
    this.tornTail = end.tornTail;
    this.#segments = end.segments;
    this.#file = end.file;
    this.#seed = end.segments.at(-1)!.seed;
    this.#endAt = end.endAt;
    this.#appended = this.#written = this.#synced = end.appendedSequence;
    this.#staging = new Uint8Array((options.bufferBytes + 7) & ~7);
    this.#stagingWords = new Uint32Array(this.#staging.buffer);
    this.#room = this.#roomLeft();
  }

  get oldestSequence(): number {
    return this.#segments[0]!.firstSequence;
  }
  get appendedSequence(): number {
    return this.#appended;
  }
  get writtenSequence(): number {
    return this.#written;
  }
  get syncedSequence(): number {
    return this.#synced;
  }
  get diskBytes(): number {
    let bytes = 0;
    for (const head of this.#segments) bytes += head.segmentBytes;
    return bytes;
  }

  reserve(bytes: number): void {
    if (this.#failure) throw this.#failure;
    if (bytes > this.#room) this.#roll(bytes);
  }

  append(kind: number, spaceId: number, bytes: Uint8Array, at: number, count: number): number {
    if (this.#failure) throw this.#failure;
    assert(kind >= 1 && kind <= LOG_KIND_MAX, "kinds above LOG_KIND_MAX are the log's own");
    assert(count <= LOG_PAYLOAD_BYTES_MAX, "a payload has at most LOG_PAYLOAD_BYTES_MAX bytes");
    const recordBytes = logRecordBytes(count);
    assert(recordBytes <= this.#room, "room is reserved before a record is appended");
    if (this.#stagedBytes + recordBytes > this.#staging.length) this.#makeStagingRoom(recordBytes);
    this.#stage(kind, spaceId, this.#appended + 1, bytes, at, count);
    this.#room -= recordBytes;
    return ++this.#appended;
  }

  write(): void {
    if (this.#failure) throw this.#failure;
    if (this.#stagedBytes === 0) return;
    this.#writeStaged();
    this.#written = this.#appended;
  }

  sync(): void {
    if (this.#failure) throw this.#failure;
    if (!this.#dirty) return;
    try {
      this.#options.disk.sync(this.#file);
    } catch (error) {
      throw this.#fail(logSyncFailed(this.#path(), error));
    }
    this.#dirty = false;
    this.#synced = this.#written;
  }

  idle(): void {
    if (this.#failure) throw this.#failure;
    if (this.#marked || this.#stagedBytes > 0 || this.#synced !== this.#appended) return;
    this.#stage(LOG_KIND_MARK, 0, this.#appended + 1, EMPTY, 0, 0);
    const endAt = this.#endAt;
    this.#writeStaged();
    // The next record takes the mark's place.
    this.#endAt = endAt;
    this.#marked = true;
  }

  /**
   * Makes the next segment ahead, in this thread; `prepareSpare` does it from another.
   *
   * @throws {OperatorError} `log-write-failed`
   */
  prepareNext(): void {
    const { disk, directory, segmentBytes } = this.#options;
    if (this.#failure) throw this.#failure;
    try {
      prepareSpare(disk, directory, segmentBytes);
    } catch (error) {
      throw this.#fail(logWriteFailed(directory, error));
    }
  }

  replay(fromSequence: number, visit: LogVisit): void {
    if (this.#failure) throw this.#failure;
    const { disk, directory } = this.#options;
    const path = (head: SegmentHead) => `${directory}/${segmentName(head.number)}`;
    const oldest = this.#segments[0]!;
    if (fromSequence < oldest.firstSequence) {
      throw logSegmentMissing({
        path: `${directory}/${segmentName(oldest.number - 1)}`,
        found: `record ${fromSequence} is needed, the log begins with ${oldest.firstSequence}`,
      });
    }
    if (fromSequence > this.#appended + 1) {
      throw logBehindCheckpoint({ path: directory, appended: this.#appended, needed: fromSequence - 1 });
    }
    const reader = new SegmentReader(disk, Math.max(...this.#segments.map((head) => head.segmentBytes)));
    for (const [index, head] of this.#segments.entries()) {
      const next = this.#segments[index + 1];
      if (next && next.firstSequence <= fromSequence) continue;
      const file = disk.open(path(head), "read");
      try {
        reader.open(file, head);
        while (reader.next()) {
          if (reader.sequence < fromSequence) continue;
          visit(
            reader.kind,
            reader.spaceId,
            reader.sequence,
            reader.window,
            reader.payloadAt,
            reader.payloadBytes,
          );
        }
      } catch (error) {
        throw error instanceof DiskError ? translate(directory, error) : error;
      } finally {
        disk.close(file);
      }
      const whole = next
        ? reader.seal?.number === next.number &&
          reader.seal.seed === next.seed &&
          reader.dueSequence === next.firstSequence
        : reader.dueSequence === this.#written + 1;
      if (!whole) {
        throw logDamaged({
          path: path(head),
          at: reader.endAt,
          sequence: reader.dueSequence,
          found: next ? `the log goes on in ${segmentName(next.number)}` : "it was readable a moment ago",
        });
      }
    }
  }

  truncateBefore(sequence: number): void {
    if (this.#failure) throw this.#failure;
    const { disk, directory } = this.#options;
    try {
      let removed = false;
      // Oldest first, so that what a crash leaves is still without a gap.
      while (this.#segments.length > 1 && this.#segments[1]!.firstSequence <= sequence) {
        disk.remove(`${directory}/${segmentName(this.#segments[0]!.number)}`);
        this.#segments.shift();
        removed = true;
      }
      if (removed) disk.syncDirectory(directory);
    } catch (error) {
      throw this.#fail(logWriteFailed(directory, error));
    }
  }

  close(): void {
    if (!this.#failure) {
      this.write();
      this.sync();
      this.idle();
      this.sync();
    }
    this.#options.disk.close(this.#file);
    this.#failure ??= new BugError("the log is closed");
  }

  /** Goes on in a new segment that has room for `bytes`. */
  #roll(bytes: number): void {
    const current = this.#segments.at(-1)!;
    const head = makeHead(this.#options, {
      number: current.number + 1,
      firstSequence: this.#appended + 1,
      recordBytes: bytes,
    });
    let file: number;
    try {
      file = makeSegment(this.#options.disk, this.#options.directory, head);
    } catch (error) {
      if (isDiskFull(error)) throw diskFull(this.#options.directory, error);
      throw this.#fail(logWriteFailed(this.#options.directory, error));
    }
    if (this.#stagedBytes > 0) this.write();
    SEAL_NUMBERS[0] = head.number >>> 0;
    SEAL_NUMBERS[1] = Math.floor(head.number / 2 ** 32);
    SEAL_NUMBERS[2] = head.seed;
    this.#stage(LOG_KIND_SEAL, 0, this.#appended + 1, SEAL_PAYLOAD, 0, LOG_SEAL_PAYLOAD_BYTES);
    this.#writeStaged();
    this.sync();
    this.#options.disk.close(this.#file);
    this.#file = file;
    this.#seed = head.seed;
    this.#segments.push(head);
    this.#endAt = LOG_SEGMENT_HEAD_BYTES;
    this.#marked = false;
    this.#room = this.#roomLeft();
  }

  /** Puts one record at the end of the staging buffer, which has room for it. */
  #stage(
    kind: number,
    spaceId: number,
    sequence: number,
    bytes: Uint8Array,
    at: number,
    count: number,
  ): void {
    const staging = this.#staging;
    const words = this.#stagingWords;
    const start = this.#stagedBytes;
    const word = start >>> 2;
    const payloadAt = start + LOG_RECORD_HEAD_BYTES;
    const end = start + logRecordBytes(count);
    words[word + LOG_RECORD_WORD.payloadBytes] = count;
    words[word + LOG_RECORD_WORD.sequenceLow] = sequence >>> 0;
    words[word + LOG_RECORD_WORD.sequenceHigh] = Math.floor(sequence / 2 ** 32);
    words[word + LOG_RECORD_WORD.syncedLow] = this.#synced >>> 0;
    words[word + LOG_RECORD_WORD.syncedHigh] = Math.floor(this.#synced / 2 ** 32);
    words[word + LOG_RECORD_WORD.spaceId] = spaceId;
    words[word + LOG_RECORD_WORD.kind] = kind;
    staging.set(bytes.subarray(at, at + count), payloadAt);
    for (let pad = payloadAt + count; pad < end; pad++) staging[pad] = 0;
    words[word + LOG_RECORD_WORD.crc] = crc32c(this.#seed, staging, start + 4, end - start - 4);
    this.#stagedBytes = end;
  }

  #writeStaged(): void {
    try {
      this.#options.disk.write(this.#file, this.#staging, 0, this.#stagedBytes, this.#endAt);
    } catch (error) {
      throw this.#fail(logWriteFailed(this.#path(), error));
    }
    this.#endAt += this.#stagedBytes;
    this.#stagedBytes = 0;
    this.#dirty = true;
    this.#marked = false;
  }

  /** Empties the staging buffer for a record that does not fit behind what it holds; grows it for a huge one. */
  #makeStagingRoom(recordBytes: number): void {
    this.write();
    if (recordBytes <= this.#staging.length) return;
    this.#staging = new Uint8Array(recordBytes);
    this.#stagingWords = new Uint32Array(this.#staging.buffer);
  }

  /** What records may take: the seal, or a mark in its place, always finds room behind them. */
  #roomLeft(): number {
    return this.#segments.at(-1)!.segmentBytes - LOG_SEAL_BYTES - this.#endAt;
  }

  #path(): string {
    return `${this.#options.directory}/${segmentName(this.#segments.at(-1)!.number)}`;
  }

  #fail(error: OperatorError): OperatorError {
    this.#failure = error;
    return error;
  }
}

const EMPTY = new Uint8Array(0);
const SEAL_NUMBERS = new Uint32Array(LOG_SEAL_PAYLOAD_BYTES / 4);
const SEAL_PAYLOAD = new Uint8Array(SEAL_NUMBERS.buffer);

function makeHead(
  options: LocalLogOptions,
  details: { number: number; firstSequence: number; recordBytes: number },
): SegmentHead {
  const needed = LOG_SEGMENT_HEAD_BYTES + details.recordBytes + LOG_SEAL_BYTES;
  const seed = options.makeSeed?.() ?? randomSeed();
  return {
    topology: options.topology,
    stream: options.stream,
    number: details.number,
    firstSequence: details.firstSequence,
    segmentBytes: Math.max(options.segmentBytes, Math.ceil(needed / 4096) * 4096),
    seed,
  };
}

function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]! || 1;
}

/** What went wrong while the log was opened, as an operator sees it. */
function translate(directory: string, error: unknown): unknown {
  if (error instanceof OperatorError || error instanceof RequestError || error instanceof BugError)
    return error;
  return error instanceof DiskError ? logWriteFailed(directory, error) : error;
}
