/**
 * Learns what words mean from the texts they occur in: latent semantic analysis of texts with their context.
 *
 * S. Deerwester, S. Dumais et al., "Indexing by latent semantic analysis", JASIS 41 (1990): the first k right
 * singular vectors of the text matrix give each term k numbers, and terms that keep the same company similar
 * ones. They are found by randomised subspace iteration (N. Halko, P. G. Martinsson and J. A. Tropp, "Finding
 * structure with randomness", SIAM Review 53, 2011, algorithm 4.4, with l = k + p columns and q passes), on
 * the side of the terms, so that what it needs does not grow with the texts:
 *
 *   Ω random signs ──▶ Q = orth(Ω) ──▶ Z = A'A Q ──▶ Q = orth(Z) ──▶ … q passes … ──▶ Q'A'A Q = U Λ U'
 *   vector of term t = row t of Z U / Λ times √σ (σ² = λ), first k columns, at length 1
 *
 * Length 1, because how much a term matters is its gain (`text-matrix.ts`), not how often it was met. Equal
 * texts and seeds give equal vectors, however the work is sliced. Between σ⁰ and σ¹ recall hardly changes; but with
 * σ⁰ two words for one thing, which no text uses both, come out as opposites where the vocabulary is small.
 *
 * bench/retrieval/meaning.ts, recall@10 on three conversations and on Perl's messages: these vectors alone 71.6,
 * 63.4, 65.1 and 69.7, hashed ones 64.3, 56.4, 60.5 and 68.2; fused with words and hashed vectors 71.3, 61.6, 66.5
 * and 73.8, without them 66.3, 61.5, 64.0 and 72.4. LSA as of 1990 (no context, 200 dimensions, singular values)
 * found 4 points less in the conversations than these alone. With 32 to 64 dimensions these find most in the
 * conversations, with 200 two points less. Terms that occur once are kept: without them the conversations lose
 * 3.6 points alone and 0.6 fused.
 */
import { assert } from "../../base/assert.ts";
import { Random } from "../../base/random.ts";
import { contextGain, contextLengths, contextWeights } from "./context.ts";
import type { ContextMatrix, MeaningKernels } from "./kernels.ts";
import { eigenvectors, orthonormalFactor } from "./small-matrices.ts";
import type { TextMatrix } from "./text-matrix.ts";

/** p: columns beyond those that are kept. */
export const OVERSAMPLING = 8;
/** q: passes over the texts. */
export const PASSES = 4;
/** Dimensions count by their singular value σ to this power: weak ones say how synonyms avoid each other. */
const SINGULAR_EXPONENT = 0.5;
const DIMENSIONS_MIN = 16;
/** dimensions for each root of the number of terms */
const DIMENSIONS_PER_ROOT = 2;
const SLICE_TEXTS = 256;
const SLICE_ROWS = 512;

export type LearnedMeaning = {
  /** numbers of a vector; a multiple of 8 */
  readonly dimensions: number;
  /** termCount × dimensions: unit vectors, or zeros for a term that no text held */
  readonly vectors: Float32Array;
  /** g of `context.ts`: whether neighbours spoke of the same things */
  readonly contextGain: number;
};

export type LearnOptions = {
  readonly dimensionsMax: number;
  readonly seed: number;
  readonly kernels: MeaningKernels;
};

/** How many dimensions a vocabulary gets: they grow with its root, as topics do. A multiple of 8. */
export function dimensionsFor(termCount: number, dimensionsMax: number): number {
  const grown = Math.round((DIMENSIONS_PER_ROOT * Math.sqrt(termCount)) / 8) * 8;
  return Math.max(8, Math.min(Math.floor(dimensionsMax / 8) * 8, Math.max(DIMENSIONS_MIN, grown)));
}

/** Bytes that learning works in, the texts aside. */
export function workBytes(termCount: number, dimensionsMax: number): number {
  return 2 * 4 * termCount * (dimensionsFor(termCount, dimensionsMax) + OVERSAMPLING);
}

/**
 * Learns in slices: each step of the generator is some hundred microseconds to a few milliseconds of work.
 *
 * @returns the meaning; undefined where the texts hold too little to learn from
 */
export function* learnMeaning(
  texts: TextMatrix,
  { dimensionsMax, seed, kernels }: LearnOptions,
): Generator<void, LearnedMeaning | undefined> {
  const { termCount, textCount } = texts;
  const dimensions = dimensionsFor(termCount, dimensionsMax);
  const columns = dimensions + OVERSAMPLING;
  if (termCount < columns || textCount < columns) return undefined;
  const random = new Random(seed);
  const gain = contextGain(texts, random);
  const matrix = yield* withContext(texts, gain);

  let basis = yield* randomSigns(termCount * columns, random);
  let product: Float32Array = new Float32Array(termCount * columns);
  yield* orthonormalise(basis, columns, kernels);
  for (let pass = 1; pass < PASSES; pass++) {
    yield* applyTexts(matrix, basis, columns, product, kernels);
    yield* orthonormalise(product, columns, kernels);
    [basis, product] = [product, basis];
  }
  yield* applyTexts(matrix, basis, columns, product, kernels);
  const inner = yield* gramOf(basis, product, columns, kernels);
  const { values, vectors } = eigenvectors(inner, columns);
  const factor = new Float32Array(columns * columns);
  for (let row = 0; row < columns; row++) {
    for (let c = 0; c < columns; c++) {
      const value = values[c]!;
      const scale = value > 1e-9 * values[0]! ? value ** (SINGULAR_EXPONENT / 2 - 1) : 0;
      factor[row * columns + c] = vectors[row * columns + c]! * scale;
    }
  }
  for (let from = 0; from < termCount; from += SLICE_ROWS) {
    kernels.multiply(product, columns, factor, { from, to: Math.min(termCount, from + SLICE_ROWS) });
    yield;
  }
  return { dimensions, vectors: yield* unitRows(product, termCount, columns, dimensions), contextGain: gain };
}

/** The same in one go. */
export function learnMeaningAtOnce(texts: TextMatrix, options: LearnOptions): LearnedMeaning | undefined {
  const steps = learnMeaning(texts, options);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

function* withContext(texts: TextMatrix, gain: number): Generator<void, ContextMatrix> {
  const context = gain > 0 ? contextWeights(gain) : new Float32Array(0);
  const inverses = new Float32Array(texts.textCount);
  for (let from = 0; from < texts.textCount; from += SLICE_TEXTS) {
    contextLengths(texts, context, from, Math.min(texts.textCount, from + SLICE_TEXTS), inverses);
    yield;
  }
  return { texts, context, inverses };
}

/** Signs are as good as normal numbers here (Halko et al. 2011, 4.6), and 32 of them come from one draw. */
function* randomSigns(count: number, random: Random): Generator<void, Float32Array> {
  const signs = new Float32Array(count);
  for (let first = 0; first < count; first += 32) {
    let bits = random.u32();
    const end = Math.min(count, first + 32);
    for (let i = first; i < end; i++, bits >>>= 1) signs[i] = (bits & 1) === 0 ? 1 : -1;
    if ((first & 0xffff) === 0) yield;
  }
  return signs;
}

function* applyTexts(
  matrix: ContextMatrix,
  basis: Float32Array,
  columns: number,
  out: Float32Array,
  kernels: MeaningKernels,
): Generator<void, void> {
  out.fill(0);
  const { textCount } = matrix.texts;
  for (let from = 0; from < textCount; from += SLICE_TEXTS) {
    kernels.pass(matrix, basis, columns, { from, to: Math.min(textCount, from + SLICE_TEXTS) }, out);
    yield;
  }
}

function* gramOf(
  a: Float32Array,
  b: Float32Array,
  columns: number,
  kernels: MeaningKernels,
): Generator<void, Float64Array> {
  const gram = new Float64Array(columns * columns);
  const rows = a.length / columns;
  for (let from = 0; from < rows; from += SLICE_ROWS) {
    kernels.gram(a, b, columns, { from, to: Math.min(rows, from + SLICE_ROWS) }, gram);
    yield;
  }
  return gram;
}

function* orthonormalise(
  columnsOf: Float32Array,
  columns: number,
  kernels: MeaningKernels,
): Generator<void, void> {
  const factor = orthonormalFactor(yield* gramOf(columnsOf, columnsOf, columns, kernels), columns);
  const rows = columnsOf.length / columns;
  for (let from = 0; from < rows; from += SLICE_ROWS) {
    kernels.multiply(columnsOf, columns, factor, { from, to: Math.min(rows, from + SLICE_ROWS) });
    yield;
  }
}

function* unitRows(
  rows: Float32Array,
  rowCount: number,
  columns: number,
  dimensions: number,
): Generator<void, Float32Array> {
  assert(dimensions <= columns, "fewer columns are kept than were found");
  const units = new Float32Array(rowCount * dimensions);
  for (let row = 0; row < rowCount; row++) {
    const from = row * columns;
    let squared = 0;
    for (let c = 0; c < dimensions; c++) squared += rows[from + c]! ** 2;
    const scale = squared > 1e-24 ? 1 / Math.sqrt(squared) : 0;
    for (let c = 0; c < dimensions; c++) units[row * dimensions + c] = rows[from + c]! * scale;
    if ((row & 4095) === 4095) yield;
  }
  return units;
}
