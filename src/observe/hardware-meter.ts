/**
 * Puts what the counters of threads say into the metrics. Called by the collector of a node, once a second.
 *
 * What belongs to a thread goes into that thread's own lane, into levels that nobody else sets; how many threads
 * a counter was measured for goes into the collector's lane. Totals only grow: a second in which a counter had
 * no value adds nothing, and a counter that never had one stays absent.
 */
import { CACHE_LINE_BYTES } from "../layout/cache-line.ts";
import { THREAD_EVENTS } from "./hardware-catalogue.ts";
import type { Derived, HardwareSample, ThreadSample } from "./hardware-counters.ts";
import {
  HARDWARE_EVENTS,
  HARDWARE_GROUP_NAMES,
  HARDWARE_GROUPS,
  type HardwareEvent,
} from "./hardware-events.ts";
import { REFUSALS } from "./hardware-refusal.ts";
import type { Reading } from "./hardware-thread.ts";
import type { MetricLane } from "./lane.ts";
import { durationSeries, type LevelSeries, levelSeries } from "./series.ts";

/** Adds up the counts of one thread. */
export class ThreadMeter {
  readonly #lane: MetricLane;
  readonly #totals = new Map<LevelSeries, number>();

  /** @param lane of the thread */
  constructor(lane: MetricLane) {
    this.#lane = lane;
  }

  record({ counters, derived }: ThreadSample): void {
    for (const event of HARDWARE_EVENTS) this.#add(EVENTS[event], counters[event], 1);
    for (const event of THREAD_EVENTS) this.#add(KERNEL_EVENTS[event], counters[event], 1);
    this.#add(CPU_SECONDS, counters.task_clock_ns, 1e-9);
    this.#add(MEMORY_BYTES, counters.llc_misses, CACHE_LINE_BYTES);
    this.#lane.set(INSTRUCTIONS_PER_CYCLE, figureOf(derived.instructionsPerCycle));
    this.#lane.set(SIMD_RATIO, figureOf(derived.simdShare));
    for (const [group, series] of COUNTED) {
      const [reading] = HARDWARE_GROUPS[group]
        .map((event: HardwareEvent) => counters[event])
        .filter(({ state }) => state === "measured");
      this.#lane.set(series, reading?.state === "measured" ? 1 / reading.scale : Number.NaN);
    }
  }

  #add(series: LevelSeries, reading: Reading, factor: number): void {
    if (reading.state !== "measured") return;
    const total = (this.#totals.get(series) ?? 0) + reading.value * factor;
    this.#totals.set(series, total);
    this.#lane.set(series, total);
  }
}

/** Records how many threads each counter was measured for, and what reading them took. @param lane of the collector */
export function recordStates(lane: MetricLane, sample: HardwareSample): void {
  lane.record(READ_DURATION, sample.readNs / 1e6);
  for (const [counter, series] of STATES) {
    const counts = new Map<string, number>();
    for (const { counters } of sample.threads) {
      const reading = counters[counter === "task_clock" ? "task_clock_ns" : counter];
      const state = reading.state === "measured" ? "measured" : reading.refusal;
      counts.set(state, (counts.get(state) ?? 0) + 1);
    }
    // A state that no thread is in is not shown.
    for (const [state, cell] of series) lane.set(cell, counts.get(state) ?? Number.NaN);
  }
}

function figureOf(derived: Derived): number {
  return derived.state === "unavailable" ? Number.NaN : derived.value;
}

const EVENTS = seriesBy(HARDWARE_EVENTS, (event) => levelSeries("engram_hardware_events_total", { event }));
const KERNEL_EVENTS = seriesBy(THREAD_EVENTS, (event) =>
  levelSeries("engram_thread_events_total", { event }),
);
const CPU_SECONDS = levelSeries("engram_thread_cpu_seconds_total", {});
const MEMORY_BYTES = levelSeries("engram_hardware_memory_estimated_bytes_total", {});
const INSTRUCTIONS_PER_CYCLE = levelSeries("engram_hardware_instructions_per_cycle", {});
const SIMD_RATIO = levelSeries("engram_hardware_simd_ratio", {});
const READ_DURATION = durationSeries("engram_hardware_read_duration_seconds", {});
const COUNTED = HARDWARE_GROUP_NAMES.map(
  (group) => [group, levelSeries("engram_hardware_counted_ratio", { group })] as const,
);
const STATES = ([...HARDWARE_EVENTS, "task_clock", ...THREAD_EVENTS] as const).map(
  (counter) =>
    [
      counter,
      (["measured", ...REFUSALS] as const).map(
        (state) => [state, levelSeries("engram_hardware_event_threads", { counter, state })] as const,
      ),
    ] as const,
);

function seriesBy<K extends string>(
  keys: readonly K[],
  seriesOf: (key: K) => LevelSeries,
): Readonly<Record<K, LevelSeries>> {
  // fromEntries forgets the keys; they are those of the list.
  return Object.fromEntries(keys.map((key) => [key, seriesOf(key)])) as Record<K, LevelSeries>;
}
