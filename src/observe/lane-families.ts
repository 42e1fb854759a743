/**
 * The families of the recorded and derived metrics, from the blocks of the nodes and the lanes of the threads.
 *
 * Merging over nodes happens here, when somebody looks, and nowhere else. Reading takes nothing from who
 * records: cells are loaded as they are, and a histogram's count is the sum of the buckets that were loaded, so
 * a family agrees with itself.
 */
import { assert } from "../base/assert.ts";
import type { Operation } from "../layout/metric-codes.ts";
import { HISTOGRAM_BUCKETS, HISTOGRAM_SUM } from "../layout/metric-lane.ts";
import type { MetricName } from "./catalogue.ts";
import { type FamilySet, type HistogramSample, LabelSet, NO_LABELS } from "./family.ts";
import { LANE_METRICS, type LaneMetric, labelValuesOf } from "./series.ts";

export type ThreadLane = { readonly thread: string; readonly cells: Float64Array };

/** A counter that the operations' counter holds already, as the series of one operation. */
type Derived = { readonly name: MetricName; readonly operation: Operation };

const DERIVED: readonly Derived[] = [
  { name: "engram_recall_operations_total", operation: "recall" },
  { name: "engram_store_operations_total", operation: "remember" },
];
/** Counters of more series than these are shown from their first event on, the others from the start. */
const SERIES_SHOWN_AT_ZERO_MAX = 8;

const labelSets = new Map<LaneMetric, LabelSet[]>();

/** @param blocks of all nodes @param lanes of all threads, for what each thread has of its own */
export function addLaneFamilies(
  set: FamilySet,
  blocks: readonly Float64Array[],
  lanes: readonly ThreadLane[],
): void {
  for (const metric of LANE_METRICS) {
    if (metric.declaration.perThread === true) {
      for (const { thread, cells } of lanes) {
        addMetric(
          set,
          metric,
          [cells],
          (ordinal) => new LabelSet([["thread", thread], ...labelsOf(metric, ordinal).pairs]),
        );
      }
    } else addMetric(set, metric, blocks, (ordinal) => labelsOf(metric, ordinal));
  }
  for (const derived of DERIVED) addDerived(set, derived);
}

function addMetric(
  set: FamilySet,
  metric: LaneMetric,
  sources: readonly Float64Array[],
  labels: (ordinal: number) => LabelSet,
): void {
  const family = set.family(metric.name);
  for (let ordinal = 0; ordinal < metric.seriesCount; ordinal++) {
    const at = metric.at + ordinal * metric.stride;
    if (metric.cell === "histogram") {
      const sample = histogramAt(metric, sources, at);
      if (sample.count > 0) family.histograms.push({ ...sample, labels: labels(ordinal) });
      continue;
    }
    const value = metric.cell === "level" ? levelAt(sources, at) : sumAt(sources, at);
    const isRare = metric.cell === "counter" && metric.seriesCount > SERIES_SHOWN_AT_ZERO_MAX;
    if (isRare && value === 0) continue;
    if (!Number.isNaN(value)) family.samples.push({ labels: labels(ordinal), value });
  }
}

function histogramAt(
  metric: LaneMetric,
  sources: readonly Float64Array[],
  at: number,
): Omit<HistogramSample, "labels"> {
  const buckets = new Float64Array(HISTOGRAM_BUCKETS);
  let count = 0;
  for (const cells of sources) {
    for (let bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
      const events = cells[at + bucket]!;
      buckets[bucket]! += events;
      count += events;
    }
  }
  const sum = sumAt(sources, at + HISTOGRAM_SUM);
  // Durations are recorded in ms, and shown in seconds.
  return { buckets, count, sum: metric.declaration.unit === "seconds" ? sum / 1000 : sum };
}

function addDerived(set: FamilySet, { name, operation }: Derived): void {
  const family = set.family(name);
  for (const { labels, value } of set.family("engram_operations_total").samples) {
    const [first, ...others] = labels.pairs;
    assert(first?.[0] === "operation", "operations are counted by their first label");
    if (first[1] === operation) family.samples.push({ labels: new LabelSet(others), value });
  }
}

function sumAt(sources: readonly Float64Array[], cell: number): number {
  let sum = 0;
  for (const cells of sources) sum += cells[cell]!;
  return sum;
}

/** NaN where no source has measured it. */
function levelAt(sources: readonly Float64Array[], cell: number): number {
  let sum = Number.NaN;
  for (const cells of sources) {
    const value = cells[cell]!;
    if (!Number.isNaN(value)) sum = Number.isNaN(sum) ? value : sum + value;
  }
  return sum;
}

/** Kept, because they are the same at every look. */
function labelsOf(metric: LaneMetric, ordinal: number): LabelSet {
  if (metric.labelNames.length === 0) return NO_LABELS;
  let sets = labelSets.get(metric);
  if (sets === undefined) {
    sets = [];
    labelSets.set(metric, sets);
  }
  let known = sets[ordinal];
  if (known === undefined) {
    const values = labelValuesOf(metric, ordinal);
    known = new LabelSet(metric.labelNames.map((label, i) => [label, values[i]!] as const));
    sets[ordinal] = known;
  }
  return known;
}
