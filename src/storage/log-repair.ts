/**
 * Makes a damaged log usable again, at the price of what it held from the damage on.
 *
 * Only ever run because an operator asked for it: opening a log never does this. The log is kept up to the last
 * record before the damage, provided that it still joins the checkpoint; if not, a new log begins behind the
 * checkpoint. Nothing is deleted: every file that is changed is copied before, and every file that does not
 * count any more is renamed, both to `<segment>.broken` (`.broken-2`, … where that is taken).
 */
import { LOG_RECORD_HEAD_BYTES, LOG_SEGMENT_HEAD_BYTES } from "../layout/log-record.ts";
import { LocalLog, type LocalLogOptions } from "./local-log.ts";
import { copyRange } from "./log-recovery.ts";
import { listSegments, readSegmentHead, type SegmentHead, segmentName } from "./log-segment.ts";
import { SegmentReader } from "./segment-reader.ts";

export type LogRepair = {
  /**
   * whole: nothing had to be done. cut: kept up to the damage. mended: a file had been cut short, or one that the
   * checkpoint made needless was damaged. begun-anew: what was left does not join the checkpoint.
   */
  readonly result: "whole" | "cut" | "mended" | "begun-anew";
  /** the last record that the log holds now */
  readonly appendedSequence: number;
  /** where the damage began, if a segment could be kept up to there */
  readonly cut: { readonly path: string; readonly at: number } | undefined;
  /** files with the bytes that were taken out; empty when nothing had to be done */
  readonly keptAside: readonly string[];
};

/** A segment that can be read, and where what can be used of it ends. */
type Usable = {
  readonly number: number;
  readonly head: SegmentHead;
  /** where the next record goes */
  readonly cutAt: number;
  /** from here on there should be zeros: behind the mark, if there is one */
  readonly zerosFrom: number;
  readonly dueSequence: number;
};

/** @param checkpointSequence the record up to which the checkpoint speaks; 0 where there is none */
export function repairLog(options: LocalLogOptions, checkpointSequence: number): LogRepair {
  const { disk, directory } = options;
  const keptAside: string[] = [];
  const numbers = listSegments(disk, directory);
  const heads = numbers.map((number) => readHead(options, number));
  // What the checkpoint covers is not needed, damaged or not: begin where the replay would.
  const start = heads.findLastIndex(
    (head) => head !== undefined && head.firstSequence <= checkpointSequence + 1,
  );
  const last = start < 0 ? undefined : lastUsable(options, numbers, heads, start, keptAside);
  // Older segments stay as long as nothing is missing in them and between them and the rest.
  let first = start;
  while (first > 0 && numbers[first - 1] === numbers[first]! - 1 && isFullSize(options, heads[first - 1]))
    first--;
  const joins = last !== undefined && last.dueSequence > checkpointSequence;

  let tookOut = false;
  for (const number of numbers) {
    const inUse = joins && number >= numbers[first]! && number <= last.number;
    if (inUse || !disk.exists(pathOf(options, number))) continue;
    const aside = freeName(options, number);
    disk.rename(pathOf(options, number), aside);
    keptAside.push(aside);
    tookOut ||= number > numbers[start]!;
  }
  if (!joins) {
    disk.syncDirectory(directory);
    LocalLog.create(options, checkpointSequence + 1).close();
    return { result: "begun-anew", appendedSequence: checkpointSequence, cut: undefined, keptAside };
  }
  const cut = cutBehind(options, last, keptAside);
  disk.syncDirectory(directory);
  const result = cut !== undefined || tookOut ? "cut" : keptAside.length > 0 ? "mended" : "whole";
  return { result, appendedSequence: last.dueSequence - 1, cut, keptAside };
}

/** Follows the segments from `start` on as far as they join. */
function lastUsable(
  options: LocalLogOptions,
  numbers: readonly number[],
  heads: readonly (SegmentHead | undefined)[],
  start: number,
  keptAside: string[],
): Usable | undefined {
  const { disk } = options;
  let usable: Usable | undefined;
  for (let index = start; index < numbers.length; index++) {
    const head = heads[index];
    const number = numbers[index]!;
    if (head === undefined || number !== numbers[start]! + index - start) break;
    if (usable && head.firstSequence !== usable.dueSequence) break;
    const file = disk.open(pathOf(options, number), "write");
    const lostBytes = head.segmentBytes - disk.size(file);
    if (lostBytes > 0) {
      keepCopy(options, number, file, disk.size(file), keptAside);
      disk.zero(file, head.segmentBytes - lostBytes, lostBytes);
    }
    const reader = new SegmentReader(disk, head.segmentBytes);
    reader.open(file, head);
    while (reader.next());
    disk.close(file);
    const next = heads[index + 1];
    const joinsNext =
      reader.seal !== undefined && next?.seed === reader.seal.seed && next.number === reader.seal.number;
    const cutAt = reader.seal ? reader.recordAt : reader.endAt;
    const zerosFrom = reader.marked ? cutAt + LOG_RECORD_HEAD_BYTES : cutAt;
    usable = { number, head, cutAt, zerosFrom, dueSequence: reader.dueSequence };
    if (!joinsNext || next.firstSequence !== reader.dueSequence) break;
  }
  return usable;
}

/** Zeroes what follows the usable part of a segment; nothing when zeros follow already. */
function cutBehind(options: LocalLogOptions, last: Usable, keptAside: string[]): LogRepair["cut"] {
  const { disk } = options;
  const path = pathOf(options, last.number);
  const file = disk.open(path, "write");
  try {
    const reader = new SegmentReader(disk, last.head.segmentBytes);
    reader.open(file, last.head);
    const usedUntil = reader.lastUsedByte(last.zerosFrom);
    if (usedUntil === last.zerosFrom) return undefined;
    keepCopy(options, last.number, file, usedUntil, keptAside);
    disk.zero(file, last.cutAt, usedUntil - last.cutAt);
    disk.sync(file);
    return { path, at: last.cutAt };
  } finally {
    disk.close(file);
  }
}

function keepCopy(
  options: LocalLogOptions,
  number: number,
  file: number,
  bytes: number,
  keptAside: string[],
): void {
  const aside = freeName(options, number);
  copyRange(options.disk, { from: file, at: 0, until: bytes, to: aside });
  keptAside.push(aside);
}

function readHead(options: LocalLogOptions, number: number): SegmentHead | undefined {
  const { disk } = options;
  const file = disk.open(pathOf(options, number), "read");
  try {
    const head = readSegmentHead(disk, file);
    if (typeof head === "string" || head.number !== number) return undefined;
    if (head.topology !== options.topology || head.stream !== options.stream) return undefined;
    return disk.size(file) <= head.segmentBytes && disk.size(file) >= LOG_SEGMENT_HEAD_BYTES
      ? head
      : undefined;
  } finally {
    disk.close(file);
  }
}

function isFullSize(options: LocalLogOptions, head: SegmentHead | undefined): boolean {
  if (head === undefined) return false;
  const file = options.disk.open(pathOf(options, head.number), "read");
  const bytes = options.disk.size(file);
  options.disk.close(file);
  return bytes === head.segmentBytes;
}

function pathOf(options: LocalLogOptions, number: number): string {
  return `${options.directory}/${segmentName(number)}`;
}

function freeName(options: LocalLogOptions, number: number): string {
  const base = `${pathOf(options, number)}.broken`;
  for (let attempt = 1; ; attempt++) {
    const name = attempt === 1 ? base : `${base}-${attempt}`;
    if (!options.disk.exists(name)) return name;
  }
}
