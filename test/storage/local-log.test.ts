import { describe, expect, test } from "bun:test";
import { OperatorError, RequestError } from "../../src/base/errors.ts";
import { LOG_PAYLOAD_BYTES_MAX, logRecordBytes } from "../../src/layout/log-record.ts";
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

function newLog(seed: number, segmentBytes?: number) {
  const chance = chanceFrom(seed);
  const disk = new FaultyDisk(chance);
  disk.makeDirectory(LOG);
  const settings = options(disk, chance, segmentBytes);
  return { disk, settings, log: LocalLog.create(settings) };
}

function fill(log: LocalLog, count: number, written = new Map<number, Written>()): Map<number, Written> {
  for (let index = 0; index < count; index++) {
    const record = makeRecord(log.appendedSequence + 1, 7, 700);
    written.set(appendRecord(log, record), record);
  }
  return written;
}

describe("LocalLog", () => {
  test("LocalLog gives back what was written, over many segments and a restart", () => {
    const { settings, log } = newLog(1);
    const written = fill(log, 300);
    expect(log.appendedSequence).toBe(300);
    log.write();
    log.sync();
    expect(log.syncedSequence).toBe(300);
    expect(expectRecords(log, written)).toBe(300);
    log.close();
    const again = LocalLog.open(settings);
    expect(again.tornTail).toBeUndefined();
    expect(expectRecords(again, written)).toBe(300);
    fill(again, 50, written);
    again.close();
    expect(expectRecords(LocalLog.open(settings), written)).toBe(350);
  });

  test("LocalLog syncs nothing twice, and counts a record as synced only after the sync", () => {
    const { disk, log } = newLog(2);
    fill(log, 3);
    expect([log.appendedSequence, log.writtenSequence, log.syncedSequence]).toEqual([3, 0, 0]);
    log.write();
    expect([log.writtenSequence, log.syncedSequence]).toEqual([3, 0]);
    const before = disk.syncCount;
    log.sync();
    log.sync();
    expect(disk.syncCount - before).toBe(1);
    expect(log.syncedSequence).toBe(3);
  });

  test("LocalLog replays from a sequence on", () => {
    const { log } = newLog(3);
    fill(log, 200);
    log.write();
    const seen: number[] = [];
    log.replay(150, (_kind, _space, sequence) => seen.push(sequence));
    expect(seen).toEqual(Array.from({ length: 51 }, (_, index) => 150 + index));
    log.replay(201, () => expect.unreachable("nothing is left to visit"));
    expect(() => log.replay(202, () => {})).toThrow(
      expect.objectContaining({ code: "log-behind-checkpoint" }),
    );
  });

  test("LocalLog takes records of every size up to the largest, larger than its buffer and its segments", () => {
    const { settings, log } = newLog(4);
    const written = new Map<number, Written>();
    for (const bytes of [0, 1, 7, 8, 9, 4095, 4096, 5000, 20_000, LOG_PAYLOAD_BYTES_MAX, 3]) {
      const record = { kind: 2, spaceId: 0xffffffff, payload: new Uint8Array(bytes).fill(bytes & 255) };
      written.set(appendRecord(log, record), record);
    }
    log.close();
    expect(expectRecords(LocalLog.open(settings), written)).toBe(11);
  });

  test("LocalLog gives up whole segments below a sequence, and then refuses to replay from there", () => {
    const { disk, settings, log } = newLog(5);
    const written = fill(log, 300);
    log.write();
    log.sync();
    const before = log.diskBytes;
    log.truncateBefore(200);
    expect(log.oldestSequence).toBeGreaterThan(100);
    expect(log.oldestSequence).toBeLessThanOrEqual(200);
    expect(log.diskBytes).toBeLessThan(before);
    expect(disk.usedBytes()).toBe(log.diskBytes);
    expect(() => log.replay(1, () => {})).toThrow(expect.objectContaining({ code: "log-segment-missing" }));
    log.close();
    const again = LocalLog.open(settings, 199);
    expectRecords(again, written);
    again.truncateBefore(301);
    expect(again.oldestSequence).toBeLessThanOrEqual(301);
    expect(again.appendedSequence).toBe(300);
  });

  test("LocalLog.create begins with the sequence it is told", () => {
    const chance = chanceFrom(6);
    const disk = new FaultyDisk(chance);
    disk.makeDirectory(LOG);
    const log = LocalLog.create(options(disk, chance), 1 + 2 ** 40);
    const record = makeRecord(1, 1, 100);
    expect(appendRecord(log, record)).toBe(1 + 2 ** 40);
    log.close();
    const again = LocalLog.open(options(disk, chance), 2 ** 40);
    expect(expectRecords(again, new Map([[1 + 2 ** 40, record]]))).toBe(1);
  });

  test("LocalLog uses the segment prepared ahead", () => {
    const { disk, log } = newLog(7);
    log.prepareNext();
    expect(disk.exists(`${LOG}/spare`)).toBe(true);
    log.prepareNext();
    const written = fill(log, 100);
    expect(disk.exists(`${LOG}/spare`)).toBe(false);
    log.write();
    expectRecords(log, written);
  });

  test("LocalLog.reserve answers disk-full, changes nothing, and succeeds once there is room", () => {
    const { disk, settings, log } = newLog(8);
    const written = fill(log, 10);
    log.write();
    log.sync();
    const used = disk.usedBytes();
    for (let spare = 0; spare < 16_384; spare += LONG ? 1 : 1021) {
      disk.budgetBytes = used + spare;
      expect(() => log.reserve(16_000)).toThrow(RequestError);
      expect(disk.usedBytes()).toBe(used);
      expect(log.appendedSequence).toBe(10);
    }
    // What still fits the segment is taken.
    const small = makeRecord(11, 1, 100);
    written.set(appendRecord(log, small), small);
    disk.budgetBytes = used + 40_000;
    log.reserve(16_000);
    const large = { kind: 1, spaceId: 1, payload: new Uint8Array(15_000).fill(5) };
    written.set(appendRecord(log, large), large);
    log.close();
    expect(expectRecords(LocalLog.open(settings), written)).toBe(12);
  });

  test("LocalLog.sync never syncs again after a failure, and what nothing vouches for is written anew", () => {
    const { disk, settings, log } = newLog(9);
    const written = fill(log, 5);
    log.write();
    log.sync();
    fill(log, 5, written);
    log.write();
    disk.syncsUntilFailure = 0;
    expect(() => log.sync()).toThrow(expect.objectContaining({ code: "log-sync-failed" }));
    const before = disk.syncCount;
    expect(() => log.sync()).toThrow(OperatorError);
    expect(() => log.write()).toThrow(OperatorError);
    expect(() => log.reserve(1)).toThrow(OperatorError);
    expect(disk.syncCount).toBe(before);
    expect(log.syncedSequence).toBe(5);
    // The next process sees all ten in the page cache. Whatever it builds on has to reach the disk.
    const killed = disk.afterKill();
    const again = LocalLog.open({ ...settings, disk: killed });
    expect(again.syncedSequence).toBe(10);
    const lost = killed.afterPowerLoss(() => 0);
    const third = LocalLog.open({ ...settings, disk: lost });
    expect(expectRecords(third, written)).toBe(10);
  });

  test("LocalLog.append refuses what was not reserved and what is the log's own", () => {
    const { log } = newLog(10);
    log.reserve(logRecordBytes(10));
    expect(() => log.append(0xffff, 0, new Uint8Array(10), 0, 10)).toThrow("kinds above");
    expect(() => log.append(1, 0, new Uint8Array(20_000), 0, 20_000)).toThrow("room is reserved");
    expect(() => log.append(1, 0, new Uint8Array(1), 0, LOG_PAYLOAD_BYTES_MAX + 1)).toThrow("at most");
  });

  test("LocalLog.idle writes one mark, and the next record takes its place", () => {
    const { disk, settings, log } = newLog(11);
    const written = fill(log, 4);
    log.write();
    log.idle();
    log.sync();
    const operations = disk.operationCount;
    log.idle();
    log.idle();
    expect(disk.operationCount - operations).toBe(1);
    fill(log, 4, written);
    log.close();
    expect(expectRecords(LocalLog.open(settings), written)).toBe(8);
  });
});
