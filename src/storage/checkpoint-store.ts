/**
 * The checkpoints of one stream: what the log said up to some record, in files that load fast.
 *
 * A manifest names everything; nothing counts that it does not name. What it names is never overwritten:
 * files grow behind the bytes it knows of, blobs and rewritten files get the name of a new generation.
 *
 *   begin ─▶ append / rewrite / blob / drop … ─▶ sync files ─▶ sync directory ─▶ new manifest ─▶ remove the old
 *                                                                               └ from here on the new one counts
 *
 * So a crash, a full disk or a failing sync at any point leaves the checkpoint before, whole. What an
 * interrupted one wrote lies beyond the lengths that the manifest knows, or under names it does not mention;
 * the next one cuts or overwrites the former and removes the latter.
 *
 * A store belongs to one thread at a time. The log goes on meanwhile, in its own thread.
 */
import { assert } from "../base/assert.ts";
import { OperatorError } from "../base/errors.ts";
import {
  CHECKPOINT_FORMAT,
  CHECKPOINT_MANIFEST,
  type CheckpointManifest,
  type CheckpointPart,
} from "../layout/checkpoint-manifest.ts";
import { checkpointDamaged, checkpointUnreadable } from "./checkpoint-errors.ts";
import { type LoadRequest, loadParts, type PartDamage } from "./checkpoint-loader.ts";
import { CheckpointWriter } from "./checkpoint-writer.ts";
import { type Disk, DiskError } from "./disk.ts";
import { readWholeFile, replaceWholeFile, type WholeFile } from "./whole-file.ts";

export type CheckpointPlace = {
  readonly disk: Disk;
  readonly directory: string;
  /** generation of the stream topology */
  readonly topology: number;
  readonly stream: number;
};

/** A space as the checkpoint holds it. */
export type SpaceListing = {
  readonly spaceId: number;
  readonly meta: unknown;
  /** bytes by the part's name */
  readonly parts: ReadonlyMap<string, { readonly kind: "file" | "blob"; readonly bytes: number }>;
};

export class CheckpointStore {
  readonly #place: CheckpointPlace;
  #manifest: CheckpointManifest;
  #writing = false;
  #failure: OperatorError | undefined;

  /**
   * Opens the checkpoints in an existing directory; one without a manifest holds none yet.
   *
   * @throws {OperatorError} `checkpoint-damaged`, `data-format-unknown`
   */
  constructor(place: CheckpointPlace) {
    this.#place = place;
    try {
      // A process that was killed between giving the manifest its name and syncing the directory leaves one
      // that is seen and may yet be gone after a power cut; the log must not be cut on its word.
      place.disk.syncDirectory(place.directory);
      this.#manifest = readManifest(place);
    } catch (error) {
      throw error instanceof DiskError ? checkpointUnreadable(place.directory, error) : error;
    }
  }

  /** The record up to which the checkpoint speaks; 0 when there is none. */
  get sequence(): number {
    return this.#manifest.sequence;
  }

  /** Grows by one with each checkpoint; 0 when there is none. */
  get generation(): number {
    return this.#manifest.generation;
  }

  /** Bytes of everything the manifest names. */
  get bytes(): number {
    let bytes = 0;
    for (const space of Object.values(this.#manifest.spaces)) {
      for (const part of Object.values(space.parts)) bytes += part.bytes;
    }
    return bytes;
  }

  /** The spaces held, by ascending id. */
  spaces(): SpaceListing[] {
    return Object.entries(this.#manifest.spaces)
      .map(([id, space]) => ({
        spaceId: Number(id),
        meta: space.meta,
        parts: new Map(Object.entries(space.parts).map(([name, { kind, bytes }]) => [name, { kind, bytes }])),
      }))
      .sort((a, b) => a.spaceId - b.spaceId);
  }

  /**
   * Loads parts into memory, several chunks at a time, each checked. All of them are tried.
   *
   * @returns the parts marked `derived` that are damaged or missing, for the caller to make anew
   * @throws {OperatorError} `checkpoint-damaged` when any other is
   */
  load(requests: readonly LoadRequest[]): PartDamage[] {
    const damages = loadParts(
      this.#place,
      requests.map((request) => ({ request, part: this.#part(request.spaceId, request.name) })),
    );
    const fatal = damages.find((damage) => !damage.request.derived);
    if (fatal) throw checkpointDamaged(fatal.path, fatal.found);
    return damages;
  }

  /** Reads a small part as a whole. @throws {OperatorError} `checkpoint-damaged` */
  read(spaceId: number, name: string): Uint8Array {
    const bytes = new Uint8Array(this.#part(spaceId, name).bytes);
    if (bytes.length > 0) this.load([{ spaceId, name, into: [bytes] }]);
    return bytes;
  }

  /** Path of a part's file, for data that checks itself. */
  partPath(spaceId: number, name: string): string {
    return `${this.#place.directory}/${this.#part(spaceId, name).file}`;
  }

  /** Starts a checkpoint. One at a time: commit or abort it before the next. */
  begin(): CheckpointWriter {
    assert(!this.#writing, "one checkpoint is written at a time");
    if (this.#failure) throw this.#failure;
    this.#writing = true;
    return new CheckpointWriter(this.#place, this.#manifest, {
      swap: (next) => this.#swap(next),
      ended: () => {
        this.#writing = false;
      },
    });
  }

  #part(spaceId: number, name: string): CheckpointPart {
    const part = this.#manifest.spaces[spaceId]?.parts[name];
    assert(part, "only parts that the checkpoint lists are loaded");
    return part;
  }

  #swap(next: CheckpointManifest): void {
    let unsure = false;
    try {
      replaceWholeFile(manifestFile(this.#place), next, () => {
        unsure = true;
      });
    } catch (error) {
      if (unsure) {
        this.#failure = new OperatorError({
          code: "checkpoint-failed",
          message: `Cannot make the new checkpoint's manifest durable in ${this.#place.directory}: it is not known which one a restart would find`,
          remedy: "Check the disk and its file system (dmesg, smartctl), then restart the appliance",
          cause: error,
        });
        throw this.#failure;
      }
      throw error;
    }
    this.#manifest = next;
    removeUnnamed(this.#place, next);
  }
}

function manifestFile(place: CheckpointPlace): WholeFile {
  const { disk, directory } = place;
  return { disk, directory, name: CHECKPOINT_MANIFEST, what: "checkpoint", format: CHECKPOINT_FORMAT };
}

function readManifest(place: CheckpointPlace): CheckpointManifest {
  const path = `${place.directory}/${CHECKPOINT_MANIFEST}`;
  const read = readWholeFile(manifestFile(place));
  if (read.state === "missing") {
    return { topology: place.topology, stream: place.stream, generation: 0, sequence: 0, spaces: {} };
  }
  if (read.state === "damaged") throw checkpointDamaged(path, read.found);
  if (read.state === "newer") {
    throw new OperatorError({
      code: "data-format-unknown",
      message: `Cannot read ${path}: its format is ${read.format}, this program reads up to ${CHECKPOINT_FORMAT}`,
      remedy: "Start the newer engram-appliance that wrote it",
    });
  }
  const manifest = read.value as CheckpointManifest;
  if (manifest.topology !== place.topology || manifest.stream !== place.stream) {
    throw checkpointDamaged(
      path,
      `it is that of stream ${manifest.stream} in topology ${manifest.topology}, a file of another place`,
    );
  }
  return manifest;
}

/** Removes what the manifest does not name. What can not be removed now is tried again after the next checkpoint. */
function removeUnnamed(place: CheckpointPlace, manifest: CheckpointManifest): void {
  const { disk, directory } = place;
  const named = new Set([CHECKPOINT_MANIFEST]);
  for (const space of Object.values(manifest.spaces)) {
    for (const part of Object.values(space.parts)) named.add(part.file);
  }
  try {
    for (const name of disk.list(directory)) if (!named.has(name)) disk.remove(`${directory}/${name}`);
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
  }
}
