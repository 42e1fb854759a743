/**
 * Calls back every so often, to about a tenth of a millisecond, on the beat of a thread that does nothing else
 * (`ticker-thread.ts`): timers of the event loop are only as fine as a millisecond.
 *
 * The first ticks are only looked at: the earliest of them, relative to its number, says where the schedule of
 * the other thread lies on this one's clock. `onTick` is told the time its schedule began.
 */
import { TICK_COUNT, TICK_STOP, type TickerOrder } from "./ticker-thread.ts";

const TICKS_LOOKED_AT = 32;

/** Where ticks come from: calls `onTick` every `periodMs` until it is stopped. */
export type TickSource = (
  periodMs: number,
  onTick: (startedMs: number) => void,
) => { readonly stop: () => void };

/** A ticker of its own for one load; works where the program runs from its sources. */
export const startTicker: TickSource = (periodMs, onTick) => {
  const worker = new Worker(new URL("./ticker-worker.ts", import.meta.url));
  const buffer = orderTicks(worker, periodMs);
  const listener = listenToTicks(buffer, periodMs, onTick);
  return {
    stop: () => {
      listener.stop();
      stopTicks(buffer);
      worker.unref();
    },
  };
};

/** Makes a thread tick. @param worker runs `runTicker` of ticker-thread.ts */
export function orderTicks(worker: Worker, periodMs: number): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(8);
  const order: TickerOrder = { type: "ticks", buffer, periodMs };
  worker.postMessage(order);
  return buffer;
}

/** Ends the thread's ticking. */
export function stopTicks(buffer: SharedArrayBuffer): void {
  const words = new Int32Array(buffer);
  Atomics.store(words, TICK_STOP, 1);
  Atomics.notify(words, TICK_STOP);
}

/** Follows the ticks of a thread; any number of threads may. */
export function listenToTicks(
  buffer: SharedArrayBuffer,
  periodMs: number,
  onTick: (startedMs: number) => void,
): { readonly stop: () => void } {
  const words = new Int32Array(buffer);
  let isStopped = false;
  let originMs = Number.POSITIVE_INFINITY;
  const begun = Atomics.load(words, TICK_COUNT);
  const listen = async (): Promise<void> => {
    while (!isStopped) {
      const count = Atomics.load(words, TICK_COUNT);
      const seen = count - begun;
      // A thread that was kept from its core may see none of the first: then the first it does see has to do.
      if (seen > 0 && (seen <= TICKS_LOOKED_AT || originMs === Number.POSITIVE_INFINITY))
        originMs = Math.min(originMs, performance.now() - seen * periodMs);
      if (seen > TICKS_LOOKED_AT) onTick(originMs + (TICKS_LOOKED_AT + 1) * periodMs);
      await Atomics.waitAsync(words, TICK_COUNT, count).value;
    }
  };
  listen();
  return {
    stop: () => {
      isStopped = true;
      // Releases the wait above, should the thread have gone first.
      Atomics.add(words, TICK_COUNT, 1);
      Atomics.notify(words, TICK_COUNT);
    },
  };
}
