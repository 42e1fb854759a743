/**
 * How long the disk takes to make one small write durable: 4 KiB into a preallocated file, then
 * `fdatasync`, as the log does it. It is the least a lone write with ack=fsync takes.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type Fact, known, unavailable } from "../../base/fact.ts";

export type SyncLatency = { readonly medianMs: number; readonly maxMs: number; readonly samples: number };

const SAMPLES = 64;
const WRITE_BYTES = 4096;

/** Takes a moment: at most a second on a slow disk. The file is removed again. */
export function measureSyncLatency(directory: string): Fact<SyncLatency> {
  let scratch: string | undefined;
  try {
    scratch = mkdtempSync(join(directory, ".engram-doctor-"));
    const file = openSync(join(scratch, "sync"), "w");
    try {
      const page = new Uint8Array(WRITE_BYTES).fill(1);
      for (let sample = 0; sample < SAMPLES; sample++)
        writeSync(file, page, 0, WRITE_BYTES, sample * WRITE_BYTES);
      fdatasyncSync(file);
      const samplesMs: number[] = [];
      const deadline = performance.now() + 1000;
      for (let sample = 0; sample < SAMPLES && performance.now() < deadline; sample++) {
        const begin = performance.now();
        writeSync(file, page, 0, WRITE_BYTES, sample * WRITE_BYTES);
        fdatasyncSync(file);
        samplesMs.push(performance.now() - begin);
      }
      samplesMs.sort((a, b) => a - b);
      return known({
        medianMs: samplesMs[samplesMs.length >> 1] ?? 0,
        maxMs: samplesMs.at(-1) ?? 0,
        samples: samplesMs.length,
      });
    } finally {
      closeSync(file);
    }
  } catch (error) {
    return unavailable((error as NodeJS.ErrnoException).code ?? String(error));
  } finally {
    if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
  }
}
