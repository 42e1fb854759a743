import { describe, expect, test } from "bun:test";
import { Random } from "../../../src/base/random.ts";
import type { VectorFamily } from "../../../src/embedding/embedder.ts";
import {
  FusionScratch,
  type FusionWeights,
  fuse,
  scoreOfCosine,
  scoreOfWords,
} from "../../../src/engine/recall/fuse.ts";

const scratch = new FusionScratch();
const SEED = 11;

function fused(
  bm25: number[],
  cosines: number[],
  family: VectorFamily = "hashed",
  closeness?: number[],
  meanings?: number[],
): { scores: number[]; weights: FusionWeights; order: number[] } {
  const scores = new Float32Array(bm25.length);
  const weights = fuse(
    {
      count: bm25.length,
      bm25: Float32Array.from(bm25),
      cosines: Float32Array.from(cosines),
      meanings: meanings === undefined ? undefined : Float32Array.from(meanings),
      closeness: closeness === undefined ? undefined : Float32Array.from(closeness),
    },
    { family, queryMass: 10, k1: 0.9, meaningShare: 0.6 },
    scores,
    scratch,
  );
  const order = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b);
  return { scores: [...scores], weights, order };
}

/** Lists of 150 candidates, one of them right: how far each list lifts it above its noise, in deviations. */
function findsRight(
  random: Random,
  lift: { words: number; vectors: number },
  family: VectorFamily,
): boolean[] {
  const count = 150;
  const right = random.below(count);
  const bm25 = Array.from({ length: count }, () => Math.max(0, 2 + 0.6 * random.gaussian()));
  const cosines = Array.from({ length: count }, () => 0.6 + 0.04 * random.gaussian());
  bm25[right]! += 0.6 * lift.words;
  cosines[right]! += 0.04 * lift.vectors;
  const inTen = (values: number[]): boolean => values.filter((value) => value > values[right]!).length < 10;
  return [inTen(bm25), inTen(cosines), inTen(fused(bm25, cosines, family).scores)];
}

describe("fuse", () => {
  test("fuse of one list alone keeps its order, and gives it all the weight", () => {
    const none = [Number.NaN, Number.NaN, Number.NaN];
    expect(fused([1, 3, 2], none)).toMatchObject({ order: [1, 2, 0], weights: { vector: 0, words: 1 } });
    expect(fused([0, 0, 0], [0.1, 0.3, 0.2])).toMatchObject({
      order: [1, 2, 0],
      weights: { vector: 1, words: 0 },
    });
    expect(fused([0, 0], [Number.NaN, Number.NaN]).scores).toEqual([0, 0]);
    expect(fused([], []).scores).toEqual([]);
  });

  test("fuse gives scores of 0 to 1, whatever comes in", () => {
    const random = new Random(SEED);
    for (let round = 0; round < 500; round++) {
      const count = random.below(300);
      const scale = 10 ** (random.below(7) - 3);
      const bm25 = Array.from({ length: count }, () => (random.below(3) === 0 ? 0 : random.float() * scale));
      const cosines = Array.from({ length: count }, () =>
        random.below(5) === 0 ? Number.NaN : random.float() * 2 - 1,
      );
      const some = (): number[] | undefined =>
        random.below(2) === 0 ? undefined : Array.from({ length: count }, () => random.float());
      const { scores } = fused(bm25, cosines, random.pick(["hashed", "learned"] as const), some(), some());
      for (const score of scores) expect(score >= 0 && score <= 1).toBe(true);
    }
  });

  test("fuse never ranks a candidate below one that it beats in every respect", () => {
    const random = new Random(SEED);
    for (let round = 0; round < 200; round++) {
      const bm25 = Array.from({ length: 60 }, () => random.float() * 9);
      const cosines = Array.from({ length: 60 }, () => random.float());
      const { scores } = fused(bm25, cosines, random.pick(["hashed", "learned"] as const));
      const a = random.below(60);
      const b = random.below(60);
      if (bm25[a]! > bm25[b]! && cosines[a]! > cosines[b]!)
        expect(scores[a]!).toBeGreaterThanOrEqual(scores[b]!);
    }
  });

  test("fuse lets a list that can not tell its best from its tenth change little", () => {
    const flat = Array.from({ length: 40 }, (_, i) => 0.5 + (i % 3) * 0.001);
    const sharp = Array.from({ length: 40 }, (_, i) => (i === 7 ? 9 : i === 21 ? 6 : 1));
    expect(fused(sharp, flat, "hashed").order.slice(0, 2)).toEqual([7, 21]);
    expect(fused(sharp, flat, "learned").order.slice(0, 2)).toEqual([7, 21]);
  });

  test.each([
    ["sharp words and dull vectors", { words: 4, vectors: 1 }],
    ["dull words and sharp vectors", { words: 1, vectors: 4 }],
    ["words that know nothing and sharp vectors", { words: 0, vectors: 4 }],
    ["two lists alike", { words: 2.5, vectors: 2.5 }],
  ])("fuse of %s finds no less than the better list, but for noise", (_what, lift) => {
    const random = new Random(SEED);
    const found = [0, 0, 0];
    const rounds = 1_000;
    for (let round = 0; round < rounds; round++) {
      findsRight(random, lift, "learned").forEach((isFound, list) => {
        if (isFound) found[list]!++;
      });
    }
    const [words, vectors, both] = found as [number, number, number];
    expect(both / rounds).toBeGreaterThan(Math.max(words, vectors) / rounds - 0.03);
  });

  test("fuse brings the memories of the time that was named to the front of their equals", () => {
    const bm25 = Array.from({ length: 20 }, () => 2);
    const closeness = Array.from({ length: 20 }, (_, i) => (i === 13 ? 1 : 0));
    const { order, weights } = fused(bm25, new Array(20).fill(0.2), "hashed", closeness);
    expect(order[0]).toBe(13);
    expect(weights.time).toBeGreaterThan(0);
  });

  test("fuse brings what means the same to the front of equals, and lets a flat meaning change nothing", () => {
    const bm25 = Array.from({ length: 30 }, (_, i) => (i === 4 ? 6 : 2));
    const cosines = new Array(30).fill(0.2);
    const sharp = Array.from({ length: 30 }, (_, i) => (i === 21 ? 0.9 : 0.1));
    const { order, weights } = fused(bm25, cosines, "hashed", undefined, sharp);
    expect(order.slice(0, 2)).toEqual([21, 4]);
    expect(weights).toMatchObject({ meaning: 0.6 });
    expect(weights.vector + weights.words + weights.meaning).toBeCloseTo(1, 12);
    const flat = fused(bm25, cosines, "hashed", undefined, new Array(30).fill(0.3));
    expect(flat.order).toEqual(fused(bm25, cosines).order);
    expect(fused(bm25, cosines).weights.meaning).toBe(0);
  });

  test("fuse gives a better match of another query a higher score", () => {
    const weak = fused([1, 0.5], [0.1, 0.05]).scores[0]!;
    const strong = fused([9, 0.5], [0.6, 0.05]).scores[0]!;
    expect(strong).toBeGreaterThan(weak * 2);
  });
});

describe("single lists", () => {
  test("scoreOfWords and scoreOfCosine are 0 to 1 and rise with what they are given", () => {
    const facts = { queryMass: 5, k1: 0.9 };
    expect(scoreOfWords(0, facts)).toBe(0);
    expect(scoreOfWords(4, facts)).toBeGreaterThan(scoreOfWords(3, facts));
    expect(scoreOfWords(100, facts)).toBe(1);
    expect(scoreOfWords(1, { queryMass: 0, k1: 0.9 })).toBe(0);
    expect([-1, 0, 0.5, 1.1].map(scoreOfCosine)).toEqual([0, 0, 0.5, 1]);
  });
});
