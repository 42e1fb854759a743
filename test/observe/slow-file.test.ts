import { describe, expect, test } from "bun:test";
import {
  RECORD_BYTES_MAX,
  readSlowOperations,
  removeOtherWorkers,
  SlowFile,
  type SlowWanted,
} from "../../src/observe/slow-file.ts";
import type { SlowOperation } from "../../src/observe/slow-operation.ts";
import { FaultyDisk } from "../storage/faulty-disk.ts";
import { chanceFrom } from "../storage/log-model.ts";
import { slowOperation } from "./made-slow-operation.ts";

const EVERYTHING: SlowWanted = {
  tookMsMin: 0,
  sinceMs: 0,
  operation: undefined,
  isWanted: () => true,
  limit: 100_000,
};
const DATA = "data";
const LOG = `${DATA}/slow-operations/0.log`;

function newDisk(seed = 1): FaultyDisk {
  const disk = new FaultyDisk(chanceFrom(seed));
  disk.makeDirectory(DATA);
  return disk;
}
const open = (disk: FaultyDisk, bytesMax = 1 << 20, worker = 0) =>
  new SlowFile({ disk, dataDirectory: DATA }, { worker, bytesMax });
const read = (disk: FaultyDisk, wanted: Partial<SlowWanted> = {}) =>
  readSlowOperations({ disk, dataDirectory: DATA }, { ...EVERYTHING, ...wanted });
const numbered = (took_ms: number, more: Partial<SlowOperation> = {}) => slowOperation({ took_ms, ...more });

function bytesOf(disk: FaultyDisk, path: string): Uint8Array {
  const file = disk.open(path, "read");
  const bytes = new Uint8Array(disk.size(file));
  disk.read(file, bytes, 0, bytes.length, 0);
  disk.close(file);
  return bytes;
}

function put(disk: FaultyDisk, path: string, bytes: Uint8Array): void {
  const file = disk.open(path, "create");
  if (bytes.length > 0) disk.write(file, bytes, 0, bytes.length, 0);
  disk.close(file);
}

describe("SlowFile", () => {
  test("SlowFile keeps operations over a kill, newest first, of all workers", () => {
    const disk = newDisk();
    const [zero, one] = [open(disk), open(disk, 1 << 20, 1)];
    for (let i = 0; i < 10; i++)
      expect((i % 2 === 0 ? zero : one).append(numbered(100 + i), 1000 + i)).toBeTrue();
    const found = read(disk.afterKill());
    expect(found.map(({ took_ms }) => took_ms)).toEqual([109, 108, 107, 106, 105, 104, 103, 102, 101, 100]);
    expect(found[0]).toEqual(numbered(109));
  });

  test("SlowFile is read by threshold, time, operation, space and limit", () => {
    const disk = newDisk();
    const file = open(disk);
    file.append(numbered(100), 1000);
    file.append(numbered(200, { operation: "remember", space: "other" }), 2000);
    file.append(numbered(300), 3000);
    const took = (wanted: Partial<SlowWanted>) => read(disk, wanted).map(({ took_ms }) => took_ms);
    expect(took({ tookMsMin: 200 })).toEqual([300, 200]);
    expect(took({ sinceMs: 2000 })).toEqual([300, 200]);
    expect(took({ operation: "remember" })).toEqual([200]);
    expect(took({ isWanted: (space) => space === "default" })).toEqual([300, 100]);
    expect(took({ limit: 1 })).toEqual([300]);
    expect(took({ limit: 1, isWanted: (space) => space === "other" })).toEqual([200]);
    expect(read(newDisk())).toEqual([]);
  });

  test("SlowFile never takes more than its room, and holds the newest half of it", () => {
    const disk = newDisk();
    const bytesMax = 256 * 1024;
    const file = open(disk, bytesMax);
    for (let i = 0; i < 3000; i++) file.append(numbered(i), i);
    const sizes = ["0.log", "0.old"].map((name) => bytesOf(disk, `${DATA}/slow-operations/${name}`).length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(bytesMax / 2);
    const found = read(disk);
    expect(found.map(({ took_ms }) => took_ms)).toEqual(found.map((_, index) => 2999 - index));
    expect(found.length).toBeGreaterThan(bytesMax / 2 / 1500);
    expect(disk.list(`${DATA}/slow-operations`).length).toBe(2);
  });

  test("SlowFile cut or damaged at any byte gives what lies before the damage, and is written on from there", () => {
    const disk = newDisk();
    const file = open(disk);
    for (let i = 0; i < 4; i++) file.append(numbered(i), i);
    const whole = bytesOf(disk, LOG);
    const recordBytes = (whole.length - 16) / 4;
    for (let at = 0; at < whole.length; at += 1) {
      const before = at < 16 ? 0 : Math.floor((at - 16) / recordBytes);
      const flipped = whole.slice();
      flipped[at]! ^= 0x40;
      for (const bytes of [whole.slice(0, at), flipped]) {
        const damaged = newDisk();
        damaged.makeDirectory(`${DATA}/slow-operations`);
        put(damaged, LOG, bytes);
        const wanted = Array.from({ length: before }, (_, index) => before - 1 - index);
        expect([at, read(damaged).map(({ took_ms }) => took_ms)]).toEqual([at, wanted]);
        if (at % 7 !== 0) continue;
        open(damaged).append(numbered(77), 77);
        expect(read(damaged).map(({ took_ms }) => took_ms)).toEqual([77, ...wanted]);
      }
    }
  });

  test("SlowFile after a power cut at any moment reads what it can and takes more", () => {
    for (let seed = 1; seed <= 60; seed++) {
      const chance = chanceFrom(seed);
      const disk = newDisk(seed);
      const file = open(disk, 128 * 1024);
      const count = Math.floor(chance() * 200);
      for (let i = 0; i < count; i++) file.append(numbered(i), i);
      const found = disk.afterPowerLoss(chance);
      if (!found.exists(DATA)) found.makeDirectory(DATA);
      for (const { took_ms } of read(found)) expect(took_ms).toBeLessThan(count);
      open(found, 128 * 1024).append(numbered(999_999), 999_999);
      expect(read(found)[0]!.took_ms).toBe(999_999);
    }
  });

  test("SlowFile on a full disk throws, and goes on when there is room again", () => {
    const disk = newDisk();
    const file = open(disk);
    file.append(numbered(1), 1);
    disk.budgetBytes = bytesOf(disk, LOG).length + 100;
    expect(() => file.append(numbered(2), 2)).toThrow("ENOSPC");
    expect(read(disk).map(({ took_ms }) => took_ms)).toEqual([1]);
    disk.budgetBytes = Number.POSITIVE_INFINITY;
    file.append(numbered(3), 3);
    expect(read(disk).map(({ took_ms }) => took_ms)).toEqual([3, 1]);
  });

  test("SlowFile keeps no record that would outgrow a file", () => {
    const disk = newDisk();
    const file = open(disk);
    expect(file.append(numbered(1, { query: "x".repeat(RECORD_BYTES_MAX) }), 1)).toBeFalse();
    expect(read(disk)).toEqual([]);
  });

  test("removeOtherWorkers removes the files of workers that are no more", () => {
    const disk = newDisk();
    for (const worker of [0, 1, 10]) open(disk, 1 << 20, worker).append(numbered(worker), worker);
    removeOtherWorkers({ disk, dataDirectory: DATA }, 2);
    expect(disk.list(`${DATA}/slow-operations`).sort()).toEqual(["0.log", "1.log"]);
  });
});
