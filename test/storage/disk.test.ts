/** One set of cases that the real disk and the faulty one must both pass, so that tests with the latter mean something. */

import { ptr } from "bun:ffi";
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32c } from "../../src/storage/checksum.ts";
import { type Disk, DiskError } from "../../src/storage/disk.ts";
import { LocalLog } from "../../src/storage/local-log.ts";
import { NativeDisk } from "../../src/storage/native-disk.ts";
import { FaultyDisk } from "./faulty-disk.ts";
import { appendRecord, chanceFrom, expectRecords, makeRecord, type Written } from "./log-model.ts";

const root = mkdtempSync(join(tmpdir(), "engram-disk-"));
afterAll(() => rmSync(root, { recursive: true }));

const text = (value: string) => new TextEncoder().encode(value);

const cases: [string, () => { disk: Disk; base: string }][] = [
  ["NativeDisk", () => ({ disk: new NativeDisk(2), base: mkdtempSync(join(root, "case-")) })],
  [
    "FaultyDisk",
    () => {
      const disk = new FaultyDisk(chanceFrom(1));
      disk.makeDirectory("base");
      return { disk, base: "base" };
    },
  ],
];

for (const [name, make] of cases) {
  describe(name, () => {
    test(`${name} writes and reads at any byte, from views and by address`, () => {
      const { disk, base } = make();
      const file = disk.open(`${base}/a`, "create");
      disk.write(file, text("..hello.."), 2, 5, 3);
      const more = text("world");
      disk.writeMemory(file, { address: ptr(more) as number, bytes: 5 }, 8);
      disk.sync(file);
      expect(disk.size(file)).toBe(13);
      const into = new Uint8Array(20);
      expect(disk.read(file, into, 1, 20 - 1, 2)).toBe(11);
      expect(new TextDecoder().decode(into.subarray(1, 12))).toBe("\0helloworld");
      const memory = new Uint8Array(10);
      expect(disk.readMemory(file, { address: ptr(memory) as number, bytes: 10 }, 3)).toBe(10);
      expect(new TextDecoder().decode(memory)).toBe("helloworld");
      disk.close(file);
    });

    test(`${name} loads ranges and answers the bad ones`, () => {
      const { disk, base } = make();
      const file = disk.open(`${base}/a`, "create");
      const bytes = text("some bytes to load");
      disk.write(file, bytes, 0, bytes.length, 0);
      const memory = new Uint8Array(32);
      const address = ptr(memory) as number;
      const crc = crc32c(0, bytes, 0, 4);
      const ranges = [
        { file, fileAt: 0, address, bytes: 4, crc },
        { file, fileAt: 5, address: address + 8, bytes: 5, crc: crc32c(0, bytes, 5, 5) },
        { file, fileAt: 0, address: address + 16, bytes: 4, crc: crc ^ 1 },
        { file, fileAt: 16, address: address + 20, bytes: 4, crc },
      ];
      expect(disk.load(ranges)).toEqual([
        { index: 2, reason: "checksum" },
        { index: 3, reason: "short" },
      ]);
      expect(new TextDecoder().decode(memory.subarray(0, 13))).toBe("some\0\0\0\0bytes");
    });

    test(`${name} makes zeros, cuts, lengthens, renames, lists and removes`, () => {
      const { disk, base } = make();
      const file = disk.open(`${base}/a`, "create");
      disk.zero(file, 0, 5000);
      expect(disk.size(file)).toBe(5000);
      disk.write(file, text("x"), 0, 1, 4999);
      disk.truncate(file, 10);
      disk.truncate(file, 5000);
      const into = new Uint8Array(5000).fill(1);
      disk.read(file, into, 0, 5000, 0);
      expect(into.every((byte) => byte === 0)).toBe(true);
      disk.close(file);
      disk.close(disk.open(`${base}/b`, "create"));
      disk.rename(`${base}/a`, `${base}/b`);
      disk.makeDirectory(`${base}/sub`);
      disk.makeDirectory(`${base}/sub`);
      disk.syncDirectory(base);
      expect(disk.list(base).sort()).toEqual(["b", "sub"]);
      expect([disk.isDirectory(`${base}/b`), disk.isDirectory(`${base}/sub`)]).toEqual([false, true]);
      expect([disk.permissions(`${base}/b`), disk.permissions(`${base}/sub`)]).toEqual([0o600, 0o700]);
      disk.remove(`${base}/b`);
      disk.remove(`${base}/b`);
      disk.close(disk.open(`${base}/sub/c`, "create"));
      disk.removeTree(`${base}/sub`);
      disk.removeTree(`${base}/sub`);
      expect(disk.list(base)).toEqual([]);
    });

    test(`${name} names what is wrong`, () => {
      const { disk, base } = make();
      const errno = (run: () => unknown) => {
        try {
          run();
        } catch (error) {
          if (error instanceof DiskError) return error.errno;
          throw error;
        }
        return "none";
      };
      expect(errno(() => disk.open(`${base}/none`, "read"))).toBe("ENOENT");
      expect(errno(() => disk.open(`${base}/none`, "write"))).toBe("ENOENT");
      expect(errno(() => disk.list(`${base}/none`))).toBe("ENOENT");
      expect(errno(() => disk.rename(`${base}/none`, `${base}/other`))).toBe("ENOENT");
      const file = disk.openOrCreate(`${base}/kept`);
      disk.write(file, text("kept"), 0, 4, 0);
      disk.close(file);
      const again = disk.openOrCreate(`${base}/kept`);
      expect(disk.size(again)).toBe(4);
      disk.close(again);
    });
  });
}

test("LocalLog on a file system that is really full answers disk-full, and goes on once there is room", async () => {
  const directory = mkdtempSync(join(root, "full-"));
  const mount = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", directory]);
  if (mount.exitCode !== 0) {
    console.log("skipped: mounting a small file system needs root");
    return;
  }
  try {
    const disk = new NativeDisk(2);
    const settings = { disk, directory, topology: 1, stream: 0, segmentBytes: 1 << 20, bufferBytes: 1 << 20 };
    const log = LocalLog.create(settings);
    const written = new Map<number, Written>();
    const add = () => {
      const record = makeRecord(log.appendedSequence + 1, 1, 50_000);
      written.set(appendRecord(log, record), record);
    };
    expect(() => {
      for (;;) add();
    }).toThrow(expect.objectContaining({ code: "disk-full", status: 507 }));
    log.write();
    log.sync();
    expect(log.syncedSequence).toBe(written.size);
    log.truncateBefore(log.syncedSequence);
    add();
    log.close();
    const again = LocalLog.open(settings);
    expectRecords(again, written);
    again.close();
  } finally {
    Bun.spawnSync(["umount", directory]);
  }
});

test("LocalLog loses nothing that a killed process was told is synced", async () => {
  const rounds = process.env["ENGRAM_TEST_LONG"] === "1" ? 40 : 4;
  const directory = mkdtempSync(join(root, "killed-"));
  const program = `
    import { LocalLog } from "${join(import.meta.dir, "../../src/storage/local-log.ts")}";
    import { NativeDisk } from "${join(import.meta.dir, "../../src/storage/native-disk.ts")}";
    import { appendRecord, makeRecord } from "${join(import.meta.dir, "log-model.ts")}";
    import { readdirSync, writeSync } from "node:fs";
    const settings = { disk: new NativeDisk(1), directory: ${JSON.stringify(directory)}, topology: 1, stream: 0,
      segmentBytes: 262144, bufferBytes: 65536 };
    const log = readdirSync(settings.directory).length === 0 ? LocalLog.create(settings) : LocalLog.open(settings);
    for (let group = 1; ; group++) {
      for (let index = 0; index < group % 20; index++) appendRecord(log, makeRecord(log.appendedSequence + 1, 4, 3000));
      log.write();
      log.sync();
      writeSync(1, log.syncedSequence + "\\n");
      if (group % 7 === 0) log.idle();
    }`;
  let synced = 0;
  for (let round = 0; round < rounds; round++) {
    const child = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe", stderr: "inherit" });
    const reader = child.stdout.getReader();
    let output = "";
    const wanted = 1000 + ((round * 733) % 4000);
    while (output.length < wanted) {
      const { value, done } = await reader.read();
      if (done) throw new Error("the writing process ended by itself");
      output += new TextDecoder().decode(value);
    }
    child.kill("SIGKILL");
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      output += new TextDecoder().decode(value);
    }
    await child.exited;
    synced = Number(output.slice(0, output.lastIndexOf("\n")).split("\n").at(-1));
    const disk = new NativeDisk(1);
    const log = LocalLog.open({
      disk,
      directory,
      topology: 1,
      stream: 0,
      segmentBytes: 262_144,
      bufferBytes: 65_536,
    });
    expect(log.appendedSequence).toBeGreaterThanOrEqual(synced);
    const all = new Map<number, Written>();
    for (let sequence = log.oldestSequence; sequence <= log.appendedSequence; sequence++)
      all.set(sequence, makeRecord(sequence, 4, 3000));
    expectRecords(log, all);
    log.truncateBefore(synced);
    log.close();
  }
  expect(synced).toBeGreaterThan(1000);
}, 120_000);
