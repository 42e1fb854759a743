/**
 * The three loops that learning spends its time in, plain: what `native/meaning.c` is held against.
 *
 * All matrices are row-major f32; sums of `gram` are doubles.
 */
import type { ContextWeights } from "./context.ts";
import type { TextMatrix } from "./text-matrix.ts";

/** The texts with their context: A, one row a text, of length 1. It is never written out. */
export type ContextMatrix = {
  readonly texts: TextMatrix;
  readonly context: ContextWeights;
  /** 1 / length of each text with its context */
  readonly inverses: Float32Array;
};

export type MeaningKernels = {
  /** out += A'A · basis, the part of the texts `[from, to)`; both are termCount × columns. */
  pass(
    matrix: ContextMatrix,
    basis: Float32Array,
    columns: number,
    range: { readonly from: number; readonly to: number },
    out: Float32Array,
  ): void;
  /** out += a' · b over the rows `[from, to)`, both of `columns` columns; out is columns × columns. */
  gram(
    a: Float32Array,
    b: Float32Array,
    columns: number,
    range: { readonly from: number; readonly to: number },
    out: Float64Array,
  ): void;
  /** Replaces each row of `a` in `[from, to)` by row · factor, factor being columns × columns. */
  multiply(
    a: Float32Array,
    columns: number,
    factor: Float32Array,
    range: { readonly from: number; readonly to: number },
  ): void;
};

export const PLAIN_KERNELS: MeaningKernels = {
  pass({ texts, context, inverses }, basis, columns, { from, to }, out) {
    const { textCount, runs, starts, terms, weights } = texts;
    const width = context.length;
    const first = Math.max(0, from - 2 * width);
    const last = Math.min(textCount, to + 2 * width);
    const own = new Float32Array((last - first) * columns);
    const around = new Float32Array((last - first) * columns);
    const mixed = new Float32Array(columns);
    for (let text = first; text < last; text++) {
      const row = (text - first) * columns;
      for (let at = starts[text]!; at < starts[text + 1]!; at++) {
        const weight = weights[at]!;
        const term = terms[at]! * columns;
        for (let c = 0; c < columns; c++) own[row + c]! += weight * basis[term + c]!;
      }
    }
    const mix = (source: Float32Array, text: number, target: Float32Array): void => {
      const row = (text - first) * columns;
      for (let c = 0; c < columns; c++) target[c] = source[row + c]!;
      for (let d = 1; d <= width; d++) {
        for (const near of [text - d, text + d]) {
          if (near < first || near >= last || runs[near] !== runs[text]) continue;
          const share = context[d - 1]!;
          const nearRow = (near - first) * columns;
          for (let c = 0; c < columns; c++) target[c]! += share * source[nearRow + c]!;
        }
      }
    };
    for (let text = Math.max(first, from - width); text < Math.min(last, to + width); text++) {
      mix(own, text, mixed);
      const scale = Math.fround(inverses[text]! * inverses[text]!);
      for (let c = 0; c < columns; c++) around[(text - first) * columns + c] = scale * mixed[c]!;
    }
    for (let text = from; text < to; text++) {
      mix(around, text, mixed);
      for (let at = starts[text]!; at < starts[text + 1]!; at++) {
        const weight = weights[at]!;
        const term = terms[at]! * columns;
        for (let c = 0; c < columns; c++) out[term + c]! += weight * mixed[c]!;
      }
    }
  },

  gram(a, b, columns, { from, to }, out) {
    for (let row = from * columns; row < to * columns; row += columns) {
      for (let i = 0; i < columns; i++) {
        const value = a[row + i]!;
        for (let j = 0; j < columns; j++) out[i * columns + j]! += value * b[row + j]!;
      }
    }
  },

  multiply(a, columns, factor, { from, to }) {
    const product = new Float32Array(columns);
    for (let row = from * columns; row < to * columns; row += columns) {
      product.fill(0);
      for (let i = 0; i < columns; i++) {
        const value = a[row + i]!;
        for (let j = 0; j < columns; j++) product[j]! += value * factor[i * columns + j]!;
      }
      a.set(product, row);
    }
  },
};
