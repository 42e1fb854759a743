/** Calls of functions: picks how a function sees its arguments, and what becomes of the labels. */
import { assert } from "../../base/assert.ts";
import type { Evaluation } from "./evaluate.ts";
import { LOOKBACK_MS } from "./evaluate.ts";
import { type Call, type Expression, unparenthesised, type VectorSelector } from "./expression.ts";
import { labelJoin, labelReplace, type Relabel } from "./label-functions.ts";
import { BUCKET_LABEL, type Label, type Labels, METRIC_NAME } from "./labels.ts";
import { numberValue } from "./literals.ts";
import type { Matcher } from "./matcher.ts";
import { instantOf, type RangeSource } from "./plan.ts";
import { type Bucket, bucketQuantile } from "./quantile.ts";
import { RANGE_FUNCTIONS, type RangeFunction, type Window } from "./range-functions.ts";
import type { Sample, Vector } from "./values.ts";
import { DATE_FUNCTIONS, roundTo, VALUE_FUNCTIONS } from "./vector-functions.ts";

/** The working end of one call in a query. */
export class CallEvaluator {
  readonly #call: Call;
  readonly #evaluation: Evaluation;
  readonly #run: (atMs: number) => number | Vector;
  /** what label functions make of labels, found once for each */
  readonly #relabelled = new Map<Labels, Labels>();
  #relabel: Relabel | undefined;
  readonly #buckets = new Map<Labels, { readonly group: Labels; readonly bound: number | undefined }>();
  readonly #window: Window = {
    times: new Float64Array(0),
    values: new Float64Array(0),
    lo: 0,
    hi: 0,
    fromMs: 0,
    toMs: 0,
    atMs: 0,
    mayFall: true,
  };

  constructor(call: Call, evaluation: Evaluation) {
    this.#call = call;
    this.#evaluation = evaluation;
    this.#run = this.#pick();
  }

  at(atMs: number): number | Vector {
    return this.#run(atMs);
  }

  #pick(): (atMs: number) => number | Vector {
    const { name } = this.#call;
    const range = RANGE_FUNCTIONS[name];
    if (range !== undefined) return (atMs) => this.#overRange(range, atMs);
    const perValue = VALUE_FUNCTIONS[name];
    if (perValue !== undefined) return (atMs) => this.#map(atMs, perValue);
    const perDate = DATE_FUNCTIONS[name];
    if (perDate !== undefined) return (atMs) => this.#dates(perDate, atMs);
    switch (name) {
      case "absent_over_time":
        return (atMs) => this.#absentOverTime(atMs);
      case "absent":
        return (atMs) => this.#absent(this.#vector(atMs).length > 0);
      case "timestamp":
        return (atMs) => this.#timestamps(atMs);
      case "sort":
        return (atMs) => sorted(this.#vector(atMs), 1);
      case "sort_desc":
        return (atMs) => sorted(this.#vector(atMs), -1);
      case "round":
        return (atMs) => {
          const multiple = this.#call.args.length < 2 ? 1 : this.#number(1, atMs);
          return this.#map(atMs, (value) => roundTo(value, multiple));
        };
      case "clamp":
        return (atMs) => this.#clamp(atMs);
      case "clamp_min":
        return (atMs) => {
          const least = this.#number(1, atMs);
          return this.#map(atMs, (value) => Math.max(least, value));
        };
      case "clamp_max":
        return (atMs) => {
          const most = this.#number(1, atMs);
          return this.#map(atMs, (value) => Math.min(most, value));
        };
      case "histogram_quantile":
        return (atMs) => this.#histogramQuantile(atMs);
      case "label_replace":
      case "label_join":
        return (atMs) => this.#relabelAll(atMs);
      case "scalar":
        return (atMs) => {
          const vector = this.#vector(atMs);
          return vector.length === 1 ? vector[0]!.value : Number.NaN;
        };
      case "vector":
        return (atMs) => [{ labels: this.#evaluation.pool.empty, value: this.#number(0, atMs) }];
      case "time":
        return (atMs) => atMs / 1000;
      default:
        assert(name === "pi", "every function of the table is evaluated");
        return () => Math.PI;
    }
  }

  #vector(atMs: number): Vector {
    const vector = this.#evaluation.vector(this.#call.args[0]!, atMs);
    this.#evaluation.spend(vector.length);
    return vector;
  }

  #number(argIndex: number, atMs: number): number {
    return this.#evaluation.number(this.#call.args[argIndex]!, atMs);
  }

  #map(atMs: number, change: (value: number) => number): Sample[] {
    const { pool } = this.#evaluation;
    return this.#vector(atMs).map(({ labels, value }) => ({
      labels: pool.withoutName(labels),
      value: change(value),
    }));
  }

  #overRange(apply: RangeFunction, atMs: number): Sample[] {
    const { name, args } = this.#call;
    const { pool } = this.#evaluation;
    const rangeIndex = name === "quantile_over_time" ? 1 : 0;
    const scalar = args.length === 2 ? this.#number(1 - rangeIndex, atMs) : Number.NaN;
    const { walks, fromMs, toMs } = this.#evaluation.range(rangeSource(args[rangeIndex]!), atMs);
    const keepsName = name === "last_over_time";
    const window = this.#window;
    window.atMs = atMs;
    const samples: Sample[] = [];
    for (const walk of walks) {
      if (!walk.fill(window, fromMs, toMs)) continue;
      window.mayFall = walk.falls;
      this.#evaluation.spend(window.hi - window.lo);
      const value = apply(window, scalar);
      if (value !== undefined)
        samples.push({ labels: keepsName ? walk.labels : pool.withoutName(walk.labels), value });
    }
    return samples;
  }

  #absentOverTime(atMs: number): Vector {
    const { walks, fromMs, toMs } = this.#evaluation.range(rangeSource(this.#call.args[0]!), atMs);
    return this.#absent(walks.some((walk) => walk.fill(this.#window, fromMs, toMs)));
  }

  /** One element where there is nothing, with the labels that its matchers asked for. */
  #absent(isThere: boolean): Vector {
    if (isThere) return [];
    return [{ labels: this.#evaluation.pool.of(labelsAsked(this.#call.args[0]!)), value: 1 }];
  }

  #timestamps(atMs: number): Vector {
    const { pool, instants } = this.#evaluation;
    const arg = unparenthesised(this.#call.args[0]!);
    if (arg.kind !== "vector-selector") return this.#map(atMs, () => atMs / 1000);
    const instant = instantOf(arg, atMs, instants);
    const samples: Sample[] = [];
    for (const walk of this.#evaluation.walks(arg)) {
      const index = walk.indexAt(instant, LOOKBACK_MS);
      if (index >= 0)
        samples.push({ labels: pool.withoutName(walk.labels), value: walk.timeAt(index) / 1000 });
    }
    return samples;
  }

  #clamp(atMs: number): Vector {
    const least = this.#number(1, atMs);
    const most = this.#number(2, atMs);
    if (most < least) return [];
    return this.#map(atMs, (value) => Math.max(least, Math.min(most, value)));
  }

  #dates(part: (seconds: number) => number, atMs: number): Vector {
    if (this.#call.args.length > 0) return this.#map(atMs, part);
    return [{ labels: this.#evaluation.pool.empty, value: part(atMs / 1000) }];
  }

  #histogramQuantile(atMs: number): Vector {
    const q = this.#number(0, atMs);
    const vector = this.#evaluation.vector(this.#call.args[1]!, atMs);
    this.#evaluation.spend(vector.length);
    const groups = new Map<Labels, Bucket[]>();
    for (const { labels, value } of vector) {
      const { group, bound } = this.#bucket(labels);
      if (bound === undefined) continue;
      const buckets = groups.get(group);
      if (buckets === undefined) groups.set(group, [{ bound, count: value }]);
      else buckets.push({ bound, count: value });
    }
    const { pool } = this.#evaluation;
    return Array.from(groups, ([group, buckets]) => ({
      labels: pool.withoutName(group),
      value: bucketQuantile(q, buckets),
    }));
  }

  #bucket(labels: Labels): { readonly group: Labels; readonly bound: number | undefined } {
    let bucket = this.#buckets.get(labels);
    if (bucket === undefined) {
      const group = this.#evaluation.pool.without(labels, [BUCKET_LABEL]);
      bucket = { group, bound: boundOf(labels.get(BUCKET_LABEL)) };
      this.#buckets.set(labels, bucket);
    }
    return bucket;
  }

  #relabelAll(atMs: number): Vector {
    const vector = this.#vector(atMs);
    this.#relabel ??= this.#makeRelabel(atMs);
    return vector.map(({ labels, value }) => {
      let changed = this.#relabelled.get(labels);
      if (changed === undefined) {
        changed = this.#relabel!(labels);
        this.#relabelled.set(labels, changed);
      }
      return { labels: changed, value };
    });
  }

  #makeRelabel(atMs: number): Relabel {
    const { pool } = this.#evaluation;
    const texts = this.#call.args.slice(1).map((arg) => String(this.#evaluation.evaluate(arg, atMs)));
    if (this.#call.name === "label_join") return labelJoin(pool, texts[0]!, texts[1]!, texts.slice(2));
    return labelReplace(pool, [texts[0]!, texts[1]!, texts[2]!, texts[3]!]);
  }
}

function rangeSource(arg: Expression): RangeSource {
  const source = unparenthesised(arg);
  assert(source.kind === "matrix-selector" || source.kind === "subquery", "a range was checked to be one");
  return source;
}

/** By value; what is no number comes last, whatever the direction. */
function sorted(vector: Vector, direction: 1 | -1): Vector {
  return vector.toSorted((a, b) => {
    const areNumbers = !Number.isNaN(a.value) && !Number.isNaN(b.value);
    if (!areNumbers) return Number(Number.isNaN(a.value)) - Number(Number.isNaN(b.value));
    return a.value === b.value ? 0 : (a.value - b.value) * direction;
  });
}

/** A bucket's bound as Go parses a float. */
function boundOf(text: string): number | undefined {
  const unsigned = text.replace(/^[+-]/, "");
  const value = /^(inf|infinity|nan)$/i.test(unsigned)
    ? numberValue(unsigned.slice(0, 3))
    : unsigned === "" || Number.isNaN(Number(unsigned))
      ? undefined
      : Number(unsigned);
  return value === undefined ? undefined : text.startsWith("-") ? -value : value;
}

/** The labels that a selector asks for by equality, each once. */
function labelsAsked(arg: Expression): Label[] {
  const node = arg;
  const selector: VectorSelector | undefined =
    node.kind === "vector-selector" ? node : node.kind === "matrix-selector" ? node.selector : undefined;
  if (selector === undefined) return [];
  const asked = new Map<string, string>();
  const seen = new Set<string>();
  for (const { name, operator, value } of selector.matchers satisfies readonly Matcher[]) {
    if (name === METRIC_NAME) continue;
    if (operator === "=" && !seen.has(name)) {
      asked.set(name, value);
      seen.add(name);
    } else {
      asked.delete(name);
    }
  }
  return [...asked];
}
