/**
 * Calls back every so often, to about a tenth of a millisecond, from a thread that does nothing else.
 *
 * The first ticks are only looked at: the earliest of them, relative to its number, says where the schedule of
 * the other thread lies on this one's clock. `onTick` is told the time its schedule began.
 */
import type { TickerOrder } from "./ticker-worker.ts";

const TICKS_LOOKED_AT = 32;

export function startTicker(
  periodMs: number,
  onTick: (startedMs: number) => void,
): { readonly stop: () => void } {
  const buffer = new SharedArrayBuffer(8);
  const words = new Int32Array(buffer);
  const worker = new Worker(new URL("./ticker-worker.ts", import.meta.url));
  const order: TickerOrder = { buffer, periodMs };
  worker.postMessage(order);
  let isStopped = false;
  let originMs = Number.POSITIVE_INFINITY;
  const listen = async (): Promise<void> => {
    while (!isStopped) {
      const seen = Atomics.load(words, 0);
      if (seen > 0 && seen <= TICKS_LOOKED_AT)
        originMs = Math.min(originMs, performance.now() - seen * periodMs);
      if (seen > TICKS_LOOKED_AT) onTick(originMs + (TICKS_LOOKED_AT + 1) * periodMs);
      await Atomics.waitAsync(words, 0, seen).value;
    }
  };
  listen();
  return {
    stop: () => {
      isStopped = true;
      Atomics.store(words, 1, 1);
      Atomics.notify(words, 1);
      // Releases the wait above, should the thread have gone first.
      Atomics.add(words, 0, 1);
      Atomics.notify(words, 0);
      worker.unref();
    },
  };
}
