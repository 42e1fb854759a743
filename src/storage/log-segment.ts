/**
 * Segment files: their head, their names, and how one comes into being.
 *
 * A segment is made whole before it is used: room allocated, every byte written as zero and synced, so that a
 * later `fdatasync` of records changes no metadata of the file system (bench/storage/append.bench.ts has
 * what that is worth). Then the head is written and synced, the file gets its name, and the directory is
 * synced. A crash leaves a segment with its name and a good head, or none.
 *
 *   `.making`  --zeroed, synced-->  `spare`  --head, synced, renamed-->  `00000007.log`
 *
 * The long part, writing zeros, can be done ahead by another thread (`prepareSpare`): it makes `spare` when
 * there is none; the writer takes `spare` by renaming it. Only the writer gives numbers.
 */
import { assert } from "../base/assert.ts";
import {
  LOG_FORMAT_VERSION,
  LOG_SEGMENT,
  LOG_SEGMENT_HEAD_BYTES,
  LOG_SEGMENT_MAGIC,
} from "../layout/log-record.ts";
import { crc32c } from "./checksum.ts";
import { type Disk, isDiskFull, isMissing } from "./disk.ts";

/** What the head of a segment says. */
export type SegmentHead = {
  readonly topology: number;
  readonly stream: number;
  readonly number: number;
  readonly firstSequence: number;
  readonly segmentBytes: number;
  readonly seed: number;
};

const SPARE = "spare";

/** "00000007.log" for 7. */
export function segmentName(number: number): string {
  return `${String(number).padStart(8, "0")}.log`;
}

/** Numbers of the segments in a log directory, ascending. */
export function listSegments(disk: Disk, directory: string): number[] {
  return disk
    .list(directory)
    .flatMap((name) => {
      const match = /^(\d{8,})\.log$/.exec(name);
      return match ? [Number(match[1])] : [];
    })
    .sort((a, b) => a - b);
}

/**
 * Makes the spare segment ahead of its need, when there is none. Safe beside the writer, one caller at a time.
 *
 * @returns false when it could not be made now, as on a full disk; the writer will find out by itself
 * @throws {DiskError} for any other failure
 */
export function prepareSpare(disk: Disk, directory: string, segmentBytes: number): boolean {
  const spare = `${directory}/${SPARE}`;
  if (disk.exists(spare)) return true;
  const making = `${directory}/${SPARE}.making`;
  try {
    disk.close(makeZeroed(disk, making, segmentBytes));
    disk.rename(making, spare);
    return true;
  } catch (error) {
    // Missing: the writer just opened the log and cleared away what looked unfinished. The next call makes it.
    if (isDiskFull(error) || isMissing(error)) return false;
    throw error;
  }
}

/**
 * Brings a segment into being, from the spare where it has the right size, and answers its open file.
 * Throws `DiskError` and leaves nothing behind when the disk is full.
 */
export function makeSegment(disk: Disk, directory: string, head: SegmentHead): number {
  const spare = `${directory}/${SPARE}`;
  const making = `${directory}/${segmentName(head.number)}.making`;
  if (disk.exists(spare)) disk.rename(spare, making);
  let file = -1;
  try {
    if (disk.exists(making)) {
      file = disk.open(making, "write");
      if (disk.size(file) !== head.segmentBytes) {
        disk.close(file);
        file = -1;
      }
    }
    if (file === -1) file = makeZeroed(disk, making, head.segmentBytes);
    disk.write(file, encodeSegmentHead(head), 0, LOG_SEGMENT_HEAD_BYTES, 0);
    disk.sync(file);
    disk.rename(making, `${directory}/${segmentName(head.number)}`);
    disk.syncDirectory(directory);
    return file;
  } catch (error) {
    if (file !== -1) disk.close(file);
    disk.remove(making);
    throw error;
  }
}

/** Removes what an interrupted making left behind. */
export function removeLeftovers(disk: Disk, directory: string): void {
  for (const name of disk.list(directory)) {
    if (name.endsWith(".making")) disk.remove(`${directory}/${name}`);
  }
}

/** Reads a head, or answers what is wrong with it. */
export function readSegmentHead(disk: Disk, file: number): SegmentHead | string {
  const bytes = new Uint8Array(64);
  if (disk.read(file, bytes, 0, 64, 0) !== 64) return "the file ends before its head does";
  const view = new DataView(bytes.buffer);
  const magic = String.fromCharCode(...bytes.subarray(0, 8));
  if (crc32c(0, bytes, 0, LOG_SEGMENT.crc) !== view.getUint32(LOG_SEGMENT.crc, true)) {
    return magic === LOG_SEGMENT_MAGIC
      ? "the checksum of its head is wrong"
      : "it does not begin as a log segment";
  }
  if (magic !== LOG_SEGMENT_MAGIC) return "it does not begin as a log segment";
  const version = view.getUint32(LOG_SEGMENT.version, true);
  if (version !== LOG_FORMAT_VERSION)
    return `its format is ${version}, this program reads ${LOG_FORMAT_VERSION}`;
  return {
    topology: view.getUint32(LOG_SEGMENT.topology, true),
    stream: view.getUint32(LOG_SEGMENT.stream, true),
    number: Number(view.getBigUint64(LOG_SEGMENT.number, true)),
    firstSequence: Number(view.getBigUint64(LOG_SEGMENT.firstSequence, true)),
    segmentBytes: Number(view.getBigUint64(LOG_SEGMENT.segmentBytes, true)),
    seed: view.getUint32(LOG_SEGMENT.seed, true),
  };
}

function encodeSegmentHead(head: SegmentHead): Uint8Array {
  assert(head.seed !== 0, "a segment's seed is not 0, which is what zeroed blocks would pass with");
  assert(head.segmentBytes % 8 === 0, "a segment ends at a multiple of 8");
  const bytes = new Uint8Array(LOG_SEGMENT_HEAD_BYTES);
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < 8; index++) bytes[index] = LOG_SEGMENT_MAGIC.charCodeAt(index);
  view.setUint32(LOG_SEGMENT.version, LOG_FORMAT_VERSION, true);
  view.setUint32(LOG_SEGMENT.topology, head.topology, true);
  view.setUint32(LOG_SEGMENT.stream, head.stream, true);
  view.setBigUint64(LOG_SEGMENT.number, BigInt(head.number), true);
  view.setBigUint64(LOG_SEGMENT.firstSequence, BigInt(head.firstSequence), true);
  view.setBigUint64(LOG_SEGMENT.segmentBytes, BigInt(head.segmentBytes), true);
  view.setUint32(LOG_SEGMENT.seed, head.seed, true);
  view.setUint32(LOG_SEGMENT.crc, crc32c(0, bytes, 0, LOG_SEGMENT.crc), true);
  return bytes;
}

function makeZeroed(disk: Disk, path: string, bytes: number): number {
  const file = disk.open(path, "create");
  try {
    disk.zero(file, 0, bytes);
    disk.sync(file);
    return file;
  } catch (error) {
    disk.close(file);
    disk.remove(path);
    throw error;
  }
}
