/**
 * Files through the shim: what storage needs that `node:fs` does not give.
 *
 * Writes take memory by address as well as by view, so arenas go to the disk from where they lie; nothing is
 * ever half done without an error; `fdatasync`, preallocation and locks are here. All calls block the thread.
 * Descriptors are the system's own and are not closed by anyone else.
 */
import { FFIType, ptr } from "bun:ffi";
import { constants } from "node:fs";
import { assert } from "../base/assert.ts";
import { FileError } from "./file-error.ts";
import { errnoName, isErrno, openShim } from "./library.ts";

/** Where bytes lie: an address from the shim, or a view whose first byte is byte 0. */
export type Bytes = number | NodeJS.TypedArray | DataView;

export const OPEN = {
  read: constants.O_RDONLY,
  readWrite: constants.O_RDWR,
  create: constants.O_CREAT,
  /** with `create`: fails with EEXIST where the file is there already */
  exclusive: constants.O_EXCL,
  truncate: constants.O_TRUNC,
} as const;

const shim = openShim({
  shim_file_open: { args: ["ptr", "i32", "u32"], returns: "i32" },
  shim_file_close: { args: ["i32"], returns: "i32" },
  shim_file_pwrite_all: { args: ["i32", "ptr", "u64", "u64"], returns: "i32" },
  shim_file_pread_all: { args: ["i32", "ptr", "u64", "u64"], returns: FFIType.i64_fast },
  shim_file_datasync: { args: ["i32"], returns: "i32" },
  shim_file_sync: { args: ["i32"], returns: "i32" },
  shim_file_sync_directory: { args: ["ptr"], returns: "i32" },
  shim_file_reserve: { args: ["i32", "u64", "u64"], returns: "i32" },
  shim_file_zero: { args: ["i32", "u64", "u64"], returns: "i32" },
  shim_file_truncate: { args: ["i32", "u64"], returns: "i32" },
  shim_file_size: { args: ["i32"], returns: FFIType.i64_fast },
  shim_file_rename: { args: ["ptr", "ptr"], returns: "i32" },
  shim_file_lock: { args: ["i32"], returns: "i32" },
  shim_file_start_writeback: { args: ["i32", "u64", "u64"], returns: "i32" },
  shim_file_drop_cache: { args: ["i32", "u64", "u64"], returns: "i32" },
  shim_load_ranges: { args: ["ptr", "u64", "u32"], returns: FFIType.i64_fast },
});

/**
 * Opens a file and returns its descriptor; close-on-exec is always set.
 *
 * @param flags of OPEN, or-ed
 * @param mode permissions of a file that this makes
 * @throws {FileError}
 */
export function openFile(path: string, flags: number, mode = 0o600): number {
  const fd = shim.shim_file_open(cString(path), flags, mode);
  if (fd < 0) throw new FileError(`open ${path}`, fd);
  return fd;
}

/** @throws {FileError} when earlier writes were lost; the descriptor is gone all the same */
export function closeFile(fd: number): void {
  check(shim.shim_file_close(fd), () => `close descriptor ${fd}`);
}

/**
 * Writes all of `[byteOffset, byteOffset + byteLength)` of `source` at `fileOffset`.
 *
 * @throws {FileError} after which an unknown part of it is written
 */
export function pwriteAll(
  fd: number,
  source: Bytes,
  byteOffset: number,
  byteLength: number,
  fileOffset: number,
): void {
  const answer = shim.shim_file_pwrite_all(fd, place(source, byteOffset, byteLength), byteLength, fileOffset);
  if (answer < 0)
    throw new FileError(`write ${byteLength} bytes at ${fileOffset} of descriptor ${fd}`, answer);
}

/**
 * Reads to `[byteOffset, byteOffset + byteLength)` of `target` from `fileOffset`.
 *
 * @returns bytes read: fewer than asked only where the file ends
 * @throws {FileError}
 */
export function preadAll(
  fd: number,
  target: Bytes,
  byteOffset: number,
  byteLength: number,
  fileOffset: number,
): number {
  const answer = shim.shim_file_pread_all(fd, place(target, byteOffset, byteLength), byteLength, fileOffset);
  if (answer < 0)
    throw new FileError(`read ${byteLength} bytes at ${fileOffset} of descriptor ${fd}`, Number(answer));
  return Number(answer);
}

/**
 * Makes what was written durable.
 *
 * @throws {FileError} after which the file must not be trusted: the kernel forgets the pages it could not
 * write, and a second call would answer "done" for them
 */
export function fdatasync(fd: number): void {
  check(shim.shim_file_datasync(fd), () => `sync descriptor ${fd}`);
}

/** As `fdatasync`, and the file's metadata. @throws {FileError} */
export function fsync(fd: number): void {
  check(shim.shim_file_sync(fd), () => `sync descriptor ${fd}`);
}

/** Makes the entries of a directory durable: files made, renamed and removed in it. @throws {FileError} */
export function fsyncDirectory(path: string): void {
  check(shim.shim_file_sync_directory(cString(path)), () => `sync directory ${path}`);
}

/**
 * Gives a range blocks and writes zeros over it: later writes there find room, and sync in half the time of
 * writes to blocks that were only reserved (their first write changes metadata). About 1 GB/s.
 *
 * @throws {FileError} ENOSPC where there is no room; the file may have grown
 */
export function preallocate(fd: number, offset: number, bytes: number): void {
  reserveBlocks(fd, offset, bytes);
  check(
    shim.shim_file_zero(fd, offset, bytes),
    () => `write ${bytes} zeros at ${offset} of descriptor ${fd}`,
  );
}

/** Gives a fresh range blocks without writing to it. @throws {FileError} ENOSPC where there is no room */
export function reserveBlocks(fd: number, offset: number, bytes: number): void {
  check(
    shim.shim_file_reserve(fd, offset, bytes),
    () => `reserve ${bytes} bytes at ${offset} of descriptor ${fd}`,
  );
}

/** @throws {FileError} */
export function truncateFile(fd: number, bytes: number): void {
  check(shim.shim_file_truncate(fd, bytes), () => `set descriptor ${fd} to ${bytes} bytes`);
}

/** Size in bytes. @throws {FileError} */
export function fileBytes(fd: number): number {
  const answer = Number(shim.shim_file_size(fd));
  if (answer < 0) throw new FileError(`ask the size of descriptor ${fd}`, answer);
  return answer;
}

/** Replaces `to` by `from` in one step; durable after `fsyncDirectory`. @throws {FileError} */
export function renameFile(from: string, to: string): void {
  check(shim.shim_file_rename(cString(from), cString(to)), () => `rename ${from} to ${to}`);
}

/**
 * Takes the exclusive lock of an open file without waiting. It ends with the descriptor or the process.
 *
 * @returns false when another process has it
 * @throws {FileError}
 */
export function lockExclusive(fd: number): boolean {
  const answer = shim.shim_file_lock(fd);
  if (isErrno(answer, "EWOULDBLOCK")) return false;
  check(answer, () => `lock descriptor ${fd}`);
  return true;
}

/** Begins writing a range to the disk without waiting, so that the sync that follows is short. @throws {FileError} */
export function startWriteback(fd: number, offset: number, bytes: number): void {
  check(shim.shim_file_start_writeback(fd, offset, bytes), () => `start writing back descriptor ${fd}`);
}

/** Lets go of the range's pages in the page cache, where they are clean. @throws {FileError} */
export function dropCache(fd: number, offset: number, bytes: number): void {
  check(shim.shim_file_drop_cache(fd, offset, bytes), () => `drop cached pages of descriptor ${fd}`);
}

export type LoadRange = {
  readonly fd: number;
  readonly fileOffset: number;
  readonly address: number;
  readonly bytes: number;
  /** CRC32C of the bytes, from seed 0 */
  readonly crc32c: number;
};

export type DamagedRange = {
  readonly rangeIndex: number;
  /** "checksum", "short" (the file ends early), or the errno that reading gave */
  readonly reason: "checksum" | "short" | (string & {});
  /** for "checksum": what the bytes sum to */
  readonly crc32cFound: number;
};

/** struct load_range of native/load.c */
const LOAD_RANGE_BYTES = 40;
const THREADS_MAX = 64;

/**
 * Reads and checks ranges on several threads, while this one waits: 300 MB from the page cache in 0.1 to
 * 0.15 s on two cores (bench/ffi/load.bench.ts).
 *
 * @returns the ranges that failed, by index; empty when all are good
 */
export function loadRanges(ranges: readonly LoadRange[], threadCount: number): DamagedRange[] {
  const table = new DataView(new ArrayBuffer(Math.max(1, ranges.length) * LOAD_RANGE_BYTES));
  for (const [index, range] of ranges.entries()) {
    assert(range.address > 0, "a range is loaded to a mapped address");
    const at = index * LOAD_RANGE_BYTES;
    table.setInt32(at, range.fd, true);
    table.setUint32(at + 4, range.crc32c, true);
    table.setBigUint64(at + 8, BigInt(range.fileOffset), true);
    table.setBigUint64(at + 16, BigInt(range.address), true);
    table.setBigUint64(at + 24, BigInt(range.bytes), true);
  }
  const threads = Math.min(Math.max(1, Math.floor(threadCount)), THREADS_MAX);
  const failed = Number(shim.shim_load_ranges(ptr(table), ranges.length, threads));
  assert(failed >= 0, "the loader takes 1 to 64 threads");
  if (failed === 0) return [];
  const damaged: DamagedRange[] = [];
  for (let rangeIndex = 0; rangeIndex < ranges.length; rangeIndex++) {
    const answer = table.getInt32(rangeIndex * LOAD_RANGE_BYTES + 32, true);
    if (answer === 0) continue;
    const crc32cFound = table.getUint32(rangeIndex * LOAD_RANGE_BYTES + 36, true);
    const reason = isErrno(answer, "EBADMSG")
      ? "checksum"
      : isErrno(answer, "ENODATA")
        ? "short"
        : errnoName(-answer);
    damaged.push({ rangeIndex, reason, crc32cFound });
  }
  return damaged;
}

function check(answer: number, action: () => string): void {
  if (answer < 0) throw new FileError(action(), answer);
}

/** The address of byte `byteOffset`. An address is taken as it is; a view's bounds are asserted. */
function place(bytes: Bytes, byteOffset: number, byteLength: number) {
  if (typeof bytes === "number") {
    assert(bytes > 0, "memory is given by an address that is mapped");
    return (bytes + byteOffset) as ReturnType<typeof ptr>;
  }
  assert(byteOffset >= 0 && byteOffset + byteLength <= bytes.byteLength, "the range lies within the view");
  if (bytes.byteLength === 0) return null;
  return ptr(bytes, byteOffset);
}

function cString(text: string): Buffer {
  assert(!text.includes("\0"), "a path holds no NUL");
  return Buffer.from(`${text}\0`, "utf8");
}
