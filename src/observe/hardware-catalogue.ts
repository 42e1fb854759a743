/** The metrics of the threads' counters: a part of the catalogue, apart because there are many and they belong together. */
import { HARDWARE_EVENTS, HARDWARE_GROUP_NAMES } from "./hardware-events.ts";
import { REFUSALS } from "./hardware-refusal.ts";

/** What the kernel counts of a thread, beside its time. */
export const THREAD_EVENTS = ["page_faults", "context_switches", "migrations"] as const;

/** Counters whose state is told. */
const COUNTERS = [...HARDWARE_EVENTS, "task_clock", ...THREAD_EVENTS] as const;

export const HARDWARE_CATALOGUE = {
  engram_hardware_events_total: {
    kind: "counter",
    unit: "count",
    help: "What the processor counted while the thread ran, scaled where counters took turns; absent where it can not be counted",
    labels: { event: HARDWARE_EVENTS },
    otlp: "engram.hardware.events",
    source: "lane",
    perThread: true,
    isRead: true,
  },
  engram_hardware_instructions_per_cycle: {
    kind: "gauge",
    unit: "ratio",
    help: "Instructions per cycle of the thread in the last second",
    labels: {},
    otlp: "engram.hardware.instructions_per_cycle",
    source: "lane",
    perThread: true,
  },
  engram_hardware_simd_ratio: {
    kind: "gauge",
    unit: "ratio",
    help: "Packed among all floating-point arithmetic of the thread in the last second, as the processor counts it",
    labels: {},
    otlp: "engram.hardware.simd.ratio",
    source: "lane",
    perThread: true,
  },
  engram_hardware_memory_estimated_bytes_total: {
    kind: "counter",
    unit: "bytes",
    help: "Estimate of what came from memory: misses of the last-level cache times a cache line",
    labels: {},
    otlp: "engram.hardware.memory.estimated",
    source: "lane",
    perThread: true,
    isRead: true,
  },
  engram_hardware_counted_ratio: {
    kind: "gauge",
    unit: "ratio",
    help: "Part of the thread's time on a core in which a group of counters ran; below 1 its counts are scaled",
    labels: { group: HARDWARE_GROUP_NAMES },
    otlp: "engram.hardware.counted.ratio",
    source: "lane",
    perThread: true,
  },
  engram_hardware_event_threads: {
    kind: "gauge",
    unit: "count",
    help: "Threads by what became of a counter in the last second: measured, or why not",
    labels: { counter: COUNTERS, state: ["measured", ...REFUSALS] },
    otlp: "engram.hardware.counter.threads",
    source: "lane",
  },
  engram_hardware_read_duration_seconds: {
    kind: "histogram",
    unit: "seconds",
    help: "Time a collector took to read the counters of its node's threads, once a second",
    labels: {},
    otlp: "engram.hardware.read.duration",
    source: "lane",
    shown: [-18, -4],
  },
  engram_thread_cpu_seconds_total: {
    kind: "counter",
    unit: "seconds",
    help: "Time the thread was on a core since its counters were opened",
    labels: {},
    otlp: "engram.thread.cpu.time",
    source: "lane",
    perThread: true,
    isRead: true,
  },
  engram_thread_events_total: {
    kind: "counter",
    unit: "count",
    help: "What the kernel counted of the thread since its counters were opened",
    labels: { event: THREAD_EVENTS },
    otlp: "engram.thread.events",
    source: "lane",
    perThread: true,
    isRead: true,
  },
} as const;
