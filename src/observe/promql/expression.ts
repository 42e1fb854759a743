/** The tree of a query, as the evaluator walks it. Offsets and ranges are in ms. */
import type { Matcher } from "./matcher.ts";

/** `@`: a time in ms, or the first or last instant of the query. */
export type At = number | "start" | "end";

export type VectorSelector = {
  readonly kind: "vector-selector";
  readonly matchers: readonly Matcher[];
  readonly offsetMs: number;
  readonly at: At | undefined;
};
export type MatrixSelector = {
  readonly kind: "matrix-selector";
  readonly selector: VectorSelector;
  readonly rangeMs: number;
};
export type Subquery = {
  readonly kind: "subquery";
  readonly inner: Expression;
  readonly rangeMs: number;
  /** undefined: the evaluation interval that Prometheus has where none is set, one minute */
  readonly stepMs: number | undefined;
  readonly offsetMs: number;
  readonly at: At | undefined;
};
export type Call = {
  readonly kind: "call";
  readonly name: string;
  readonly args: readonly Expression[];
};
export type AggregateOperator =
  | "sum"
  | "avg"
  | "min"
  | "max"
  | "count"
  | "group"
  | "stddev"
  | "stdvar"
  | "topk"
  | "bottomk"
  | "quantile"
  | "count_values";
export type Aggregate = {
  readonly kind: "aggregate";
  readonly operator: AggregateOperator;
  readonly inner: Expression;
  readonly parameter: Expression | undefined;
  readonly labels: readonly string[];
  readonly without: boolean;
};
export type SetOperator = "and" | "or" | "unless";
export type ComparisonOperator = "==" | "!=" | ">" | "<" | ">=" | "<=";
export type ArithmeticOperator = "+" | "-" | "*" | "/" | "%" | "^" | "atan2";
export type BinaryOperator = SetOperator | ComparisonOperator | ArithmeticOperator;
export type Matching = {
  readonly on: boolean;
  readonly labels: readonly string[];
  /** which side may have several series for one of the other */
  readonly many: "none" | "left" | "right";
  /** labels taken over from the side that has one */
  readonly include: readonly string[];
};
export type Binary = {
  readonly kind: "binary";
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
  readonly bool: boolean;
  readonly matching: Matching;
};
export type Unary = { readonly kind: "unary"; readonly operator: "+" | "-"; readonly inner: Expression };
export type NumberLiteral = { readonly kind: "number"; readonly value: number };
export type StringLiteral = { readonly kind: "string"; readonly value: string };
export type Paren = { readonly kind: "paren"; readonly inner: Expression };

export type Expression =
  | VectorSelector
  | MatrixSelector
  | Subquery
  | Call
  | Aggregate
  | Binary
  | Unary
  | NumberLiteral
  | StringLiteral
  | Paren;

/** What an expression evaluates to, named as Prometheus names it in messages. */
export type ValueType = "scalar" | "instant vector" | "range vector" | "string";

export const SET_OPERATORS: readonly string[] = ["and", "or", "unless"];
export const COMPARISON_OPERATORS: readonly string[] = ["==", "!=", ">", "<", ">=", "<="];

export function isSetOperator(operator: BinaryOperator): operator is SetOperator {
  return SET_OPERATORS.includes(operator);
}

export function isComparison(operator: BinaryOperator): operator is ComparisonOperator {
  return COMPARISON_OPERATORS.includes(operator);
}

/** An expression without the parentheses around it. */
export function unparenthesised(expression: Expression): Expression {
  let inner = expression;
  while (inner.kind === "paren") inner = inner.inner;
  return inner;
}
