/**
 * The dot products against the plain one, at lengths that leave a rest in every unrolled step.
 *
 * Bounds: an f32 sum of n products rounds at most n times by 2^-24 of the sum of magnitudes, which is at most 1
 * for unit vectors; bf16 and f16 products are exact in f32, so the same holds; i8 sums are exact integers.
 */

import { ptr } from "bun:ffi";
import { describe, expect, test } from "bun:test";
import { Random } from "../../src/base/random.ts";
import { nativeVectorBytes, quantiseVector, runDot } from "../../src/ffi/vector.ts";
import { quantisedVectorBytes } from "../../src/layout/quantised-vector.ts";
import { QUANTIZATION, type Quantization } from "../../src/layout/space-root.ts";

const KINDS = Object.keys(QUANTIZATION) as Quantization[];
const DIMENSIONS = [1, 2, 3, 15, 16, 17, 31, 33, 63, 64, 65, 100, 127, 129, 257, 384, 768, 1000, 1536];
const SEED = 20240611;

function unitVector(random: Random, dimensions: number): Float32Array {
  const vector = Float32Array.from({ length: dimensions }, () => random.gaussian());
  const norm = Math.hypot(...vector);
  return vector.map((value) => value / norm);
}

/** Quantised, and ending where the memory does: a read past the end would be of other bytes than zero. */
function quantised(kind: Quantization, vector: Float32Array): Uint8Array {
  const bytes = quantisedVectorBytes(kind, vector.length);
  const padded = new Uint8Array(bytes + 256).fill(0xff);
  quantiseVector(kind, ptr(vector), ptr(padded), vector.length);
  return padded;
}

function dot(
  kind: Quantization,
  variant: "best" | "serial" | "numkong" | "avx512",
  a: Uint8Array,
  b: Uint8Array,
  dimensions: number,
): number | undefined {
  const out = new Float32Array(1);
  const run = { quantization: kind, variant, dimensions, count: 1, strideBytes: 0, rounds: 1 };
  return runDot(run, a, b, out) ? out[0]! : undefined;
}

describe.each(KINDS)("dot products of %s", (kind) => {
  test.each(["best", "numkong", "avx512"] as const)("by %s agree with the plain one", (variant) => {
    const random = new Random(SEED);
    for (const dimensions of DIMENSIONS) {
      for (let round = 0; round < 8; round++) {
        const a = quantised(kind, unitVector(random, dimensions));
        const b = quantised(kind, unitVector(random, dimensions));
        const expected = dot(kind, "serial", a, b, dimensions)!;
        const found = dot(kind, variant, a, b, dimensions);
        if (found === undefined) return; // this processor has no AVX-512
        expect(Math.abs(found - expected)).toBeLessThanOrEqual((dimensions + 4) * 2 ** -24 * 2);
      }
    }
  });

  test("are close to those of the exact vectors", () => {
    const bound = { f32: 1e-6, bf16: 2 ** -8, f16: 2 ** -10, i8: 0.02 }[kind];
    const random = new Random(SEED);
    for (const dimensions of DIMENSIONS) {
      const x = unitVector(random, dimensions);
      const y = unitVector(random, dimensions);
      const exact = x.reduce((sum, value, i) => sum + value * y[i]!, 0);
      const found = dot(kind, "best", quantised(kind, x), quantised(kind, y), dimensions)!;
      expect(Math.abs(found - exact)).toBeLessThanOrEqual(bound);
    }
  });

  test("of a vector of zeros are zero, not NaN", () => {
    const zero = quantised(kind, new Float32Array(100));
    const other = quantised(kind, unitVector(new Random(SEED), 100));
    for (const variant of ["best", "numkong", "serial"] as const) {
      expect(dot(kind, variant, zero, other, 100)).toBe(0);
    }
  });

  test("take as many bytes as the layout says", () => {
    for (const dimensions of DIMENSIONS) {
      expect(nativeVectorBytes(kind, dimensions)).toBe(quantisedVectorBytes(kind, dimensions));
    }
  });
});

test("quantiseVector writes no byte past the vector", () => {
  const random = new Random(SEED);
  for (const kind of KINDS) {
    for (const dimensions of DIMENSIONS) {
      const bytes = quantised(kind, unitVector(random, dimensions));
      expect(bytes.subarray(quantisedVectorBytes(kind, dimensions)).every((byte) => byte === 0xff)).toBe(
        true,
      );
    }
  }
});
