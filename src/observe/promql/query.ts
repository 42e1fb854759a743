/**
 * The way in: a query's text and its instants, answered from a store of samples.
 *
 * A range of many steps is evaluated in slices of some ms, between which the worker goes on with what waits: a
 * dashboard that asks for a week must not hold up a recall.
 */
import type { Clock } from "../../base/clock.ts";
import { Evaluation } from "./evaluate.ts";
import { type Expression, unparenthesised } from "./expression.ts";
import { typeOf } from "./functions.ts";
import { compareLabels } from "./labels.ts";
import { parsePromql } from "./parse.ts";
import type { Instants, RangeSource } from "./plan.ts";
import { PromqlError } from "./promql-error.ts";
import type { Window } from "./range-functions.ts";
import type { SampleStore } from "./samples.ts";
import { SeriesCollector } from "./series-collector.ts";
import type { QueryResult, ResultSeries, Vector } from "./values.ts";

/** Prometheus's own bound: enough for a point a minute over a week. */
export const POINT_COUNT_MAX = 11_000;
const SAMPLE_COUNT_MAX = 20_000_000;
const SLICE_NS = 3_000_000;
/** One instant is evaluated in one go: longer than this it may not hold up the thread. */
const INSTANT_NS = 1_000_000_000;

export type QueryOptions = {
  readonly store: SampleStore;
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** lets the thread do what waits, and resolves soon */
  readonly yieldToOthers: () => Promise<void>;
};

/** A query's worth at one instant. @throws {PromqlError} */
export function queryInstant(source: string, atMs: number, options: QueryOptions): QueryResult {
  const evaluation = evaluationOf(source, { startMs: atMs, endMs: atMs, stepMs: 1 }, options);
  const inner = unparenthesised(evaluation.expression);
  if (inner.kind === "matrix-selector" || inner.kind === "subquery") return wholeRange(evaluation, atMs);
  const value = evaluation.at(atMs);
  if (typeof value === "number") return { type: "scalar", atMs, value };
  if (typeof value === "string") return { type: "string", atMs, value };
  return { type: "vector", atMs, samples: value };
}

/** A query's worth at each of several instants. @throws {PromqlError} */
export async function queryRange(
  source: string,
  instants: Instants,
  options: QueryOptions,
): Promise<Extract<QueryResult, { type: "matrix" }>> {
  const { startMs, endMs, stepMs } = instants;
  if ((endMs - startMs) / stepMs > POINT_COUNT_MAX) {
    throw new PromqlError(
      "bad_data",
      "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
    );
  }
  const evaluation = evaluationOf(source, instants, options);
  const type = typeOf(evaluation.expression);
  if (type !== "scalar" && type !== "instant vector") {
    throw new PromqlError(
      "bad_data",
      `invalid expression type "${type}" for range query, must be Scalar or instant Vector`,
    );
  }
  const collector = new SeriesCollector();
  const endNs = options.clock.nowNs() + options.timeoutMs * 1e6;
  let sliceEndNs = options.clock.nowNs() + SLICE_NS;
  for (let atMs = startMs; atMs <= endMs; atMs += stepMs) {
    const value = evaluation.at(atMs) as number | Vector;
    collector.add(atMs, typeof value === "number" ? [{ labels: evaluation.pool.empty, value }] : value);
    if (options.clock.nowNs() < sliceEndNs) continue;
    await options.yieldToOthers();
    sliceEndNs = options.clock.nowNs() + SLICE_NS;
    evaluation.giveUpAt(Math.min(endNs, sliceEndNs + INSTANT_NS));
  }
  return { type: "matrix", series: collector.sorted() };
}

function evaluationOf(source: string, instants: Instants, options: QueryOptions): Evaluation {
  const { clock, store } = options;
  return new Evaluation(parseParameter(source), instants, store, {
    sampleCountMax: SAMPLE_COUNT_MAX,
    deadlineNs: clock.nowNs() + Math.min(INSTANT_NS, options.timeoutMs * 1e6),
    clock,
  });
}

/** A query that does not parse is named as the parameter it came in. */
function parseParameter(source: string): Expression {
  try {
    return parsePromql(source);
  } catch (error) {
    if (!(error instanceof PromqlError)) throw error;
    throw new PromqlError(error.type, `invalid parameter "query": ${error.message}`);
  }
}

/** The samples of a range as they are. */
function wholeRange(evaluation: Evaluation, atMs: number): QueryResult {
  const source = unparenthesised(evaluation.expression) as RangeSource;
  const { walks, fromMs, toMs } = evaluation.range(source, atMs);
  const none = new Float64Array(0);
  const window: Window = { times: none, values: none, lo: 0, hi: 0, fromMs, toMs, atMs, mayFall: true };
  const series: ResultSeries[] = [];
  for (const walk of walks) {
    if (!walk.fill(window, fromMs, toMs)) continue;
    const { times, values, lo, hi } = window;
    series.push({
      labels: walk.labels,
      times: Array.from(times.subarray(lo, hi)),
      values: Array.from(values.subarray(lo, hi)),
    });
  }
  return { type: "matrix", series: series.sort((a, b) => compareLabels(a.labels, b.labels)) };
}
