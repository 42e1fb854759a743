import { expect, test } from "bun:test";
import { RequestError } from "../../src/base/errors.ts";
import { LocalLog } from "../../src/storage/local-log.ts";
import { Crash, FaultyDisk } from "./faulty-disk.ts";
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

/** What a run knows of itself, whatever happens to it. */
type Course = {
  written: Map<number, Written>;
  acknowledged: number;
  appended: number;
  truncatedTo: number;
  log?: LocalLog;
};

/** Random operations on a log until `steps` are done or the disk throws. */
function work(log: LocalLog, course: Course, chance: () => number, salt: number, steps: number): void {
  course.log = log;
  for (let step = 0; step < steps; step++) {
    const dice = chance();
    if (dice < 0.55) {
      const record = makeRecord(log.appendedSequence + 1, salt, 1500);
      // Known before it is tried: a crash inside may leave it on the disk.
      course.written.set(log.appendedSequence + 1, record);
      try {
        course.appended = appendRecord(log, record);
      } catch (error) {
        if (!(error instanceof RequestError)) throw error;
      }
    } else if (dice < 0.7) log.write();
    else if (dice < 0.85) {
      log.write();
      log.sync();
      course.acknowledged = log.syncedSequence;
    } else if (dice < 0.93) log.idle();
    else if (dice < 0.95) log.prepareNext();
    else if (dice < 0.98 && log.syncedSequence > 20) {
      course.truncatedTo = Math.max(course.truncatedTo, log.syncedSequence - 20);
      log.truncateBefore(course.truncatedTo);
    }
  }
}

test("LocalLog loses nothing that was synced, whatever the machine does and wherever it stops", () => {
  const runs = LONG ? 6000 : 500;
  const seed = 20260101;
  console.log(`seed ${seed}, ${runs} runs`);
  for (let run = 0; run < runs; run++) {
    const chance = chanceFrom(seed + run);
    let disk = new FaultyDisk(chance);
    disk.makeDirectory(LOG);
    const course: Course = { written: new Map(), acknowledged: 0, appended: 0, truncatedTo: 0 };
    LocalLog.create(options(disk, chance)).close();
    // Several lives, one after the other, each ending in another way.
    for (let life = 0; life < 5; life++) {
      disk.operationsLeft = 1 + Math.floor(chance() * 200);
      if (chance() < 0.2) disk.syncsUntilFailure = Math.floor(chance() * 20);
      if (chance() < 0.2) disk.budgetBytes = disk.usedBytes() + Math.floor(chance() * 60_000);
      try {
        const log = LocalLog.open(options(disk, chance), course.acknowledged);
        if (log.appendedSequence < course.acknowledged) {
          throw new Error(
            `run ${run}, life ${life}: ${course.acknowledged} were synced, ${log.appendedSequence} came back`,
          );
        }
        course.acknowledged = course.appended = log.appendedSequence;
        work(log, course, chance, run * 10 + life, 300);
        if (chance() < 0.5) {
          log.close();
          course.acknowledged = course.appended;
        }
      } catch (error) {
        const code = (error as { code?: string }).code;
        const expected =
          error instanceof Crash ||
          (error as Error).cause instanceof Crash ||
          code === "log-sync-failed" ||
          (code === "log-write-failed" && /EIO|ENOSPC/.test((error as Error).message)) ||
          code === "disk-full";
        if (!expected)
          throw new Error(`run ${run}, life ${life} (seed ${seed + run}): ${error}`, { cause: error });
      }
      disk = chance() < 0.3 ? disk.afterKill() : disk.afterPowerLoss();
      disk.budgetBytes = Number.POSITIVE_INFINITY;
      // What the next life finds is checked here as well, on a copy of its own.
      const check = LocalLog.open(options(disk.copy(), chance), 0);
      expect(check.appendedSequence).toBeGreaterThanOrEqual(course.acknowledged);
      expectRecords(check, course.written);
      expect(check.oldestSequence).toBeLessThanOrEqual(Math.max(1, course.truncatedTo));
    }
  }
}, 120_000);

test("LocalLog survives a crash at every single operation of a run over several segments", () => {
  const steps = LONG ? 400 : 90;
  const whole = new FaultyDisk(chanceFrom(1));
  whole.makeDirectory(LOG);
  work(LocalLog.create(options(whole, chanceFrom(2), 8192)), newCourse(), chanceFrom(3), 5, steps);
  for (let operation = 1; operation <= whole.operationCount; operation++) {
    for (let variant = 0; variant < (LONG ? 20 : 4); variant++) {
      const disk = new FaultyDisk(chanceFrom(operation * 100 + variant));
      disk.makeDirectory(LOG);
      disk.operationsLeft = operation;
      const course = newCourse();
      try {
        work(LocalLog.create(options(disk, chanceFrom(2), 8192)), course, chanceFrom(3), 5, steps);
      } catch (error) {
        expect(error instanceof Crash || (error as Error).cause instanceof Crash).toBe(true);
      }
      const found = disk.afterPowerLoss();
      // Before the first segment had its name there is no log yet.
      if (!found.list(LOG).some((name) => /^\d+\.log$/.test(name))) {
        expect(course.acknowledged).toBe(0);
        continue;
      }
      const log = LocalLog.open(options(found, chanceFrom(4), 8192));
      expect(log.appendedSequence).toBeGreaterThanOrEqual(course.acknowledged);
      expectRecords(log, course.written);
    }
  }
}, 120_000);

function newCourse(): Course {
  return { written: new Map(), acknowledged: 0, appended: 0, truncatedTo: 0 };
}
