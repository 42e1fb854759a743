import { describe, expect, test } from "bun:test";
import { HOUR_MS, retention } from "../../src/cognition/forgetting.ts";
import {
  gain,
  nextTraits,
  RESTUDY_SHARE,
  retentionOf,
  STABILITY_HOURS_MAX,
  type Traits,
  type Use,
} from "../../src/cognition/use.ts";
import { FORGETTING_CURVE, type ForgettingCurve } from "../../src/layout/forgetting-curve.ts";

const CURVES = Object.keys(FORGETTING_CURVE) as ForgettingCurve[];
const DAY = 24;
const STORED_AT_MS = 1_700_000_000_000;

const fresh: Traits = {
  lastUsedMs: STORED_AT_MS,
  useCount: 0,
  stabilityHours: 7 * DAY,
  importance: 0.5,
  valence: 0,
  lastActivation: 0,
};

function after(hours: number): number {
  return STORED_AT_MS + hours * HOUR_MS;
}

/** The traits after uses at the given hours. */
function used(how: Use, hours: readonly number[], curve: ForgettingCurve): Traits {
  return hours.reduce((traits, at) => nextTraits(traits, how, after(at), curve), fresh);
}

/**
 * Chance of a recall in the design of Cepeda et al. 2008: learned, tested with feedback after a gap, and asked
 * for after a delay. What the test finds gains by it; what it does not find is learned anew.
 */
function recallAfterGap(gapDays: number, delayDays: number, stabilityDays: number): number {
  const curve = "two-component";
  const found = retention(curve, gapDays, stabilityDays);
  const grown = stabilityDays * (1 + gain(found));
  return (
    found * retention(curve, delayDays, grown) + (1 - found) * retention(curve, delayDays, stabilityDays)
  );
}

describe("nextTraits", () => {
  test("nextTraits counts a use, sets its time, and never lets a half-life shrink or pass its bound", () => {
    for (const curve of CURVES) {
      for (const how of ["retrieved", "reinforced"] as const) {
        let traits = fresh;
        for (let use = 1; use <= 60; use++) {
          const next = nextTraits(traits, how, traits.lastUsedMs + 2 ** use * HOUR_MS, curve);
          expect(next.useCount).toBe(use);
          expect(next.lastUsedMs).toBeGreaterThan(traits.lastUsedMs);
          expect(next.stabilityHours).toBeGreaterThanOrEqual(traits.stabilityHours);
          expect(next.stabilityHours).toBeLessThanOrEqual(STABILITY_HOURS_MAX);
          expect(next.importance).toBeWithin(traits.importance, 1.0000001);
          traits = next;
        }
        expect(traits.stabilityHours).toBe(STABILITY_HOURS_MAX);
      }
    }
  });

  test("nextTraits of the same arguments is the same, so that a replay of the log converges", () => {
    expect(used("retrieved", [1, 30, 500], "power")).toEqual(used("retrieved", [1, 30, 500], "power"));
  });

  test("nextTraits of a use that comes late, with an older time, keeps the later one", () => {
    const traits = nextTraits({ ...fresh, lastUsedMs: after(10) }, "retrieved", after(5), "power");
    expect(traits.lastUsedMs).toBe(after(10));
    expect(traits.stabilityHours).toBe(fresh.stabilityHours);
  });

  test("nextTraits gains more the more was forgotten, and hardly anything massed", () => {
    for (const curve of CURVES) {
      const grownAt = [0, 1 / 60, 24, 240, 2400].map(
        (hours) => used("retrieved", [hours], curve).stabilityHours,
      );
      for (let i = 1; i < grownAt.length; i++) expect(grownAt[i]!).toBeGreaterThanOrEqual(grownAt[i - 1]!);
      expect(grownAt[4]! / fresh.stabilityHours).toBeGreaterThan(10);
      // Ten tests within ten seconds, against one at the half-life.
      const massed = used(
        "retrieved",
        Array.from({ length: 10 }, (_, i) => (i + 1) / 3600),
        curve,
      );
      const spaced = used("retrieved", [fresh.stabilityHours], curve);
      expect((massed.stabilityHours - fresh.stabilityHours) * 50).toBeLessThan(
        spaced.stabilityHours - fresh.stabilityHours,
      );
    }
  });

  test("nextTraits when primed changes the activation alone", () => {
    expect(nextTraits(fresh, "primed", after(50), "power")).toEqual({ ...fresh, lastActivation: 1 });
  });

  test("nextTraits when reinforced counts at once: importance takes a step towards 1, and more is left later", () => {
    for (const curve of CURVES) {
      const reinforced = used("reinforced", [0], curve);
      expect(reinforced.importance).toBeCloseTo(0.55, 12);
      for (const days of [7, 30, 365]) {
        expect(retentionOf(reinforced, after(days * DAY), curve)).toBeGreaterThan(
          retentionOf(fresh, after(days * DAY), curve),
        );
      }
    }
  });
});

describe("the spacing effect (Cepeda, Vul, Rohrer, Wixted & Pashler 2008)", () => {
  const GAPS_DAYS = Array.from({ length: 1050 }, (_, i) => (i + 1) / 10);
  const STABILITY_DAYS = 15;
  /** delay, and the optimal gap of the fitted ridge, in days */
  const RIDGE = [
    [7, 3],
    [35, 8],
    [70, 12],
    [350, 27],
  ] as const;

  function optimalGap(delayDays: number): number {
    return GAPS_DAYS.reduce((best, gap) =>
      recallAfterGap(gap, delayDays, STABILITY_DAYS) > recallAfterGap(best, delayDays, STABILITY_DAYS)
        ? gap
        : best,
    );
  }

  test("the optimal gap lies within a factor of 1.5 of the published ridge of 3, 8, 12 and 27 days", () => {
    for (const [delay, published] of RIDGE) {
      const ratio = optimalGap(delay) / published;
      expect(ratio).toBeWithin(1 / 1.5, 1.5);
    }
  });

  test("the optimal gap grows with the delay, and shrinks as a part of it to 5-10 % of a year", () => {
    const gaps = RIDGE.map(([delay]) => optimalGap(delay));
    for (let i = 1; i < RIDGE.length; i++) {
      expect(gaps[i]!).toBeGreaterThan(gaps[i - 1]!);
      expect(gaps[i]! / RIDGE[i]![0]).toBeLessThan(gaps[i - 1]! / RIDGE[i - 1]![0]);
    }
    expect(gaps[3]! / 350).toBeWithin(0.05, 0.1);
  });

  test("recall first rises with the gap and then falls, at every delay", () => {
    for (const [delay] of RIDGE) {
      const best = recallAfterGap(optimalGap(delay), delay, STABILITY_DAYS);
      expect(best).toBeGreaterThan(recallAfterGap(0.01, delay, STABILITY_DAYS));
      expect(best).toBeGreaterThan(recallAfterGap(105, delay, STABILITY_DAYS));
    }
  });
});

describe("the testing effect (Roediger & Karpicke 2006, experiment 1)", () => {
  // Idea units recalled after 5 minutes, 2 days and 1 week.
  const RESTUDIED = [0.81, 0.54, 0.42] as const;
  const TESTED = [0.75, 0.68, 0.56] as const;
  const LEFT_AT_TEST = 0.7;

  /** Days of half-life at which a curve loses as much from five minutes to a week as the group did. */
  function halfLifeOf(recalled: readonly number[]): number {
    const lost = recalled[2]! / recalled[0]!;
    let days = 0.01;
    while (retention("two-component", 7, days) < lost) days *= 1.005;
    return days;
  }

  test("a test lengthens the half-life over a restudy by as much as in the groups, within a fifth", () => {
    const published = halfLifeOf(TESTED) / halfLifeOf(RESTUDIED);
    const grown = gain(LEFT_AT_TEST);
    const ours = (1 + grown) / (1 + RESTUDY_SHARE * grown);
    expect(ours / published).toBeWithin(0.8, 1.2);
  });

  test("restudy is ahead after five minutes, the test after two days and a week, by as much within 0.1", () => {
    const base = halfLifeOf(RESTUDIED) / (1 + RESTUDY_SHARE * gain(LEFT_AT_TEST));
    const restudied = base * (1 + RESTUDY_SHARE * gain(LEFT_AT_TEST));
    const tested = base * (1 + gain(LEFT_AT_TEST));
    [5 / 1440, 2, 7].forEach((days, i) => {
      const gap =
        TESTED[0] * retention("two-component", days, tested) -
        RESTUDIED[0] * retention("two-component", days, restudied);
      expect(Math.sign(gap)).toBe(Math.sign(TESTED[i]! - RESTUDIED[i]!));
      expect(Math.abs(gap - (TESTED[i]! - RESTUDIED[i]!))).toBeLessThan(0.1);
    });
  });
});
