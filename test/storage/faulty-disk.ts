/**
 * A disk in memory that fails as real ones do, for tests that need every failure at every point.
 *
 * What it models:
 *   - the page cache: a write is seen at once, and durable after a sync of its file. At a crash, any subset of
 *     the sectors written since is on the disk, and the rest is what it was; a size not synced may be either
 *   - names: making, renaming and removing is durable after a sync of the directory. At a crash, the first few
 *     of the changes to a directory since its sync are there, in order (a journal does not reorder them)
 *   - a failing sync: the n-th answers EIO; the bytes it was about stay readable and count as clean, so that a
 *     second sync answers "ok" for bytes that are not on the disk, as Linux does
 *   - a full disk: a budget of bytes over all files; the write that passes it is done in part, then ENOSPC
 *   - a crash at the n-th operation: that one and every later one throws `Crash`; a write is done in part
 *   - a flipped bit, on the disk and in the cache
 *
 * Sectors of 512 bytes are written whole or not at all, and writing one never harms another: what disks promise.
 */
import { toArrayBuffer } from "bun:ffi";
import { assert } from "../../src/base/assert.ts";
import { crc32c } from "../../src/storage/checksum.ts";
import {
  type BadRange,
  type Disk,
  DiskError,
  type LoadRange,
  type MemoryRange,
} from "../../src/storage/disk.ts";

export const SECTOR_BYTES = 512;

/** The machine stopped here. */
export class Crash extends Error {
  override readonly name = "Crash";
}

/** A number from 0 to below 1. */
export type Chance = () => number;

class Inode {
  /** what a read sees */
  seen: Uint8Array;
  seenBytes: number;
  /** what the disk has */
  kept: Uint8Array;
  keptBytes: number;
  readonly dirty = new Set<number>();

  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.seen = bytes.slice();
    this.kept = bytes.slice();
    this.seenBytes = this.keptBytes = bytes.length;
  }

  grow(bytes: number): void {
    if (bytes <= this.seen.length) return;
    const capacity = Math.max(bytes, this.seen.length * 2);
    this.seen = extend(this.seen, capacity);
    this.kept = extend(this.kept, capacity);
  }
}

type Change = { readonly names: Map<string, Inode> };

export class FaultyDisk implements Disk {
  /** directories as they are seen: path -> names of files */
  readonly #directories = new Map<string, Map<string, Inode>>();
  /** directories as the disk has them, then after each change since the last sync */
  readonly #history = new Map<string, Change[]>();
  readonly #files = new Map<number, { inode: Inode; path: string }>();
  #nextFile = 3;
  readonly #locked = new Set<string>();

  /** bytes that all files together may take */
  budgetBytes = Number.POSITIVE_INFINITY;
  /** operations until a crash */
  operationsLeft = Number.POSITIVE_INFINITY;
  /** counts syncs down; the one that finds 0 fails */
  syncsUntilFailure = Number.POSITIVE_INFINITY;
  operationCount = 0;
  syncCount = 0;
  readonly #chance: Chance;

  constructor(chance: Chance) {
    this.#chance = chance;
    this.#directories.set("", new Map());
    this.#history.set("", [{ names: new Map() }]);
  }

  // ---- what a test does to it

  /** The disk as it is found after the power came back. */
  afterPowerLoss(chance: Chance = this.#chance): FaultyDisk {
    const found = new FaultyDisk(chance);
    const copies = new Map<Inode, Inode>();
    for (const [path, changes] of this.#history) {
      const kept = changes[Math.floor(chance() * changes.length)]!;
      const names = new Map<string, Inode>();
      for (const [name, inode] of kept.names) {
        let copy = copies.get(inode);
        if (!copy) {
          copy = new Inode(tear(inode, chance));
          copies.set(inode, copy);
        }
        names.set(name, copy);
      }
      found.#directories.set(path, names);
      found.#history.set(path, [{ names: new Map(names) }]);
    }
    return found;
  }

  /** The disk as the next process finds it when only this one was killed: the page cache lives on. */
  afterKill(): FaultyDisk {
    const found = new FaultyDisk(this.#chance);
    for (const [path, names] of this.#directories) {
      found.#directories.set(path, names);
      found.#history.set(path, this.#history.get(path)!);
    }
    return found;
  }

  /** A copy whose changes do not show here; everything counts as durable. */
  copy(): FaultyDisk {
    const copy = new FaultyDisk(this.#chance);
    for (const [path, names] of this.#directories) {
      const copied = new Map(
        [...names].map(
          ([name, inode]) => [name, new Inode(inode.seen.subarray(0, inode.seenBytes))] as const,
        ),
      );
      copy.#directories.set(path, copied);
      copy.#history.set(path, [{ names: new Map(copied) }]);
    }
    return copy;
  }

  paths(): string[] {
    return [...this.#directories].flatMap(([directory, names]) =>
      [...names.keys()].map((name) => (directory === "" ? name : `${directory}/${name}`)),
    );
  }

  contents(path: string): Uint8Array {
    const inode = this.#inode(path, "read");
    return inode.seen.slice(0, inode.seenBytes);
  }

  flipBit(path: string, bit: number): void {
    const inode = this.#inode(path, "flip");
    inode.seen[bit >>> 3]! ^= 1 << (bit & 7);
    inode.kept[bit >>> 3]! ^= 1 << (bit & 7);
  }

  /** Replaces the contents of a file, durably. */
  put(path: string, bytes: Uint8Array): void {
    const { directory, name } = split(path);
    const inode = new Inode(bytes);
    this.#directories.get(directory)!.set(name, inode);
    this.#history.set(directory, [{ names: new Map(this.#directories.get(directory)!) }]);
  }

  // ---- Disk

  open(path: string, mode: "read" | "write" | "create"): number {
    this.#step("open", path);
    const { directory, name } = split(path);
    const names = this.#directory(directory, "open", path);
    let inode = names.get(name);
    if (mode === "create") {
      if (inode) this.#cut(inode, 0);
      else {
        inode = new Inode();
        names.set(name, inode);
        this.#changed(directory);
      }
    }
    if (!inode) throw new DiskError({ errno: "ENOENT", operation: "open", path });
    this.#files.set(this.#nextFile, { inode, path });
    return this.#nextFile++;
  }

  openOrCreate(path: string): number {
    return this.open(path, this.exists(path) ? "write" : "create");
  }

  close(file: number): void {
    this.#locked.delete(this.#file(file).path);
    this.#files.delete(file);
  }

  write(file: number, from: Uint8Array, at: number, count: number, fileAt: number): void {
    const { inode, path } = this.#file(file);
    assert(at + count <= from.length, "the bytes to write lie in the view");
    let done = count;
    if (this.operationsLeft <= 1) done = Math.floor(this.#chance() * (count + 1));
    const room = this.budgetBytes - this.usedBytes() + inode.seenBytes;
    const full = fileAt + done > Math.max(inode.seenBytes, room);
    if (full) done = Math.max(0, Math.floor(room) - fileAt);
    if (done > 0) {
      inode.grow(fileAt + done);
      inode.seen.set(from.subarray(at, at + done), fileAt);
      inode.seenBytes = Math.max(inode.seenBytes, fileAt + done);
      this.#dirty(inode, fileAt, fileAt + done);
    }
    this.#step("write", path);
    if (full) throw new DiskError({ errno: "ENOSPC", operation: "write", path });
  }

  writeMemory(file: number, from: MemoryRange, fileAt: number): void {
    const bytes = new Uint8Array(toArrayBuffer(from.address as never, 0, from.bytes));
    this.write(file, bytes, 0, from.bytes, fileAt);
  }

  read(file: number, into: Uint8Array, at: number, count: number, fileAt: number): number {
    const { inode, path } = this.#file(file);
    this.#step("read", path);
    const got = Math.max(0, Math.min(count, inode.seenBytes - fileAt));
    into.set(inode.seen.subarray(fileAt, fileAt + got), at);
    return got;
  }

  readMemory(file: number, into: MemoryRange, fileAt: number): number {
    const bytes = new Uint8Array(toArrayBuffer(into.address as never, 0, into.bytes));
    return this.read(file, bytes, 0, into.bytes, fileAt);
  }

  load(ranges: readonly LoadRange[]): BadRange[] {
    return ranges.flatMap((range, index) => {
      const bytes = new Uint8Array(toArrayBuffer(range.address as never, 0, range.bytes));
      if (this.read(range.file, bytes, 0, range.bytes, range.fileAt) < range.bytes) {
        return [{ index, reason: "short" }];
      }
      return crc32c(0, bytes, 0, range.bytes) === range.crc ? [] : [{ index, reason: "checksum" }];
    });
  }

  size(file: number): number {
    return this.#file(file).inode.seenBytes;
  }

  sync(file: number): void {
    const { inode, path } = this.#file(file);
    this.#step("sync", path);
    this.syncCount++;
    if (this.syncsUntilFailure-- === 0) {
      inode.dirty.clear();
      throw new DiskError({ errno: "EIO", operation: "sync", path });
    }
    for (const sector of inode.dirty) copySector(inode, sector, inode.kept);
    inode.keptBytes = inode.seenBytes;
    inode.dirty.clear();
  }

  zero(file: number, fileAt: number, count: number): void {
    this.write(file, new Uint8Array(count), 0, count, fileAt);
  }

  truncate(file: number, bytes: number): void {
    const { inode, path } = this.#file(file);
    this.#step("cut", path);
    this.#cut(inode, bytes);
  }

  rename(from: string, to: string): void {
    this.#step("rename", from);
    const a = split(from);
    const b = split(to);
    assert(a.directory === b.directory, "names change within a directory");
    const names = this.#directory(a.directory, "rename", from);
    const inode = names.get(a.name);
    if (!inode) throw new DiskError({ errno: "ENOENT", operation: "rename", path: from });
    names.delete(a.name);
    names.set(b.name, inode);
    this.#changed(a.directory);
  }

  remove(path: string): void {
    this.#step("remove", path);
    const { directory, name } = split(path);
    if (this.#directories.get(directory)?.delete(name)) this.#changed(directory);
  }

  removeTree(path: string): void {
    this.#step("remove", path);
    for (const directory of [...this.#directories.keys()]) {
      if (directory !== path && !directory.startsWith(`${path}/`)) continue;
      this.#directories.delete(directory);
      this.#history.delete(directory);
    }
    this.remove(path);
  }

  list(directory: string): string[] {
    const names = [...this.#directory(directory, "list", directory).keys()];
    const prefix = directory === "" ? "" : `${directory}/`;
    for (const path of this.#directories.keys()) {
      if (
        path !== "" &&
        path.startsWith(prefix) &&
        !path.slice(prefix.length).includes("/") &&
        path !== directory
      ) {
        names.push(path.slice(prefix.length));
      }
    }
    return names;
  }

  exists(path: string): boolean {
    const { directory, name } = split(path);
    return this.#directories.has(path) || (this.#directories.get(directory)?.has(name) ?? false);
  }

  isDirectory(path: string): boolean {
    if (!this.exists(path)) throw new DiskError({ errno: "ENOENT", operation: "look at", path });
    return this.#directories.has(path);
  }

  permissions(path: string): number {
    return this.isDirectory(path) ? 0o700 : 0o600;
  }

  /** Directories are durable at once here: storage syncs them before it relies on one, and the tests are about files. */
  makeDirectory(path: string): void {
    this.#step("make", path);
    if (this.#directories.has(path)) return;
    this.#directories.set(path, new Map());
    this.#history.set(path, [{ names: new Map() }]);
  }

  syncDirectory(path: string): void {
    this.#step("sync", path);
    const names = this.#directory(path, "sync", path);
    this.syncCount++;
    if (this.syncsUntilFailure-- === 0) throw new DiskError({ errno: "EIO", operation: "sync", path });
    this.#history.set(path, [{ names: new Map(names) }]);
  }

  lock(file: number): boolean {
    const { path } = this.#file(file);
    if (this.#locked.has(path)) return false;
    this.#locked.add(path);
    return true;
  }

  usedBytes(): number {
    let bytes = 0;
    for (const names of this.#directories.values()) {
      for (const inode of names.values()) bytes += inode.seenBytes;
    }
    return bytes;
  }

  #step(operation: string, path: string): void {
    this.operationCount++;
    if (--this.operationsLeft <= 0) throw new Crash(`crash at: ${operation} ${path}`);
  }

  #file(file: number): { inode: Inode; path: string } {
    const open = this.#files.get(file);
    assert(open, "the file is open");
    return open;
  }

  #inode(path: string, operation: string): Inode {
    const { directory, name } = split(path);
    const inode = this.#directories.get(directory)?.get(name);
    if (!inode) throw new DiskError({ errno: "ENOENT", operation, path });
    return inode;
  }

  #directory(directory: string, operation: string, path: string): Map<string, Inode> {
    const names = this.#directories.get(directory);
    if (!names) throw new DiskError({ errno: "ENOENT", operation, path });
    return names;
  }

  #changed(directory: string): void {
    this.#history.get(directory)!.push({ names: new Map(this.#directories.get(directory)!) });
  }

  #dirty(inode: Inode, from: number, until: number): void {
    for (let sector = Math.floor(from / SECTOR_BYTES); sector * SECTOR_BYTES < until; sector++) {
      inode.dirty.add(sector);
    }
  }

  #cut(inode: Inode, bytes: number): void {
    inode.grow(bytes);
    const from = Math.min(bytes, inode.seenBytes);
    const until = Math.max(bytes, inode.seenBytes);
    inode.seen.fill(0, from, until);
    inode.seenBytes = bytes;
    this.#dirty(inode, from, until);
  }
}

/** A file's bytes as a crash may leave them. */
function tear(inode: Inode, chance: Chance): Uint8Array {
  const bytes = inode.kept.slice();
  // Sometimes nothing, sometimes everything, mostly some of it.
  const share = [0, 1, 0.5, 0.9, 0.1][Math.floor(chance() * 5)]!;
  for (const sector of inode.dirty) if (chance() < share) copySector(inode, sector, bytes);
  const size = inode.dirty.size > 0 && chance() < 0.5 ? inode.keptBytes : inode.seenBytes;
  return bytes.subarray(0, inode.dirty.size === 0 ? inode.keptBytes : size);
}

function copySector(inode: Inode, sector: number, to: Uint8Array): void {
  const at = sector * SECTOR_BYTES;
  to.set(inode.seen.subarray(at, Math.min(at + SECTOR_BYTES, inode.seen.length)), at);
}

function extend(bytes: Uint8Array, capacity: number): Uint8Array {
  const extended = new Uint8Array(capacity);
  extended.set(bytes);
  return extended;
}

function split(path: string): { directory: string; name: string } {
  const slash = path.lastIndexOf("/");
  return slash < 0
    ? { directory: "", name: path }
    : { directory: path.slice(0, slash), name: path.slice(slash + 1) };
}
