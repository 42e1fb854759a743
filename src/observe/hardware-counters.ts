/**
 * Hardware and software counters of the appliance's threads: opened once, sampled once a second by the collector
 * of their node, per thread and summed by role and by node.
 *
 * Every value is measured (with the scale it was multiplied by) or unavailable with the reason; what is derived
 * from values says so, and the memory bandwidth calls itself an estimate: it takes every miss of the last-level
 * cache for one cache line from memory, which leaves out what is written back and counts what other caches had.
 *
 * Threads of the runtime itself (garbage collection, compilation) belong to no role and are not counted.
 */

import { type PerfEvents, perfEvents } from "../ffi/perf-events.ts";
import { CACHE_LINE_BYTES } from "../layout/cache-line.ts";
import { COUNTER_NAMES, type CounterName, processorOf } from "./hardware-events.ts";
import { type ReadText, readText } from "./hardware-proc.ts";
import { type CounterSurroundings, type Unavailable, unavailable } from "./hardware-refusal.ts";
import { type Reading, type Readings, ThreadCounters } from "./hardware-thread.ts";

export type CountedThread = {
  readonly role: string;
  /** among the threads of its role */
  readonly ordinal: number;
  /** the kernel's id */
  readonly threadId: number;
  /** undefined where threads are not placed on nodes */
  readonly node: number | undefined;
};

/** The sum over threads; `threads` of `threadsAll` had a value. */
export type SummedReading = Reading & { readonly threads: number; readonly threadsAll: number };
export type SummedReadings = Readonly<Record<CounterName, SummedReading>>;

export type Derived = { readonly state: "derived" | "estimated"; readonly value: number } | Unavailable;

/** What follows from counters of one interval. */
export type DerivedFigures = {
  readonly instructionsPerCycle: Derived;
  /** packed among all floating-point arithmetic, as the processor counts it; 0 to 1 */
  readonly simdShare: Derived;
  /** bytes a second that came from memory */
  readonly memoryBandwidth: Derived;
  /** of the time the threads were on a core; above 1 with several */
  readonly coresUsed: Derived;
};

export type ThreadSample = {
  readonly thread: CountedThread;
  readonly counters: Readings;
  readonly derived: DerivedFigures;
};

export type SumSample = { readonly counters: SummedReadings; readonly derived: DerivedFigures };

export type HardwareSample = {
  readonly intervalSeconds: number;
  /** ns that reading all threads took: what watching costs */
  readonly readNs: number;
  readonly threads: readonly ThreadSample[];
};

export type HardwareDoors = {
  readonly perf: PerfEvents;
  readonly readText: ReadText;
  /** monotonic ns */
  readonly nowNs: () => number;
};

export class HardwareCounters {
  /** true where the kernel's share of the work is not in the processor's counts: no right to it */
  readonly isUserOnly: boolean;
  readonly #threads: { readonly thread: CountedThread; readonly counters: ThreadCounters }[];
  readonly #nowNs: () => number;
  #sampledAtNs: number;

  private constructor(threads: readonly CountedThread[], doors: HardwareDoors) {
    const surroundings = surroundingsOf(doors.readText);
    this.#nowNs = doors.nowNs;
    this.#threads = threads.map((thread) => ({
      thread,
      counters: new ThreadCounters({ ...doors, threadId: thread.threadId, surroundings }),
    }));
    this.isUserOnly = this.#threads.some(({ counters }) => counters.isUserOnly);
    this.#sampledAtNs = doors.nowNs();
  }

  /** Opens the counters of threads of this process, some 300 us a thread. Never throws for one that can not be had. */
  static open(threads: readonly CountedThread[], doors: Partial<HardwareDoors> = {}): HardwareCounters {
    return new HardwareCounters(threads, {
      perf: doors.perf ?? perfEvents,
      readText: doors.readText ?? readText,
      nowNs: doors.nowNs ?? (() => Bun.nanoseconds()),
    });
  }

  /** Descriptors held open. */
  get handleCount(): number {
    return this.#threads.reduce((sum, { counters }) => sum + counters.handleCount, 0);
  }

  /** What was counted since the last sample, or since opening. */
  sample(): HardwareSample {
    const beginNs = this.#nowNs();
    const intervalSeconds = (beginNs - this.#sampledAtNs) / 1e9;
    this.#sampledAtNs = beginNs;
    const readings = this.#threads.map(({ thread, counters }) => ({ thread, counters: counters.read() }));
    const readNs = this.#nowNs() - beginNs;
    return {
      intervalSeconds,
      readNs,
      threads: readings.map((one) => ({ ...one, derived: derive(one.counters, intervalSeconds) })),
    };
  }

  close(): void {
    for (const { counters } of this.#threads) counters.close();
  }
}

/** The sums over the threads of each role. Computed when somebody asks: the metrics need them by thread only. */
export function sumByRole(sample: HardwareSample): Map<string, SumSample> {
  return sumBy(sample, ({ role }) => role);
}

/** The sums over the threads of each node; threads that are not placed are under undefined. */
export function sumByNode(sample: HardwareSample): Map<number | undefined, SumSample> {
  return sumBy(sample, ({ node }) => node);
}

/** What the machine says about counters. */
export function surroundingsOf(read: ReadText): CounterSurroundings {
  const paranoid = Number.parseInt(read("/proc/sys/kernel/perf_event_paranoid") ?? "", 10);
  return {
    processor: processorOf(read("/proc/cpuinfo") ?? ""),
    paranoid: Number.isNaN(paranoid) ? undefined : paranoid,
  };
}

function sumBy<K>(sample: HardwareSample, keyOf: (thread: CountedThread) => K): Map<K, SumSample> {
  const groups = Map.groupBy(sample.threads, ({ thread }) => keyOf(thread));
  return new Map([...groups].map(([key, members]) => [key, sumOf(members, sample.intervalSeconds)]));
}

function sumOf(members: readonly { readonly counters: Readings }[], intervalSeconds: number): SumSample {
  const counters = Object.fromEntries(
    COUNTER_NAMES.map((name) => [name, sumReadings(members.map((member) => member.counters[name]))]),
  ) as Record<CounterName, SummedReading>;
  return { counters, derived: derive(counters, intervalSeconds) };
}

/** @param readings at least one */
function sumReadings(readings: readonly Reading[]): SummedReading {
  let value = 0;
  let counted = 0;
  let scaleOfIdle = 1;
  let threads = 0;
  let refusal: Unavailable | undefined;
  for (const reading of readings) {
    if (reading.state === "unavailable") {
      refusal ??= reading;
      continue;
    }
    threads += 1;
    value += reading.value;
    counted += reading.value / reading.scale;
    scaleOfIdle = Math.max(scaleOfIdle, reading.scale);
  }
  const among = { threads, threadsAll: readings.length };
  if (threads === 0) return { ...(refusal ?? unavailable("failed", "no thread was asked")), ...among };
  return { state: "measured", value, scale: counted > 0 ? value / counted : scaleOfIdle, ...among };
}

function derive(counters: Readings, intervalSeconds: number): DerivedFigures {
  const { cycles, instructions, fp_packed: packed, fp_scalar: scalar } = counters;
  return {
    instructionsPerCycle: ratio([instructions], [cycles], "the threads ran no cycle"),
    simdShare: ratio([packed], [packed, scalar], "there was no floating-point arithmetic"),
    memoryBandwidth: perSecond(counters.llc_misses, CACHE_LINE_BYTES, intervalSeconds, "estimated"),
    coresUsed: perSecond(counters.task_clock_ns, 1e-9, intervalSeconds, "derived"),
  };
}

/** The sum of `above` over the sum of `below`, if all are measured. */
function ratio(above: readonly Reading[], below: readonly Reading[], ifNone: string): Derived {
  let numerator = 0;
  let denominator = 0;
  for (const reading of above) {
    if (reading.state === "unavailable") return reading;
    numerator += reading.value;
  }
  for (const reading of below) {
    if (reading.state === "unavailable") return reading;
    denominator += reading.value;
  }
  return denominator > 0 ? { state: "derived", value: numerator / denominator } : unavailable("idle", ifNone);
}

function perSecond(
  reading: Reading,
  factor: number,
  intervalSeconds: number,
  state: "derived" | "estimated",
): Derived {
  if (reading.state === "unavailable") return reading;
  if (!(intervalSeconds > 0)) return unavailable("idle", "no time has passed since the last sample");
  return { state, value: (reading.value * factor) / intervalSeconds };
}
