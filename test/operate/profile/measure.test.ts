import { describe, expect, test } from "bun:test";
import type { HostSnapshot } from "../../../src/observe/host-snapshot.ts";
import { measure } from "../../../src/operate/profile/measure.ts";
import { MetricDelta } from "../../../src/operate/profile/metric-delta.ts";

const histogram = (name: string, labels: string, counts: readonly number[], sum: number): string =>
  [
    ...[0.001, 0.002, 0.004].map((le, index) => `${name}_bucket{${labels},le="${le}"} ${counts[index]}`),
    `${name}_bucket{${labels},le="+Inf"} ${counts[3]}`,
    `${name}_sum{${labels}} ${sum}`,
    `${name}_count{${labels}} ${counts[3]}`,
  ].join("\n");

const OPERATION = "engram_memory_operation_duration_seconds";
const recalls = (counts: readonly number[], sum: number) =>
  histogram(OPERATION, 'operation="recall",space_class="small",outcome="ok"', counts, sum);

const host = (at_ms: number, cpu_s: number, queued_s: number, written: number): HostSnapshot => ({
  at_ms,
  pid: 1,
  cores: 2,
  threads: [
    { id: 7, name: "api-0", state: "S", cpu_s, queued_s, voluntary_switches: 10, involuntary_switches: 1 },
    {
      id: 8,
      name: "HeapHelper",
      state: "S",
      cpu_s: 1,
      queued_s: 0,
      voluntary_switches: 1,
      involuntary_switches: 1,
    },
  ],
  memory: {
    resident_bytes: 100,
    anonymous_bytes: 50,
    file_bytes: 50,
    swapped_bytes: 0,
    hugetlb_bytes: 0,
    transparent_bytes: 20,
  },
  parts: [],
  io: { read_bytes: 0, written_bytes: written },
  nodes: [],
  pressure_us: { cpu: at_ms * 500, io: 0, memory: null },
  missing: [],
});

describe("MetricDelta", () => {
  test("MetricDelta answers what grew, and counts a series that began in between from zero", () => {
    const delta = new MetricDelta(
      'a_total{x="1"} 5\n# HELP b\nb 1',
      'a_total{x="1"} 9\na_total{x="2"} 3\nb 1.5',
    );
    expect(delta.grown("a_total")).toBe(7);
    expect(delta.grown("a_total", { x: "2" })).toBe(3);
    expect([delta.last("b"), delta.grown("b")]).toEqual([1.5, 0.5]);
    expect(delta.grown("c_total")).toBeUndefined();
  });

  test("MetricDelta takes percentiles from the buckets of this time alone", () => {
    const delta = new MetricDelta(
      recalls([1000, 1000, 1000, 1000], 0.5),
      recalls([1000, 1100, 1100, 1100], 0.65),
    );
    const latency = delta.latency(OPERATION, { operation: "recall" })!;
    expect(latency.count).toBe(100);
    expect(latency.mean_s).toBeCloseTo(0.0015);
    expect(latency.p50_s).toBeCloseTo(0.0015);
    expect(latency.p999_s).toBeGreaterThan(0.0019);
    expect(latency.p999_s).toBeLessThanOrEqual(0.002);
    expect(delta.latency(OPERATION, { operation: "forget" })).toBeUndefined();
  });
});

describe("measure", () => {
  const metricsBefore = `${recalls([0, 0, 0, 0], 0)}\nengram_vector_distances_total{path="graph"} 0`;
  const metricsAfter = [
    recalls([50, 100, 100, 100], 0.1),
    histogram(
      "engram_operation_stage_duration_seconds",
      'operation="recall",stage="vector"',
      [90, 100, 100, 100],
      0.05,
    ),
    'engram_vector_distances_total{path="graph"} 110000',
    'engram_hardware_event_threads{counter="cycles",state="no_counter"} 7',
    'engram_hardware_events_total{thread="api-0",event="llc_misses"} 12',
  ].join("\n");
  const found = measure({
    seconds: 10,
    metricsBefore,
    metricsAfter,
    host: { before: host(1000, 1, 0.5, 1000), after: host(11_000, 5, 1.5, 5_001_000) },
    settings: null,
    slow: [],
    spaces: [],
    doorbells: new Map(),
    hotFunctions: [],
    missing: [{ what: "x", reason: "y", remedy: "z" }],
  });

  test("measure makes rates and shares of what grew", () => {
    expect(found.operations).toMatchObject([{ operation: "recall", per_s: 10, latency: { count: 100 } }]);
    expect(found.stages).toMatchObject([{ operation: "recall", stage: "vector" }]);
    expect(found.stages[0]!.share).toBeCloseTo(0.5);
    expect(found.recall.graph_distances).toBe(1100);
    expect(found.disk.written_per_s).toBeCloseTo(500_000);
    expect(found.pressure).toEqual({ cpu: 0.5, io: 0, memory: null });
  });

  test("measure says what each thread ran and waited, by its role", () => {
    const [api, helper] = found.threads;
    expect(api).toMatchObject({ name: "api-0", role: "api", hardware: { llc_misses: 12 } });
    expect(api!.running).toBeCloseTo(0.4);
    expect(api!.queued).toBeCloseTo(0.1);
    expect(helper).toMatchObject({ name: "HeapHelper", role: "runtime", running: 0 });
  });

  test("measure lists what could not be collected with the reason and what helps", () => {
    expect(found.missing.map(({ what }) => what)).toEqual(["x", "counters cycles"]);
    expect(found.missing[1]!.reason).toContain("no such counter");
    expect(found.missing[1]!.remedy).not.toBe("");
  });

  test("measure works without the kernel's figures", () => {
    const bare = measure({
      seconds: 10,
      metricsBefore,
      metricsAfter,
      host: undefined,
      settings: null,
      slow: undefined,
      spaces: [],
      doorbells: new Map(),
      hotFunctions: [],
      missing: [],
    });
    expect(bare.disk.written_per_s).toBeNull();
    expect(bare.pressure.cpu).toBeNull();
    expect(bare.operations).toHaveLength(1);
  });
});
