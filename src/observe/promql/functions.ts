/** PromQL's functions: what they take and give. One that is not here is refused by its name. */
import type { Expression, ValueType } from "./expression.ts";

export type FunctionSignature = {
  readonly args: readonly ValueType[];
  /** how many of `args` may be left out, from the last; "many": the last may come any number of times */
  readonly optional: number | "many";
  readonly returns: ValueType;
};

const signature = (
  args: readonly ValueType[],
  returns: ValueType = "instant vector",
  optional: number | "many" = 0,
): FunctionSignature => ({ args, optional, returns });

const V = "instant vector";
const M = "range vector";
const S = "scalar";
const T = "string";
const each = (names: string, made: FunctionSignature): Record<string, FunctionSignature> =>
  Object.fromEntries(names.split(" ").map((name) => [name, made]));

export const FUNCTIONS: ReadonlyMap<string, FunctionSignature> = new Map(
  Object.entries({
    ...each("rate increase irate delta idelta deriv changes resets", signature([M])),
    ...each("avg_over_time min_over_time max_over_time sum_over_time count_over_time", signature([M])),
    ...each("stddev_over_time stdvar_over_time last_over_time present_over_time", signature([M])),
    ...each("absent_over_time", signature([M])),
    quantile_over_time: signature([S, M]),
    predict_linear: signature([M, S]),
    ...each("abs ceil floor exp ln log2 log10 sqrt sgn deg rad", signature([V])),
    ...each("sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh", signature([V])),
    ...each("absent sort sort_desc timestamp", signature([V])),
    round: signature([V, S], V, 1),
    clamp: signature([V, S, S]),
    ...each("clamp_min clamp_max", signature([V, S])),
    histogram_quantile: signature([S, V]),
    label_replace: signature([V, T, T, T, T]),
    label_join: signature([V, T, T, T], V, "many"),
    ...each(
      "minute hour day_of_month day_of_week day_of_year days_in_month month year",
      signature([V], V, 1),
    ),
    scalar: signature([V], S),
    vector: signature([S]),
    ...each("time pi", signature([], S)),
  }),
);

/** The type of an expression that was checked. */
export function typeOf(expression: Expression): ValueType {
  switch (expression.kind) {
    case "number":
      return "scalar";
    case "string":
      return "string";
    case "vector-selector":
    case "aggregate":
      return "instant vector";
    case "matrix-selector":
    case "subquery":
      return "range vector";
    case "paren":
    case "unary":
      return typeOf(expression.inner);
    case "call":
      return FUNCTIONS.get(expression.name)?.returns ?? "instant vector";
    case "binary":
      return typeOf(expression.left) === "scalar" && typeOf(expression.right) === "scalar"
        ? "scalar"
        : "instant vector";
  }
}
