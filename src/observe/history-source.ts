/**
 * The metrics of the appliance as the history takes them: each series of the exposition, once a second.
 *
 * A histogram becomes its classic buckets, its sum and its count, as a server that scrapes the text would keep it.
 * Series are found again by their family and the text of their labels; an index is given once.
 */
import { CATALOGUE } from "./catalogue.ts";
import { classicBuckets, numberText } from "./exposition-text.ts";
import type { Family, HistogramSample, LabelSet } from "./family.ts";
import type { SampleSource } from "./history.ts";
import type { SeriesIdentity } from "./history-series.ts";
import { BUCKET_LABEL } from "./promql/labels.ts";

export class FamilySource implements SampleSource {
  readonly #take: () => readonly Family[];
  readonly #identities: SeriesIdentity[] = [];
  /** by family and the text of the labels: the first of the indexes that a sample takes */
  readonly #firstIndexes = new Map<string, Map<string, number>>();
  #values = new Float64Array(1024);

  constructor(take: () => readonly Family[]) {
    this.#take = take;
  }

  get values(): Float64Array {
    return this.#values;
  }

  identity(index: number): SeriesIdentity {
    return this.#identities[index]!;
  }

  sample(): number {
    this.#values.fill(Number.NaN);
    for (const family of this.#take()) {
      let indexes = this.#firstIndexes.get(family.name);
      if (indexes === undefined) {
        indexes = new Map();
        this.#firstIndexes.set(family.name, indexes);
      }
      for (const { labels, value } of family.samples) {
        const index = indexes.get(labels.text) ?? this.#enter(indexes, labels, [[family.name, {}]]);
        this.#values[index] = value;
      }
      for (const sample of family.histograms) this.#histogram(family, sample, indexes);
    }
    return this.#identities.length;
  }

  #histogram(family: Family, sample: HistogramSample, indexes: Map<string, number>): void {
    const { bounds, counts } = classicBuckets(family.declaration, sample);
    const first =
      indexes.get(sample.labels.text) ??
      this.#enter(indexes, sample.labels, [
        ...bounds.map((bound): Part => [`${family.name}_bucket`, { [BUCKET_LABEL]: numberText(bound) }]),
        [`${family.name}_bucket`, { [BUCKET_LABEL]: "+Inf" }],
        [`${family.name}_sum`, {}],
        [`${family.name}_count`, {}],
      ]);
    const values = this.#values;
    values.set(counts, first);
    values[first + counts.length] = sample.count;
    values[first + counts.length + 1] = sample.sum;
    values[first + counts.length + 2] = sample.count;
  }

  #enter(indexes: Map<string, number>, labels: LabelSet, parts: readonly Part[]): number {
    const first = this.#identities.length;
    for (const [name, more] of parts) {
      this.#identities.push({ name, labels: { ...Object.fromEntries(labels.pairs), ...more } });
    }
    indexes.set(labels.text, first);
    while (this.#values.length < this.#identities.length) {
      const larger = new Float64Array(this.#values.length * 2).fill(Number.NaN);
      larger.set(this.#values);
      this.#values = larger;
    }
    return first;
  }
}

/** The name of one series, and the labels it has beside those of its sample. */
type Part = readonly [name: string, labels: Readonly<Record<string, string>>];

/** What Prometheus's `metadata` says of a metric. */
export type MetricMetadata = { readonly type: string; readonly help: string; readonly unit: string };

/** Of every metric of the catalogue, by name. */
export function metricMetadata(): ReadonlyMap<string, MetricMetadata> {
  return new Map(
    Object.entries(CATALOGUE).map(([name, { kind, help, unit }]) => [
      name,
      { type: kind, help, unit: unit === "count" ? "" : unit },
    ]),
  );
}
