/**
 * The metrics of a snapshot as OpenTelemetry's SDK hands them to an exporter: under their OTLP names, durations in
 * seconds, totals cumulative since the process began, histograms exponential as they were recorded.
 *
 * Our bucket e holds what is above 2^(e-1+x) and at most 2^(e+x), x being the exponent of the first bound. That is
 * OpenTelemetry's scale 0, whose bucket i holds what is above 2^i and at most 2^(i+1), with i = e-1+x. Bucket 0 also
 * takes zero, so it counts as zeros.
 */
import { type HrTime, ValueType } from "@opentelemetry/api";
import { AggregationTemporality, DataPointType, type MetricData } from "@opentelemetry/sdk-metrics";
import type { Kind, Unit } from "../declaration.ts";
import { type Family, firstExponentOf, type HistogramSample, type LabelSet } from "../family.ts";

/** As UCUM writes them, which OpenTelemetry asks for. */
const UNITS: Readonly<Record<Unit, string>> = { seconds: "s", bytes: "By", ratio: "1", count: "1" };

export type OtlpSpan = { readonly startMs: number; readonly nowMs: number };

/** @param span ms since the epoch: when the process began, and when the snapshot was taken */
export function otlpMetrics(families: readonly Family[], span: OtlpSpan): MetricData[] {
  const startTime = hrTime(span.startMs);
  const endTime = hrTime(span.nowMs);
  return families.map((family) => {
    const { declaration, samples, histograms } = family;
    const descriptor = {
      name: declaration.otlp,
      description: declaration.help,
      unit: UNITS[declaration.unit],
      valueType: ValueType.DOUBLE,
    };
    const common = { descriptor, aggregationTemporality: AggregationTemporality.CUMULATIVE };
    const point = <T>(labels: LabelSet, value: T) => ({
      startTime,
      endTime,
      attributes: Object.fromEntries(labels.pairs),
      value,
    });
    const numbers = () => samples.map(({ labels, value }) => point(labels, value));
    const metric: Record<Kind, () => MetricData> = {
      counter: () => ({
        ...common,
        dataPointType: DataPointType.SUM,
        isMonotonic: true,
        dataPoints: numbers(),
      }),
      gauge: () => ({ ...common, dataPointType: DataPointType.GAUGE, dataPoints: numbers() }),
      histogram: () => ({
        ...common,
        dataPointType: DataPointType.EXPONENTIAL_HISTOGRAM,
        dataPoints: histograms.map((sample) =>
          point(sample.labels, exponential(sample, firstExponentOf(declaration))),
        ),
      }),
    };
    return metric[declaration.kind]();
  });
}

function exponential({ buckets, count, sum }: HistogramSample, firstExponent: number) {
  const first = buckets.findIndex((events, bucket) => bucket > 0 && events > 0);
  const last = buckets.findLastIndex((events) => events > 0);
  const isEmpty = first < 0;
  return {
    count,
    sum,
    scale: 0,
    zeroCount: buckets[0]!,
    positive: {
      offset: isEmpty ? 0 : first - 1 + firstExponent,
      bucketCounts: isEmpty ? [] : [...buckets.subarray(first, last + 1)],
    },
    negative: { offset: 0, bucketCounts: [] },
  };
}

/** ms since the epoch as seconds and nanoseconds. */
export function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
}
