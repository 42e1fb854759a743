/**
 * Wakes other threads on a schedule: timers of the event loop are only as fine as a millisecond.
 *
 * Word 0 counts the ticks, word 1 is what this thread sleeps on, and set to 1 it ends.
 */
export type TickerOrder = {
  readonly type: "ticks";
  readonly buffer: SharedArrayBuffer;
  readonly periodMs: number;
};

export const TICK_COUNT = 0;
export const TICK_STOP = 1;

/** Ticks until it is told to end; blocks the thread meanwhile. */
export function runTicker({ buffer, periodMs }: TickerOrder): void {
  const words = new Int32Array(buffer);
  const startedMs = performance.now();
  for (let tick = 1; Atomics.load(words, TICK_STOP) === 0; tick++) {
    const waitMs = startedMs + tick * periodMs - performance.now();
    if (waitMs > 0) Atomics.wait(words, TICK_STOP, 0, waitMs);
    Atomics.add(words, TICK_COUNT, 1);
    Atomics.notify(words, TICK_COUNT);
  }
}
