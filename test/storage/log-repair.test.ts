import { describe, expect, test } from "bun:test";
import { OperatorError } from "../../src/base/errors.ts";
import { CheckpointStore } from "../../src/storage/checkpoint-store.ts";
import { DataDirectory } from "../../src/storage/data-directory.ts";
import { LocalLog } from "../../src/storage/local-log.ts";
import { repairLog } from "../../src/storage/log-repair.ts";
import { repairDataDirectory } from "../../src/storage/repair.ts";
import { FaultyDisk } from "./faulty-disk.ts";
import { appendRecord, chanceFrom, LOG, LONG, makeRecord, options, type Written } from "./log-model.ts";

const COUNT = 60;

function makeLog() {
  const disk = new FaultyDisk(chanceFrom(5));
  disk.makeDirectory(LOG);
  const written = new Map<number, Written>();
  const log = LocalLog.create(options(disk, chanceFrom(6), 8192));
  for (let index = 0; index < COUNT; index++) {
    const record = makeRecord(index + 1, 3, 600);
    written.set(appendRecord(log, record), record);
  }
  log.close();
  return { disk: disk.copy(), written, segments: disk.list(LOG).sort() };
}

/** Repairs, opens, and checks that what is left is whole; answers how far it reaches. */
function repairAndCheck(disk: FaultyDisk, written: Map<number, Written>, checkpoint: number): number {
  const settings = options(disk, chanceFrom(9), 8192);
  const repair = repairLog(settings, checkpoint);
  const log = LocalLog.open(settings, checkpoint);
  expect(log.appendedSequence).toBe(repair.appendedSequence);
  let due = checkpoint + 1;
  log.replay(due, (_kind, _space, sequence, bytes, at, count) => {
    expect(sequence).toBe(due++);
    if (Buffer.compare(bytes.subarray(at, at + count), written.get(sequence)!.payload) !== 0) {
      throw new Error(`record ${sequence} came back with other bytes`);
    }
  });
  expect(due).toBe(repair.appendedSequence + 1);
  expect(appendRecord(log, makeRecord(1, 1, 100))).toBe(due);
  log.close();
  expect(repairLog(settings, checkpoint).keptAside).toEqual([]);
  return repair.appendedSequence;
}

describe("repairLog", () => {
  test("repairLog leaves a good log as it is", () => {
    const { disk } = makeLog();
    expect(repairLog(options(disk, chanceFrom(9), 8192), 0)).toMatchObject({
      appendedSequence: COUNT,
      keptAside: [],
    });
  });

  test("repairLog keeps the records before any flipped bit, and the files as they were", () => {
    const { disk, written, segments } = makeLog();
    const reached = new Set<number>();
    for (const name of segments) {
      const path = `${LOG}/${name}`;
      const bits = disk.contents(path).length * 8;
      for (let bit = 0; bit < bits; bit += LONG ? 101 : 1511) {
        disk.flipBit(path, bit);
        const damaged = disk.contents(path);
        for (const checkpoint of [0, 30]) {
          const copy = disk.copy();
          const end = repairAndCheck(copy, written, checkpoint);
          expect(end).toBeGreaterThanOrEqual(checkpoint);
          reached.add(end);
          const kept = copy.paths().filter((found) => found.startsWith(`${path}.broken`));
          for (const aside of kept) {
            const bytes = copy.contents(aside);
            expect(Buffer.compare(bytes, damaged.subarray(0, bytes.length))).toBe(0);
          }
        }
        disk.flipBit(path, bit);
      }
    }
    expect(reached.size).toBeGreaterThan(10);
  });

  test("repairLog goes on behind the checkpoint when a segment is gone or cut", () => {
    const { disk, written, segments } = makeLog();
    for (const name of segments) {
      for (const checkpoint of [0, 20, COUNT]) {
        const without = disk.copy();
        without.remove(`${LOG}/${name}`);
        expect(repairAndCheck(without, written, checkpoint)).toBeGreaterThanOrEqual(checkpoint);
        const cut = disk.copy();
        cut.put(`${LOG}/${name}`, cut.contents(`${LOG}/${name}`).slice(0, 5000));
        expect(repairAndCheck(cut, written, checkpoint)).toBeGreaterThanOrEqual(checkpoint);
      }
    }
    const empty = disk.copy();
    for (const name of segments) empty.remove(`${LOG}/${name}`);
    expect(() => LocalLog.open(options(empty, chanceFrom(1), 8192))).toThrow(OperatorError);
    expect(repairAndCheck(empty, written, 17)).toBe(17);
  });
});

test("repairDataDirectory makes a refused data directory start again, behind its checkpoint", () => {
  const disk = new FaultyDisk(chanceFrom(11));
  disk.makeDirectory("data");
  const opening = { disk, path: "data", pid: 1, version: "0.1.0", nowMs: 0 };
  const data = new DataDirectory(opening);
  const next = data.beginTopology(2);
  const settings = next.places.map((place) => ({
    ...options(disk, chanceFrom(12), 8192),
    directory: place.log,
    topology: place.topology,
    stream: place.stream,
  }));
  for (const stream of settings) {
    const log = LocalLog.create(stream);
    for (let index = 1; index <= COUNT; index++) appendRecord(log, makeRecord(index, 1, 600));
    log.close();
  }
  next.commit();
  const place = data.stream(1);
  const checkpoint = new CheckpointStore({ disk, directory: place.checkpoint, topology: 1, stream: 1 });
  const writer = checkpoint.begin();
  writer.space(1).meta({ nodeCount: 40 });
  writer.commit(40);
  data.close();
  disk.remove(`${place.log}/00000002.log`);
  expect(() => LocalLog.open(settings[1]!, 40)).toThrow(
    expect.objectContaining({ code: "log-segment-missing" }),
  );

  const repairs = repairDataDirectory({ ...opening, segmentBytes: 8192 });
  expect(repairs).toMatchObject([
    { stream: 0, checkpointSequence: 0, appendedSequence: COUNT, keptAside: [] },
    { stream: 1, checkpointSequence: 40 },
  ]);
  expect(LocalLog.open(settings[0]!).appendedSequence).toBe(COUNT);
  expect(LocalLog.open(settings[1]!, 40).appendedSequence).toBe(repairs[1]!.appendedSequence);
});
