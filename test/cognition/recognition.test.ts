import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { dPrime, normalCdf, normalQuantile, recognise, type Trace } from "../../src/cognition/recognition.ts";
import { drmMaterial } from "../support/drm-material.ts";

const trace = (similarity: number, retention = 1, isSame = false): Trace => ({
  similarity,
  retention,
  isSame,
});
const LISTS = join(import.meta.dir, "../../../shared/data/drm.json.gz");

describe("recognise", () => {
  test("recognise takes what is recollected for old, and what answers nothing for new", () => {
    expect(recognise([trace(1, 1, true)], 0)).toMatchObject({ isOld: true, probability: 1, confidence: 1 });
    expect(recognise([], 0)).toMatchObject({ isOld: false, probability: 0, confidence: 1, familiarity: 0 });
    expect(recognise([trace(0.1), trace(0.05)], 0).probability).toBeLessThan(0.01);
  });

  test("recognise counts similarity from what unrelated memories have", () => {
    const cone = recognise([trace(0.7), trace(0.68)], 0.65);
    expect(cone.probability).toBeLessThan(0.01);
    expect(recognise([trace(0.7), trace(0.68)], 0).probability).toBeGreaterThan(cone.probability);
  });

  test("many close traces make a lure familiar, as MINERVA 2 has it", () => {
    const one = recognise([trace(0.6)], 0);
    const fifteen = recognise(
      Array.from({ length: 15 }, () => trace(0.6)),
      0,
    );
    expect(one.echo).toBeCloseTo(0.216, 10);
    expect(fifteen.echo).toBeCloseTo(15 * 0.216, 10);
    expect(fifteen.familiarity).toBeGreaterThan(0.8);
    expect(one.familiarity).toBeLessThan(0.1);
  });

  test("a false memory outlives a true one: as traces fade, hits fall and false alarms to lures hardly do", () => {
    const lure = (retention: number) =>
      recognise(
        Array.from({ length: 15 }, () => trace(0.6, retention)),
        0,
      ).probability;
    const studied = (retention: number) =>
      recognise([trace(1, retention, true), trace(0.6, retention)], 0).probability;
    // McDermott 1996, Seamon et al. 2002: the difference between the two shrinks with the delay.
    expect(studied(1) - lure(1)).toBeGreaterThan(0.4);
    expect(studied(0.4) - lure(0.4)).toBeLessThan(studied(1) - lure(1));
    expect(lure(0.6)).toBeGreaterThan(lure(1));
  });

  test("normalQuantile is the inverse of normalCdf", () => {
    for (const share of [0.001, 0.02, 0.3, 0.5, 0.84, 0.999]) {
      expect(normalCdf(normalQuantile(share))).toBeCloseTo(share, 5);
    }
    expect(normalCdf(1)).toBeCloseTo(0.841345, 5);
  });

  test("dPrime is the textbook's, corrected for shares of 0 and 1", () => {
    expect(dPrime({ share: 0.84134, count: 1e9 }, { share: 0.15866, count: 1e9 })).toBeCloseTo(2, 3);
    expect(dPrime({ share: 1, count: 20 }, { share: 0, count: 20 })).toBeCloseTo(3.96, 1);
    expect(dPrime({ share: 0.3, count: 10 }, { share: 0.3, count: 10 })).toBe(0);
  });

  test.skipIf(!existsSync(LISTS))(
    "on real DRM lists with real associations: studied above lures above unrelated words, and lures follow people",
    () => {
      const { studied, lures, others, similarity } = drmMaterial(LISTS);
      const probability = (word: string, retention: number): number => {
        const traces = studied
          .map((other) => trace(similarity(word, other), retention, other === word))
          .sort((a, b) => b.similarity - a.similarity)
          .slice(0, 64);
        const sample = studied.filter((_, at) => at % 2 === 0).map((other) => similarity(word, other));
        return recognise(traces, Math.max(0, sample.sort((a, b) => a - b)[sample.length >> 1]!)).probability;
      };
      const mean = (words: readonly string[], retention: number): number =>
        words.reduce((sum, word) => sum + probability(word, retention), 0) / words.length;
      const names = lures.map(({ word }) => word);
      for (const retention of [0.9, 0.6]) {
        const [hits, falseAlarms, unrelated] = [studied, names, others].map((words) =>
          mean(words, retention),
        );
        expect(hits!).toBeGreaterThan(falseAlarms!);
        // Roediger & McDermott 1995: lures are taken for old several times as often as unrelated words.
        expect(falseAlarms!).toBeGreaterThan(3 * unrelated!);
        expect(falseAlarms!).toBeGreaterThan(0.2);
        expect(falseAlarms!).toBeLessThan(0.8);
      }
      // Lists that take in more people take in the model more.
      const model = lures.map(({ word }) => probability(word, 0.9));
      const human = lures.map(({ falseRecognition }) => falseRecognition);
      expect(correlation(model, human)).toBeGreaterThan(0.3);
    },
  );
});

function correlation(x: readonly number[], y: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [mx, my] = [mean(x), mean(y)];
  let [xy, xx, yy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    xy += (x[i]! - mx) * (y[i]! - my);
    xx += (x[i]! - mx) ** 2;
    yy += (y[i]! - my) ** 2;
  }
  return xy / Math.sqrt(xx * yy);
}
