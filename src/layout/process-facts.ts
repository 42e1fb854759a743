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
  // --- live settings, for threads that hear no messages. Owner: main
  /** 1 while metrics are recorded: monitoring.enabled */
  watched: 10,
  /** wal.flush_interval_ms */
  flushIntervalMs: 11,
  /** 1 where wal.sync_mode is "batch" */
  syncsInBatches: 12,
  /** number of the profile under way; 0 where none is. Owner: main */
  profileRun: 13,
} as const;

/** Behind the facts, one f64 per thread of each role: ms since the epoch of its last sign of life. */
export const THREAD_ALIVE_AT = 32;
export const THREADS_MAX = 512;

/** Behind them, a cache line for each API worker, whose first f64 counts the recalls it answered. */
export const RECALL_COUNT_AT: number = THREAD_ALIVE_AT + THREADS_MAX;
export const RECALL_COUNT_STRIDE: number = CACHE_LINE_BYTES / 8;
export const API_WORKERS_MAX = 256;

/**
 * Behind them, one f64 per thread of each role: which thread it is to the kernel and where it was placed, in one
 * number so that no reader sees half of it. 0 while it has not started. Owner: the thread
 */
export const THREAD_PLACE_AT: number = RECALL_COUNT_AT + API_WORKERS_MAX * RECALL_COUNT_STRIDE;
export const PROCESS_FACTS_BYTES: number = (THREAD_PLACE_AT + THREADS_MAX) * 8;

/** Nodes are numbered to 63, and one number says "not placed". */
const NODE_NUMBERS = 128;

/** @param threadId the kernel's @param node undefined where threads are not placed on nodes */
export function threadPlaceFact(threadId: number, node: number | undefined): number {
  return threadId * NODE_NUMBERS + (node === undefined ? 0 : node + 1);
}

/** @returns undefined for a thread that has not started */
export function threadPlaceOf(fact: number): { threadId: number; node: number | undefined } | undefined {
  if (fact === 0) return undefined;
  const node = fact % NODE_NUMBERS;
  return { threadId: (fact - node) / NODE_NUMBERS, node: node === 0 ? undefined : node - 1 };
}
