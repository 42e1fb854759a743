import { describe, expect, test } from "bun:test";
import { ageAtRetention, effectiveStability, retention } from "../../src/cognition/forgetting.ts";
import { curveOfCode, FORGETTING_CURVE, type ForgettingCurve } from "../../src/layout/forgetting-curve.ts";

const CURVES = Object.keys(FORGETTING_CURVE) as ForgettingCurve[];

/** Ebbinghaus 1885: savings at relearning, by hours; the table that Murre & Dros 2015 replicate. */
const EBBINGHAUS = [
  [1 / 3, 0.582],
  [1, 0.442],
  [8.8, 0.358],
  [24, 0.337],
  [48, 0.278],
  [144, 0.254],
  [744, 0.211],
] as const;

/** Root mean square error against the savings, at the half-life that fits best. */
function bestFit(curve: ForgettingCurve): { error: number; stabilityHours: number } {
  let best = { error: Number.POSITIVE_INFINITY, stabilityHours: 0 };
  for (let stabilityHours = 0.05; stabilityHours < 5000; stabilityHours *= 1.01) {
    const squares = EBBINGHAUS.map(
      ([hours, saved]) => (retention(curve, hours, stabilityHours) - saved) ** 2,
    );
    const error = Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / squares.length);
    if (error < best.error) best = { error, stabilityHours };
  }
  return best;
}

describe("retention", () => {
  test("retention is 1 at age 0, 1/2 after one half-life, and never rises with age", () => {
    for (const curve of CURVES) {
      expect(retention(curve, 0, 24)).toBe(1);
      expect(retention(curve, -5, 24)).toBe(1);
      expect(retention(curve, 24, 24)).toBeCloseTo(0.5, 6);
      let last = 1;
      for (let hours = 0.01; hours < 1e7; hours *= 1.5) {
        const left = retention(curve, hours, 24);
        expect(left).toBeLessThanOrEqual(last);
        expect(left).toBeGreaterThanOrEqual(0);
        last = left;
      }
    }
  });

  test("retention follows Ebbinghaus's savings within 0.03 (power) and 0.05 (two components) of root mean square", () => {
    expect(bestFit("power").error).toBeLessThan(0.03);
    expect(bestFit("two-component").error).toBeLessThan(0.05);
    // Half of what was learned was gone within the first hour: both fits agree with the data on that.
    expect(bestFit("power").stabilityHours).toBeWithin(1 / 3, 1.01);
    expect(bestFit("two-component").stabilityHours).toBeWithin(1 / 3, 1.01);
  });

  test("retention by one exponential can not follow Ebbinghaus: the reason why the others are there", () => {
    expect(bestFit("exponential").error).toBeGreaterThan(0.2);
  });

  test("retention falls ever more slowly on the power law: a straight line over log time (Jost's second law)", () => {
    const slopes = [10, 100, 1000, 10_000].map(
      (hours) => Math.log(retention("power", hours * 2, 1)) - Math.log(retention("power", hours, 1)),
    );
    for (const slope of slopes) expect(slope).toBeCloseTo(slopes[0]!, 3);
  });
});

test("effectiveStability goes from a half to four times with importance and feeling, glad or sad", () => {
  expect(effectiveStability(10, 0.5, 0)).toBe(10);
  expect(effectiveStability(10, 0, 0)).toBe(5);
  expect(effectiveStability(10, 1, 0)).toBe(20);
  expect(effectiveStability(10, 1, -1)).toBe(40);
  expect(effectiveStability(10, 0.5, 0.5)).toBe(effectiveStability(10, 0.5, -0.5));
});

test("ageAtRetention is where the curve crosses the floor", () => {
  for (const curve of CURVES) {
    for (const floor of [0.9, 0.5, 0.3, 0.25]) {
      expect(retention(curve, ageAtRetention(curve, floor), 1)).toBeCloseTo(floor, 6);
    }
  }
});

test("curveOfCode undoes FORGETTING_CURVE", () => {
  for (const curve of CURVES) expect(curveOfCode(FORGETTING_CURVE[curve])).toBe(curve);
});
