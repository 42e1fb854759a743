/**
 * What the memory of this machine carries: every core copies between two arrays larger than the caches, for a moment,
 * as STREAM's copy does (McCalpin 1995). Bytes read and bytes written both count.
 *
 *   main ── order ──▶ thread: touches its arrays, copies until the time is over ── bytes a second ──▶ main adds up
 *
 * Copying a typed array is one memmove of the C library, which uses the widest instructions there are.
 */
import { availableParallelism, freemem } from "node:os";
import { type Fact, known, unavailable } from "../../base/fact.ts";

export type CopyOrder = { readonly type: "copy"; readonly arrayBytes: number; readonly durationMs: number };
export type CopyOutcome = { readonly type: "copied"; readonly bytesPerSecond: number };

const MIB = 1024 * 1024;
/** Of all threads together: more than the largest last-level caches hold. */
const TOTAL_BYTES = 512 * MIB;
const ARRAY_BYTES_MIN = 32 * MIB;
const THREADS_MAX = 64;
const DURATION_MS = 500;
const ANSWER_MS_MAX = 20_000;

/** @param open starts a thread of `load-worker.ts` */
export async function measureBandwidth(open: () => Worker): Promise<Fact<number>> {
  const threads = Math.min(THREADS_MAX, availableParallelism());
  const arrayBytes = Math.max(ARRAY_BYTES_MIN, Math.ceil(TOTAL_BYTES / threads / 2));
  const needed = threads * arrayBytes * 2;
  if (needed > freemem() / 4) {
    return unavailable(
      `measuring takes ${Math.round(needed / MIB)} MiB, more than a quarter of what is free`,
    );
  }
  const workers = Array.from({ length: threads }, open);
  try {
    const outcomes = await Promise.all(
      workers.map((worker) => copied(worker, { type: "copy", arrayBytes, durationMs: DURATION_MS })),
    );
    return known(outcomes.reduce((sum, { bytesPerSecond }) => sum + bytesPerSecond, 0));
  } catch (error) {
    return unavailable(error instanceof Error ? error.message : String(error));
  } finally {
    for (const worker of workers) worker.terminate();
  }
}

/** In the thread. */
export function runCopy({ arrayBytes, durationMs }: CopyOrder): CopyOutcome {
  const from = new Uint8Array(arrayBytes).fill(1);
  const to = new Uint8Array(arrayBytes).fill(2);
  const begunMs = performance.now();
  let bytes = 0;
  let elapsedMs = 0;
  do {
    to.set(from);
    bytes += 2 * arrayBytes;
    elapsedMs = performance.now() - begunMs;
  } while (elapsedMs < durationMs);
  return { type: "copied", bytesPerSecond: (bytes / elapsedMs) * 1000 };
}

function copied(worker: Worker, order: CopyOrder): Promise<CopyOutcome> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error("a thread did not answer")), ANSWER_MS_MAX);
    worker.onmessage = ({ data }: { data: CopyOutcome }) => {
      clearTimeout(late);
      resolve(data);
    };
    worker.onerror = (event) => {
      clearTimeout(late);
      reject(new Error(`a thread failed: ${event.message}`));
    };
    worker.postMessage(order);
  });
}
