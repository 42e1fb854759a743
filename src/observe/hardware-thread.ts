/**
 * The counters of one thread: opened once in groups, then read for what was counted since the reading before.
 *
 * Where groups take turns on the processor's registers, a count is scaled by the time its group was enabled over
 * the time it ran, in that interval; the scale comes with the value. A group that never ran in an interval in
 * which the thread did has no value for it.
 *
 *   asked with the kernel's share ──EACCES──> asked without it ──EACCES──> unavailable
 *   software counters as a group  ──refused──> from /proc
 */
import { PERF_GROUP_TIMES, type PerfEvents } from "../ffi/perf-events.ts";
import {
  COUNTER_NAMES,
  type CounterName,
  HARDWARE_EVENTS,
  HARDWARE_GROUP_NAMES,
  HARDWARE_GROUPS,
  type HardwareEvent,
  hardwareEvent,
  SOFTWARE_EVENTS,
  SOFTWARE_PERF_EVENTS,
} from "./hardware-events.ts";
import { type ReadText, type ThreadTotals, threadTotals } from "./hardware-proc.ts";
import {
  type CounterSurroundings,
  explainRefusal,
  type Unavailable,
  unavailable,
} from "./hardware-refusal.ts";

/** What was counted in an interval. */
export type Measured = {
  readonly state: "measured";
  readonly value: number;
  /** 1: counted all the time; 3: for a third of it, and multiplied by 3 */
  readonly scale: number;
};
export type Reading = Measured | Unavailable;
export type Readings = Readonly<Record<CounterName, Reading>>;

/** Time on a core from which on a cycle counter that stands at 0 is not believed. */
const STILL_FROM_NS = 10_000_000;

type Group = {
  readonly leader: number;
  readonly names: readonly CounterName[];
  readonly handles: readonly number[];
  readonly totals: BigUint64Array;
  readonly since: Float64Array;
};

export type ThreadCountersOptions = {
  readonly threadId: number;
  readonly perf: PerfEvents;
  readonly surroundings: CounterSurroundings;
  readonly readText: ReadText;
};

export class ThreadCounters {
  /** true where what the kernel does for the thread is not in the processor's counts */
  readonly isUserOnly: boolean;
  readonly #options: ThreadCountersOptions;
  readonly #groups: Group[] = [];
  readonly #refused = new Map<CounterName, Unavailable>();
  /** of the reading before, where software counters come from /proc */
  #procTotals: ThreadTotals | undefined;

  constructor(options: ThreadCountersOptions) {
    this.#options = options;
    this.isUserOnly = this.#needsUserOnly();
    for (const group of HARDWARE_GROUP_NAMES) this.#openGroup(HARDWARE_GROUPS[group]);
    if (!this.#openSoftware()) this.#procTotals = threadTotals(options.threadId, options.readText);
    for (const group of this.#groups) this.#start(group);
  }

  /** Descriptors it holds. */
  get handleCount(): number {
    return this.#groups.reduce((sum, { handles }) => sum + handles.length, 0);
  }

  /** What was counted since the last call, or since it was opened. */
  read(): Readings {
    const readings = new Map<CounterName, Reading>(this.#refused);
    for (const group of this.#groups) this.#readGroup(group, readings);
    if (this.#procTotals !== undefined) this.#readProc(this.#procTotals, readings);
    doubtStillCounters(readings);
    return Object.fromEntries(
      COUNTER_NAMES.map((name) => [name, readings.get(name) ?? unavailable("failed", "it was not opened")]),
    ) as Record<CounterName, Reading>;
  }

  close(): void {
    for (const group of this.#groups.splice(0)) this.#closeGroup(group.handles);
  }

  /** Whether the right to count the kernel's share is missing, asked with the one event that all processors have. */
  #needsUserOnly(): boolean {
    const { perf, threadId } = this.#options;
    const event = { type: 0, config: 0 } as const;
    const answer = perf.open({ event, threadId, group: undefined, isUserOnly: false });
    if (typeof answer === "number") perf.close(answer);
    return answer === "EACCES" || answer === "EPERM";
  }

  #openGroup(names: readonly HardwareEvent[]): void {
    const { perf, threadId, surroundings } = this.#options;
    const { isUserOnly } = this;
    let opened: { leader: number; names: CounterName[]; handles: number[] } | undefined;
    const finish = (): void => {
      if (opened !== undefined) this.#groups.push(withBuffers(opened));
      opened = undefined;
    };
    for (const name of names) {
      const event = hardwareEvent(name, surroundings.processor);
      if (typeof event === "string") {
        this.#refused.set(name, unavailable("unknown", event));
        continue;
      }
      let answer = perf.open({ event, threadId, group: opened?.leader, isUserOnly });
      if (answer === "EINVAL" && opened !== undefined) {
        // The registers do not hold it together with the others: it becomes a group of its own.
        finish();
        answer = perf.open({ event, threadId, group: undefined, isUserOnly });
      }
      if (typeof answer === "string") {
        this.#refused.set(name, explainRefusal(answer, surroundings));
        continue;
      }
      opened ??= { leader: answer, names: [], handles: [] };
      opened.names.push(name);
      opened.handles.push(answer);
    }
    finish();
  }

  /** All of them or none, so that one source speaks for the thread. Switches happen in the kernel: they need its share. */
  #openSoftware(): boolean {
    const { perf, threadId } = this.#options;
    const handles: number[] = [];
    for (const name of SOFTWARE_EVENTS) {
      const answer = perf.open({
        event: SOFTWARE_PERF_EVENTS[name],
        threadId,
        group: handles[0],
        isUserOnly: false,
      });
      if (typeof answer === "string") {
        this.#closeGroup(handles);
        return false;
      }
      handles.push(answer);
    }
    this.#groups.push(withBuffers({ leader: handles[0]!, names: SOFTWARE_EVENTS, handles }));
    return true;
  }

  #start(group: Group): void {
    const refusal = this.#options.perf.start(group.leader);
    if (refusal === undefined) return;
    for (const name of group.names)
      this.#refused.set(name, unavailable("failed", `the counter can not be started: ${refusal}`));
    this.#groups.splice(this.#groups.indexOf(group), 1);
    this.#closeGroup(group.handles);
  }

  #readGroup(group: Group, readings: Map<CounterName, Reading>): void {
    const { since, names } = group;
    const refusal = this.#options.perf.read(group.leader, group.totals, since);
    if (refusal !== undefined) {
      for (const name of names)
        readings.set(name, unavailable("failed", `the counter can not be read: ${refusal}`));
      return;
    }
    const enabledNs = since[0]!;
    const runningNs = since[1]!;
    for (const [index, name] of names.entries()) {
      const count = since[PERF_GROUP_TIMES + index]!;
      if (enabledNs > 0 && runningNs === 0) {
        readings.set(name, unavailable("busy", "other counters held the processor's registers all the time"));
        continue;
      }
      // A thread that slept has counted nothing, and that is measured.
      const scale = enabledNs === 0 ? 1 : Math.max(1, enabledNs / runningNs);
      readings.set(name, { state: "measured", value: count * scale, scale });
    }
  }

  #readProc(before: ThreadTotals, readings: Map<CounterName, Reading>): void {
    const now = threadTotals(this.#options.threadId, this.#options.readText);
    this.#procTotals = now;
    for (const name of SOFTWARE_EVENTS) {
      const total = now[name];
      const earlier = before[name];
      if (typeof total !== "number") readings.set(name, total);
      else if (typeof earlier !== "number") readings.set(name, earlier);
      else readings.set(name, { state: "measured", value: Math.max(0, total - earlier), scale: 1 });
    }
  }

  #closeGroup(handles: readonly number[]): void {
    // The leader is the first, and goes last: the others are counted through it.
    for (const handle of handles.toReversed()) this.#options.perf.close(handle);
  }
}

function withBuffers(opened: Pick<Group, "leader" | "names" | "handles">): Group {
  const length = PERF_GROUP_TIMES + opened.names.length;
  return { ...opened, totals: new BigUint64Array(length), since: new Float64Array(length) };
}

/** Some hypervisors show counters that they do not drive: they open, and stand at 0. */
function doubtStillCounters(readings: Map<CounterName, Reading>): void {
  const cycles = readings.get("cycles");
  const taskClock = readings.get("task_clock_ns");
  if (cycles?.state !== "measured" || cycles.value > 0) return;
  if (taskClock?.state !== "measured" || taskClock.value < STILL_FROM_NS) return;
  for (const name of HARDWARE_EVENTS) {
    if (readings.get(name)?.state === "measured") {
      readings.set(
        name,
        unavailable("untrusted", "the processor's counters stand still although the thread ran"),
      );
    }
  }
}
