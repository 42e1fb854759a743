/**
 * Aggregations of a vector by labels: sum, avg, min, max, count, group, stddev, stdvar, quantile, topk, bottomk,
 * count_values.
 *
 * The group of a set of labels is found once for a query and remembered, so that a step costs a look-up an element.
 */
import type { Aggregate, AggregateOperator } from "./expression.ts";
import { KahanSum } from "./kahan.ts";
import { isLabelName, type LabelPool, type Labels, METRIC_NAME } from "./labels.ts";
import { plainValueText } from "./number-text.ts";
import { PromqlError } from "./promql-error.ts";
import { quantileOf } from "./quantile.ts";
import type { Sample, Vector } from "./values.ts";

export class Aggregator {
  readonly #expression: Aggregate;
  readonly #pool: LabelPool;
  readonly #groupOf = new Map<Labels, Labels>();

  constructor(expression: Aggregate, pool: LabelPool) {
    this.#expression = expression;
    this.#pool = pool;
  }

  /** @param parameter k, the quantile or the label's name, where the operator takes one */
  apply(vector: Vector, parameter: number | string | undefined): Sample[] {
    const { operator } = this.#expression;
    if (operator === "count_values") return this.#countValues(vector, String(parameter));
    if (operator === "topk" || operator === "bottomk")
      return this.#extremes(vector, Number(parameter), operator);
    const groups = new Map<Labels, number[]>();
    for (const { labels, value } of vector) {
      const group = this.#group(labels);
      const values = groups.get(group);
      if (values === undefined) groups.set(group, [value]);
      else values.push(value);
    }
    const reduce = REDUCERS[operator];
    return Array.from(groups, ([labels, values]) => ({ labels, value: reduce(values, Number(parameter)) }));
  }

  #group(labels: Labels): Labels {
    let group = this.#groupOf.get(labels);
    if (group === undefined) {
      const { without, labels: names } = this.#expression;
      group = without ? this.#pool.without(labels, [METRIC_NAME, ...names]) : this.#pool.only(labels, names);
      this.#groupOf.set(labels, group);
    }
    return group;
  }

  #extremes(vector: Vector, k: number, operator: "topk" | "bottomk"): Sample[] {
    if (!(k >= -(2 ** 63) && k < 2 ** 63)) {
      throw new PromqlError("execution", `Scalar value ${plainValueText(k)} overflows int64`);
    }
    const count = Math.trunc(k);
    if (count < 1) return [];
    const groups = new Map<Labels, Sample[]>();
    for (const sample of vector) {
      const group = this.#group(sample.labels);
      const samples = groups.get(group);
      if (samples === undefined) groups.set(group, [sample]);
      else samples.push(sample);
    }
    const sign = operator === "topk" ? -1 : 1;
    // What is no number is picked last.
    const order = (a: Sample, b: Sample): number =>
      Number.isNaN(a.value) || Number.isNaN(b.value)
        ? Number(Number.isNaN(a.value)) - Number(Number.isNaN(b.value))
        : a.value === b.value
          ? 0
          : (a.value - b.value) * sign;
    return [...groups.values()].flatMap((samples) => samples.sort(order).slice(0, count));
  }

  #countValues(vector: Vector, label: string): Sample[] {
    if (!isLabelName(label)) throw new PromqlError("execution", `invalid label name "${label}"`);
    const counts = new Map<Labels, number>();
    for (const sample of vector) {
      const group = this.#pool.with(this.#group(sample.labels), label, plainValueText(sample.value));
      counts.set(group, (counts.get(group) ?? 0) + 1);
    }
    return Array.from(counts, ([labels, value]) => ({ labels, value }));
  }
}

type Reducer = (values: readonly number[], parameter: number) => number;

const REDUCERS: Readonly<Record<Exclude<AggregateOperator, "topk" | "bottomk" | "count_values">, Reducer>> = {
  sum: (values) => {
    const sum = new KahanSum();
    for (const value of values) sum.add(value);
    return sum.value;
  },
  avg: mean,
  min: (values) => values.reduce((least, value) => (least > value || Number.isNaN(least) ? value : least)),
  max: (values) => values.reduce((most, value) => (most < value || Number.isNaN(most) ? value : most)),
  count: (values) => values.length,
  group: () => 1,
  stddev: (values) => Math.sqrt(variance(values)),
  stdvar: variance,
  quantile: (values, q) => quantileOf(q, Float64Array.from(values)),
};

function mean(values: readonly number[]): number {
  let average = values[0]!;
  for (let i = 1; i < values.length; i++) {
    const value = values[i]!;
    if (average === Number.POSITIVE_INFINITY || average === Number.NEGATIVE_INFINITY) {
      if (value === average || Number.isFinite(value)) continue;
    }
    // Divided first, so that large values do not overflow.
    average += value / (i + 1) - average / (i + 1);
  }
  return average;
}

function variance(values: readonly number[]): number {
  let centre = values[0]!;
  let squares = 0;
  for (let i = 1; i < values.length; i++) {
    const delta = values[i]! - centre;
    centre += delta / (i + 1);
    squares += delta * (values[i]! - centre);
  }
  return squares / values.length;
}
