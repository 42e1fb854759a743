/**
 * How long does a quantile over an hour of history take, and what does keeping the history cost a second?
 *
 * Expected: a histogram has 27 series; an hour of the ring of 10 s is 360 samples of each, so some 10,000 samples to
 * unpack at 5 ns, and as many to go through: a fraction of a millisecond for one instant. Of a range of 240 instants
 * with windows of 5 minutes each sees 30 samples of 27 series, 200,000 in all: 2 ms. A tick copies one row and looks
 * up nothing: microseconds, and some ms once a minute when blocks are packed.
 *
 *   bun bench/observe/promql.bench.ts [--small] [--seed N] [--json FILE]
 */
import { systemClock } from "../../src/base/clock.ts";
import { Random } from "../../src/base/random.ts";
import { History, type SampleSource } from "../../src/observe/history.ts";
import { HISTORY_SHAPE, makeHistoryState } from "../../src/observe/history-layout.ts";
import { HistoryReader } from "../../src/observe/history-reader.ts";
import type { SeriesIdentity } from "../../src/observe/history-series.ts";
import { type QueryOptions, queryInstant, queryRange } from "../../src/observe/promql/query.ts";
import { benchArguments, Report } from "../support/report.ts";

const BOUNDS = Array.from({ length: 26 }, (_, i) => String(2 ** (i - 20)));
const START_MS = 1_700_000_000_000;
const given = benchArguments();
const { isSmall, seed } = given;
const histogramCount = isSmall ? 10 : 80;
const gaugeCount = isSmall ? 50 : 400;
const minutes = isSmall ? 12 : 75;
const rounds = isSmall ? 5 : 60;

const random = new Random(seed);
const identities: SeriesIdentity[] = [];
const values = new Float64Array(histogramCount * 29 + gaugeCount);
for (let h = 0; h < histogramCount; h++) {
  const labels = { operation: `operation-${h % 8}`, class: `class-${Math.floor(h / 8)}` };
  for (const le of [...BOUNDS, "+Inf"])
    identities.push({ name: "latency_seconds_bucket", labels: { ...labels, le } });
  identities.push({ name: "latency_seconds_sum", labels }, { name: "latency_seconds_count", labels });
}
for (let g = 0; g < gaugeCount; g++) identities.push({ name: "gauge", labels: { index: String(g) } });

/** A third of the histograms is busy, a tenth of the gauges moves. */
const source: SampleSource = {
  values,
  identity: (index) => identities[index]!,
  sample: () => {
    for (let h = 0; h < histogramCount; h += 3) {
      const at = h * 29;
      const reached = 5 + random.below(8);
      const count = 50 + random.below(50);
      for (let bucket = reached; bucket < 27; bucket++) values[at + bucket]! += count;
      values[at + 27]! += count * random.float();
      values[at + 28]! += count;
    }
    for (let g = 0; g < gaugeCount; g += 10) values[histogramCount * 29 + g] = random.float();
    return identities.length;
  },
};

const report = new Report({
  name: "observe/promql",
  arguments: given,
  parameters: { series: identities.length, minutes, rounds },
});
const state = makeHistoryState(HISTORY_SHAPE);
const history = new History(HISTORY_SHAPE, state, { hugePages: "off" });
history.open();
const tickNs: number[] = [];
let nowMs = START_MS;
for (let tick = 0; tick < minutes * 60; tick++) {
  nowMs += 1000;
  const startedNs = Bun.nanoseconds();
  history.record(nowMs, source);
  tickNs.push(Bun.nanoseconds() - startedNs);
}
const meanTickMs = tickNs.reduce((sum, ns) => sum + ns, 0) / tickNs.length / 1e6;
tickNs.sort((a, b) => a - b);
report.line(
  "tick",
  `${(tickNs[tickNs.length >> 1]! / 1e3).toFixed(1)} us at the median, ${meanTickMs.toFixed(3)} ms in the mean, ${(tickNs.at(-1)! / 1e6).toFixed(1)} ms at most (blocks are packed)`,
);
report.target({
  name: "keeping the history, share of one core",
  figure: meanTickMs / 10,
  unit: "%",
  atMost: 0.1,
});
let bytes = 0;
for (const ring of history.rings) for (const block of ring.blocks()) bytes += block.bytes.length;
report.line("memory", `${minutes} minutes in all three rings: ${(bytes / 2 ** 20).toFixed(1)} MiB packed`);

const options: QueryOptions = {
  store: new HistoryReader(HISTORY_SHAPE, state),
  clock: systemClock,
  timeoutMs: 10_000,
  yieldToOthers: () => Promise.resolve(),
};
const hour = { startMs: nowMs - 3_600_000, endMs: nowMs, stepMs: 15_000 };
const SELECTED = 'latency_seconds_bucket{operation="operation-0",class="class-0"}';
const ALL = "sum by (le) (rate(latency_seconds_bucket[5m]))";
const queries: Record<string, () => unknown> = {
  "one histogram, rate over the whole hour, one instant": () =>
    queryInstant(`histogram_quantile(0.99, rate(${SELECTED}[1h]))`, nowMs, options),
  "one histogram, rates of 5 m, 240 instants of an hour": () =>
    queryRange(`histogram_quantile(0.99, rate(${SELECTED}[5m]))`, hour, options),
  "all histograms summed, rate over the whole hour, one instant": () =>
    queryInstant("histogram_quantile(0.99, sum by (le) (rate(latency_seconds_bucket[1h])))", nowMs, options),
  "all histograms summed, rates of 5 m, 240 instants of an hour": () =>
    queryRange(`histogram_quantile(0.99, ${ALL})`, hour, options),
};
for (const [name, ask] of Object.entries(queries)) {
  const tookMs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const startedNs = Bun.nanoseconds();
    await ask();
    tookMs.push((Bun.nanoseconds() - startedNs) / 1e6);
  }
  const text = report.percentiles(name, Float64Array.from(tookMs));
  report.line("query", `first ${tookMs[0]!.toFixed(2)}, fastest ${Math.min(...tookMs).toFixed(2)}, ${text}`);
  // Thousands of series at once are shown for what they are; the promise is of one histogram.
  if (!name.startsWith("one")) continue;
  report.target({ name, figure: tookMs.sort((a, b) => a - b)[rounds >> 1]!, unit: "ms", atMost: 5 });
}
history.close();
report.finish();
