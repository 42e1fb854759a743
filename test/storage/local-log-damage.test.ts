import { describe, expect, test } from "bun:test";
import { OperatorError } from "../../src/base/errors.ts";
import { LOG_SEGMENT_HEAD_BYTES } from "../../src/layout/log-record.ts";
import { LocalLog } from "../../src/storage/local-log.ts";
import { FaultyDisk } from "./faulty-disk.ts";
import {
  appendRecord,
  chanceFrom,
  expectRecords,
  LOG,
  LONG,
  makeRecord,
  options,
  type Written,
} from "./log-model.ts";

const LAST = /^\d+\.log$/;

/** A log of some segments, ended in the way `end` says. */
function makeLog(end: "closed" | "idle" | "killed", count = 60) {
  const chance = chanceFrom(77);
  const disk = new FaultyDisk(chance);
  disk.makeDirectory(LOG);
  const written = new Map<number, Written>();
  const log = LocalLog.create(options(disk, chance, 8192));
  for (let index = 0; index < count; index++) {
    const record = makeRecord(log.appendedSequence + 1, 3, 600);
    written.set(appendRecord(log, record), record);
    if (index % 5 === 4) {
      log.write();
      log.sync();
    }
  }
  if (end === "idle") log.idle();
  if (end === "closed") log.close();
  const segments = disk
    .list(LOG)
    .filter((name) => LAST.test(name))
    .sort();
  return { disk: disk.copy(), written, segments, lastPath: `${LOG}/${segments.at(-1)}` };
}

/** Opens and replays: how many records came back, or the code of the refusal. */
function outcome(
  disk: FaultyDisk,
  written: Map<number, Written>,
): { records: number; torn: boolean } | string {
  try {
    const log = LocalLog.open(options(disk, chanceFrom(1), 8192));
    return { records: expectRecords(log, written), torn: log.tornTail !== undefined };
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    expect(error.remedy.length).toBeGreaterThan(20);
    return error.code;
  }
}

function usedEnd(disk: FaultyDisk, path: string): number {
  const bytes = disk.contents(path);
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return end;
}

describe("LocalLog recovery", () => {
  test("LocalLog cut at any byte of the last segment gives back the records before the cut and reports the rest", () => {
    const { disk, written, lastPath } = makeLog("killed");
    const end = usedEnd(disk, lastPath);
    const original = disk.contents(lastPath);
    let before = written.size;
    for (let cut = end; cut >= LOG_SEGMENT_HEAD_BYTES; cut -= LONG ? 1 : 3) {
      const bytes = original.slice();
      bytes.fill(0, cut);
      disk.put(lastPath, bytes);
      const found = outcome(disk.copy(), written);
      if (typeof found === "string") throw new Error(`cut at ${cut}: ${found}`);
      expect(found.records).toBeLessThanOrEqual(before);
      before = found.records;
      // Whatever is not a whole record is reported, unless the cut met zeros of its own.
      if (!found.torn)
        expect(
          bytes.subarray(LOG_SEGMENT_HEAD_BYTES).some((byte) => byte !== 0) || found.records <= written.size,
        ).toBe(true);
    }
    expect(before).toBeLessThan(written.size - 3);
  });

  test("LocalLog whose last segment's file was cut at any byte does the same, and has its full size again", () => {
    const { disk, written, lastPath } = makeLog("killed");
    const original = disk.contents(lastPath);
    let before = written.size;
    for (let bytes = original.length - 1; bytes >= 64; bytes -= LONG || bytes < 80 ? 1 : 7) {
      disk.put(lastPath, original.slice(0, bytes));
      const cut = disk.copy();
      const found = outcome(cut, written);
      if (typeof found === "string") throw new Error(`cut at ${bytes}: ${found}`);
      expect(found.torn).toBe(true);
      expect(found.records).toBeLessThanOrEqual(before);
      expect(cut.contents(lastPath).length).toBe(original.length);
      before = found.records;
    }
    for (const bytes of [0, 10, 63]) {
      disk.put(lastPath, original.slice(0, bytes));
      expect(outcome(disk.copy(), written)).toBe("log-damaged");
    }
  });

  test("LocalLog with an earlier segment cut refuses", () => {
    const { disk, written, segments } = makeLog("closed");
    const path = `${LOG}/${segments[1]}`;
    disk.put(path, disk.contents(path).slice(0, 8000));
    expect(outcome(disk, written)).toBe("log-damaged");
  });

  test("LocalLog that was closed refuses every flipped bit of its records, wherever it is", () => {
    const { disk, written, segments } = makeLog("closed");
    let refused = 0;
    for (const name of segments) {
      const path = `${LOG}/${name}`;
      const end = usedEnd(disk, path);
      const step = LONG ? 1 : 37;
      for (let bit = 0; bit < end * 8; bit += step) {
        disk.flipBit(path, bit);
        const found = outcome(disk.copy(), written);
        disk.flipBit(path, bit);
        if (typeof found === "string") refused++;
        // The mark at the very end and the zeros of the head's block hold nothing that could be lost.
        else expect(found.records).toBe(written.size);
      }
    }
    expect(refused).toBeGreaterThan(100);
  }, 600_000);

  test("LocalLog that was killed gives back all, or all but the last group, or refuses: never other bytes", () => {
    const { disk, written, segments } = makeLog("killed");
    const seen = new Set<number | string>();
    for (const name of segments) {
      const path = `${LOG}/${name}`;
      const end = Math.min(usedEnd(disk, path) + 100, disk.contents(path).length);
      const step = LONG ? 1 : 41;
      for (let bit = 0; bit < end * 8; bit += step) {
        disk.flipBit(path, bit);
        const found = outcome(disk.copy(), written);
        disk.flipBit(path, bit);
        seen.add(typeof found === "string" ? found : found.records);
        if (typeof found === "string") continue;
        expect(found.records).toBeGreaterThanOrEqual(written.size - 5);
        if (found.records < written.size) expect(found.torn).toBe(true);
      }
    }
    expect(seen).toContain("log-damaged");
    expect(seen).toContain(written.size);
  }, 600_000);

  test("LocalLog that was idle when it was killed loses nothing to a flipped bit without refusing", () => {
    const { disk, written, lastPath } = makeLog("idle");
    const end = usedEnd(disk, lastPath);
    for (let bit = LOG_SEGMENT_HEAD_BYTES * 8; bit < end * 8; bit += LONG ? 1 : 11) {
      disk.flipBit(lastPath, bit);
      const found = outcome(disk.copy(), written);
      disk.flipBit(lastPath, bit);
      if (typeof found !== "string") expect(found.records).toBe(written.size);
    }
  }, 600_000);

  test("LocalLog with a segment missing refuses, and names it", () => {
    const { disk, written, segments } = makeLog("closed");
    expect(segments.length).toBeGreaterThan(3);
    for (const name of segments) {
      const without = disk.copy();
      without.remove(`${LOG}/${name}`);
      // The oldest may be gone after a checkpoint; then it is the replay from record 1 that refuses.
      try {
        LocalLog.open(options(without, chanceFrom(1), 8192)).replay(1, () => {});
        expect.unreachable();
      } catch (error) {
        expect(error).toMatchObject({ code: "log-segment-missing" });
        expect((error as Error).message).toContain(name);
      }
    }
    for (const name of segments) disk.remove(`${LOG}/${name}`);
    expect(outcome(disk, written)).toBe("log-segment-missing");
  });

  test("LocalLog refuses a segment of another log", () => {
    const { disk, written, segments } = makeLog("closed");
    const other = makeLog("closed").disk;
    other.put(`${LOG}/${segments[1]}`, disk.contents(`${LOG}/${segments[2]}`));
    expect(outcome(other, written)).toBe("log-damaged");
    try {
      LocalLog.open({ ...options(disk, chanceFrom(1), 8192), stream: 1 });
      expect.unreachable();
    } catch (error) {
      expect((error as Error).message).toContain("another log");
    }
  });

  test("LocalLog that ends before the checkpoint does refuses, torn or not", () => {
    const { disk, written } = makeLog("killed");
    const open = (known: number) => LocalLog.open(options(disk.copy(), chanceFrom(1), 8192), known);
    expect(open(written.size).appendedSequence).toBe(written.size);
    expect(() => open(written.size + 1)).toThrow(expect.objectContaining({ code: "log-behind-checkpoint" }));
  });

  test("LocalLog keeps a torn tail's bytes aside, and goes on where it was cut", () => {
    const { disk, written, lastPath } = makeLog("killed");
    const original = disk.contents(lastPath);
    const end = usedEnd(disk, lastPath);
    disk.flipBit(lastPath, (end - 4) * 8);
    const damaged = disk.contents(lastPath);
    const log = LocalLog.open(options(disk, chanceFrom(1), 8192));
    expect(log.tornTail).toMatchObject({ path: lastPath, sequence: written.size });
    const { at, bytes, keptAs } = log.tornTail!;
    expect(Buffer.compare(disk.contents(keptAs!), damaged.subarray(at, at + bytes))).toBe(0);
    expect(
      disk
        .contents(lastPath)
        .subarray(at)
        .some((byte) => byte !== 0),
    ).toBe(false);
    const record = makeRecord(500, 1, 100);
    expect(appendRecord(log, record)).toBe(written.size);
    written.set(written.size, record);
    log.close();
    expect(outcome(disk, written)).toEqual({ records: written.size, torn: false });
    expect(original.length).toBe(disk.contents(lastPath).length);
  });
});
