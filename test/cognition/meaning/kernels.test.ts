import { expect, test } from "bun:test";
import { Random } from "../../../src/base/random.ts";
import { contextLengths, contextWeights } from "../../../src/cognition/meaning/context.ts";
import { type ContextMatrix, PLAIN_KERNELS } from "../../../src/cognition/meaning/kernels.ts";
import { NATIVE_KERNELS } from "../../../src/cognition/meaning/native-kernels.ts";
import { type TextMatrix, TextMatrixBuilder } from "../../../src/cognition/meaning/text-matrix.ts";

const SEED = 7;

function randomTexts(random: Random, texts: number, terms: number): TextMatrix {
  const gains = Float32Array.from({ length: terms }, () => 0.5 + random.float() * 5);
  const builder = new TextMatrixBuilder(gains, { texts, entries: texts * 20 });
  for (let text = 0; text < texts; text++) {
    if (random.below(9) === 0) builder.beginRun();
    const count = random.below(20);
    for (let i = 0; i < count; i++) builder.add((i * 31 + random.below(terms)) % terms, 1 + random.below(4));
    builder.endText();
  }
  return builder.finish();
}

function withContext(texts: TextMatrix, gain: number): ContextMatrix {
  const context = gain === 0 ? new Float32Array(0) : contextWeights(gain);
  const inverses = new Float32Array(texts.textCount);
  contextLengths(texts, context, 0, texts.textCount, inverses);
  return { texts, context, inverses };
}

/** The texts with their context, written out. */
function denseRows({ texts, context, inverses }: ContextMatrix): Float64Array[] {
  const { starts, terms, weights, runs, textCount, termCount } = texts;
  return Array.from({ length: textCount }, (_, text) => {
    const row = new Float64Array(termCount);
    for (let near = 0; near < textCount; near++) {
      const distance = Math.abs(near - text);
      if (distance > context.length || runs[near] !== runs[text]) continue;
      const share = distance === 0 ? 1 : context[distance - 1]!;
      for (let at = starts[near]!; at < starts[near + 1]!; at++) row[terms[at]!]! += share * weights[at]!;
    }
    return row.map((value) => value * inverses[text]!);
  });
}

function largestGap(found: ArrayLike<number>, wanted: ArrayLike<number>): number {
  let largest = 0;
  let gap = 0;
  for (let i = 0; i < wanted.length; i++) {
    largest = Math.max(largest, Math.abs(wanted[i]!));
    gap = Math.max(gap, Math.abs(found[i]! - wanted[i]!));
  }
  return gap / largest;
}

test("pass is A'A times the basis, whatever ranges it is done in, and the shim agrees within 1e-6", () => {
  const random = new Random(SEED);
  for (const gain of [0, 0.4, 1]) {
    const matrix = withContext(randomTexts(random, 90, 60), gain);
    const { termCount, textCount } = matrix.texts;
    for (const columns of [8, 13, 24]) {
      const basis = Float32Array.from({ length: termCount * columns }, () => random.gaussian());
      const rows = denseRows(matrix);
      const wanted = new Float64Array(termCount * columns);
      for (const row of rows) {
        for (let c = 0; c < columns; c++) {
          let sum = 0;
          for (let term = 0; term < termCount; term++) sum += row[term]! * basis[term * columns + c]!;
          for (let term = 0; term < termCount; term++) wanted[term * columns + c]! += row[term]! * sum;
        }
      }
      for (const cuts of [
        [0, textCount],
        [0, 1, 7, 40, textCount],
      ]) {
        const plain = new Float32Array(wanted.length);
        const native = new Float32Array(wanted.length);
        for (let i = 1; i < cuts.length; i++) {
          const range = { from: cuts[i - 1]!, to: cuts[i]! };
          PLAIN_KERNELS.pass(matrix, basis, columns, range, plain);
          NATIVE_KERNELS.pass(matrix, basis, columns, range, native);
        }
        expect(largestGap(plain, wanted)).toBeLessThan(2e-6);
        expect(largestGap(native, plain)).toBeLessThan(1e-6);
      }
    }
  }
});

test("gram and multiply of the shim are the plain ones within 1e-6", () => {
  const random = new Random(SEED);
  const rows = 37;
  for (const columns of [1, 8, 13, 40]) {
    const numbers = (count: number): Float32Array =>
      Float32Array.from({ length: count }, () => random.gaussian());
    const a = numbers(rows * columns);
    const b = numbers(rows * columns);
    const range = { from: 3, to: rows - 2 };
    const plain = new Float64Array(columns * columns);
    const native = new Float64Array(columns * columns);
    PLAIN_KERNELS.gram(a, b, columns, range, plain);
    NATIVE_KERNELS.gram(a, b, columns, range, native);
    expect(largestGap(native, plain)).toBeLessThan(1e-6);

    const factor = numbers(columns * columns);
    const plainProduct = a.slice();
    const nativeProduct = a.slice();
    PLAIN_KERNELS.multiply(plainProduct, columns, factor, range);
    NATIVE_KERNELS.multiply(nativeProduct, columns, factor, range);
    expect(largestGap(nativeProduct, plainProduct)).toBeLessThan(1e-6);
    expect([...nativeProduct.subarray(0, 3 * columns)]).toEqual([...a.subarray(0, 3 * columns)]);
  }
});
