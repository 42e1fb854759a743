/** The appliance's metrics at two moments, as Prometheus text, and what happened between them. */
import { type Bucket, bucketQuantile } from "../../observe/promql/quantile.ts";

export type Labels = Readonly<Record<string, string>>;

/** One series: its value at the end, and by how much it grew. */
export type DeltaSeries = { readonly labels: Labels; readonly last: number; readonly grown: number };

/** Percentiles of what a histogram counted between the two moments, in seconds. */
export type Latency = {
  readonly count: number;
  readonly total_s: number;
  readonly mean_s: number;
  readonly p50_s: number;
  readonly p90_s: number;
  readonly p99_s: number;
  readonly p999_s: number;
};

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

export class MetricDelta {
  readonly #byName = new Map<string, DeltaSeries[]>();

  /** @param before, after as `/metrics` answers them; a series that began in between grew from 0 */
  constructor(before: string, after: string) {
    const from = new Map(parse(before).map(({ key, value }) => [key, value]));
    for (const { key, name, labels, value } of parse(after)) {
      const series = this.#byName.get(name) ?? [];
      series.push({ labels, last: value, grown: value - (from.get(key) ?? 0) });
      this.#byName.set(name, series);
    }
  }

  /** Series of a name whose labels are those given, and any others. */
  series(name: string, wanted: Labels = {}): DeltaSeries[] {
    const keys = Object.entries(wanted);
    return (this.#byName.get(name) ?? []).filter(({ labels }) =>
      keys.every(([label, value]) => labels[label] === value),
    );
  }

  /** Growth of all of them; undefined where there is none. */
  grown(name: string, wanted?: Labels): number | undefined {
    return sumOf(this.series(name, wanted).map(({ grown }) => grown));
  }

  /** Values at the end of all of them; undefined where there is none. */
  last(name: string, wanted?: Labels): number | undefined {
    return sumOf(this.series(name, wanted).map(({ last }) => last));
  }

  /** Percentiles over all series that match; undefined where nothing was counted. */
  latency(name: string, wanted: Labels = {}): Latency | undefined {
    const count = this.grown(`${name}_count`, wanted) ?? 0;
    if (count <= 0) return undefined;
    const byBound = new Map<number, number>();
    for (const { labels, grown } of this.series(`${name}_bucket`, wanted)) {
      const bound = labels["le"] === "+Inf" ? Number.POSITIVE_INFINITY : Number(labels["le"]);
      byBound.set(bound, (byBound.get(bound) ?? 0) + grown);
    }
    // Finding a quantile merges buckets in place.
    const quantile = (q: number): number =>
      bucketQuantile(
        q,
        [...byBound].map(([bound, sum]): Bucket => ({ bound, count: sum })),
      );
    const total = this.grown(`${name}_sum`, wanted) ?? 0;
    return {
      count,
      total_s: total,
      mean_s: total / count,
      p50_s: quantile(0.5),
      p90_s: quantile(0.9),
      p99_s: quantile(0.99),
      p999_s: quantile(0.999),
    };
  }

  /** The values a label takes in the series of a name. */
  valuesOf(name: string, label: string): string[] {
    return [...new Set(this.series(name).map(({ labels }) => labels[label] ?? ""))];
  }
}

function parse(text: string): { key: string; name: string; labels: Labels; value: number }[] {
  return text.split("\n").flatMap((line) => {
    if (line === "" || line.startsWith("#")) return [];
    const found = LINE.exec(line);
    if (found === null) return [];
    const [, name, list = "", value] = found;
    const labels = Object.fromEntries([...list.matchAll(LABEL)].map(([, label, text]) => [label!, text!]));
    return [{ key: `${name}{${list}}`, name: name!, labels, value: Number(value) }];
  });
}

function sumOf(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
}
