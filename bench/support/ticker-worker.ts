/**
 * Wakes another thread on a schedule: timers of the event loop are only as fine as a millisecond.
 *
 * Word 0 counts the ticks, word 1 is what this thread sleeps on, and set to 1 it ends.
 */
declare const self: { onmessage: ((event: { data: TickerOrder }) => void) | null };

export type TickerOrder = { readonly buffer: SharedArrayBuffer; readonly periodMs: number };

self.onmessage = ({ data: { buffer, periodMs } }) => {
  const words = new Int32Array(buffer);
  const startedMs = performance.now();
  for (let tick = 1; Atomics.load(words, 1) === 0; tick++) {
    const waitMs = startedMs + tick * periodMs - performance.now();
    if (waitMs > 0) Atomics.wait(words, 1, 0, waitMs);
    Atomics.add(words, 0, 1);
    Atomics.notify(words, 0);
  }
};
