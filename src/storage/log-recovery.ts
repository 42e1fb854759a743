/**
 * Finds the end of a log that was left in any state, and decides what a hole in it means.
 *
 * What the disk may show after a crash: everything that was synced, whole; of what was written after the last
 * sync, any set of sectors, in any order; zeros elsewhere. A hole in the last segment followed by good records
 * is therefore no proof of damage: a group that was never synced may have lost its first sector and kept its
 * last. Proof is a good record behind the hole whose synced sequence reaches into the hole, or a checkpoint
 * that does: then what is missing was durable once, and leaving it out would be silent loss.
 *
 *   records 1 2 3 | 4 5 6 |   4 torn, 5 and 6 say "synced up to 3"   -> torn tail: cut before 4
 *   records 1 2 3 | 4 5 6 |   2 unreadable, 4 says "synced up to 3"  -> damage: refused
 *
 * The last group of all has nothing behind it that could vouch for it. The log closes that gap with a mark, a
 * record without content that says "synced up to here": written and synced when the log is closed, and written
 * (not synced) when the writer is idle. The next record takes the mark's place, so marks lie only at the end.
 * What remains: a group synced, the machine lost at once, and then a bit flipped in that very group; it is
 * reported as a torn tail, with the bytes kept aside.
 *
 * Three more things are done before the log goes on:
 *   - a torn tail is copied to `<segment>.<byte>.broken`, then overwritten with zeros, so that no remains of it
 *     can be taken for what a later tail left behind
 *   - records that nothing vouches for are written again, in place and unchanged, and synced. They may be there
 *     only in the page cache: after a failed fdatasync the kernel keeps such pages and calls them clean, and a
 *     restarted process would build on records that the disk never got
 *   - the directory is synced, for the same reason
 */
import { LOG_RECORD_HEAD_BYTES, LOG_SEGMENT_HEAD_BYTES } from "../layout/log-record.ts";
import type { Disk } from "./disk.ts";
import { logBehindCheckpoint, logDamaged, logSegmentMissing } from "./log-errors.ts";
import {
  listSegments,
  readSegmentHead,
  removeLeftovers,
  type SegmentHead,
  segmentName,
} from "./log-segment.ts";
import { type Seal, SegmentReader } from "./segment-reader.ts";

/** Where a log lies, and whose it is. */
export type LogPlace = {
  readonly disk: Disk;
  readonly directory: string;
  /** generation of the stream topology */
  readonly topology: number;
  readonly stream: number;
};

/** A tail that was cut off. */
export type TornTail = {
  readonly path: string;
  /** first byte of it */
  readonly at: number;
  readonly bytes: number;
  /** the sequence that the first record in it would have had */
  readonly sequence: number;
  /** where its bytes were put, if there were any: the file may just have been cut */
  readonly keptAs: string | undefined;
};

export type LogEnd = {
  /** oldest first; the last one is to be appended to */
  readonly segments: SegmentHead[];
  /** open file of the last segment */
  readonly file: number;
  /** byte of the last segment where the next record goes */
  readonly endAt: number;
  readonly appendedSequence: number;
  readonly tornTail: TornTail | undefined;
};

/**
 * @param knownSynced a sequence that was durable once, as a checkpoint says; 0 when there is none
 * @throws {OperatorError} `log-damaged`, `log-segment-missing`, `log-behind-checkpoint`
 */
export function findLogEnd(place: LogPlace, knownSynced: number): LogEnd {
  const { disk, directory } = place;
  removeLeftovers(disk, directory);
  const segments = readHeads(place);
  const reader = new SegmentReader(disk, Math.max(...segments.map((head) => head.segmentBytes)));

  const last = scanTail(place, reader, segments.at(-1)!, knownSynced);
  const previous = segments.at(-2);
  if (last.recordCount > 0 || previous === undefined)
    return finish(place, reader, segments, last, knownSynced);

  // The log rolls in three steps: make the next segment, seal the full one and sync it, go on in the next.
  // An empty last segment may mean a crash between them, so the end of the one before is looked at, too.
  const before = scanTail(place, reader, previous, knownSynced);
  if (before.seal) {
    checkSeal(before, last);
    rewriteUnvouched(place, reader, before);
    disk.close(before.file);
    return finish(place, reader, segments, last, knownSynced);
  }
  if (last.usedUntil > LOG_SEGMENT_HEAD_BYTES) {
    throw logDamaged({
      path: before.path,
      at: before.endAt,
      sequence: before.dueSequence,
      found: `${last.path} was written to, which begins only after this segment's end is durable`,
    });
  }
  disk.close(last.file);
  disk.remove(last.path);
  segments.pop();
  return finish(place, reader, segments, before, knownSynced);
}

/** Reads the heads of all segments. @throws {OperatorError} when one is missing, damaged or of another log */
export function readHeads(place: LogPlace): SegmentHead[] {
  const { disk, directory } = place;
  const numbers = listSegments(disk, directory);
  if (numbers.length === 0) {
    throw logSegmentMissing({
      path: `${directory}/${segmentName(1)}`,
      found: "the log has no segment at all",
    });
  }
  return numbers.map((number, index) => {
    if (index > 0 && number !== numbers[index - 1]! + 1) {
      throw logSegmentMissing({
        path: `${directory}/${segmentName(numbers[index - 1]! + 1)}`,
        found: `the log goes on in ${segmentName(number)}`,
      });
    }
    const path = `${directory}/${segmentName(number)}`;
    const file = disk.open(path, "read");
    const head = readSegmentHead(disk, file);
    const bytes = disk.size(file);
    disk.close(file);
    if (typeof head === "string") throw logDamaged({ path, at: 0, sequence: 0, found: head });
    if (bytes > head.segmentBytes || (bytes < head.segmentBytes && index < numbers.length - 1)) {
      throw logDamaged({
        path,
        at: bytes,
        sequence: head.firstSequence,
        found: `the file has ${bytes} bytes instead of ${head.segmentBytes}`,
      });
    }
    if (head.number !== number || head.topology !== place.topology || head.stream !== place.stream) {
      throw logDamaged({
        path,
        at: 0,
        sequence: head.firstSequence,
        found: `it is segment ${head.number} of stream ${head.stream} in topology ${head.topology}, a file of another log`,
      });
    }
    return head;
  });
}

/** What one segment ends like. */
type Tail = {
  readonly path: string;
  readonly head: SegmentHead;
  readonly file: number;
  readonly recordCount: number;
  /** where what counts ends: the place of the next record */
  readonly endAt: number;
  readonly dueSequence: number;
  readonly seal: Seal | undefined;
  /** records up to here were durable, as records of this segment say */
  readonly vouchedSequence: number;
  /** the last byte that is not zero, plus one, in what follows the end and its mark */
  readonly usedUntil: number;
  /** something other than zeros follows the end, or the file had been cut */
  readonly torn: boolean;
};

/** Reads a segment to its end. @throws {OperatorError} `log-damaged` when a hole in it was durable once */
function scanTail(place: LogPlace, reader: SegmentReader, head: SegmentHead, knownSynced: number): Tail {
  const { disk, directory } = place;
  const path = `${directory}/${segmentName(head.number)}`;
  const file = disk.open(path, "write");
  // No crash shortens a segment, which was made in its full size; but someone may have cut or copied it.
  const lostBytes = head.segmentBytes - disk.size(file);
  if (lostBytes > 0) disk.zero(file, head.segmentBytes - lostBytes, lostBytes);
  reader.open(file, head);
  let recordCount = 0;
  let vouchedSequence = 0;
  while (reader.next()) {
    recordCount++;
    vouchedSequence = reader.syncedSequence;
  }
  if (reader.marked || reader.seal) vouchedSequence = reader.syncedSequence;
  const { endAt, dueSequence, seal } = reader;
  const markBytes = reader.marked ? LOG_RECORD_HEAD_BYTES : 0;
  const usedUntil = seal ? endAt : reader.lastUsedByte(endAt + markBytes);
  const torn = usedUntil > endAt + markBytes || lostBytes > 0;
  if (torn) {
    const evidence =
      dueSequence <= knownSynced
        ? `the checkpoint holds records up to ${knownSynced}`
        : describeEvidence(reader, endAt, dueSequence);
    if (evidence) throw logDamaged({ path, at: endAt, sequence: dueSequence, found: evidence });
  }
  return { path, head, file, recordCount, endAt, dueSequence, seal, vouchedSequence, usedUntil, torn };
}

function describeEvidence(reader: SegmentReader, at: number, sequence: number): string | undefined {
  const evidence = reader.findEvidence(at, sequence);
  if (!evidence) return undefined;
  return `it can not be read, but record ${evidence.sequence} at byte ${evidence.at} says that everything up to ${evidence.syncedSequence} was durable`;
}

function checkSeal(before: Tail, last: Tail): void {
  const seal = before.seal!;
  if (
    seal.number === last.head.number &&
    seal.seed === last.head.seed &&
    before.dueSequence === last.head.firstSequence
  )
    return;
  throw logDamaged({
    path: last.path,
    at: 0,
    sequence: before.dueSequence,
    found: `it is not the segment that ${before.path} names as its successor`,
  });
}

/** Makes the tail fit to be appended to. */
function finish(
  place: LogPlace,
  reader: SegmentReader,
  segments: SegmentHead[],
  tail: Tail,
  knownSynced: number,
): LogEnd {
  const { disk, directory } = place;
  if (tail.seal) {
    throw logSegmentMissing({
      path: `${directory}/${segmentName(tail.seal.number)}`,
      found: `${tail.path} ends by naming it`,
    });
  }
  const appendedSequence = tail.dueSequence - 1;
  if (appendedSequence < knownSynced) {
    throw logBehindCheckpoint({ path: directory, appended: appendedSequence, needed: knownSynced });
  }
  const tornTail = tail.torn ? keepTornTail(place, tail) : undefined;
  if (tornTail && tornTail.bytes > 0) disk.zero(tail.file, tail.endAt, tornTail.bytes);
  rewriteUnvouched(place, reader, tail);
  disk.syncDirectory(directory);
  return { segments, file: tail.file, endAt: tail.endAt, appendedSequence, tornTail };
}

/** Copies a torn tail, where anything is left of it, to a file of its own. */
function keepTornTail(place: LogPlace, tail: Tail): TornTail {
  const { disk, directory } = place;
  const { path, endAt, usedUntil } = tail;
  const bytes = usedUntil - endAt;
  const keptAs = bytes > 0 ? `${path}.${endAt}.broken` : undefined;
  if (keptAs !== undefined) {
    copyRange(disk, { from: tail.file, at: endAt, until: usedUntil, to: keptAs });
    disk.syncDirectory(directory);
  }
  return { path, at: endAt, bytes, sequence: tail.dueSequence, keptAs };
}

/** Writes records that nothing vouches for again, and syncs. */
function rewriteUnvouched(place: LogPlace, reader: SegmentReader, tail: Tail): void {
  const { disk } = place;
  if (tail.vouchedSequence < tail.dueSequence - 1 || tail.seal) {
    reader.open(tail.file, tail.head);
    let at = LOG_SEGMENT_HEAD_BYTES;
    while (reader.next()) {
      if (reader.sequence > tail.vouchedSequence) break;
      at = reader.endAt;
    }
    const bytes = new Uint8Array(COPY_BYTES);
    for (; at < tail.endAt; at += bytes.length) {
      const count = Math.min(bytes.length, tail.endAt - at);
      disk.read(tail.file, bytes, 0, count, at);
      disk.write(tail.file, bytes, 0, count, at);
    }
  }
  disk.sync(tail.file);
}

const COPY_BYTES = 1024 * 1024;

/** Copies part of an open file to a new file, under a temporary name until it is whole and synced. */
export function copyRange(
  disk: Disk,
  range: { readonly from: number; readonly at: number; readonly until: number; readonly to: string },
): void {
  const making = `${range.to}.making`;
  const file = disk.open(making, "create");
  try {
    const bytes = new Uint8Array(Math.min(COPY_BYTES, range.until - range.at));
    for (let at = range.at; at < range.until; at += bytes.length) {
      const count = Math.min(bytes.length, range.until - at);
      disk.read(range.from, bytes, 0, count, at);
      disk.write(file, bytes, 0, count, at - range.at);
    }
    disk.sync(file);
  } finally {
    disk.close(file);
  }
  disk.rename(making, range.to);
}
