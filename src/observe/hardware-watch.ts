/**
 * Watches the counters of a node's threads: follows which threads there are, samples, records, and says once
 * what can not be had and why. One for each collector; its cost is `engram_hardware_read_duration_seconds`.
 */
import {
  type CountedThread,
  HardwareCounters,
  type HardwareDoors,
  type HardwareSample,
} from "./hardware-counters.ts";
import { recordStates, ThreadMeter } from "./hardware-meter.ts";
import type { MetricLane } from "./lane.ts";

export type WatchedThread = CountedThread & { readonly lane: MetricLane };

export class HardwareWatch {
  readonly #lane: MetricLane;
  readonly #doors: Partial<HardwareDoors>;
  readonly #meters = new Map<number, ThreadMeter>();
  #counters: HardwareCounters | undefined;
  #threadIds = "";

  /** @param lane of the collector */
  constructor(lane: MetricLane, doors: Partial<HardwareDoors> = {}) {
    this.#lane = lane;
    this.#doors = doors;
  }

  /**
   * Samples the threads, and records it in their lanes.
   *
   * @param threads those of the node that have started; another set than before is opened anew, which loses
   *   what was counted since the sample before
   * @returns undefined where the set was opened just now: there is nothing to tell yet
   */
  sample(threads: readonly WatchedThread[]): HardwareSample | undefined {
    const threadIds = threads.map(({ threadId }) => threadId).join();
    if (threadIds !== this.#threadIds) {
      this.#counters?.close();
      this.#counters = HardwareCounters.open(threads, this.#doors);
      this.#threadIds = threadIds;
      for (const { threadId, lane } of threads) {
        if (!this.#meters.has(threadId)) this.#meters.set(threadId, new ThreadMeter(lane));
      }
      return undefined;
    }
    const sample = this.#counters?.sample();
    if (sample === undefined) return undefined;
    for (const thread of sample.threads) this.#meters.get(thread.thread.threadId)?.record(thread);
    recordStates(this.#lane, sample);
    return sample;
  }

  close(): void {
    this.#counters?.close();
    this.#counters = undefined;
    this.#threadIds = "";
  }
}

/** What can not be had, a line for each reason with the counters it keeps away; empty where all are measured. */
export function missingLines(sample: HardwareSample): string[] {
  const countersByReason = new Map<string, Set<string>>();
  for (const { counters } of sample.threads) {
    for (const [name, reading] of Object.entries(counters)) {
      if (reading.state === "measured") continue;
      const why =
        reading.remedy === undefined ? reading.reason : `${reading.reason}. What helps: ${reading.remedy}`;
      const names = countersByReason.get(why) ?? new Set();
      countersByReason.set(why, names.add(name));
    }
  }
  return [...countersByReason].map(([why, names]) => `not counted: ${[...names].join(", ")}: ${why}`);
}
