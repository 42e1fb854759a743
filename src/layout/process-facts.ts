/**
 * What the process says of itself: f64 numbers in a SharedArrayBuffer, each stored by one thread only.
 * NaN marks a figure that could not be had.
 */
import { CACHE_LINE_BYTES } from "./cache-line.ts";

export const PROCESS_FACT = {
  /** 1 once every home writer has recovered. Owner: main */
  ready: 0,
  /** 1 once the process takes no new work. Owner: main */
  stopping: 1,
  // --- sampled once a second by the first collector
  sampledAtMs: 2,
  rssBytes: 3,
  openFiles: 4,
  openFilesMax: 5,
  dataDiskFreeBytes: 6,
  dataDiskBytes: 7,
  cpuSeconds: 8,
  threads: 9,
} as const;

/** Behind the facts, one f64 per thread of each role: ms since the epoch of its last sign of life. */
export const THREAD_ALIVE_AT = 32;
export const THREADS_MAX = 512;

/** Behind them, a cache line for each API worker, whose first f64 counts the recalls it answered. */
export const RECALL_COUNT_AT: number = THREAD_ALIVE_AT + THREADS_MAX;
export const RECALL_COUNT_STRIDE: number = CACHE_LINE_BYTES / 8;
export const API_WORKERS_MAX = 256;
export const PROCESS_FACTS_BYTES: number = (RECALL_COUNT_AT + API_WORKERS_MAX * RECALL_COUNT_STRIDE) * 8;
