/**
 * Finds out, before a query is evaluated, which samples each of its selectors will need.
 *
 * A selector inside a subquery is asked about earlier instants than the query itself; `@` pins it to one.
 */
import type { At, Expression, MatrixSelector, Subquery, VectorSelector } from "./expression.ts";

/** Instants an expression is evaluated at: from the first to the last, `stepMs` apart. */
export type Instants = { readonly startMs: number; readonly endMs: number; readonly stepMs: number };

export type Plan = {
  /** samples that a selector needs, both ends included */
  readonly windows: ReadonlyMap<VectorSelector, { readonly fromMs: number; readonly toMs: number }>;
  /** instants that a subquery's inner expression is evaluated at */
  readonly subqueries: ReadonlyMap<Subquery, Instants>;
};

/** What Prometheus evaluates subqueries at where neither they nor its configuration say. */
const SUBQUERY_STEP_MS = 60_000;

export function planQuery(expression: Expression, instants: Instants, lookbackMs: number): Plan {
  const windows = new Map<VectorSelector, { fromMs: number; toMs: number }>();
  const subqueries = new Map<Subquery, Instants>();
  const need = (selector: VectorSelector, rangeMs: number, during: Instants): void => {
    const { startMs, endMs } = pinned(selector, during, instants);
    windows.set(selector, { fromMs: startMs - rangeMs, toMs: endMs });
  };
  const visit = (node: Expression, during: Instants): void => {
    switch (node.kind) {
      case "vector-selector":
        need(node, lookbackMs, during);
        break;
      case "matrix-selector":
        need(node.selector, node.rangeMs, during);
        break;
      case "subquery": {
        const { startMs, endMs } = pinned(node, during, instants);
        const stepMs = node.stepMs ?? SUBQUERY_STEP_MS;
        const firstMs = Math.ceil((startMs - node.rangeMs) / stepMs) * stepMs;
        const inner = { startMs: firstMs, endMs, stepMs };
        subqueries.set(node, inner);
        visit(node.inner, inner);
        break;
      }
      case "call":
        for (const arg of node.args) visit(arg, during);
        break;
      case "aggregate":
        if (node.parameter !== undefined) visit(node.parameter, during);
        visit(node.inner, during);
        break;
      case "binary":
        visit(node.left, during);
        visit(node.right, during);
        break;
      case "unary":
      case "paren":
        visit(node.inner, during);
        break;
      case "number":
      case "string":
        break;
    }
  };
  visit(expression, instants);
  return { windows, subqueries };
}

/** The first and last instant a selector is asked about, its offset and `@` applied. */
function pinned(
  node: VectorSelector | Subquery,
  during: Instants,
  query: Instants,
): { startMs: number; endMs: number } {
  const startMs = instantOf(node, during.startMs, query);
  return { startMs, endMs: node.at === undefined ? instantOf(node, during.endMs, query) : startMs };
}

/** The instant whose samples answer a selector at `atMs`. */
export function instantOf(
  node: { readonly at: At | undefined; readonly offsetMs: number },
  atMs: number,
  query: Instants,
): number {
  const { at, offsetMs } = node;
  const pin = at === "start" ? query.startMs : at === "end" ? query.endMs : (at ?? atMs);
  return pin - offsetMs;
}

/** The selector or subquery of a range, without parentheses around it. */
export type RangeSource = MatrixSelector | Subquery;
