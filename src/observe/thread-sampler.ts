/**
 * What a thread with an event loop can say of itself: how late its timers run, how large its JavaScript heap is,
 * and how often garbage was collected. A timer ten times a second, and some 10 us of work a second.
 *
 * The runtime tells neither number nor duration of its collections. A finalizer that registers anew each time it
 * runs counts them from below: several collections between two turns of the event loop are seen as one.
 */
import type { MetricLane } from "./lane.ts";
import { durationSeries, levelSeries } from "./series.ts";
import type { ThreadWindows } from "./thread-windows.ts";

const TICK_MS = 100;
const TICKS_PER_SAMPLE = 10;

export type ThreadSampler = { readonly stop: () => void };

/**
 * @param nowMs monotonic ms
 * @param eachSecond more to sample once a second
 * @param windows told of every tick
 */
export function startThreadSampler(
  lane: MetricLane,
  nowMs: () => number,
  eachSecond: () => void = () => undefined,
  windows?: ThreadWindows,
): ThreadSampler {
  const delays = durationSeries("engram_event_loop_delay_seconds", {});
  const heap = levelSeries("engram_js_heap_bytes", {});
  const collections = levelSeries("engram_js_heap_collections_total", {});
  let collectionCount = 0;
  const registry = new FinalizationRegistry<undefined>(() => {
    collectionCount += 1;
    registry.register({}, undefined);
  });
  registry.register({}, undefined);

  let dueAtMs = nowMs() + TICK_MS;
  let ticks = 0;
  const timer = setInterval(() => {
    const now = nowMs();
    const lateMs = now - dueAtMs;
    lane.record(delays, lateMs);
    dueAtMs = now + TICK_MS;
    windows?.tick(now, lateMs, dueAtMs);
    ticks += 1;
    if (ticks % TICKS_PER_SAMPLE !== 0) return;
    lane.set(heap, process.memoryUsage().heapUsed);
    lane.set(collections, collectionCount);
    eachSecond();
  }, TICK_MS);
  return { stop: () => clearInterval(timer) };
}
