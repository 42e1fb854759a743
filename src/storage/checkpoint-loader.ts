/**
 * Loads parts of a checkpoint into memory, chunk by chunk, each checked against the manifest.
 *
 * Chunks that lie within one range of the memory given are read in parallel by the shim, straight to where
 * they belong. One that spans two ranges is read piece by piece. Where a checksum does not fit, the memory
 * holds what was read: the caller throws it away.
 */
import { ptr } from "bun:ffi";
import { assert } from "../base/assert.ts";
import type { CheckpointPart } from "../layout/checkpoint-manifest.ts";
import type { CheckpointPlace } from "./checkpoint-store.ts";
import { crc32cPiece } from "./checksum.ts";
import { DiskError, isMissing, type LoadRange, type MemoryRange, type Piece } from "./disk.ts";

export type LoadRequest = {
  readonly spaceId: number;
  readonly name: string;
  /** memory for all bytes of the part, in order; there may be more of it */
  readonly into: readonly Piece[];
  /** the part can be made anew from others: damage is answered instead of thrown */
  readonly derived?: boolean;
};

export type PartDamage = { readonly request: LoadRequest; readonly path: string; readonly found: string };

type Wanted = { readonly request: LoadRequest; readonly part: CheckpointPart };

/** Files open at once while loading. */
const OPEN_FILES_MAX = 256;

/** Loads all of them; answers the damaged ones. @throws {DiskError} never for a damaged or missing file */
export function loadParts(place: CheckpointPlace, wanted: readonly Wanted[]): PartDamage[] {
  const damages: PartDamage[] = [];
  for (let at = 0; at < wanted.length; at += OPEN_FILES_MAX) {
    damages.push(...loadSome(place, wanted.slice(at, at + OPEN_FILES_MAX)));
  }
  return damages;
}

function loadSome(place: CheckpointPlace, wanted: readonly Wanted[]): PartDamage[] {
  const { disk, directory } = place;
  const damages = new Map<Wanted, PartDamage>();
  const ranges: LoadRange[] = [];
  const owners: Wanted[] = [];
  const files: number[] = [];
  const damaged = (want: Wanted, found: string) => {
    const path = `${directory}/${want.part.file}`;
    if (!damages.has(want)) damages.set(want, { request: want.request, path, found });
  };
  try {
    for (const want of wanted) {
      if (want.part.bytes === 0) continue;
      let file: number;
      try {
        file = disk.open(`${directory}/${want.part.file}`, "read");
      } catch (error) {
        if (!(error instanceof DiskError)) throw error;
        damaged(want, isMissing(error) ? "the file is missing" : error.message);
        continue;
      }
      files.push(file);
      const bytes = disk.size(file);
      if (bytes < want.part.bytes) {
        damaged(want, `it has ${bytes} bytes, the manifest knows of ${want.part.bytes}`);
        continue;
      }
      for (const chunk of placeChunks(want)) {
        const only = chunk.into.length === 1 ? chunk.into[0]! : undefined;
        if (only) {
          ranges.push({ file, fileAt: chunk.at, address: only.address, bytes: only.bytes, crc: chunk.crc });
          owners.push(want);
        } else if (!loadSpanning(place, file, chunk)) {
          damaged(want, `the checksum of the bytes from ${chunk.at} on is wrong`);
        }
      }
    }
    for (const bad of disk.load(ranges)) {
      const { fileAt } = ranges[bad.index]!;
      const found =
        bad.reason === "checksum"
          ? `the checksum of the bytes from ${fileAt} on is wrong`
          : `the bytes from ${fileAt} on can not be read: ${bad.reason}`;
      damaged(owners[bad.index]!, found);
    }
  } finally {
    for (const file of files) disk.close(file);
  }
  return [...damages.values()];
}

type PlacedChunk = { readonly at: number; readonly crc: number; readonly into: MemoryRange[] };

/** Says for each chunk of a part where in memory it goes. */
function placeChunks({ request, part }: Wanted): PlacedChunk[] {
  const memory = request.into.map(addressed);
  const room = memory.reduce((sum, range) => sum + range.bytes, 0);
  assert(room >= part.bytes, "there is memory for all of a part");
  const chunks: PlacedChunk[] = [];
  let index = 0;
  let used = 0;
  for (const [chunk, crc] of part.crcs.entries()) {
    const at = chunk * part.chunkBytes;
    const into: MemoryRange[] = [];
    for (let left = Math.min(part.chunkBytes, part.bytes - at); left > 0; ) {
      const range = memory[index]!;
      const bytes = Math.min(left, range.bytes - used);
      if (bytes > 0) into.push({ address: range.address + used, bytes });
      left -= bytes;
      used += bytes;
      if (used === range.bytes) {
        index++;
        used = 0;
      }
    }
    chunks.push({ at, crc, into });
  }
  return chunks;
}

function loadSpanning(place: CheckpointPlace, file: number, chunk: PlacedChunk): boolean {
  let crc = 0;
  let at = chunk.at;
  for (const range of chunk.into) {
    if (place.disk.readMemory(file, range, at) < range.bytes) return false;
    crc = crc32cPiece(crc, range, 0, range.bytes);
    at += range.bytes;
  }
  return crc === chunk.crc;
}

function addressed(piece: Piece): MemoryRange {
  if (!(piece instanceof Uint8Array)) return piece;
  return { address: piece.length === 0 ? 0 : (ptr(piece) as number), bytes: piece.length };
}
