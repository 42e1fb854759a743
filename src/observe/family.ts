/**
 * What the metrics are at one moment, ready to be written in any format: families in the order of the
 * catalogue, each with its samples. `snapshot.ts` takes them, the expositions and the history read them.
 */
import { DURATION_BUCKET_EXPONENT } from "../layout/metric-lane.ts";
import { CATALOGUE, type LabelsOf, METRIC_NAMES, type MetricName } from "./catalogue.ts";
import type { Declaration } from "./declaration.ts";
import type { NamesOf } from "./series.ts";

/** Labels of a series: the pairs, and as Prometheus writes them between braces. */
export class LabelSet {
  readonly pairs: readonly (readonly [name: string, value: string])[];
  readonly text: string;

  constructor(pairs: readonly (readonly [string, string])[]) {
    this.pairs = pairs;
    this.text = pairs.map(([name, value]) => `${name}="${escapeValue(value)}"`).join(",");
  }
}

export const NO_LABELS: LabelSet = new LabelSet([]);

export type Sample = { readonly labels: LabelSet; readonly value: number };

export type HistogramSample = {
  readonly labels: LabelSet;
  /** events by bucket, not cumulative; bucket e is bounded by 2^(e + exponent) */
  readonly buckets: Float64Array;
  readonly count: number;
  /** in the unit of the metric */
  readonly sum: number;
};

export type Family = {
  readonly name: MetricName;
  readonly declaration: Declaration;
  /** of a counter or gauge */
  readonly samples: Sample[];
  /** of a histogram */
  readonly histograms: HistogramSample[];
};

type SampledName = NamesOf<"gauge" | "counter", "sampled">;

/** Gathers families; a label or name that the catalogue has not does not compile. */
export class FamilySet {
  readonly #byName = new Map<MetricName, Family>();

  /** Enters a sampled value. NaN and undefined say that it could not be measured, and enter nothing. */
  sample<N extends SampledName>(name: N, labels: LabelsOf<N>, value: number | undefined): void {
    if (value === undefined || !Number.isFinite(value)) return;
    const pairs = Object.entries(labels as Readonly<Record<string, string>>);
    this.family(name).samples.push({ labels: pairs.length === 0 ? NO_LABELS : new LabelSet(pairs), value });
  }

  family(name: MetricName): Family {
    let family = this.#byName.get(name);
    if (family === undefined) {
      family = { name, declaration: CATALOGUE[name], samples: [], histograms: [] };
      this.#byName.set(name, family);
    }
    return family;
  }

  /** Those that have samples, in the order of the catalogue. */
  families(): Family[] {
    return METRIC_NAMES.flatMap((name) => {
      const family = this.#byName.get(name);
      return family === undefined || family.samples.length + family.histograms.length === 0 ? [] : [family];
    });
  }
}

/** The exponent of the bound of a histogram's bucket 0. */
export function firstExponentOf(declaration: Declaration): number {
  const { unit } = declaration;
  return unit === "seconds" || unit === "ratio" ? DURATION_BUCKET_EXPONENT : 0;
}

function escapeValue(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
