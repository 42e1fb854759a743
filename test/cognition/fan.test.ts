import { describe, expect, test } from "bun:test";
import { fanShare } from "../../src/cognition/fan.ts";

/** Anderson 1974, experiment 1: seconds to recognise a sentence, by facts about the place (rows) and the person. */
const TARGETS = [
  [1.111, 1.174, 1.222],
  [1.167, 1.198, 1.222],
  [1.153, 1.233, 1.357],
] as const;

describe("fanShare", () => {
  test("fanShare gives each of n bindings 1/√n, and a node without or with one binding all of it", () => {
    expect(fanShare(0.8, 0)).toBe(0.8);
    expect(fanShare(0.8, 1)).toBe(0.8);
    expect(fanShare(0.8, 4)).toBe(0.4);
    expect(fanShare(1, 100)).toBe(0.1);
  });

  test("fanShare orders and spaces the times of Anderson 1974 with two free constants, r 0.85, 0.04 s", () => {
    const cells = TARGETS.flatMap((row, place) =>
      row.map((seconds, person) => ({
        seconds,
        x: Math.exp(-(fanShare(1, place + 1) + fanShare(1, person + 1))),
      })),
    );
    const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    const meanX = mean(cells.map(({ x }) => x));
    const meanSeconds = mean(cells.map(({ seconds }) => seconds));
    const xx = mean(cells.map(({ x }) => (x - meanX) ** 2));
    const xy = mean(cells.map(({ x, seconds }) => (x - meanX) * (seconds - meanSeconds)));
    const yy = mean(cells.map(({ seconds }) => (seconds - meanSeconds) ** 2));
    const correlation = xy / Math.sqrt(xx * yy);
    const slope = xy / xx;
    const error = Math.sqrt(
      mean(cells.map(({ x, seconds }) => (meanSeconds + slope * (x - meanX) - seconds) ** 2)),
    );
    expect(slope).toBeGreaterThan(0);
    expect(correlation).toBeGreaterThan(0.85);
    expect(error).toBeLessThan(0.04);
  });
});
