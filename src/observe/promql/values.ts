/** What an expression is worth at one instant. */
import type { Labels } from "./labels.ts";

/** An element of an instant vector. Never changed once made: steps share them. */
export type Sample = { readonly labels: Labels; readonly value: number };
export type Vector = readonly Sample[];

/** One series of a result. */
export type ResultSeries = {
  readonly labels: Labels;
  /** ms */
  readonly times: readonly number[];
  readonly values: readonly number[];
};

export type QueryResult =
  | { readonly type: "scalar"; readonly atMs: number; readonly value: number }
  | { readonly type: "string"; readonly atMs: number; readonly value: string }
  | { readonly type: "vector"; readonly atMs: number; readonly samples: Vector }
  | { readonly type: "matrix"; readonly series: readonly ResultSeries[] };
