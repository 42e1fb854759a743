/** The loops of learning meaning through the shim (native/meaning.c), over arrays of this thread. */
import { ptr } from "bun:ffi";
import { assert } from "../base/assert.ts";
import { openShim } from "./library.ts";

const shim = openShim({
  shim_meaning_pass: { args: ["ptr", "ptr", "u32", "u32", "u32", "ptr", "ptr"], returns: "void" },
  shim_meaning_gram: { args: ["u64", "u64", "u32", "u32", "ptr"], returns: "void" },
  shim_meaning_multiply: { args: ["u64", "u32", "ptr", "u32", "ptr"], returns: "void" },
});

const F32 = 4;

/** As in `cognition/meaning/`, whose types these fit. */
type Texts = {
  readonly textCount: number;
  readonly starts: Uint32Array;
  readonly terms: Uint32Array;
  readonly weights: Float32Array;
  readonly runs: Uint32Array;
};
type Matrix = { readonly texts: Texts; readonly context: Float32Array; readonly inverses: Float32Array };
type Range = { readonly from: number; readonly to: number };

let scratch = new Float32Array(0);
const block = new BigUint64Array(8);

export function passTexts(
  matrix: Matrix,
  basis: Float32Array,
  columns: number,
  { from, to }: Range,
  out: Float32Array,
): void {
  const { texts, context, inverses } = matrix;
  const { textCount } = texts;
  assert(from <= to && to <= textCount, "the texts are there");
  assert(basis.length === out.length && basis.length % columns === 0, "basis and result are of one shape");
  const rows = to - from + 4 * context.length + 1;
  const parts = [texts.starts, texts.terms, texts.weights, texts.runs, inverses, context];
  for (const [i, part] of parts.entries()) block[i] = part.length === 0 ? 0n : BigInt(ptr(part));
  block[6] = BigInt(textCount);
  block[7] = BigInt(context.length);
  shim.shim_meaning_pass(ptr(block), ptr(basis), columns, from, to, ptr(room(2 * rows * columns)), ptr(out));
}

export function gramOfRows(
  a: Float32Array,
  b: Float32Array,
  columns: number,
  { from, to }: Range,
  out: Float64Array,
): void {
  assert(from <= to && to * columns <= a.length && to * columns <= b.length, "the rows are there");
  assert(out.length === columns * columns, "there is a sum for every pair of columns");
  const at = from * columns * F32;
  shim.shim_meaning_gram(ptr(a) + at, ptr(b) + at, columns, to - from, ptr(out));
}

export function multiplyRows(
  a: Float32Array,
  columns: number,
  factor: Float32Array,
  { from, to }: Range,
): void {
  assert(from <= to && to * columns <= a.length, "the rows are there");
  assert(factor.length === columns * columns, "the factor is square");
  const address = ptr(a) + from * columns * F32;
  shim.shim_meaning_multiply(address, columns, ptr(factor), to - from, ptr(room(columns)));
}

function room(floats: number): Float32Array {
  if (scratch.length < floats) scratch = new Float32Array(floats);
  return scratch;
}
