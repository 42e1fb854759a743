/**
 * What does recording a metric cost, alone, beside a second writer, and beside the usual libraries?
 *
 * Expected: a counter is a load, an addition and a store, about 1 ns; a histogram record finds its bucket with a
 * multiplication, a rounding and a count of leading zeros, and stores twice: under 3 ns. A second writer has lines
 * of its own and changes nothing. `prom-client` hashes the labels at each call, OpenTelemetry looks its
 * attributes up: 100 ns and more.
 *
 * Then the whole of it: an operation through `MeteredEngine` against the same operation without, interleaved. At
 * 100,000 operations a second, 30 ns an operation are 0.3 % of a core.
 *
 *   bun bench/observe/record.bench.ts [--small] [--json FILE]
 */
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { Counter, Histogram, Registry } from "prom-client";
import { systemClock } from "../../src/base/clock.ts";
import type { Engine, Memory } from "../../src/engine/engine.ts";
import { MeteredEngine } from "../../src/engine/metered-engine.ts";
import { SpaceTable } from "../../src/engine/space-table.ts";
import { threadUsage } from "../../src/ffi/threads.ts";
import { openTickClock } from "../../src/ffi/tick-clock.ts";
import { OPERATION } from "../../src/layout/metric-codes.ts";
import { SPACE_STATE } from "../../src/layout/space-root.ts";
import { MetricLane } from "../../src/observe/lane.ts";
import { engineMeter } from "../../src/observe/meters.ts";
import { laneCells, mapMetricRegion } from "../../src/observe/metric-region.ts";
import { counterSeries, durationSeries } from "../../src/observe/series.ts";
import { SlowWatch } from "../../src/observe/slow-watch.ts";
import { ThreadWindows } from "../../src/observe/thread-windows.ts";
import { benchArguments, Report } from "../support/report.ts";

const given = benchArguments();
const rounds = given.isSmall ? 5 : 301;
/** Short rounds, so that most of them are over before another program gets the core. */
const callCount = given.isSmall ? 2000 : 20_000;
const slowCallCount = callCount / 10;
type Cost = { readonly fastest: number; readonly median: number };

const report = new Report({ name: "observe/record", arguments: given, parameters: { rounds, callCount } });

const region = mapMetricRegion(2, {
  hugePages: "off",
  node: undefined,
  interleaveNodes: undefined,
  lock: false,
});
const cells = laneCells(region, 0);
const lane = new MetricLane(cells);
const counter = counterSeries("engram_http_responses_total", { status: "2xx" });
const duration = durationSeries("engram_wal_flush_duration_seconds", {});
/** Durations from 1 us to 1 s, so that the branch and the bucket are not always the same. */
const durationsMs = Float64Array.from({ length: 1024 }, (_, i) => 0.001 * 1.0136 ** i);
const clock = openTickClock();

function count(calls: number): void {
  for (let i = 0; i < calls; i++) lane.add(counter, 1);
}
function record(calls: number): void {
  for (let i = 0; i < calls; i++) lane.record(duration, durationsMs[i & 1023]!);
}

const registry = new Registry();
const promCounter = new Counter({
  name: "c_total",
  help: "c",
  labelNames: ["status"],
  registers: [registry],
});
const promHistogram = new Histogram({
  name: "h_seconds",
  help: "h",
  labelNames: ["operation"],
  buckets: Array.from({ length: 27 }, (_, i) => 2 ** (i - 20)),
  registers: [registry],
});
// Without a reader the SDK throws everything away; this one would look once an hour.
const otelReader = new PeriodicExportingMetricReader({
  exporter: new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE),
  exportIntervalMillis: 3_600_000,
});
const otelProvider = new MeterProvider({ readers: [otelReader] });
const otelMeter = otelProvider.getMeter("bench");
const otelCounter = otelMeter.createCounter("c");
const otelHistogram = otelMeter.createHistogram("h", {
  advice: { explicitBucketBoundaries: Array.from({ length: 27 }, (_, i) => 2 ** (i - 20)) },
});
const promCount = (calls: number) => {
  for (let i = 0; i < calls; i++) promCounter.inc({ status: "2xx" }, 1);
};
const promRecord = (calls: number) => {
  for (let i = 0; i < calls; i++) {
    promHistogram.observe({ operation: "recall" }, durationsMs[i & 1023]! / 1000);
  }
};
const otelCount = (calls: number) => {
  for (let i = 0; i < calls; i++) otelCounter.add(1, { status: "2xx" });
};
const otelRecord = (calls: number) => {
  for (let i = 0; i < calls; i++) {
    otelHistogram.record(durationsMs[i & 1023]! / 1000, { operation: "recall" });
  }
};
const readClock = (calls: number) => {
  let last = 0;
  for (let i = 0; i < calls; i++) last = clock.nowNs();
  return last;
};

const slow = new SlowWatch({
  worker: 0,
  thresholdMs: 100,
  keepsQueries: () => false,
  lane,
  nowMs: () => clock.nowNs() * 1e-6,
  clock: systemClock,
  file: () => undefined,
  warn: () => undefined,
  spans: undefined,
  windows: new ThreadWindows(threadUsage),
  streamFacts: [],
  embedder: { id: "none", isLocal: true, cache: () => undefined },
  node: undefined,
  usual: () => ({}),
});
/** A recall that was not slow: its trace taken, written into as the parts do, and given back. */
const follow = (calls: number) => {
  for (let i = 0; i < calls; i++) {
    const trace = slow.begin(OPERATION.recall, "default", 0);
    for (let stage = 0; stage < 6; stage++) trace.stage(stage, 0.01, 0.5);
    trace.candidates = i;
    trace.results = i;
    slow.end(trace, 0.5);
  }
};

// All in one run, in turns, so that a noisy moment meets everybody.
const alone = measure({
  counter: [count, callCount],
  histogram: [record, callCount],
  clock: [readClock, callCount],
  trace: [follow, slowCallCount],
  promCounter: [promCount, slowCallCount],
  promHistogram: [promRecord, slowCallCount],
  otelCounter: [otelCount, slowCallCount],
  otelHistogram: [otelRecord, slowCallCount],
});

const partner = new Worker(new URL("./lane-partner-worker.ts", import.meta.url).href);
const recording = new Promise((resolve) => {
  partner.onmessage = resolve;
});
partner.postMessage({ region, lane: 1 });
await recording;
const beside = measure({ counter: [count, callCount], histogram: [record, callCount] });
partner.terminate();

const line = (name: string, { fastest, median }: Cost) =>
  report.line(
    "ns",
    `${name.padEnd(44)} fastest tenth ${fastest.toFixed(2).padStart(7)}  median ${median.toFixed(2).padStart(7)}`,
  );
line("counter", alone.counter);
line("histogram record", alone.histogram);
line("counter, a second thread recording", beside.counter);
line("histogram record, a second thread recording", beside.histogram);
line(`one reading of the clock (${clock.source})`, alone.clock);
line("the trace of a recall that is not slow", alone.trace);
line("prom-client: counter with a label", alone.promCounter);
line("prom-client: histogram with a label", alone.promHistogram);
line("OpenTelemetry: counter with an attribute", alone.otelCounter);
line("OpenTelemetry: histogram with an attribute", alone.otelHistogram);

const watching = measureWatching();
report.line(
  "watching",
  `an operation watched against not: ${watching.medianNs.toFixed(1)} ns more, 95 % between ${watching.lowNs.toFixed(1)} and ${watching.highNs.toFixed(1)} ns (${watching.pairs} pairs)`,
);

report.target({ name: "counter", figure: alone.counter.fastest, unit: "ns", atMost: 1.5 });
report.target({ name: "histogram record", figure: alone.histogram.fastest, unit: "ns", atMost: 4 });
report.target({
  name: "following an operation that is not slow",
  figure: alone.trace.fastest,
  unit: "ns",
  atMost: 30,
});
const slower = Math.max(
  beside.counter.fastest / alone.counter.fastest,
  beside.histogram.fastest / alone.histogram.fastest,
);
report.target({ name: "with a second writer", figure: slower, unit: "times as long", atMost: 1.3 });
const fastestCounter = Math.min(alone.promCounter.fastest, alone.otelCounter.fastest);
const fastestHistogram = Math.min(alone.promHistogram.fastest, alone.otelHistogram.fastest);
report.target({
  name: "a labelled counter, the faster library against ours",
  figure: fastestCounter / alone.counter.fastest,
  unit: "times",
  atLeast: 40,
});
report.target({
  name: "a histogram, the faster library against ours",
  figure: fastestHistogram / alone.histogram.fastest,
  unit: "times",
  atLeast: 20,
});
report.target({
  name: "watching 100,000 operations a second, upper end of the interval",
  figure: (watching.highNs * 100_000) / 1e9 / 0.01,
  unit: "% of one core",
  atMost: 0.3,
});
for (const [name, cost] of Object.entries(alone)) report.figure(`${name} alone, ns`, cost);
for (const [name, cost] of Object.entries(beside)) report.figure(`${name} beside a second writer, ns`, cost);
report.figure("watching", watching);
report.figure("checksum", cells[counter]!);
report.finish();
await otelProvider.shutdown();

/**
 * ns a call of each subject; the rounds of all take turns. The fastest tenth says what the code costs, the median
 * what it costs on a machine that others use too.
 */
function measure<Name extends string>(
  subjects: Readonly<Record<Name, readonly [run: (calls: number) => unknown, calls: number]>>,
): Record<Name, Cost> {
  const names = Object.keys(subjects) as Name[];
  const times = new Map(names.map((name) => [name, [] as number[]]));
  for (let warm = 0; warm < 20; warm++) for (const name of names) subjects[name][0](subjects[name][1]);
  for (let round = 0; round < rounds; round++) {
    for (const name of names) {
      const [run, calls] = subjects[name];
      const startedAtNs = Bun.nanoseconds();
      run(calls);
      times.get(name)!.push((Bun.nanoseconds() - startedAtNs) / calls);
    }
  }
  const costs = names.map((name) => {
    const sorted = times.get(name)!.sort((a, b) => a - b);
    return [name, { fastest: sorted[Math.floor(rounds / 10)]!, median: sorted[rounds >> 1]! }];
  });
  // fromEntries forgets which names there are.
  return Object.fromEntries(costs) as Record<Name, Cost>;
}

/** Pairs of rounds with and without the meter, in changing order; the median difference and its interval. */
function measureWatching() {
  const table = new SpaceTable(SpaceTable.allocate(16));
  const root = table.roots[0]!;
  root.setText("name", "default");
  root.publish("liveCount", 5000);
  root.publish("state", SPACE_STATE.open);
  const memory = { id: "a" } as Memory;
  // An engine whose `get` costs next to nothing, so that what is measured is the watching alone.
  const bare = { get: () => memory } as unknown as Engine;
  const nowMs = () => clock.nowNs() * 1e-6;
  const watched = new MeteredEngine(bare, engineMeter(lane, nowMs), table);
  const run = (engine: { get: Engine["get"] }, calls: number): number => {
    const startedAtNs = Bun.nanoseconds();
    for (let i = 0; i < calls; i++) engine.get("default", "a");
    return (Bun.nanoseconds() - startedAtNs) / calls;
  };
  const calls = callCount / 2;
  const runBare = (): number => run(bare, calls);
  const runWatched = (): number => run(watched, calls);
  for (let warm = 0; warm < 20; warm++) void [runBare(), runWatched()];
  const pairs = given.isSmall ? 10 : 2000;
  const differences: number[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    if (pair % 2 === 0) {
      const without = runBare();
      differences.push(runWatched() - without);
    } else {
      const withIt = runWatched();
      differences.push(withIt - runBare());
    }
  }
  differences.sort((a, b) => a - b);
  // The median and its interval by ranks, which asks for no distribution: a round that another program interrupted
  // is an outlier, not a cost.
  const halfRanks = 0.98 * Math.sqrt(pairs);
  const at = (rank: number): number => differences[Math.max(0, Math.min(pairs - 1, Math.round(rank)))]!;
  return {
    medianNs: at(pairs / 2),
    lowNs: at(pairs / 2 - halfRanks),
    highNs: at(pairs / 2 + halfRanks),
    pairs,
  };
}
