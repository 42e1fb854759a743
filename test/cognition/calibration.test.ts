import { describe, expect, test } from "bun:test";
import { Random } from "../../src/base/random.ts";
import { calibrated, expectedCalibrationError, fitPools } from "../../src/cognition/calibration.ts";
import { wilsonInterval } from "../../src/cognition/interval.ts";

const SEED = 5;

/** Evidence that means more than it says: right with chance evidence². */
function examples(count: number, random: Random): { evidence: number; isRight: boolean }[] {
  return Array.from({ length: count }, () => {
    const evidence = random.float();
    return { evidence, isRight: random.float() < evidence ** 2 };
  });
}

describe("fitPools", () => {
  test("fitPools gives pools that rise, and loses no example", () => {
    const random = new Random(SEED);
    for (const count of [1, 7, 100, 3000]) {
      const given = examples(count, random);
      const pools = fitPools(given, 20);
      expect(pools.reduce((sum, pool) => sum + pool.count, 0)).toBe(count);
      expect(pools.reduce((sum, pool) => sum + pool.rightCount, 0)).toBe(
        given.filter(({ isRight }) => isRight).length,
      );
      for (let i = 1; i < pools.length; i++) {
        expect(pools[i]!.evidence).toBeGreaterThanOrEqual(pools[i - 1]!.evidence);
        expect((pools[i]!.rightCount + 1) / (pools[i]!.count + 2)).toBeGreaterThan(
          (pools[i - 1]!.rightCount + 1) / (pools[i - 1]!.count + 2),
        );
      }
    }
  });

  test("fitPools pools what is out of order, as Ayer et al. 1955 do", () => {
    const given = [1, 0, 1, 0, 1, 1].map((right, evidence) => ({ evidence, isRight: right === 1 }));
    expect(fitPools(given, 1)).toEqual([
      { evidence: 1.5, count: 4, rightCount: 2 },
      { evidence: 4.5, count: 2, rightCount: 2 },
    ]);
  });
});

describe("calibrated", () => {
  test("calibrated probabilities come true: error below 0.03 on fresh examples, where the raw evidence errs by 0.16", () => {
    const random = new Random(SEED);
    const pools = fitPools(examples(4000, random), 50);
    const fresh = examples(4000, random);
    const raw = fresh.map(({ evidence, isRight }) => ({ probability: evidence, isRight }));
    const mapped = fresh.map(({ evidence, isRight }) => ({
      probability: calibrated(pools, evidence).probability,
      isRight,
    }));
    expect(expectedCalibrationError(raw)).toBeGreaterThan(0.13);
    expect(expectedCalibrationError(mapped)).toBeLessThan(0.03);
  });

  test("calibrated never falls as the evidence rises, and is never certain", () => {
    const pools = fitPools(examples(500, new Random(SEED)), 20);
    let last = 0;
    for (let evidence = -1; evidence <= 2; evidence += 0.01) {
      const { probability } = calibrated(pools, evidence);
      expect(probability).toBeGreaterThanOrEqual(last);
      expect(probability).toBeWithin(0.000001, 0.999999);
      last = probability;
    }
  });
});

test("expectedCalibrationError is 0 when what is said happens, and the distance when it does not", () => {
  const half = [true, false].map((isRight) => ({ probability: 0.5, isRight }));
  expect(expectedCalibrationError(half)).toBe(0);
  expect(expectedCalibrationError([{ probability: 0.9, isRight: false }])).toBeCloseTo(0.9, 12);
  expect(expectedCalibrationError([])).toBe(0);
});

describe("wilsonInterval", () => {
  test("wilsonInterval gives the published figures for 0 of 10, 5 of 10 and 10 of 10", () => {
    const rounded = (share: number): number[] => {
      const { low, high } = wilsonInterval(share, 10);
      return [low, high].map((bound) => Number(bound.toFixed(3)));
    };
    expect(rounded(0)).toEqual([0, 0.278]);
    expect(rounded(0.5)).toEqual([0.237, 0.763]);
    expect(rounded(1)).toEqual([0.722, 1]);
  });

  test("wilsonInterval covers the true share in about 95 of 100 samples", () => {
    const random = new Random(SEED);
    for (const share of [0.05, 0.5, 0.9]) {
      let covered = 0;
      for (let sample = 0; sample < 2000; sample++) {
        let right = 0;
        for (let i = 0; i < 40; i++) right += random.float() < share ? 1 : 0;
        const { low, high } = wilsonInterval(right / 40, 40);
        covered += low <= share && share <= high ? 1 : 0;
      }
      expect(covered / 2000).toBeWithin(0.92, 0.985);
    }
  });

  test("wilsonInterval without a case says nothing", () => {
    expect(wilsonInterval(0.7, 0)).toEqual({ low: 0, high: 1 });
  });
});
