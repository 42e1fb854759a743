/** What the counters of threads become in the lanes, and what is shown of them. */
import { describe, expect, test } from "bun:test";
import { threadId } from "../../src/ffi/threads.ts";
import { FamilySet } from "../../src/observe/family.ts";
import type { HardwareSample } from "../../src/observe/hardware-counters.ts";
import { COUNTER_NAMES, type CounterName } from "../../src/observe/hardware-events.ts";
import { recordStates, ThreadMeter } from "../../src/observe/hardware-meter.ts";
import { unavailable } from "../../src/observe/hardware-refusal.ts";
import type { Reading, Readings } from "../../src/observe/hardware-thread.ts";
import { HardwareWatch, missingLines } from "../../src/observe/hardware-watch.ts";
import { MetricLane } from "../../src/observe/lane.ts";
import { addLaneFamilies } from "../../src/observe/lane-families.ts";
import { localLaneCells } from "../../src/observe/metric-region.ts";

const NONE = unavailable("no_counter", "none here");
const measured = (value: number, scale = 1): Reading => ({ state: "measured", value, scale });

function sampleOf(readings: Partial<Record<CounterName, Reading>>): HardwareSample {
  const counters = Object.fromEntries(
    COUNTER_NAMES.map((name) => [name, readings[name] ?? NONE]),
  ) as Readings;
  const derived = { instructionsPerCycle: NONE, simdShare: NONE, memoryBandwidth: NONE, coresUsed: NONE };
  const thread = { role: "api", ordinal: 0, threadId: 1, node: undefined };
  return {
    intervalSeconds: 1,
    readNs: 50_000,
    threads: [{ thread, counters, derived }],
  };
}

/** Series of the metrics shown, by name and labels. */
function shown(own: Float64Array, collector: Float64Array): Map<string, number> {
  const set = new FamilySet();
  addLaneFamilies(set, [collector], [{ thread: "api-0", cells: own }]);
  const series = new Map<string, number>();
  for (const family of set.families()) {
    for (const { labels, value } of family.samples) series.set(`${family.name}{${labels.text}}`, value);
    for (const { labels, count } of family.histograms) series.set(`${family.name}{${labels.text}}`, count);
  }
  return series;
}

describe("ThreadMeter", () => {
  test("ThreadMeter shows totals that only grow, and nothing for what was never measured", () => {
    const own = localLaneCells();
    const meter = new ThreadMeter(new MetricLane(own));
    const record = (readings: Partial<Record<CounterName, Reading>>): Map<string, number> => {
      meter.record(sampleOf(readings).threads[0]!);
      return shown(own, localLaneCells());
    };
    record({ cycles: measured(100, 2), task_clock_ns: measured(5e8), llc_misses: measured(3) });
    const series = record({ cycles: measured(50), llc_misses: NONE });
    const at = (name: string, labels = ""): number | undefined =>
      series.get(`${name}{thread="api-0"${labels}}`);
    expect(at("engram_hardware_events_total", ',event="cycles"')).toBe(150);
    expect(at("engram_hardware_events_total", ',event="instructions"')).toBeUndefined();
    expect(at("engram_thread_cpu_seconds_total")).toBe(0.5);
    expect(at("engram_hardware_memory_estimated_bytes_total")).toBe(3 * 64);
    expect(at("engram_hardware_counted_ratio", ',group="pipeline"')).toBe(1);
    expect(at("engram_hardware_counted_ratio", ',group="memory"')).toBeUndefined();
    expect(at("engram_hardware_instructions_per_cycle")).toBeUndefined();
  });
});

describe("recordStates", () => {
  test("recordStates counts threads by what became of each counter", () => {
    const cells = localLaneCells();
    recordStates(new MetricLane(cells), sampleOf({ cycles: measured(1) }));
    const series = shown(localLaneCells(), cells);
    const state = (counter: string, name: string): number | undefined =>
      series.get(`engram_hardware_event_threads{counter="${counter}",state="${name}"}`);
    expect(state("cycles", "measured")).toBe(1);
    expect(state("cycles", "no_counter")).toBeUndefined();
    expect(state("fp_packed", "no_counter")).toBe(1);
    expect(series.get("engram_hardware_read_duration_seconds{}")).toBe(1);
  });
});

describe("HardwareWatch", () => {
  test("HardwareWatch records a real thread, and follows when the threads change", () => {
    const own = localLaneCells();
    const collector = localLaneCells();
    const watch = new HardwareWatch(new MetricLane(collector));
    const here = {
      role: "api",
      ordinal: 0,
      threadId: threadId(),
      node: undefined,
      lane: new MetricLane(own),
    };
    expect(watch.sample([here])).toBeUndefined();
    const endAtMs = performance.now() + 30;
    while (performance.now() < endAtMs);
    const sample = watch.sample([here]);
    expect(sample?.threads.length).toBe(1);
    const series = shown(own, collector);
    const cpuSeconds = series.get('engram_thread_cpu_seconds_total{thread="api-0"}');
    if (sample!.threads[0]!.counters.task_clock_ns.state === "measured") {
      expect(cpuSeconds).toBeGreaterThan(0.001);
    } else expect(cpuSeconds).toBeUndefined();
    for (const line of missingLines(sample!)) expect(line).toMatch(/^not counted: \w+(, \w+)*: ./);
    expect(watch.sample([])).toBeUndefined();
    expect(watch.sample([here])).toBeUndefined();
    expect(watch.sample([here])).toBeDefined();
    watch.close();
  });
});
