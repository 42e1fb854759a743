/**
 * The door to the disk: everything that storage does with files goes through this interface.
 *
 * `NativeDisk` is the real one, over the shim. Tests hand in one that loses and tears what was not synced,
 * fills up, fails a sync, and flips bits (`test/storage/faulty-disk.ts`). Files are named by an open handle
 * (a number) or a path. Memory is named by a `Uint8Array`, or by address where it belongs to an arena.
 * Every method throws `DiskError` when the operation did not succeed as a whole.
 */

/** An operation of the disk failed; storage turns it into what the caller or the operator can act on. */
export class DiskError extends Error {
  override readonly name = "DiskError";
  /** as C names it: "ENOSPC" */
  readonly errno: string;
  readonly operation: string;
  readonly path: string;

  constructor(details: { errno: string; operation: string; path: string; cause?: unknown }) {
    super(
      `Cannot ${details.operation} ${details.path}: ${details.errno}`,
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.errno = details.errno;
    this.operation = details.operation;
    this.path = details.path;
  }
}

/** True when the disk, or the quota on it, has no room left: a state that passes once space is freed. */
export function isDiskFull(error: unknown): boolean {
  return error instanceof DiskError && (error.errno === "ENOSPC" || error.errno === "EDQUOT");
}

/** True when a file or directory is not there. */
export function isMissing(error: unknown): boolean {
  return error instanceof DiskError && error.errno === "ENOENT";
}

/** Memory outside of JavaScript's heap, such as a chunk of an arena. */
export type MemoryRange = { readonly address: number; readonly bytes: number };

/** Bytes to be written: a view, or memory by address. */
export type Piece = Uint8Array | MemoryRange;

/** A checksummed part of a file and the memory it is loaded into. */
export type LoadRange = {
  readonly file: number;
  readonly fileAt: number;
  readonly address: number;
  readonly bytes: number;
  /** CRC-32C of the bytes */
  readonly crc: number;
};

/** A part that could not be loaded: which one, and why, as "checksum", "short" or an errno's name. */
export type BadRange = { readonly index: number; readonly reason: string };

export interface Disk {
  /** Opens a file: "read" and "write" need it to exist, "create" makes an empty one or empties an old one. */
  open(path: string, mode: "read" | "write" | "create"): number;
  /** Opens a file for writing, and makes it, mode 0600, when it is missing; what it holds stays. */
  openOrCreate(path: string): number;
  close(file: number): void;
  /** Writes `count` bytes of `from`, starting at its byte `at`, to the file's byte `fileAt`: all of them, or it throws. */
  write(file: number, from: Uint8Array, at: number, count: number, fileAt: number): void;
  /** The same from memory named by its address. */
  writeMemory(file: number, from: MemoryRange, fileAt: number): void;
  /** Reads up to `count` bytes into `into` at its byte `at`; answers how many, fewer only at the end of the file. */
  read(file: number, into: Uint8Array, at: number, count: number, fileAt: number): number;
  /** The same into memory named by its address. */
  readMemory(file: number, into: MemoryRange, fileAt: number): number;
  /** Loads parts of files, several at a time, and checks each; answers those that are bad. */
  load(ranges: readonly LoadRange[]): BadRange[];
  size(file: number): number;
  /** Makes what was written durable, the file's size included (fdatasync). After a failure never again for these bytes. */
  sync(file: number): void;
  /** Writes zeros, and takes the room for them at once: bytes written there later need none, and sync faster. */
  zero(file: number, fileAt: number, count: number): void;
  /** Cuts the file, or lengthens it by a hole. */
  truncate(file: number, bytes: number): void;
  /** Renames, replacing what bears the new name. Durable after `syncDirectory`. */
  rename(from: string, to: string): void;
  /** Removes a file; one that is missing already is no error. */
  remove(path: string): void;
  /** Removes a directory with everything in it; one that is missing already is no error. */
  removeTree(path: string): void;
  /** Names in a directory, in no order. */
  list(directory: string): string[];
  exists(path: string): boolean;
  isDirectory(path: string): boolean;
  /** Permission bits of a file or directory. */
  permissions(path: string): number;
  /** Makes a directory of mode 0700; one that exists already is no error. */
  makeDirectory(path: string): void;
  /** Makes the names in a directory durable (fsync of the directory). */
  syncDirectory(path: string): void;
  /** Takes the exclusive lock of an open file without waiting; false when another process has it. */
  lock(file: number): boolean;
}
