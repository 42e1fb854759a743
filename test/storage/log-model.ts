/** What the log tests share: a log over a faulty disk, and records whose every byte follows from their number. */
import { expect } from "bun:test";
import { logRecordBytes } from "../../src/layout/log-record.ts";
import type { LocalLog } from "../../src/storage/local-log.ts";
import type { FaultyDisk } from "./faulty-disk.ts";

export const LONG = process.env["ENGRAM_TEST_LONG"] === "1";
export const LOG = "log";

/** Reproducible numbers from 0 to below 1 (mulberry32). */
export function chanceFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export type Written = { kind: number; spaceId: number; payload: Uint8Array };

/** The record with this number: size and bytes from the number and a salt. */
export function makeRecord(sequence: number, salt: number, bytesMax: number): Written {
  const chance = chanceFrom(sequence * 2654435761 + salt);
  const payload = new Uint8Array(Math.floor(chance() ** 2 * bytesMax));
  for (let index = 0; index < payload.length; index++) payload[index] = chance() * 256;
  return { kind: 1 + Math.floor(chance() * 4), spaceId: Math.floor(chance() * 1000), payload };
}

export function options(disk: FaultyDisk, chance: () => number, segmentBytes = 16_384, bufferBytes = 4096) {
  return {
    disk,
    directory: LOG,
    topology: 1,
    stream: 0,
    segmentBytes,
    bufferBytes,
    makeSeed: () => Math.floor(chance() * 0xfffffffe) + 1,
  };
}

export function appendRecord(log: LocalLog, record: Written): number {
  log.reserve(logRecordBytes(record.payload.length));
  return log.append(record.kind, record.spaceId, record.payload, 0, record.payload.length);
}

/** Replays the whole log and compares it with what was written; answers how many records there were. */
export function expectRecords(log: LocalLog, written: ReadonlyMap<number, Written>): number {
  let count = 0;
  let due = log.oldestSequence;
  log.replay(log.oldestSequence, (kind, spaceId, sequence, bytes, at, length) => {
    const record = written.get(sequence);
    if (
      sequence !== due ||
      !record ||
      record.kind !== kind ||
      record.spaceId !== spaceId ||
      Buffer.compare(bytes.subarray(at, at + length), record.payload) !== 0
    ) {
      expect({ sequence, kind, spaceId, length }).toEqual({
        sequence: due,
        kind: record?.kind ?? -1,
        spaceId: record?.spaceId ?? -1,
        length: record?.payload.length ?? -1,
      });
      throw new Error(`record ${sequence} came back with other bytes`);
    }
    due++;
    count++;
  });
  expect(due).toBe(log.appendedSequence + 1);
  return count;
}
