/**
 * The history over a restart: one file in the data directory, replaced as a whole.
 *
 *   engram history 1 <crc32c, 8 hex digits> <bytes that follow, 16 digits>\n
 *   { "savedAtMs", "series": [[name, labels], …], "rings": [{ "stepMs", "blocks": [{ bytes, ticks, … }] }] }\n
 *   blocks, one after the other, as `history-layout.ts` describes them
 *
 * The checksum covers everything after the first line. It is written under another name, synced, renamed over the old
 * one, and the directory is synced: a crash leaves the old file or the new one. It is no record of memories: a damaged
 * one is reported, kept aside as `.broken`, and the history begins anew.
 */
import { crc32c } from "../storage/checksum.ts";
import { type Disk, DiskError } from "../storage/disk.ts";
import type { History } from "./history.ts";
import type { SealedBlock } from "./history-ring.ts";
import type { SeriesIdentity } from "./history-series.ts";

const NAME = "history";
const FORMAT = 1;
const OPENING_BYTES = `engram history ${FORMAT} `.length + 8 + 1 + 16 + 1;

export type HistoryPlace = { readonly disk: Disk; readonly directory: string };

/** What loading found. */
export type HistoryLoad =
  | { readonly state: "loaded"; readonly savedAtMs: number; readonly blocks: number }
  | { readonly state: "missing" }
  | { readonly state: "damaged"; readonly found: string; readonly keptAs: string };

type BlockFacts = Omit<SealedBlock, "bytes"> & { readonly bytes: number };
type Contents = {
  readonly savedAtMs: number;
  readonly series: readonly (readonly [string, Record<string, string>])[];
  readonly rings: readonly { readonly stepMs: number; readonly blocks: readonly BlockFacts[] }[];
};

/** Replaces the file with the history as it is. @throws {DiskError} */
export function saveHistory(history: History, place: HistoryPlace, nowMs: number): void {
  const { disk, directory } = place;
  const rings = history.rings.map((ring) => ({ stepMs: ring.shape.stepMs, blocks: [...ring.blocks()] }));
  const contents: Contents = {
    savedAtMs: nowMs,
    series: history.series.identities.map(({ name, labels }) => [name, labels]),
    rings: rings.map(({ stepMs, blocks }) => ({
      stepMs,
      blocks: blocks.map((block) => ({ ...block, bytes: block.bytes.length })),
    })),
  };
  const pieces = [
    new TextEncoder().encode(`${JSON.stringify(contents)}\n`),
    ...rings.flatMap(({ blocks }) => blocks.map(({ bytes }) => bytes)),
  ];
  const making = `${directory}/${NAME}.new`;
  const file = disk.open(making, "create");
  try {
    let crc = 0;
    let bytes = 0;
    for (const piece of pieces) {
      disk.write(file, piece, 0, piece.length, OPENING_BYTES + bytes);
      crc = crc32c(crc, piece, 0, piece.length);
      bytes += piece.length;
    }
    const opening = new TextEncoder().encode(
      `engram history ${FORMAT} ${crc.toString(16).padStart(8, "0")} ${String(bytes).padStart(16, "0")}\n`,
    );
    disk.write(file, opening, 0, opening.length, 0);
    disk.sync(file);
  } finally {
    disk.close(file);
  }
  disk.rename(making, `${directory}/${NAME}`);
  disk.syncDirectory(directory);
}

/**
 * Puts back what an earlier process saved, into a history that is still empty.
 * @throws {DiskError} when the disk refuses
 */
export function loadHistory(history: History, place: HistoryPlace, nowMs: number): HistoryLoad {
  const { disk, directory } = place;
  const path = `${directory}/${NAME}`;
  if (!disk.exists(path)) return { state: "missing" };
  try {
    const { contents, blocksAt, bytes } = readContents(disk, path);
    return putBack(history, contents, bytes, blocksAt, nowMs);
  } catch (error) {
    if (error instanceof DiskError) throw error;
    const keptAs = `${path}.broken`;
    disk.rename(path, keptAs);
    disk.syncDirectory(directory);
    return { state: "damaged", found: error instanceof Error ? error.message : String(error), keptAs };
  }
}

function readContents(disk: Disk, path: string): { contents: Contents; blocksAt: number; bytes: Uint8Array } {
  const file = disk.open(path, "read");
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(disk.size(file));
    disk.read(file, bytes, 0, bytes.length, 0);
  } finally {
    disk.close(file);
  }
  const line = new TextDecoder().decode(bytes.subarray(0, OPENING_BYTES));
  const match = /^engram history (\d+) ([0-9a-f]{8}) (\d{16})\n$/.exec(line);
  if (match === null) throw new Error("its first line is not that of a history file");
  if (Number(match[1]) !== FORMAT) throw new Error(`its format is ${match[1]}, this program knows ${FORMAT}`);
  const count = bytes.length - OPENING_BYTES;
  if (count !== Number(match[3])) {
    throw new Error(`it should hold ${Number(match[3])} bytes after its first line and holds ${count}`);
  }
  if (crc32c(0, bytes, OPENING_BYTES, count) !== Number.parseInt(match[2]!, 16)) {
    throw new Error("its checksum is wrong");
  }
  const jsonEnd = bytes.indexOf(10, OPENING_BYTES);
  const contents = JSON.parse(new TextDecoder().decode(bytes.subarray(OPENING_BYTES, jsonEnd))) as Contents;
  return { contents, blocksAt: jsonEnd + 1, bytes };
}

function putBack(
  history: History,
  contents: Contents,
  bytes: Uint8Array,
  blocksAt: number,
  nowMs: number,
): HistoryLoad {
  let at = blocksAt;
  const rings = contents.rings.map(({ stepMs, blocks }) => ({
    stepMs,
    blocks: blocks.map((facts): SealedBlock => {
      const block = { ...facts, bytes: bytes.slice(at, at + facts.bytes) };
      at += facts.bytes;
      return block;
    }),
  }));
  // A series that no block has a sample of is not taken over, so that names no longer in use do not pile up.
  const used = new Set<number>();
  for (const { blocks } of rings) {
    for (const block of blocks) for (const index of seriesIn(block)) used.add(index);
  }
  const kept = [...used].sort((a, b) => a - b).slice(0, history.shape.seriesCountMax);
  for (const index of kept) {
    const [name, labels] = contents.series[index]!;
    history.series.indexOf({ name, labels } satisfies SeriesIdentity);
  }
  let blockCount = 0;
  for (const { stepMs, blocks } of rings) {
    const ring = history.rings.find(({ shape }) => shape.stepMs === stepMs);
    if (ring === undefined) continue;
    for (const block of blocks) {
      if (block.ticks > ring.shape.blockTicks) continue;
      ring.restore(renumbered(block, kept), nowMs);
      blockCount += 1;
    }
  }
  return { state: "loaded", savedAtMs: contents.savedAtMs, blocks: blockCount };
}

/** Where a block keeps the offsets of its columns. */
function offsetsOf({ bytes, ticks, series }: SealedBlock): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset + ticks * 8, (series + 1) * 4);
}

/** Indexes of the series that a block has samples of. */
function seriesIn(block: SealedBlock): number[] {
  const offsets = offsetsOf(block);
  const found: number[] = [];
  for (let index = 0; index < block.series; index++) {
    if (offsets.getUint32(index * 4, true) < offsets.getUint32(index * 4 + 4, true)) found.push(index);
  }
  return found;
}

/** The block with the series `kept`, which hold all of its samples, numbered from 0: only its offsets change. */
function renumbered(block: SealedBlock, kept: readonly number[]): SealedBlock {
  const offsets = offsetsOf(block);
  const series = kept.filter((index) => index < block.series).length;
  const shrunkBy = (block.series - series) * 4;
  const bytes = new Uint8Array(block.bytes.length - shrunkBy);
  const timesEnd = block.ticks * 8;
  bytes.set(block.bytes.subarray(0, timesEnd));
  const renewed = new DataView(bytes.buffer, timesEnd);
  for (let place = 0; place < series; place++) {
    renewed.setUint32(place * 4, offsets.getUint32(kept[place]! * 4, true) - shrunkBy, true);
  }
  renewed.setUint32(series * 4, offsets.getUint32(block.series * 4, true) - shrunkBy, true);
  bytes.set(block.bytes.subarray(timesEnd + (block.series + 1) * 4), timesEnd + (series + 1) * 4);
  return { ...block, bytes, series };
}
