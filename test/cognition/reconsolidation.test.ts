import { describe, expect, test } from "bun:test";
import { HOUR_MS } from "../../src/cognition/forgetting.ts";
import { lability, traitsOfSuccessor, UPDATE_GAIN } from "../../src/cognition/reconsolidation.ts";
import { STABILITY_HOURS_MAX, type Traits } from "../../src/cognition/use.ts";

const USED_AT_MS = 1_700_000_000_000;
const WINDOW_HOURS = 6;

const recalled: Traits = {
  lastUsedMs: USED_AT_MS,
  useCount: 3,
  stabilityHours: 500,
  importance: 0.4,
  valence: -0.5,
  lastActivation: 1,
};

function fresh(atMs: number): Traits {
  return {
    lastUsedMs: atMs,
    useCount: 0,
    stabilityHours: 100,
    importance: 0,
    valence: 0,
    lastActivation: 0,
  };
}

describe("lability", () => {
  test("lability is full right after a recall, gone after six hours, and absent without one (Nader et al. 2000)", () => {
    expect(lability(recalled, USED_AT_MS, WINDOW_HOURS)).toBe(1);
    expect(lability(recalled, USED_AT_MS + 3 * HOUR_MS, WINDOW_HOURS)).toBe(0.5);
    expect(lability(recalled, USED_AT_MS + 6 * HOUR_MS, WINDOW_HOURS)).toBe(0);
    expect(lability(recalled, USED_AT_MS + 60 * HOUR_MS, WINDOW_HOURS)).toBe(0);
    expect(lability({ ...recalled, useCount: 0 }, USED_AT_MS, WINDOW_HOURS)).toBe(0);
  });
});

describe("traitsOfSuccessor", () => {
  test("traitsOfSuccessor changes a labile memory: it keeps what it earned, and grows by UPDATE_GAIN at most", () => {
    const atMs = USED_AT_MS + HOUR_MS;
    const next = traitsOfSuccessor(recalled, fresh(atMs), atMs, WINDOW_HOURS);
    expect(next).toMatchObject({ useCount: 3, importance: 0.4, valence: -0.5, lastUsedMs: atMs });
    expect(next.stabilityHours).toBeGreaterThan(recalled.stabilityHours);
    expect(next.stabilityHours).toBeLessThanOrEqual(recalled.stabilityHours * (1 + UPDATE_GAIN));
    const strongest = { ...recalled, stabilityHours: STABILITY_HOURS_MAX };
    expect(traitsOfSuccessor(strongest, fresh(atMs), atMs, WINDOW_HOURS).stabilityHours).toBe(
      STABILITY_HOURS_MAX,
    );
  });

  test("traitsOfSuccessor outside the window, or without a recall, is a new trace", () => {
    const late = USED_AT_MS + 7 * HOUR_MS;
    expect(traitsOfSuccessor(recalled, fresh(late), late, WINDOW_HOURS)).toEqual(fresh(late));
    const never = { ...recalled, useCount: 0 };
    expect(traitsOfSuccessor(never, fresh(USED_AT_MS), USED_AT_MS, WINDOW_HOURS)).toEqual(fresh(USED_AT_MS));
  });
});
