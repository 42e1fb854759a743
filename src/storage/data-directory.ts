/**
 * The data directory: one process, one directory, and inside it one directory per log stream.
 *
 *   <data>/                     0700
 *     lock                      flock, held while the process lives; holds its pid
 *     engram-data               whole file: format, topology (below)
 *     streams/<generation>/<stream>/log/…           one log per home writer
 *     streams/<generation>/<stream>/checkpoint/…    and its checkpoints
 *
 * A stream belongs to a home writer, and there is one home writer per NUMA node, so their number may change
 * from one start to the next. The topology says how many streams there are, under a generation. To change it,
 * recover the streams of the old generation, make those of a new one in full beside it, and swap:
 *
 *   begin(streams) ─▶ directories streams/<g+1>/0 … made, empty ─▶ the caller makes logs and checkpoints there
 *     ─▶ commit() replaces engram-data: from here on the new ones count ─▶ streams/<g> is removed
 *
 * A crash before the swap leaves the old generation, after it the new one; what does not count is removed at
 * the next start. The first start is the same, from generation 0, which has no streams. `engram-data` is
 * written before anything else, so a directory that has streams and lacks it was damaged, and is refused.
 */
import { dirname } from "node:path";
import { assert } from "../base/assert.ts";
import { OperatorError } from "../base/errors.ts";
import { type Disk, DiskError, isDiskFull } from "./disk.ts";
import { readWholeFile, replaceWholeFile, type WholeFile } from "./whole-file.ts";

export const DATA_FORMAT = 1;

export type Topology = {
  /** 0: there are no streams yet */
  readonly generation: number;
  readonly streams: number;
};

/** Directories of one stream. */
export type StreamPlace = {
  readonly topology: number;
  readonly stream: number;
  readonly log: string;
  readonly checkpoint: string;
};

type Contents = { format: number; createdBy: string; createdAtMs: number; topology: Topology };

const LOCK = "lock";
const DATA = "engram-data";
const STREAMS = "streams";

export class DataDirectory {
  readonly path: string;
  /** true when other users of the machine may look into it */
  readonly openToOthers: boolean;
  readonly #disk: Disk;
  readonly #lockFile: number;
  #contents: Contents;

  /**
   * Opens a data directory, and makes it when it is missing. Its lock is held until `close` or the process ends.
   *
   * @param options.version of this program, written into a directory that it makes
   * @throws {OperatorError} `data-directory-locked`, `data-directory-unusable`, `data-format-unknown`,
   *   `data-directory-damaged`
   */
  constructor(options: { disk: Disk; path: string; pid: number; version: string; nowMs: number }) {
    const { disk, path } = options;
    this.#disk = disk;
    this.path = path;
    let lockFile = -1;
    try {
      if (!disk.exists(path)) makeWithParents(disk, path);
      if (!disk.isDirectory(path)) {
        throw unusable(path, "it is not a directory", `Set "data.dir" (or --data) to a directory`);
      }
      lockFile = this.#lockFile = takeLock(disk, path, options.pid);
      this.openToOthers = (disk.permissions(path) & 0o077) !== 0;
      // What an earlier process renamed and was killed before it synced becomes durable before it is built on.
      disk.syncDirectory(path);
      this.#contents = this.#readContents() ?? this.#start(options);
      this.#removeOtherGenerations();
    } catch (error) {
      if (lockFile !== -1) disk.close(lockFile);
      throw error instanceof DiskError ? refused(path, error) : error;
    }
  }

  /** The streams that count. */
  get topology(): Topology {
    return this.#contents.topology;
  }

  /** Directories of a stream of the topology that counts. */
  stream(stream: number): StreamPlace {
    assert(stream >= 0 && stream < this.topology.streams, "streams are numbered from 0");
    return this.#place(this.topology.generation, stream);
  }

  /** Makes directories for streams of a new generation beside those that count. */
  beginTopology(streams: number): NextTopology {
    assert(Number.isInteger(streams) && streams > 0, "there is at least one stream");
    this.#removeOtherGenerations();
    const generation = this.topology.generation + 1;
    const disk = this.#disk;
    try {
      const root = `${this.path}/${STREAMS}`;
      disk.makeDirectory(root);
      disk.makeDirectory(`${root}/${generation}`);
      const places = Array.from({ length: streams }, (_, stream) => this.#place(generation, stream));
      for (const [stream, place] of places.entries()) {
        const directory = `${root}/${generation}/${stream}`;
        disk.makeDirectory(directory);
        disk.makeDirectory(place.log);
        disk.makeDirectory(place.checkpoint);
        disk.syncDirectory(directory);
      }
      disk.syncDirectory(`${root}/${generation}`);
      disk.syncDirectory(root);
      disk.syncDirectory(this.path);
      return { places, commit: () => this.#commitTopology({ generation, streams }) };
    } catch (error) {
      throw error instanceof DiskError ? refused(this.path, error) : error;
    }
  }

  /** Lets go of the lock. */
  close(): void {
    this.#disk.close(this.#lockFile);
  }

  #commitTopology(topology: Topology): void {
    const contents = { ...this.#contents, topology };
    try {
      replaceWholeFile(this.#file(), contents);
      this.#contents = contents;
      this.#removeOtherGenerations();
    } catch (error) {
      throw error instanceof DiskError ? refused(this.path, error) : error;
    }
  }

  #place(generation: number, stream: number): StreamPlace {
    const directory = `${this.path}/${STREAMS}/${generation}/${stream}`;
    return { topology: generation, stream, log: `${directory}/log`, checkpoint: `${directory}/checkpoint` };
  }

  #file(): WholeFile {
    return { disk: this.#disk, directory: this.path, name: DATA, what: "data", format: DATA_FORMAT };
  }

  #readContents(): Contents | undefined {
    const read = readWholeFile(this.#file());
    const path = `${this.path}/${DATA}`;
    if (read.state === "read") return read.value as Contents;
    if (read.state === "newer") {
      throw new OperatorError({
        code: "data-format-unknown",
        message: `Cannot use the data directory ${this.path}: its format is ${read.format}, this program knows up to ${DATA_FORMAT}`,
        remedy: "Start the newer engram-appliance that wrote it, or choose another data directory",
      });
    }
    const found = read.state === "damaged" ? read.found : "it is missing, though there are streams";
    if (read.state === "missing" && !this.#disk.exists(`${this.path}/${STREAMS}`)) return undefined;
    throw new OperatorError({
      code: "data-directory-damaged",
      message: `Cannot use the data directory: ${path}: ${found}`,
      remedy:
        "Restore this file from a backup; it is small, and changes only when the number of NUMA nodes does",
    });
  }

  #start(options: { version: string; nowMs: number }): Contents {
    const contents: Contents = {
      format: DATA_FORMAT,
      createdBy: options.version,
      createdAtMs: options.nowMs,
      topology: { generation: 0, streams: 0 },
    };
    replaceWholeFile(this.#file(), contents);
    return contents;
  }

  /** Removes streams of generations that do not count. */
  #removeOtherGenerations(): void {
    const root = `${this.path}/${STREAMS}`;
    if (!this.#disk.exists(root)) return;
    const { generation } = this.#contents.topology;
    for (const name of this.#disk.list(root)) {
      if (name !== String(generation)) this.#disk.removeTree(`${root}/${name}`);
    }
  }
}

/** Streams being made. */
export type NextTopology = {
  readonly places: readonly StreamPlace[];
  /**
   * Makes them the ones that count, and removes the old ones. Their logs and checkpoints are durable by then.
   *
   * @throws {OperatorError} `data-directory-unusable`
   */
  readonly commit: () => void;
};

function makeWithParents(disk: Disk, path: string): void {
  const parent = dirname(path);
  if (parent !== path && !disk.exists(parent)) makeWithParents(disk, parent);
  disk.makeDirectory(path);
  disk.syncDirectory(parent);
}

function takeLock(disk: Disk, path: string, pid: number): number {
  const file = disk.openOrCreate(`${path}/${LOCK}`);
  if (!disk.lock(file)) {
    const bytes = new Uint8Array(32);
    const count = disk.read(file, bytes, 0, bytes.length, 0);
    disk.close(file);
    const holder = new TextDecoder().decode(bytes.subarray(0, count)).trim();
    throw new OperatorError({
      code: "data-directory-locked",
      message: `Cannot use the data directory ${path}: process ${holder || "(unknown)"} uses it`,
      remedy: holder
        ? `Stop that process (kill ${holder}, or systemctl stop engram-appliance), or choose another data directory`
        : "Stop the other engram-appliance, or choose another data directory",
    });
  }
  const text = new TextEncoder().encode(`${pid}\n`);
  disk.truncate(file, 0);
  disk.write(file, text, 0, text.length, 0);
  return file;
}

function unusable(path: string, found: string, remedy: string, cause?: unknown): OperatorError {
  return new OperatorError({
    code: "data-directory-unusable",
    message: `Cannot use the data directory ${path}: ${found}`,
    remedy,
    cause,
  });
}

function refused(path: string, error: DiskError): OperatorError {
  if (isDiskFull(error)) return unusable(path, error.message, "Free disk space, then start again", error);
  const access = error.errno === "EACCES" || error.errno === "EPERM";
  const remedy = access
    ? "Give the user that runs the appliance access to it (chown, chmod 700), or choose another with --data"
    : error.errno === "EROFS"
      ? "Mount the file system for writing, or choose another directory with --data"
      : error.errno === "ENOTDIR" || error.errno === "EEXIST"
        ? 'Set "data.dir" (or --data) to a directory'
        : "Check the path and the disk, or choose another directory with --data";
  return unusable(path, error.message, remedy, error);
}
