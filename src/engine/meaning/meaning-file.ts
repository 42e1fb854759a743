/**
 * What spaces have learned, kept over a restart: one small file a space, in the directory `meaning`.
 *
 * A file is named after its space and when that was made, so that it follows the space through compactions and
 * new homes, where numbers of spaces, slots and terms change; terms are named by their hashes. All of it is
 * derived from the space's text: a file that is missing, damaged or of another format is learned anew.
 */
import { type Hash64, hashBytes } from "../../base/hash64.ts";
import { meaningVectorBytes } from "../../ffi/meaning-fold.ts";
import type { Disk } from "../../storage/disk.ts";
import { readWholeFile, replaceWholeFile, type WholeFile } from "../../storage/whole-file.ts";
import type { MeaningContent } from "./meaning-model.ts";

export const MEANING_DIRECTORY = "meaning";
export const MEANING_FORMAT = 1;

/** What tells a space from every other, now and earlier. */
export type SpaceIdentity = { readonly name: string; readonly createdAtMs: number };

type Stored = Omit<MeaningContent, "hashes" | "gains" | "vectors"> & {
  readonly space: string;
  readonly createdAtMs: number;
  /** base64 of little-endian u32, f32 and bytes */
  readonly hashes: string;
  readonly gains: string;
  readonly vectors: string;
};

export class MeaningFiles {
  readonly #disk: Disk;
  readonly #directory: string;

  constructor(disk: Disk, dataDirectory: string) {
    this.#disk = disk;
    this.#directory = `${dataDirectory}/${MEANING_DIRECTORY}`;
  }

  /** Replaces what a space has learned. @throws {DiskError} */
  save(space: SpaceIdentity, content: MeaningContent): void {
    this.#disk.makeDirectory(this.#directory);
    const stored: Stored = {
      space: space.name,
      createdAtMs: space.createdAtMs,
      version: content.version,
      dimensions: content.dimensions,
      contextGain: content.contextGain,
      learnedFrom: content.learnedFrom,
      learnedAtMs: content.learnedAtMs,
      hashes: base64(content.hashes),
      gains: base64(content.gains),
      vectors: base64(content.vectors),
    };
    replaceWholeFile(this.#file(space), stored);
  }

  /** What a space had learned; why there is nothing to use, where a file is no good. @throws {DiskError} */
  load(space: SpaceIdentity): MeaningContent | { readonly damage: string } | undefined {
    const read = readWholeFile(this.#file(space));
    if (read.state === "missing") return undefined;
    if (read.state === "damaged") return { damage: read.found };
    if (read.state === "newer") return { damage: `it has format ${read.format}` };
    return contentOf(read.value as Stored, space) ?? { damage: "its parts do not fit together" };
  }

  remove(space: SpaceIdentity): void {
    this.#disk.remove(`${this.#directory}/${fileName(space)}`);
  }

  /** Removes the files of spaces that are no more. */
  sweep(spaces: Iterable<SpaceIdentity>): void {
    if (!this.#disk.exists(this.#directory)) return;
    const kept = new Set([...spaces].map(fileName));
    for (const name of this.#disk.list(this.#directory)) {
      if (!kept.has(name)) this.#disk.remove(`${this.#directory}/${name}`);
    }
  }

  #file(space: SpaceIdentity): WholeFile {
    return {
      disk: this.#disk,
      directory: this.#directory,
      name: fileName(space),
      what: "meaning",
      format: MEANING_FORMAT,
    };
  }
}

function contentOf(stored: Stored, { name, createdAtMs }: SpaceIdentity): MeaningContent | undefined {
  if (stored.space !== name || stored.createdAtMs !== createdAtMs) return undefined;
  const hashes = new Uint32Array(bytesOf(stored.hashes).buffer);
  const gains = new Float32Array(bytesOf(stored.gains).buffer);
  const vectors = bytesOf(stored.vectors);
  const { version, dimensions, contextGain, learnedFrom, learnedAtMs } = stored;
  if (hashes.length !== 2 * gains.length) return undefined;
  if (dimensions % 8 !== 0 || vectors.length !== gains.length * meaningVectorBytes(dimensions)) {
    return undefined;
  }
  return { version, dimensions, contextGain, learnedFrom, learnedAtMs, hashes, gains, vectors };
}

function fileName({ name, createdAtMs }: SpaceIdentity): string {
  const bytes = new TextEncoder().encode(name);
  const hash: Hash64 = { low: 0, high: 0 };
  hashBytes(bytes, 0, bytes.length, hash);
  const hex = (half: number): string => (half >>> 0).toString(16).padStart(8, "0");
  return `${hex(hash.high)}${hex(hash.low)}-${createdAtMs}`;
}

function base64(view: Uint8Array | Uint32Array | Float32Array): string {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString("base64");
}

/** In a buffer of their own, so that wider views can be laid over it. */
function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(text, "base64"));
}
