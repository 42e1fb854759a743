/** Counters of threads: on this machine as it is, and on machines that injected readers stand for. */
import { afterEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import type { PerfEvent, PerfEvents } from "../../src/ffi/perf-events.ts";
import { threadId } from "../../src/ffi/threads.ts";
import {
  type CountedThread,
  HardwareCounters,
  sumByNode,
  sumByRole,
} from "../../src/observe/hardware-counters.ts";
import {
  COUNTER_NAMES,
  HARDWARE_EVENTS,
  type HardwareEvent,
  hardwareEvent,
  processorOf,
  SOFTWARE_EVENTS,
} from "../../src/observe/hardware-events.ts";

const XEON = "vendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 143\nflags\t\t: fpu avx512f\n";
const VIRTUAL_XEON = XEON.replace("fpu", "fpu hypervisor");
const ZEN4 = "vendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 17\nflags\t\t: fpu\n";
const ZEN3 = ZEN4.replace("model\t\t: 17", "model\t\t: 1");
const NEOVERSE = "CPU implementer\t: 0x41\nCPU part\t: 0xd40\n";

const thread = (change: Partial<CountedThread> = {}): CountedThread => ({
  role: "api",
  ordinal: 0,
  threadId: 7,
  node: 0,
  ...change,
});

/** A machine made up of rules: what opening answers, and what a group says when it is read. */
function machine(rules: {
  cpuinfo?: string;
  paranoid?: string;
  files?: Record<string, string>;
  open?: (event: PerfEvent, isUserOnly: boolean, groupSize: number) => string | undefined;
  /** ns enabled and running in each interval, and the count of an event in it */
  times?: () => [enabledNs: number, runningNs: number];
  count?: (event: PerfEvent, threadId: number) => number;
}) {
  const opened = new Map<number, { event: PerfEvent; threadId: number; group: number }>();
  let next = 100;
  let nowNs = 0;
  const perf: PerfEvents = {
    open({ event, threadId, group, isUserOnly }) {
      const inGroup = [...opened.values()].filter((one) => one.group === group).length;
      const refusal = rules.open?.(event, isUserOnly, group === undefined ? 0 : inGroup);
      if (refusal !== undefined) return refusal;
      const handle = next++;
      opened.set(handle, { event, threadId, group: group ?? handle });
      return handle;
    },
    start: () => undefined,
    read(leader, totals, since) {
      const members = [...opened.values()].filter(({ group }) => group === leader);
      expect(since.length).toBe(members.length + 2);
      const interval = [
        ...(rules.times?.() ?? [1e6, 1e6]),
        ...members.map(({ event, threadId }) => rules.count?.(event, threadId) ?? 1000),
      ];
      for (const [index, value] of interval.entries()) {
        since[index] = value;
        totals[index]! += BigInt(Math.round(value));
      }
      return undefined;
    },
    close: (handle) => void opened.delete(handle),
  };
  const files: Record<string, string> = {
    "/proc/cpuinfo": rules.cpuinfo ?? XEON,
    "/proc/sys/kernel/perf_event_paranoid": rules.paranoid ?? "2\n",
    ...rules.files,
  };
  const doors = {
    perf,
    readText: (path: string) => files[path],
    nowNs: () => {
      nowNs += 5e8;
      return nowNs;
    },
  };
  return { doors, opened, files };
}

const same = (event: PerfEvent, name: HardwareEvent, cpuinfo = XEON): boolean => {
  const wanted = hardwareEvent(name, processorOf(cpuinfo));
  return typeof wanted !== "string" && event.type === wanted.type && event.config === wanted.config;
};

describe("HardwareCounters on machines with counters", () => {
  test("HardwareCounters derives IPC, SIMD share and an estimate of the bandwidth from what it counted", () => {
    const { doors } = machine({
      count: (event) => {
        if (same(event, "cycles")) return 2000;
        if (same(event, "instructions")) return 5000;
        if (same(event, "fp_packed")) return 300;
        if (same(event, "fp_scalar")) return 100;
        if (same(event, "llc_misses")) return 1000;
        return 1;
      },
    });
    const counters = HardwareCounters.open([thread()], doors);
    const { threads, intervalSeconds } = counters.sample();
    const { derived, counters: readings } = threads[0]!;
    for (const name of COUNTER_NAMES) expect([name, readings[name].state]).toEqual([name, "measured"]);
    expect(derived.instructionsPerCycle).toEqual({ state: "derived", value: 2.5 });
    expect(derived.simdShare).toEqual({ state: "derived", value: 0.75 });
    expect(derived.memoryBandwidth).toEqual({ state: "estimated", value: 64_000 / intervalSeconds });
  });

  test("HardwareCounters scales what was multiplexed, and says by how much", () => {
    const { doors } = machine({ times: () => [9e6, 3e6] });
    const { counters } = HardwareCounters.open([thread()], doors).sample().threads[0]!;
    expect(counters.cycles).toEqual({ state: "measured", value: 3000, scale: 3 });
  });

  test("HardwareCounters has no value where a group never ran, and a measured 0 where the thread slept", () => {
    const starved = machine({ times: () => [9e6, 0], count: () => 0 });
    const asleep = machine({ times: () => [0, 0], count: () => 0 });
    const read = ({ doors }: typeof starved) =>
      HardwareCounters.open([thread()], doors).sample().threads[0]!.counters.cycles;
    expect(read(starved)).toMatchObject({
      state: "unavailable",
      reason: expect.stringContaining("registers"),
    });
    expect(read(asleep)).toEqual({ state: "measured", value: 0, scale: 1 });
  });

  test("HardwareCounters opens alone what does not fit into its group", () => {
    const { doors, opened } = machine({
      open: (_, __, groupSize) => (groupSize >= 2 ? "EINVAL" : undefined),
    });
    const { counters } = HardwareCounters.open([thread()], doors).sample().threads[0]!;
    for (const name of HARDWARE_EVENTS) expect([name, counters[name].state]).toEqual([name, "measured"]);
    expect(new Set([...opened.values()].map(({ group }) => group)).size).toBeGreaterThan(4);
  });

  test("HardwareCounters sums by role and node, and tells how many threads had a value", () => {
    const { doors } = machine({
      open: (event) => (same(event, "fp_packed") ? "ENOENT" : undefined),
      count: (event, threadId) => (same(event, "cycles") ? threadId : 1),
    });
    const sample = HardwareCounters.open(
      [
        thread({ threadId: 10 }),
        thread({ ordinal: 1, threadId: 20, node: 1 }),
        thread({ role: "writer", threadId: 40, node: 1 }),
      ],
      doors,
    ).sample();
    const byRole = sumByRole(sample);
    const byNode = sumByNode(sample);
    expect(byRole.get("api")?.counters.cycles).toMatchObject({ value: 30, threads: 2, threadsAll: 2 });
    expect(byRole.get("writer")?.counters.cycles).toMatchObject({ value: 40, threads: 1 });
    expect(byNode.get(1)?.counters.cycles).toMatchObject({ value: 60 });
    expect(byNode.get(0)?.counters.fp_packed).toMatchObject({ state: "unavailable", threads: 0 });
  });

  test("HardwareCounters lets go of every descriptor", () => {
    const { doors, opened } = machine({});
    const counters = HardwareCounters.open([thread(), thread({ ordinal: 1, threadId: 8 })], doors);
    expect(counters.handleCount).toBe(opened.size);
    expect(opened.size).toBe(2 * COUNTER_NAMES.length);
    counters.close();
    expect(opened.size).toBe(0);
  });
});

describe("HardwareCounters on machines without", () => {
  const tables: [
    name: string,
    rules: Parameters<typeof machine>[0],
    reason: string,
    remedy: string | undefined,
  ][] = [
    [
      "a virtual machine",
      { cpuinfo: VIRTUAL_XEON, open: (event) => (event.type === 1 ? undefined : "ENOENT") },
      "virtual machine",
      "pmu=on",
    ],
    [
      "a processor without",
      { open: (event) => (event.type === 1 ? undefined : "ENOENT") },
      "no such counter",
      undefined,
    ],
    [
      "perf_event_paranoid at 4",
      { paranoid: "4\n", open: () => "EACCES" },
      "perf_event_paranoid is 4",
      "CAP_PERFMON",
    ],
    ["a seccomp filter", { open: () => "EPERM" }, "refuses perf_event_open (EPERM)", "SystemCallFilter"],
    ["a kernel without perf", { open: () => "ENOSYS" }, "no perf_event_open", "seccomp"],
    ["too few descriptors", { open: () => "EMFILE" }, "no descriptor", "LimitNOFILE"],
  ];
  for (const [name, rules, reason, remedy] of tables) {
    test(`HardwareCounters on ${name} says why there is no value, and invents none`, () => {
      const { doors, opened } = machine(rules);
      const open = HardwareCounters.open([thread()], doors);
      const { counters, derived } = open.sample().threads[0]!;
      for (const event of HARDWARE_EVENTS) {
        expect(counters[event]).toEqual({
          state: "unavailable",
          refusal: expect.any(String),
          reason: expect.stringContaining(reason),
          remedy: remedy === undefined ? undefined : expect.stringContaining(remedy),
        });
      }
      expect(derived.instructionsPerCycle.state).toBe("unavailable");
      expect(derived.memoryBandwidth.state).toBe("unavailable");
      open.close();
      expect(opened.size).toBe(0);
    });
  }

  test("HardwareCounters leaves the kernel's share out where the right to it is missing, and says so", () => {
    const { doors } = machine({ open: (_, isUserOnly) => (isUserOnly ? undefined : "EACCES") });
    const counters = HardwareCounters.open([thread()], doors);
    expect(counters.isUserOnly).toBe(true);
    expect(counters.sample().threads[0]!.counters.cycles.state).toBe("measured");
  });

  test("HardwareCounters takes software counters from /proc where perf is refused", () => {
    const at = "/proc/self/task/7";
    const { doors, files } = machine({
      open: () => "EACCES",
      files: {
        [`${at}/schedstat`]: "1000 5 3\n",
        [`${at}/stat`]: "7 (api) worker) S 1 1 1 0 -1 64 50 0 3 0 9 9 0 0\n",
        [`${at}/status`]: "voluntary_ctxt_switches:\t10\nnonvoluntary_ctxt_switches:\t4\n",
      },
    });
    const counters = HardwareCounters.open([thread()], doors);
    files[`${at}/schedstat`] = "3500 5 3\n";
    files[`${at}/stat`] = "7 (api) worker) S 1 1 1 0 -1 64 60 0 4 0 9 9 0 0\n";
    files[`${at}/status`] = "voluntary_ctxt_switches:\t15\nnonvoluntary_ctxt_switches:\t5\n";
    const { counters: readings } = counters.sample().threads[0]!;
    expect(readings.task_clock_ns).toEqual({ state: "measured", value: 2500, scale: 1 });
    expect(readings.page_faults).toEqual({ state: "measured", value: 11, scale: 1 });
    expect(readings.context_switches).toEqual({ state: "measured", value: 6, scale: 1 });
    expect(readings.migrations).toMatchObject({
      state: "unavailable",
      reason: `${at}/sched can not be read`,
    });
  });

  test("HardwareCounters does not believe counters that stand still while the thread runs", () => {
    const { doors } = machine({ count: (event) => (event.type === 1 ? 50_000_000 : 0) });
    const { counters } = HardwareCounters.open([thread()], doors).sample().threads[0]!;
    expect(counters.instructions).toMatchObject({ reason: expect.stringContaining("stand still") });
    expect(counters.task_clock_ns.state).toBe("measured");
  });
});

describe("hardwareEvent", () => {
  test("hardwareEvent uses raw numbers only on processors whose tables are known", () => {
    const of = (name: HardwareEvent, cpuinfo: string) => hardwareEvent(name, processorOf(cpuinfo));
    expect(of("fp_packed", XEON)).toEqual({ type: 4, config: 0xfcc7 });
    expect(of("fp_packed", XEON.replace("143", "79"))).toEqual({ type: 4, config: 0x3cc7 });
    expect(of("fp_packed", XEON.replace("143", "60"))).toContain("intel, family 6, model 60");
    expect(of("fp_packed", ZEN4)).toEqual({ type: 4, config: 0x3808 });
    expect(of("fp_packed", ZEN3)).toBeString();
    expect(of("llc_misses", ZEN3)).toEqual({ type: 4, config: 0x5c44 });
    expect(of("llc_misses", ZEN3.replace("family\t: 25", "family\t: 23"))).toBeString();
    expect(of("llc_misses", XEON)).toEqual({ type: 0, config: 3 });
    expect(of("llc_misses", NEOVERSE)).toEqual({ type: 3, config: 2 | (1 << 16) });
    expect(of("fp_scalar", NEOVERSE)).toContain("family untold");
    expect(of("remote_loads", NEOVERSE)).toEqual({ type: 3, config: 6 | (1 << 16) });
  });
});

describe("HardwareCounters on this machine", () => {
  let counters: HardwareCounters | undefined;
  afterEach(() => counters?.close());

  test("HardwareCounters measures a real thread's software counters, and each hardware one or its reason", () => {
    counters = HardwareCounters.open([thread({ threadId: threadId(), node: undefined })]);
    const block = new Uint8Array(16 * 1024 * 1024);
    const endAtMs = performance.now() + 60;
    while (performance.now() < endAtMs) block.fill(1);
    const { threads, readNs } = counters.sample();
    const { counters: readings, derived } = threads[0]!;
    expect(readings.task_clock_ns).toMatchObject({ state: "measured" });
    for (const name of SOFTWARE_EVENTS) {
      const reading = readings[name];
      if (reading.state === "unavailable") expect([name, reading.reason]).toEqual([name, expect.any(String)]);
      else expect(reading.value).toBeGreaterThanOrEqual(0);
    }
    if (readings.task_clock_ns.state === "measured") {
      expect(readings.task_clock_ns.value).toBeGreaterThan(5e6);
      expect(derived.coresUsed).toMatchObject({ state: "derived" });
    }
    for (const name of HARDWARE_EVENTS) {
      const reading = readings[name];
      if (reading.state === "unavailable") expect(reading.reason).not.toBe("");
      else expect(reading.scale).toBeGreaterThanOrEqual(1);
    }
    if (readings.cycles.state === "unavailable") console.warn(`no cycles here: ${readings.cycles.reason}`);
    expect(readNs).toBeGreaterThan(0);
  });

  test("HardwareCounters says that a thread is gone", () => {
    const gone = Number(readFileSync("/proc/sys/kernel/pid_max", "utf8")) + 1;
    counters = HardwareCounters.open([thread({ threadId: gone })]);
    const { counters: readings } = counters.sample().threads[0]!;
    for (const name of COUNTER_NAMES) expect([name, readings[name].state]).toEqual([name, "unavailable"]);
  });
});
