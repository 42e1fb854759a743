/**
 * Which cells of a lane belong to which series, computed from the catalogue when the program starts.
 *
 *   levels | counters | histograms (each on its own cache lines) | to a multiple of two lines
 *
 * A level is a number that is set: a gauge, or a counter kept elsewhere. Levels start as NaN, which says "not
 * measured" and is not shown; counters and histograms start at 0. The series of a metric lie in the order of
 * their label values, the last label fastest, so the place of one is a few multiplications away from its codes.
 */
import { assert } from "../base/assert.ts";
import { CELL_BYTES, CELLS_PER_LINE, HISTOGRAM_CELLS } from "../layout/metric-lane.ts";
import { CATALOGUE, type LabelsOf, METRIC_NAMES, type MetricName } from "./catalogue.ts";
import type { Declaration, Kind, Source } from "./declaration.ts";

declare const brand: unique symbol;
/** Cells of one series in a lane; each kind is recorded into by its own method of `MetricLane`. */
export type CounterSeries = number & { readonly [brand]: "counter" };
export type LevelSeries = number & { readonly [brand]: "level" };
export type DurationSeries = number & { readonly [brand]: "duration" };
export type SizeSeries = number & { readonly [brand]: "size" };
export type RatioSeries = number & { readonly [brand]: "ratio" };

/** Metrics of the catalogue with such a kind and source that something records. */
export type NamesOf<K extends Kind, S extends Source, More = unknown> = {
  [N in MetricName]: (typeof CATALOGUE)[N] extends { awaits: string }
    ? never
    : (typeof CATALOGUE)[N] extends { kind: K; source: S } & More
      ? N
      : never;
}[MetricName];

type ReadCounter = NamesOf<"counter", "lane", { isRead: true }>;
export type CounterName = Exclude<NamesOf<"counter", "lane">, ReadCounter>;
export type LevelName = NamesOf<"gauge", "lane"> | ReadCounter;
export type DurationName = NamesOf<"histogram", "lane", { unit: "seconds" }>;
export type SizeName = NamesOf<"histogram", "lane", { unit: "count" | "bytes" }>;
export type RatioName = NamesOf<"histogram", "lane", { unit: "ratio" }>;

/** A recorded metric in the lanes. */
export type LaneMetric = {
  readonly name: MetricName;
  readonly declaration: Declaration;
  readonly cell: "level" | "counter" | "histogram";
  /** first cell of the first series */
  readonly at: number;
  /** cells from one series to the next */
  readonly stride: number;
  readonly seriesCount: number;
  readonly labelNames: readonly string[];
  readonly labelValues: readonly (readonly string[])[];
  /** cells from one value of each label to its next */
  readonly labelStrides: readonly number[];
};

const CELL_ORDER = ["level", "counter", "histogram"] as const;

export const LANE_METRICS: readonly LaneMetric[] = layOut();
/** Levels are the cells below this. */
export const LEVEL_CELLS: number = LANE_METRICS.filter(({ cell }) => cell === "level").reduce(
  (sum, { seriesCount }) => sum + seriesCount,
  0,
);
/** Two lines, because processors fetch lines in pairs. */
export const LANE_CELLS: number = roundUp(endOf(LANE_METRICS), 2 * CELLS_PER_LINE);
export const LANE_BYTES: number = LANE_CELLS * CELL_BYTES;

const metricByName = new Map(LANE_METRICS.map((metric) => [metric.name, metric]));

/** Where a recorded metric lies. */
export function laneMetric(name: MetricName): LaneMetric {
  const metric = metricByName.get(name);
  assert(metric !== undefined, `threads record ${name}`);
  return metric;
}

export function counterSeries<N extends CounterName>(name: N, labels: LabelsOf<N>): CounterSeries {
  return seriesAt(name, labels) as CounterSeries;
}

export function levelSeries<N extends LevelName>(name: N, labels: LabelsOf<N>): LevelSeries {
  return seriesAt(name, labels) as LevelSeries;
}

export function durationSeries<N extends DurationName>(name: N, labels: LabelsOf<N>): DurationSeries {
  return seriesAt(name, labels) as DurationSeries;
}

export function sizeSeries<N extends SizeName>(name: N, labels: LabelsOf<N>): SizeSeries {
  return seriesAt(name, labels) as SizeSeries;
}

export function ratioSeries<N extends RatioName>(name: N, labels: LabelsOf<N>): RatioSeries {
  return seriesAt(name, labels) as RatioSeries;
}

/** The label values of a series of a metric, in the order of its labels. @param ordinal from 0 */
export function labelValuesOf(metric: LaneMetric, ordinal: number): string[] {
  const cell = ordinal * metric.stride;
  return metric.labelValues.map((values, label) => {
    const value = values[Math.floor(cell / metric.labelStrides[label]!) % values.length];
    assert(value !== undefined, "a series has a value of each label");
    return value;
  });
}

function seriesAt<N extends MetricName>(name: N, typedLabels: LabelsOf<N>): number {
  const metric = laneMetric(name);
  // LabelsOf names the labels of one metric; here they are looked up by the metric at hand.
  const labels = typedLabels as Readonly<Record<string, string>>;
  let at = metric.at;
  for (let label = 0; label < metric.labelNames.length; label++) {
    const wanted = labels[metric.labelNames[label]!];
    const value = metric.labelValues[label]!.indexOf(wanted ?? "");
    assert(value >= 0, `${name} has the label ${metric.labelNames[label]} with the value ${wanted}`);
    at += value * metric.labelStrides[label]!;
  }
  return at;
}

function layOut(): LaneMetric[] {
  const metrics: LaneMetric[] = [];
  let at = 0;
  for (const wanted of CELL_ORDER) {
    if (wanted === "histogram") at = roundUp(at, CELLS_PER_LINE);
    for (const name of METRIC_NAMES) {
      const declaration: Declaration = CATALOGUE[name];
      if (declaration.source !== "lane" || declaration.awaits !== undefined) continue;
      if (cellOf(declaration) !== wanted) continue;
      const stride = wanted === "histogram" ? HISTOGRAM_CELLS : 1;
      const labelNames = Object.keys(declaration.labels);
      const labelValues = labelNames.map((label) => {
        const values = declaration.labels[label]!;
        assert("length" in values, `${name} is recorded in lanes, so the values of its labels are listed`);
        return values;
      });
      const labelStrides = new Array<number>(labelNames.length);
      let seriesCount = 1;
      for (let label = labelNames.length - 1; label >= 0; label--) {
        labelStrides[label] = seriesCount * stride;
        seriesCount *= labelValues[label]!.length;
      }
      metrics.push({
        name,
        declaration,
        cell: wanted,
        at,
        stride,
        seriesCount,
        labelNames,
        labelValues,
        labelStrides,
      });
      at += seriesCount * stride;
    }
  }
  return metrics;
}

function cellOf(declaration: Declaration): LaneMetric["cell"] {
  if (declaration.kind === "histogram") return "histogram";
  return declaration.kind === "gauge" || declaration.isRead === true ? "level" : "counter";
}

function endOf(metrics: readonly LaneMetric[]): number {
  return metrics.reduce((end, { at, seriesCount, stride }) => Math.max(end, at + seriesCount * stride), 0);
}

function roundUp(cells: number, multiple: number): number {
  return Math.ceil(cells / multiple) * multiple;
}
