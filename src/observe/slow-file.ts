/**
 * Slow operations on the disk: each API worker appends to a file of its own, and whoever asks reads all of them.
 *
 *   slow-operations/0.log   of API worker 0, growing;  0.old: what it wrote before
 *
 *   byte 0    "engram slow 1\n", padded with 0 to 16
 *        16   record | record | …
 *
 *   record    | bytes u32 | crc32c u32 | ended at, ms, f64 | took ms, f64 | OPERATION u32 | 0 u32 | JSON, UTF-8 |
 *
 * Little-endian; `bytes` counts the whole record, the checksum covers all of it but itself. When a file has reached
 * half of the worker's room it takes the place of the old one, so the room is never exceeded and the newest half is
 * always there. A record is handed to the kernel before the operation's answer is sent: it survives the end of the
 * process, and is not synced, because an operation that was slow already must not wait for the disk as well. After a
 * power cut the end of a file may be torn: reading stops at the first record whose checksum is wrong, and writing
 * goes on from there.
 */
import { OPERATIONS } from "../layout/metric-codes.ts";
import { crc32c } from "../storage/checksum.ts";
import { type Disk, isMissing } from "../storage/disk.ts";
import type { SlowOperation } from "./slow-operation.ts";

const DIRECTORY = "slow-operations";
const HEAD = new TextEncoder().encode("engram slow 1\n\0\0");
const RECORD_HEAD_BYTES = 32;
/** What one record may take; a longer text is not kept, so that no record outgrows a file. */
export const RECORD_BYTES_MAX = 32 * 1024;

export type SlowPlace = { readonly disk: Disk; readonly dataDirectory: string };

/** The writing end, for one API worker. */
export class SlowFile {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #bytesMax: number;
  #file: number | undefined;
  #end = 0;

  /**
   * @param options.bytesMax room of this worker's two files together
   * @throws {DiskError}
   */
  constructor(place: SlowPlace, options: { readonly worker: number; readonly bytesMax: number }) {
    const directory = `${place.dataDirectory}/${DIRECTORY}`;
    this.#disk = place.disk;
    this.#path = `${directory}/${options.worker}`;
    this.#bytesMax = Math.max(options.bytesMax, 2 * (HEAD.length + RECORD_BYTES_MAX));
    place.disk.makeDirectory(directory);
    this.#open();
  }

  /** @throws {DiskError}; the file is as it was then @returns false for one that is too long to be kept */
  append(operation: SlowOperation, endedAtMs: number): boolean {
    const record = recordOf(operation, endedAtMs);
    if (record.length > RECORD_BYTES_MAX) return false;
    if (this.#end + record.length > this.#bytesMax / 2) this.#turn();
    this.#disk.write(this.#file!, record, 0, record.length, this.#end);
    this.#end += record.length;
    return true;
  }

  close(): void {
    if (this.#file !== undefined) this.#disk.close(this.#file);
    this.#file = undefined;
  }

  /** Goes on where the last whole record ends. */
  #open(): void {
    const disk = this.#disk;
    const file = disk.openOrCreate(`${this.#path}.log`);
    this.#file = file;
    const bytes = new Uint8Array(disk.size(file));
    disk.read(file, bytes, 0, bytes.length, 0);
    this.#end = endOfRecords(bytes);
    if (this.#end < bytes.length) disk.truncate(file, this.#end);
    if (this.#end > 0) return;
    disk.write(file, HEAD, 0, HEAD.length, 0);
    this.#end = HEAD.length;
  }

  #turn(): void {
    this.close();
    this.#disk.rename(`${this.#path}.log`, `${this.#path}.old`);
    this.#open();
  }
}

export type SlowWanted = {
  readonly tookMsMin: number;
  readonly sinceMs: number;
  readonly operation: string | undefined;
  /** whether operations on this space may be answered, and are asked for */
  readonly isWanted: (space: string) => boolean;
  readonly limit: number;
};

/** The slow operations of all workers that are wanted, newest first. @throws {DiskError} */
export function readSlowOperations(place: SlowPlace, wanted: SlowWanted): SlowOperation[] {
  const code = wanted.operation === undefined ? -1 : OPERATIONS.indexOf(wanted.operation as never);
  const found: { readonly endedAtMs: number; readonly json: Uint8Array }[] = [];
  for (const bytes of readFiles(place)) {
    eachRecord(bytes, (view, at, length) => {
      const endedAtMs = view.getFloat64(at + 8, true);
      if (endedAtMs < wanted.sinceMs || view.getFloat64(at + 16, true) < wanted.tookMsMin) return;
      if (code >= 0 && view.getUint32(at + 24, true) !== code) return;
      found.push({ endedAtMs, json: bytes.subarray(at + RECORD_HEAD_BYTES, at + length) });
    });
  }
  found.sort((a, b) => b.endedAtMs - a.endedAtMs);
  const decoder = new TextDecoder();
  const operations: SlowOperation[] = [];
  for (const { json } of found) {
    if (operations.length >= wanted.limit) break;
    const operation = JSON.parse(decoder.decode(json)) as SlowOperation;
    if (wanted.isWanted(operation.space)) operations.push(operation);
  }
  return operations;
}

/** Removes the files of workers that are no more. @param workerCount workers there are now @throws {DiskError} */
export function removeOtherWorkers({ disk, dataDirectory }: SlowPlace, workerCount: number): void {
  const directory = `${dataDirectory}/${DIRECTORY}`;
  for (const name of disk.list(directory)) {
    const worker = /^(\d+)\.(log|old)$/.exec(name)?.[1];
    if (worker !== undefined && Number(worker) >= workerCount) disk.remove(`${directory}/${name}`);
  }
}

function* readFiles({ disk, dataDirectory }: SlowPlace): Generator<Uint8Array> {
  const directory = `${dataDirectory}/${DIRECTORY}`;
  if (!disk.exists(directory)) return;
  for (const name of disk.list(directory)) {
    if (!/^\d+\.(log|old)$/.test(name)) continue;
    try {
      const file = disk.open(`${directory}/${name}`, "read");
      try {
        const bytes = new Uint8Array(disk.size(file));
        // Its writer may append meanwhile; what is read of a record half written has the wrong checksum.
        yield bytes.subarray(0, disk.read(file, bytes, 0, bytes.length, 0));
      } finally {
        disk.close(file);
      }
    } catch (error) {
      // Its writer gave it another name this moment.
      if (!isMissing(error)) throw error;
    }
  }
}

function recordOf(operation: SlowOperation, endedAtMs: number): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(operation));
  const record = new Uint8Array(RECORD_HEAD_BYTES + json.length);
  const view = new DataView(record.buffer);
  view.setUint32(0, record.length, true);
  view.setFloat64(8, endedAtMs, true);
  view.setFloat64(16, operation.took_ms, true);
  view.setUint32(24, OPERATIONS.indexOf(operation.operation), true);
  record.set(json, RECORD_HEAD_BYTES);
  view.setUint32(4, checksum(record, 0, record.length), true);
  return record;
}

/** Where the last whole record ends; 0 for a file that is none of these. */
function endOfRecords(bytes: Uint8Array): number {
  return eachRecord(bytes, () => undefined);
}

function eachRecord(bytes: Uint8Array, visit: (view: DataView, at: number, length: number) => void): number {
  if (bytes.length < HEAD.length || HEAD.some((byte, at) => bytes[at] !== byte)) return 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = HEAD.length;
  while (at + RECORD_HEAD_BYTES <= bytes.length) {
    const length = view.getUint32(at, true);
    if (length < RECORD_HEAD_BYTES || length > RECORD_BYTES_MAX || at + length > bytes.length) break;
    if (view.getUint32(at + 4, true) !== checksum(bytes, at, length)) break;
    visit(view, at, length);
    at += length;
  }
  return at;
}

/** Over the length, and everything behind the checksum's own place. */
function checksum(bytes: Uint8Array, at: number, length: number): number {
  return crc32c(crc32c(0, bytes, at, 4), bytes, at + 8, length - 8);
}
