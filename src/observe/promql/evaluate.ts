/**
 * Evaluates a checked query, one instant after the other.
 *
 * Everything that does not change from instant to instant (samples, groups, signatures, labels of results) is found
 * once and kept with the node of the tree it belongs to. The semantics are those of Prometheus 2.42, which the tests
 * compare with: ranges hold both ends, the lookback is five minutes.
 */
import type { Clock } from "../../base/clock.ts";
import { Aggregator } from "./aggregate.ts";
import { BinaryOperation, calculate } from "./binary.ts";
import { CallEvaluator } from "./evaluate-call.ts";
import type { Aggregate, Binary, Call, Expression, Subquery, VectorSelector } from "./expression.ts";
import { areDistinct, LabelPool } from "./labels.ts";
import { type Instants, instantOf, type Plan, planQuery, type RangeSource } from "./plan.ts";
import { PromqlError } from "./promql-error.ts";
import type { SampleStore } from "./samples.ts";
import { SeriesCollector } from "./series-collector.ts";
import type { Sample, Vector } from "./values.ts";
import { SeriesWalk } from "./windows.ts";

export const LOOKBACK_MS = 300_000;
/** Elements between two looks at the clock. */
const LOOK_EVERY = 4096;

export type QueryLimits = {
  /** samples that one query may read */
  readonly sampleCountMax: number;
  /** ns of `clock` at which it is given up; may be moved as it goes on */
  deadlineNs: number;
  readonly clock: Clock;
};

export class Evaluation {
  readonly pool = new LabelPool();
  readonly expression: Expression;
  readonly instants: Instants;
  readonly #store: SampleStore;
  readonly #limits: QueryLimits;
  readonly #plan: Plan;
  readonly #selected = new Map<VectorSelector | Subquery, readonly SeriesWalk[]>();
  /** working ends by node: their memory of groups and labels lasts as long as the query */
  readonly #workers = new Map<Expression, Aggregator | BinaryOperation | CallEvaluator>();
  #sampleCount = 0;
  #sinceLook = 0;

  constructor(expression: Expression, instants: Instants, store: SampleStore, limits: QueryLimits) {
    this.expression = expression;
    this.instants = instants;
    this.#store = store;
    this.#limits = limits;
    this.#plan = planQuery(expression, instants, LOOKBACK_MS);
  }

  /** The query's worth at an instant. @throws {PromqlError} */
  at(atMs: number): number | string | Vector {
    return this.evaluate(this.expression, atMs);
  }

  evaluate(node: Expression, atMs: number): number | string | Vector {
    switch (node.kind) {
      case "number":
      case "string":
        return node.value;
      case "paren":
        return this.evaluate(node.inner, atMs);
      case "vector-selector":
        return this.#select(node, atMs);
      case "unary":
        return this.#unary(node, atMs);
      case "binary":
        return this.#binary(node, atMs);
      case "aggregate":
        return this.#aggregate(node, atMs);
      case "call":
        return this.#call(node, atMs);
      case "matrix-selector":
      case "subquery":
        throw new PromqlError("execution", "a range vector has no value at one instant");
    }
  }

  /** An argument that was checked to be a vector. */
  vector(node: Expression, atMs: number): Vector {
    return this.evaluate(node, atMs) as Vector;
  }

  number(node: Expression, atMs: number): number {
    return this.evaluate(node, atMs) as number;
  }

  /** The series of a selector or a subquery, their samples read once for all instants. */
  walks(node: VectorSelector | Subquery): readonly SeriesWalk[] {
    let walks = this.#selected.get(node);
    if (walks === undefined) {
      walks = node.kind === "subquery" ? this.#runSubquery(node) : this.#read(node);
      this.#selected.set(node, walks);
    }
    return walks;
  }

  /** Where a range lies that is asked about at an instant, and its series. */
  range(source: RangeSource, atMs: number): { walks: readonly SeriesWalk[]; fromMs: number; toMs: number } {
    const node = source.kind === "subquery" ? source : source.selector;
    const toMs = instantOf(node, atMs, this.instants);
    return { walks: this.walks(node), fromMs: toMs - source.rangeMs, toMs };
  }

  /** Moves the time at which it is given up, in ns of the clock. */
  giveUpAt(deadlineNs: number): void {
    this.#limits.deadlineNs = deadlineNs;
  }

  /** Counts work done; looks at the clock now and then. @throws {PromqlError} `timeout` */
  spend(elementCount: number): void {
    this.#sinceLook += elementCount;
    if (this.#sinceLook < LOOK_EVERY) return;
    this.#sinceLook = 0;
    if (this.#limits.clock.nowNs() > this.#limits.deadlineNs) {
      throw new PromqlError("timeout", "query timed out in expression evaluation");
    }
  }

  #select(node: VectorSelector, atMs: number): Vector {
    const instant = instantOf(node, atMs, this.instants);
    const walks = this.walks(node);
    this.spend(walks.length);
    const samples: Sample[] = [];
    for (const walk of walks) {
      const index = walk.indexAt(instant, LOOKBACK_MS);
      if (index >= 0) samples.push({ labels: walk.labels, value: walk.valueAt(index) });
    }
    return samples;
  }

  #read(node: VectorSelector): SeriesWalk[] {
    const { fromMs, toMs } = this.#plan.windows.get(node)!;
    const series = this.#store.select(node.matchers, fromMs, toMs);
    for (const { times } of series) this.#countSamples(times.length);
    return series.map((each) => new SeriesWalk(this.pool.adopt(each.labels), each));
  }

  #runSubquery(node: Subquery): SeriesWalk[] {
    const { startMs, endMs, stepMs } = this.#plan.subqueries.get(node)!;
    const collector = new SeriesCollector();
    for (let atMs = startMs; atMs <= endMs; atMs += stepMs) {
      const vector = this.vector(node.inner, atMs);
      this.#countSamples(vector.length + 1);
      collector.add(atMs, vector);
    }
    return collector.series().map(({ labels, times, values }) => {
      const samples = {
        times: Float64Array.from(times),
        values: Float64Array.from(values),
        goneAt: undefined,
      };
      return new SeriesWalk(labels, samples);
    });
  }

  #countSamples(count: number): void {
    this.#sampleCount += count;
    this.spend(count);
    if (this.#sampleCount > this.#limits.sampleCountMax) {
      throw new PromqlError(
        "execution",
        "query processing would load too many samples into memory in query execution",
      );
    }
  }

  #unary(node: Extract<Expression, { kind: "unary" }>, atMs: number): number | Vector {
    const inner = this.evaluate(node.inner, atMs) as number | Vector;
    if (node.operator === "+") return inner;
    if (typeof inner === "number") return -inner;
    const samples = inner.map(({ labels, value }) => ({
      labels: this.pool.withoutName(labels),
      value: -value,
    }));
    return unique(samples);
  }

  #binary(node: Binary, atMs: number): number | Vector {
    const left = this.evaluate(node.left, atMs) as number | Vector;
    const right = this.evaluate(node.right, atMs) as number | Vector;
    if (typeof left === "number" && typeof right === "number") return calculate(node.operator, left, right);
    const operation = this.#worker(node, () => new BinaryOperation(node, this.pool));
    if (typeof left === "number") {
      this.spend((right as Vector).length);
      return unique(operation.withNumber(right as Vector, left, true));
    }
    if (typeof right === "number") {
      this.spend(left.length);
      return unique(operation.withNumber(left, right, false));
    }
    this.spend(left.length + right.length);
    return operation.between(left, right);
  }

  #aggregate(node: Aggregate, atMs: number): Vector {
    const parameter =
      node.parameter === undefined ? undefined : (this.evaluate(node.parameter, atMs) as number | string);
    const vector = this.vector(node.inner, atMs);
    this.spend(vector.length);
    return this.#worker(node, () => new Aggregator(node, this.pool)).apply(vector, parameter);
  }

  #call(node: Call, atMs: number): number | Vector {
    const value = this.#worker(node, () => new CallEvaluator(node, this)).at(atMs);
    return typeof value === "number" ? value : unique(value);
  }

  #worker<Worker extends Aggregator | BinaryOperation | CallEvaluator>(
    node: Expression,
    make: () => Worker,
  ): Worker {
    let worker = this.#workers.get(node);
    if (worker === undefined) {
      worker = make();
      this.#workers.set(node, worker);
    }
    return worker as Worker;
  }
}

/** @throws {PromqlError} `execution` when two elements have become the same, as by losing their names */
function unique(samples: readonly Sample[]): Vector {
  if (areDistinct(samples)) return samples;
  throw new PromqlError("execution", "vector cannot contain metrics with the same labelset");
}
