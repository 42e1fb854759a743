/** The real disk: files through the shim, directories through `node:fs`. */
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { FileError } from "../ffi/file-error.ts";
import {
  closeFile,
  fdatasync,
  fileBytes,
  fsyncDirectory,
  loadRanges,
  lockExclusive,
  OPEN,
  openFile,
  preadAll,
  preallocate,
  pwriteAll,
  renameFile,
  truncateFile,
} from "../ffi/files.ts";
import { type BadRange, type Disk, DiskError, type LoadRange, type MemoryRange } from "./disk.ts";

export class NativeDisk implements Disk {
  /** paths of open files, for messages */
  readonly #paths = new Map<number, string>();
  readonly #loadThreads: number;

  /** @param loadThreads threads that load a checkpoint */
  constructor(loadThreads: number) {
    this.#loadThreads = loadThreads;
  }

  open(path: string, mode: "read" | "write" | "create"): number {
    return this.#open(path, OPEN_FLAGS[mode]);
  }

  openOrCreate(path: string): number {
    return this.#open(path, OPEN.readWrite | OPEN.create);
  }

  close(file: number): void {
    const path = this.#path(file);
    this.#paths.delete(file);
    attempt("close", path, () => closeFile(file));
  }

  write(file: number, from: Uint8Array, at: number, count: number, fileAt: number): void {
    try {
      pwriteAll(file, from, at, count, fileAt);
    } catch (error) {
      throw translate("write", this.#path(file), error);
    }
  }

  writeMemory(file: number, from: MemoryRange, fileAt: number): void {
    attempt("write", this.#path(file), () => pwriteAll(file, from.address, 0, from.bytes, fileAt));
  }

  read(file: number, into: Uint8Array, at: number, count: number, fileAt: number): number {
    return attempt("read", this.#path(file), () => preadAll(file, into, at, count, fileAt));
  }

  readMemory(file: number, into: MemoryRange, fileAt: number): number {
    return attempt("read", this.#path(file), () => preadAll(file, into.address, 0, into.bytes, fileAt));
  }

  load(ranges: readonly LoadRange[]): BadRange[] {
    const asked = ranges.map((range) => ({
      fd: range.file,
      fileOffset: range.fileAt,
      address: range.address,
      bytes: range.bytes,
      crc32c: range.crc,
    }));
    return loadRanges(asked, this.#loadThreads).map(({ rangeIndex, reason }) => ({
      index: rangeIndex,
      reason,
    }));
  }

  size(file: number): number {
    return attempt("ask the size of", this.#path(file), () => fileBytes(file));
  }

  sync(file: number): void {
    try {
      fdatasync(file);
    } catch (error) {
      throw translate("sync", this.#path(file), error);
    }
  }

  zero(file: number, fileAt: number, count: number): void {
    attempt("take room for", this.#path(file), () => preallocate(file, fileAt, count));
  }

  truncate(file: number, bytes: number): void {
    attempt("cut", this.#path(file), () => truncateFile(file, bytes));
  }

  rename(from: string, to: string): void {
    attempt("rename", from, () => renameFile(from, to));
  }

  remove(path: string): void {
    attempt("remove", path, () => rmSync(path, { force: true }));
  }

  removeTree(path: string): void {
    attempt("remove", path, () => rmSync(path, { force: true, recursive: true }));
  }

  list(directory: string): string[] {
    return attempt("list", directory, () => readdirSync(directory));
  }

  exists(path: string): boolean {
    return existsSync(path);
  }

  isDirectory(path: string): boolean {
    return attempt("look at", path, () => statSync(path).isDirectory());
  }

  permissions(path: string): number {
    return attempt("look at", path, () => statSync(path).mode & 0o777);
  }

  makeDirectory(path: string): void {
    attempt("make", path, () => {
      if (existsSync(path)) return;
      mkdirSync(path, { mode: 0o700 });
      // The process's umask may have taken more away than others' access.
      chmodSync(path, 0o700);
    });
  }

  syncDirectory(path: string): void {
    attempt("sync", path, () => fsyncDirectory(path));
  }

  lock(file: number): boolean {
    return attempt("lock", this.#path(file), () => lockExclusive(file));
  }

  #open(path: string, flags: number): number {
    const file = attempt("open", path, () => openFile(path, flags, 0o600));
    this.#paths.set(file, path);
    return file;
  }

  #path(file: number): string {
    return this.#paths.get(file) ?? `descriptor ${file}`;
  }
}

const OPEN_FLAGS = {
  read: OPEN.read,
  write: OPEN.readWrite,
  create: OPEN.readWrite | OPEN.create | OPEN.truncate,
} as const;

function attempt<Result>(operation: string, path: string, run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    throw translate(operation, path, error);
  }
}

/** The shim's and `node:fs`'s errors as the disk's; a bug stays a bug. */
function translate(operation: string, path: string, cause: unknown): unknown {
  if (cause instanceof FileError) return new DiskError({ errno: cause.errno, operation, path, cause });
  const code = (cause as { code?: unknown } | null)?.code;
  if (typeof code === "string" && /^E[A-Z0-9]+$/.test(code)) {
    return new DiskError({ errno: code, operation, path, cause });
  }
  return cause;
}
