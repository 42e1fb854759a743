import { expect, test } from "bun:test";
import { Random } from "../../src/base/random.ts";
import { averageLinkage, backgroundOf } from "../../src/cognition/clustering.ts";

function randomMatrix(random: Random, count: number): Float32Array {
  const matrix = new Float32Array(count * count);
  for (let i = 0; i < count; i++) {
    matrix[i * count + i] = 1;
    for (let j = 0; j < i; j++) matrix[i * count + j] = matrix[j * count + i] = random.float();
  }
  return matrix;
}

/** The definition: as long as two groups' members are on average alike enough, merge the two most alike. */
function naiveLinkage(matrix: Float32Array, count: number, cut: number): number[] {
  let groups = Array.from({ length: count }, (_, row) => [row]);
  for (;;) {
    let best = { similarity: -1, a: -1, b: -1 };
    for (let a = 0; a < groups.length; a++) {
      for (let b = a + 1; b < groups.length; b++) {
        let sum = 0;
        for (const i of groups[a]!) for (const j of groups[b]!) sum += matrix[i * count + j]!;
        const similarity = sum / (groups[a]!.length * groups[b]!.length);
        if (similarity > best.similarity) best = { similarity, a, b };
      }
    }
    if (best.similarity < cut) break;
    const merged = [...groups[best.a]!, ...groups[best.b]!].sort((x, y) => x - y);
    groups = groups.filter((_, i) => i !== best.a && i !== best.b);
    groups.push(merged);
  }
  groups.sort((x, y) => x[0]! - y[0]!);
  const labels = new Array<number>(count);
  for (const [label, group] of groups.entries()) for (const row of group) labels[row] = label;
  return labels;
}

test("averageLinkage makes the groups that its definition makes", () => {
  const random = new Random(7);
  for (let round = 0; round < 60; round++) {
    const count = 1 + random.below(40);
    const cut = 0.3 + 0.7 * random.float();
    const matrix = randomMatrix(random, count);
    const expected = naiveLinkage(matrix, count, cut);
    const { labels, count: clusterCount } = averageLinkage(matrix.slice(), count, cut);
    expect([...labels]).toEqual(expected);
    expect(clusterCount).toBe(Math.max(...expected) + 1);
  }
});

test("averageLinkage leaves strangers alone and merges equals, whatever ties there are", () => {
  const strangers = new Float32Array(25);
  expect([...averageLinkage(strangers, 5, 0.5).labels]).toEqual([0, 1, 2, 3, 4]);
  const equals = new Float32Array(25).fill(1);
  expect([...averageLinkage(equals, 5, 0.5).labels]).toEqual([0, 0, 0, 0, 0]);
  expect(averageLinkage(new Float32Array(0), 0, 0.5).count).toBe(0);
});

test("backgroundOf is the mean and deviation over all pairs, and close to it where it samples", () => {
  const random = new Random(9);
  for (const count of [1, 2, 3, 50, 700]) {
    const matrix = randomMatrix(random, count);
    const pairs: number[] = [];
    for (let i = 0; i < count; i++) for (let j = 0; j < i; j++) pairs.push(matrix[i * count + j]!);
    const mean = pairs.reduce((sum, value) => sum + value, 0) / Math.max(1, pairs.length);
    const variance = pairs.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, pairs.length);
    const found = backgroundOf(matrix, count);
    const error = count < 300 ? 1e-9 : 0.01;
    expect(Math.abs(found.mean - mean)).toBeLessThanOrEqual(error);
    expect(Math.abs(found.deviation - Math.sqrt(variance))).toBeLessThanOrEqual(error);
    expect(found.pairs).toBeLessThanOrEqual(2 * 65_536);
  }
});
