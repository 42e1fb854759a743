import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Random } from "../../src/base/random.ts";
import { crc32c } from "../../src/ffi/crc32c.ts";
import { FileError, isDiskFull } from "../../src/ffi/file-error.ts";
import {
  closeFile,
  fdatasync,
  fileBytes,
  fsyncDirectory,
  type LoadRange,
  loadRanges,
  lockExclusive,
  OPEN,
  openFile,
  preadAll,
  preallocate,
  pwriteAll,
  renameFile,
  truncateFile,
} from "../../src/ffi/files.ts";
import { mapPages, unmapPages, viewMemory } from "../../src/ffi/pages.ts";

const directory = mkdtempSync(join(tmpdir(), "engram-files-"));
afterAll(() => rmSync(directory, { recursive: true }));
const path = (name: string): string => join(directory, name);

function errorOf(action: () => unknown): FileError {
  try {
    action();
  } catch (error) {
    if (error instanceof FileError) return error;
    throw error;
  }
  throw new Error("it did not fail");
}

test("pwriteAll and preadAll move a part of a view to and from its place in the file", () => {
  const fd = openFile(path("round-trip"), OPEN.readWrite | OPEN.create);
  const source = new Random(1).fill(new Uint8Array(10_000));
  pwriteAll(fd, source, 100, 9000, 12_345);
  fdatasync(fd);
  expect(fileBytes(fd)).toBe(21_345);
  const target = new Uint8Array(9010);
  expect(preadAll(fd, target, 10, 9000, 12_345)).toBe(9000);
  expect(target.subarray(10)).toEqual(source.subarray(100, 9100));
  expect(target.subarray(0, 10)).toEqual(new Uint8Array(10));
  closeFile(fd);
});

test("pwriteAll and preadAll take memory by address", () => {
  const pages = mapPages({ bytes: 65_536, hugePages: "off", populate: "none" });
  const memory = new Uint8Array(viewMemory(pages.address, pages.bytes));
  new Random(2).fill(memory);
  const fd = openFile(path("by-address"), OPEN.readWrite | OPEN.create);
  pwriteAll(fd, pages.address, 1000, 50_000, 0);
  const expected = memory.slice(1000, 51_000);
  memory.fill(0);
  expect(preadAll(fd, pages.address, 8, 50_000, 0)).toBe(50_000);
  expect(memory.subarray(8, 50_008)).toEqual(expected);
  closeFile(fd);
  unmapPages(pages.address, pages.bytes);
});

test("preadAll returns fewer bytes only where the file ends", () => {
  const fd = openFile(path("short"), OPEN.readWrite | OPEN.create);
  pwriteAll(fd, Buffer.from("0123456789"), 0, 10, 0);
  expect(preadAll(fd, new Uint8Array(10), 0, 10, 6)).toBe(4);
  expect(preadAll(fd, new Uint8Array(10), 0, 10, 10)).toBe(0);
  closeFile(fd);
});

test("openFile names the errno and what to do", () => {
  const error = errorOf(() => openFile(path("missing/file"), OPEN.read));
  expect(error.errno).toBe("ENOENT");
  expect(error.code).toBe("file-operation-failed");
  expect(error.message).toContain("missing/file: ENOENT");
  expect(error.remedy.length).toBeGreaterThan(10);
});

test("isDiskFull tells a full disk from other failures", () => {
  const fd = openFile("/dev/full", OPEN.readWrite);
  expect(isDiskFull(errorOf(() => pwriteAll(fd, new Uint8Array(8), 0, 8, 0)))).toBe(true);
  expect(isDiskFull(errorOf(() => openFile(path("missing/file"), OPEN.read)))).toBe(false);
  closeFile(fd);
});

test("preallocate gives zeroed blocks, and truncateFile sets the size", () => {
  const fd = openFile(path("blocks"), OPEN.readWrite | OPEN.create);
  pwriteAll(fd, Buffer.from("xxxxxxxx"), 0, 8, 0);
  preallocate(fd, 4, 3_000_000);
  expect(fileBytes(fd)).toBe(3_000_004);
  const bytes = readFileSync(path("blocks"));
  expect(bytes.subarray(0, 4).toString()).toBe("xxxx");
  expect(bytes.subarray(4).every((byte) => byte === 0)).toBe(true);
  truncateFile(fd, 5);
  expect(fileBytes(fd)).toBe(5);
  closeFile(fd);
});

test("renameFile replaces its target, and fsyncDirectory makes it durable", () => {
  for (const name of ["old", "new"]) {
    const fd = openFile(path(name), OPEN.readWrite | OPEN.create);
    pwriteAll(fd, Buffer.from(name), 0, 3, 0);
    closeFile(fd);
  }
  renameFile(path("new"), path("old"));
  fsyncDirectory(directory);
  expect(readFileSync(path("old"), "utf8")).toBe("new");
  expect(errorOf(() => fsyncDirectory(path("old"))).errno).toBe("ENOTDIR");
});

test("lockExclusive is held by one opener until it closes", () => {
  const first = openFile(path("lock"), OPEN.readWrite | OPEN.create);
  const second = openFile(path("lock"), OPEN.readWrite);
  expect(lockExclusive(first)).toBe(true);
  expect(lockExclusive(second)).toBe(false);
  closeFile(first);
  expect(lockExclusive(second)).toBe(true);
  closeFile(second);
});

test("loadRanges reads and checks many ranges on several threads, and names the damaged ones", () => {
  const fd = openFile(path("ranges"), OPEN.readWrite | OPEN.create);
  const content = new Random(3).fill(new Uint8Array(1 << 20));
  pwriteAll(fd, content, 0, content.length, 0);
  const pages = mapPages({ bytes: 1 << 21, hugePages: "off", populate: "none" });
  const memory = new Uint8Array(viewMemory(pages.address, pages.bytes));
  const rangeBytes = 10_007;
  const ranges: LoadRange[] = [];
  for (let at = 0; at + rangeBytes <= content.length; at += rangeBytes) {
    const bytes = content.subarray(at, at + rangeBytes);
    ranges.push({
      fd,
      fileOffset: at,
      address: pages.address + at,
      bytes: rangeBytes,
      crc32c: crc32c(bytes),
    });
  }
  expect(loadRanges(ranges, 4)).toEqual([]);
  const loaded = ranges.length * rangeBytes;
  expect(Buffer.compare(memory.subarray(0, loaded), content.subarray(0, loaded))).toBe(0);
  expect(loadRanges([], 4)).toEqual([]);

  const damaged = ranges.map((range) => ({ ...range }));
  damaged[5]!.crc32c ^= 1;
  damaged[50] = { ...ranges[50]!, fileOffset: content.length - 10 };
  damaged[70] = { ...ranges[70]!, fd: 9999 };
  const failures = loadRanges(damaged, 3);
  expect(failures.map(({ rangeIndex, reason }) => [rangeIndex, reason])).toEqual([
    [5, "checksum"],
    [50, "short"],
    [70, "EBADF"],
  ]);
  expect(failures[0]!.crc32cFound).toBe(ranges[5]!.crc32c);
  closeFile(fd);
  unmapPages(pages.address, pages.bytes);
});
