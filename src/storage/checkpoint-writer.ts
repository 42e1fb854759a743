/**
 * Writes one checkpoint: what changed since the last one, and then the swap of the manifest.
 *
 * What is not mentioned stays as it was: spaces, their parts, their meta. Any failure gives the checkpoint up
 * (`checkpoint-disk-full`, `checkpoint-failed`), and a later one starts from the same manifest: it writes every
 * byte behind the known lengths again, so that bytes lost by a failed sync do not hide behind clean pages.
 */
import { assert } from "../base/assert.ts";
import { BugError } from "../base/errors.ts";
import {
  type CheckpointManifest,
  type CheckpointPart,
  type CheckpointSpace,
  checkpointPartFile,
} from "../layout/checkpoint-manifest.ts";
import { checkpointDamaged, checkpointFailed } from "./checkpoint-errors.ts";
import type { CheckpointPlace } from "./checkpoint-store.ts";
import { crc32cPiece } from "./checksum.ts";
import { DiskError, type Piece } from "./disk.ts";

/** Blobs are checksummed, and loaded in parallel, in pieces of this size. */
export const BLOB_CHUNK_BYTES = 1024 * 1024;

type OpenPart = { -readonly [Key in keyof CheckpointPart]: CheckpointPart[Key] } & { crcs: number[] };
type OpenSpace = { meta: unknown; readonly parts: Record<string, CheckpointPart> };

/** What the store does for its writer. */
export type WriterEnds = {
  /** makes the next manifest the one that counts. @throws {DiskError | OperatorError} */
  readonly swap: (next: CheckpointManifest) => void;
  /** called once, whatever the end was */
  readonly ended: () => void;
};

export class CheckpointWriter {
  readonly #place: CheckpointPlace;
  readonly #before: CheckpointManifest;
  readonly #ends: WriterEnds;
  readonly #spaces: Record<string, CheckpointSpace>;
  /** open files of this checkpoint, by name */
  readonly #files = new Map<string, number>();
  /** names that this checkpoint made */
  readonly #made: string[] = [];
  #over = false;
  /** the swap ended in a way that leaves open which manifest a restart finds */
  #swapUnsure = false;
  /** bytes written by this checkpoint so far */
  writtenBytes = 0;

  constructor(place: CheckpointPlace, before: CheckpointManifest, ends: WriterEnds) {
    this.#place = place;
    this.#before = before;
    this.#ends = ends;
    this.#spaces = { ...before.spaces };
  }

  /** Generation of the checkpoint being written. */
  get generation(): number {
    return this.#before.generation + 1;
  }

  /** The writing end of one space, which is made by being named. Its meta is kept where none is set. */
  space(spaceId: number): SpaceCheckpoint {
    assert(Number.isInteger(spaceId) && spaceId >= 0, "space ids are whole numbers");
    const known = this.#spaces[spaceId];
    const open: OpenSpace = { meta: known?.meta ?? null, parts: { ...known?.parts } };
    this.#spaces[spaceId] = open;
    return new SpaceCheckpoint(this, spaceId, open);
  }

  /** Leaves a space out from now on. */
  drop(spaceId: number): void {
    delete this.#spaces[spaceId];
  }

  /**
   * Makes everything durable and swaps the manifest.
   *
   * @param sequence the log's record up to which this checkpoint speaks; it is durable in the log already
   * @throws {OperatorError} `checkpoint-disk-full`, `checkpoint-failed`
   */
  commit(sequence: number): void {
    assert(sequence >= this.#before.sequence, "a checkpoint does not go back");
    const { disk, directory, topology, stream } = this.#place;
    this.attempt(() => {
      for (const file of this.#files.values()) disk.sync(file);
      this.#closeFiles();
      if (this.#made.length > 0) disk.syncDirectory(directory);
      this.#swap({ topology, stream, generation: this.generation, sequence, spaces: this.#spaces });
      this.#over = true;
    });
    this.#ends.ended();
  }

  /** Gives this checkpoint up; the one before stays. */
  abort(): void {
    if (this.#over) return;
    this.#over = true;
    try {
      this.#closeFiles();
      // A manifest that a restart may find names them.
      if (this.#swapUnsure) return;
      for (const name of this.#made) this.#place.disk.remove(`${this.#place.directory}/${name}`);
    } catch (error) {
      // What can not be removed is not named by the manifest, and goes after the next checkpoint.
      if (!(error instanceof DiskError)) throw error;
    } finally {
      this.#ends.ended();
    }
  }

  /** Runs one step; a failing one ends the checkpoint. For the classes of this file. */
  attempt<Result>(step: () => Result): Result {
    if (this.#over) throw new BugError("this checkpoint is over");
    try {
      return step();
    } catch (error) {
      this.abort();
      throw error instanceof DiskError ? checkpointFailed(this.#place.directory, error) : error;
    }
  }

  /** Opens a file of the checkpoint that is to hold `bytes` already. For the classes of this file. */
  openPart(name: string, bytes: number): number {
    const known = this.#files.get(name);
    if (known !== undefined) return known;
    const { disk, directory } = this.#place;
    const path = `${directory}/${name}`;
    const fresh = bytes === 0;
    if (!fresh && !disk.exists(path)) throw checkpointDamaged(path, "the file is missing");
    if (fresh) this.#made.push(name);
    const file = disk.open(path, fresh ? "create" : "write");
    this.#files.set(name, file);
    const size = disk.size(file);
    if (size < bytes) throw checkpointDamaged(path, `it has ${size} bytes, the manifest knows of ${bytes}`);
    // What an interrupted checkpoint left behind the known length.
    if (size > bytes) disk.truncate(file, bytes);
    return file;
  }

  /** Writes pieces behind what a part holds, and continues its checksums. For the classes of this file. */
  extend(part: OpenPart, pieces: Iterable<Piece>): void {
    const { disk } = this.#place;
    const file = this.openPart(part.file, part.bytes);
    for (const piece of pieces) {
      const count = piece instanceof Uint8Array ? piece.length : piece.bytes;
      if (count === 0) continue;
      if (piece instanceof Uint8Array) disk.write(file, piece, 0, count, part.bytes);
      else disk.writeMemory(file, piece, part.bytes);
      for (let at = 0; at < count; ) {
        const inChunk = part.bytes % part.chunkBytes;
        const step = Math.min(count - at, part.chunkBytes - inChunk);
        const crc = inChunk === 0 ? 0 : part.crcs.pop()!;
        part.crcs.push(crc32cPiece(crc, piece, at, step));
        part.bytes += step;
        at += step;
      }
      this.writtenBytes += count;
    }
  }

  #swap(next: CheckpointManifest): void {
    this.#swapUnsure = true;
    try {
      this.#ends.swap(next);
      this.#swapUnsure = false;
    } catch (error) {
      if (error instanceof DiskError) this.#swapUnsure = false;
      throw error;
    }
  }

  #closeFiles(): void {
    for (const file of this.#files.values()) this.#place.disk.close(file);
    this.#files.clear();
  }
}

/** One space in a checkpoint that is being written. */
export class SpaceCheckpoint {
  readonly #writer: CheckpointWriter;
  readonly #spaceId: number;
  readonly #space: OpenSpace;

  constructor(writer: CheckpointWriter, spaceId: number, space: OpenSpace) {
    this.#writer = writer;
    this.#spaceId = spaceId;
    this.#space = space;
  }

  /** Sets what the manifest says of the space: anything that JSON can hold. */
  meta(meta: unknown): void {
    this.#space.meta = meta;
  }

  /** Bytes of a part, as the last checkpoint or this one wrote it; 0 where there is none. */
  bytes(name: string): number {
    return this.#space.parts[name]?.bytes ?? 0;
  }

  /**
   * Writes pieces behind what a growing file holds; a file that is new begins empty.
   *
   * @param chunkBytes checksums are kept, and memory is loaded, in pieces of this size; fixed for a file's life
   * @param fromByte where the pieces belong: `bytes(name)`
   * @throws {OperatorError} `checkpoint-disk-full`, `checkpoint-failed`, `checkpoint-damaged`: this checkpoint is over
   */
  append(name: string, chunkBytes: number, fromByte: number, pieces: Iterable<Piece>): void {
    const known = this.#space.parts[name];
    assert(known === undefined || known.kind === "file", "a blob does not grow");
    assert(fromByte === (known?.bytes ?? 0), "a file grows at its end");
    assert(known === undefined || known.chunkBytes === chunkBytes, "the chunks of a file keep their size");
    this.#write(
      known ? { ...known, crcs: [...known.crcs] } : this.#fresh("file", name, chunkBytes),
      name,
      pieces,
    );
  }

  /** Writes a growing file anew, from its first byte, under the name of a new generation. */
  rewrite(name: string, chunkBytes: number, pieces: Iterable<Piece>): void {
    this.#write(this.#fresh("file", name, chunkBytes), name, pieces);
  }

  /**
   * Writes a blob of this generation. The pieces may come from a generator, one at a time, each needed only
   * until the next is asked for.
   */
  blob(name: string, pieces: Iterable<Piece>): void {
    this.#write(this.#fresh("blob", name, BLOB_CHUNK_BYTES), name, pieces);
  }

  /** As `blob`, for a source that calls: `produce` hands over piece after piece. */
  blobFrom(name: string, produce: (write: (piece: Piece) => void) => void): void {
    const part = this.#fresh("blob", name, BLOB_CHUNK_BYTES);
    this.#writer.attempt(() => {
      this.#writer.openPart(part.file, 0);
      produce((piece) => this.#writer.extend(part, [piece]));
    });
    this.#space.parts[name] = part;
  }

  /** Leaves a part out from now on. */
  drop(name: string): void {
    delete this.#space.parts[name];
  }

  #write(part: OpenPart, name: string, pieces: Iterable<Piece>): void {
    this.#writer.attempt(() => this.#writer.extend(part, pieces));
    this.#space.parts[name] = part;
  }

  #fresh(kind: "file" | "blob", name: string, chunkBytes: number): OpenPart {
    assert(/^[a-z][a-z0-9-]*$/.test(name), "parts are named in lower case");
    assert(chunkBytes > 0 && Number.isInteger(chunkBytes), "a chunk has a size");
    const file = checkpointPartFile(this.#spaceId, name, this.#writer.generation);
    return { kind, file, bytes: 0, chunkBytes, crcs: [] };
  }
}
