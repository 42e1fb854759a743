/**
 * Similarities in tiles against the plain ones, at sizes that leave a rest in every tile.
 *
 * Bound: within 1e-6 of what was added up, Σ |aᵢ bᵢ|, which is what rounding is relative to: two vectors at right
 * angles have a similarity of nothing but rounding. For vectors that are alike the similarity itself is the measure.
 */
import { describe, expect, test } from "bun:test";
import { Random } from "../../src/base/random.ts";
import {
  CENTROIDS_VARIANT,
  type CentroidsVariant,
  Rows,
  similarities,
  similarityMatrix,
  weightedDirection,
} from "../../src/ffi/centroids.ts";

const VARIANTS = Object.keys(CENTROIDS_VARIANT) as CentroidsVariant[];
const DIMENSIONS = [1, 3, 4, 7, 8, 15, 16, 17, 33, 100, 384, 768, 1001];
const SEED = 20261125;

/** Unit vectors, each with a share `common` of one direction. */
function unitRows(random: Random, count: number, dimensions: number, common = 0): Float32Array {
  const rows = new Float32Array(count * dimensions);
  const shared = Float32Array.from({ length: dimensions }, () => random.gaussian());
  for (let at = 0; at < rows.length; at += dimensions) {
    const row = rows.subarray(at, at + dimensions);
    for (let d = 0; d < dimensions; d++) row[d] = common * shared[d]! + random.gaussian();
    const length = Math.hypot(...row);
    for (let d = 0; d < dimensions; d++) row[d] = row[d]! / length;
  }
  return rows;
}

describe.each(VARIANTS)("similarities by %s", (variant) => {
  test("agree with the plain ones within 1e-6 of what they add up", () => {
    const random = new Random(SEED);
    for (const dimensions of DIMENSIONS) {
      for (const [aCount, bCount] of [
        [1, 16],
        [5, 9],
        [7, 70],
      ] as const) {
        const a = unitRows(random, aCount, dimensions);
        const b = unitRows(random, bCount, dimensions);
        const plain = new Float32Array(aCount * bCount);
        const found = new Float32Array(aCount * bCount).fill(Number.NaN);
        similarities(Rows.of(a, dimensions), Rows.of(b, dimensions), dimensions, plain, "serial");
        if (!similarities(Rows.of(a, dimensions), Rows.of(b, dimensions), dimensions, found, variant)) return;
        for (let i = 0; i < found.length; i++) {
          const x = a.subarray(Math.floor(i / bCount) * dimensions).subarray(0, dimensions);
          const y = b.subarray((i % bCount) * dimensions).subarray(0, dimensions);
          const magnitude = x.reduce((sum, value, d) => sum + Math.abs(value * y[d]!), 0);
          expect(Math.abs(found[i]! - plain[i]!)).toBeLessThanOrEqual(1e-6 * magnitude);
        }
      }
    }
  });

  test("agree with the plain ones within 1e-6 of themselves where vectors are alike", () => {
    const dimensions = 768;
    const rows = unitRows(new Random(SEED), 60, dimensions, 1);
    const plain = new Float32Array(60 * 60);
    const found = new Float32Array(60 * 60);
    similarities(Rows.of(rows, dimensions), Rows.of(rows, dimensions), dimensions, plain, "serial");
    if (!similarityMatrix(Rows.of(rows, dimensions), dimensions, 2, found, variant)) return;
    for (let i = 0; i < plain.length; i++) {
      expect(plain[i]).toBeGreaterThan(0.3);
      expect(Math.abs(found[i]! / plain[i]! - 1)).toBeLessThanOrEqual(1e-6);
    }
  });

  test("are the same to the last bit for any number of threads", () => {
    const dimensions = 100;
    const rows = Rows.of(unitRows(new Random(SEED), 203, dimensions), dimensions);
    const alone = new Float32Array(203 * 203);
    if (!similarityMatrix(rows, dimensions, 1, alone, variant)) return;
    for (const threads of [2, 3, 8, 64]) {
      const shared = new Float32Array(203 * 203);
      similarityMatrix(rows, dimensions, threads, shared, variant);
      expect(Buffer.from(shared.buffer).equals(Buffer.from(alone.buffer))).toBe(true);
    }
  });
});

test("similarityMatrix is symmetric, and a vector is as like itself as can be", () => {
  const rows = Rows.of(unitRows(new Random(SEED), 131, 48), 48);
  const matrix = new Float32Array(131 * 131);
  similarityMatrix(rows, 48, 2, matrix);
  for (let i = 0; i < 131; i++) {
    expect(Math.abs(matrix[i * 132]! - 1)).toBeLessThanOrEqual(1e-6);
    for (let j = 0; j < i; j++) expect(matrix[i * 131 + j]).toBe(matrix[j * 131 + i]!);
  }
});

test("weightedDirection is the plain sum scaled to length 1, and nothing where the sum has no direction", () => {
  const dimensions = 33;
  const vectors = unitRows(new Random(SEED), 20, dimensions);
  const weights = Float64Array.from({ length: 20 }, (_, i) => (i % 3 === 0 ? -1 : 0.5 * i));
  const sums = new Float64Array(dimensions);
  for (let i = 0; i < 20; i++)
    for (let d = 0; d < dimensions; d++) sums[d]! += weights[i]! * vectors[i * dimensions + d]!;
  const length = Math.hypot(...sums);
  const out = new Float32Array(dimensions);
  const found = weightedDirection(Rows.of(vectors, dimensions), weights, new Float64Array(dimensions), out);
  expect(Math.abs(found / length - 1)).toBeLessThanOrEqual(1e-12);
  for (let d = 0; d < dimensions; d++)
    expect(Math.abs(out[d]! - sums[d]! / length)).toBeLessThanOrEqual(1e-7);

  const cancelling = new Float32Array([1, 0, 1, 0]);
  const untouched = new Float32Array([7, 7]);
  const none = weightedDirection(
    Rows.of(cancelling, 2),
    new Float64Array([1, -1]),
    new Float64Array(2),
    untouched,
  );
  expect(none).toBe(0);
  expect([...untouched]).toEqual([7, 7]);
});

test("Rows gives back the addresses it was given", () => {
  const rows = new Rows(2);
  rows.push(0x7fff_ffff_f000);
  rows.push(4096);
  expect([rows.address(0), rows.address(1)]).toEqual([0x7fff_ffff_f000, 4096]);
  expect(() => rows.push(1)).toThrow("room");
});
