/**
 * What a rule's value is at an instant, from the history; or why there is none.
 *
 * Nothing is judged by what is not there. An empty answer has one of three reasons, which an operator must be able to
 * tell apart: the part of the appliance that would record a metric does not exist yet, a metric has no samples, or the
 * metrics are there and there is nothing to judge by (no traffic, no baseline).
 */
import { assert } from "../../base/assert.ts";
import type { Clock } from "../../base/clock.ts";
import { declarationOf } from "../catalogue.ts";
import { Evaluation } from "../promql/evaluate.ts";
import type { Expression } from "../promql/expression.ts";
import { METRIC_NAME } from "../promql/labels.ts";
import { makeMatcher } from "../promql/matcher.ts";
import { parsePromql } from "../promql/parse.ts";
import { PromqlError } from "../promql/promql-error.ts";
import type { SampleStore } from "../promql/samples.ts";
import { metricOfSeries } from "../series-name.ts";
import type { AlertRule } from "./rule.ts";

/** One element of a rule's value, with the labels that the rule tells elements apart by. */
export type Judged = { readonly labels: Readonly<Record<string, string>>; readonly value: number };

export type Judgement =
  | { readonly state: "judged"; readonly elements: readonly Judged[] }
  | { readonly state: "unavailable"; readonly reason: string };

/** Samples that one rule may read; the largest reads a few ten thousand. */
const SAMPLE_COUNT_MAX = 2_000_000;
const DEADLINE_NS = 200_000_000;
/** How far back a metric's last sample may lie, as everywhere in PromQL. */
const LOOKBACK_MS = 300_000;

export class Judge {
  readonly #store: SampleStore;
  readonly #clock: Clock;
  readonly #parsed = new Map<AlertRule, Expression>();

  constructor(store: SampleStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  judge(rule: AlertRule, atMs: number): Judgement {
    const expression = this.#expressionOf(rule);
    let value: ReturnType<Evaluation["at"]>;
    try {
      value = new Evaluation(expression, { startMs: atMs, endMs: atMs, stepMs: 1 }, this.#store, {
        sampleCountMax: SAMPLE_COUNT_MAX,
        deadlineNs: this.#clock.nowNs() + DEADLINE_NS,
        clock: this.#clock,
      }).at(atMs);
    } catch (error) {
      if (!(error instanceof PromqlError)) throw error;
      return { state: "unavailable", reason: error.message };
    }
    assert(Array.isArray(value), "the value of a rule is a vector");
    // A quotient of nothing by nothing says nothing.
    const elements = value
      .filter((sample) => !Number.isNaN(sample.value))
      .map((sample) => ({
        labels: Object.fromEntries(rule.labels.map((label) => [label, sample.labels.get(label)])),
        value: sample.value,
      }));
    if (elements.length > 0) return { state: "judged", elements };
    const reason = awaitedBy(expression) ?? this.#missing(expression, atMs) ?? rule.quiet;
    return { state: "unavailable", reason };
  }

  #expressionOf(rule: AlertRule): Expression {
    let expression = this.#parsed.get(rule);
    if (expression === undefined) {
      expression = parsePromql(rule.value);
      this.#parsed.set(rule, expression);
    }
    return expression;
  }

  /** The metrics of an expression that have no samples; undefined where all have some. */
  #missing(expression: Expression, atMs: number): string | undefined {
    const missing = seriesNamesIn(expression).filter((name) => {
      const matchers = [makeMatcher(METRIC_NAME, "=", name)];
      return this.#store.select(matchers, atMs - LOOKBACK_MS, atMs).length === 0;
    });
    return missing.length === 0 ? undefined : `there are no samples of ${missing.join(", ")}`;
  }
}

/** Which metric of an expression waits for its part of the appliance; undefined where none does. */
export function awaitedBy(expression: Expression): string | undefined {
  for (const name of seriesNamesIn(expression)) {
    const metric = metricOfSeries(name);
    const awaits = metric === undefined ? undefined : declarationOf(metric).awaits;
    if (awaits !== undefined) return `${metric} is not recorded yet: it waits for ${awaits}`;
  }
  return undefined;
}

/** Names of the series that an expression selects, each once. */
export function seriesNamesIn(expression: Expression): string[] {
  const names = new Set<string>();
  const visit = (node: Expression): void => {
    switch (node.kind) {
      case "vector-selector":
        for (const { name, operator, value } of node.matchers) {
          if (name === METRIC_NAME && operator === "=") names.add(value);
        }
        break;
      case "matrix-selector":
        visit(node.selector);
        break;
      case "subquery":
      case "unary":
      case "paren":
        visit(node.inner);
        break;
      case "call":
        for (const arg of node.args) visit(arg);
        break;
      case "aggregate":
        if (node.parameter !== undefined) visit(node.parameter);
        visit(node.inner);
        break;
      case "binary":
        visit(node.left);
        visit(node.right);
        break;
      case "number":
      case "string":
        break;
    }
  };
  visit(expression);
  return [...names];
}
