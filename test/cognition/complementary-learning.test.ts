import { describe, expect, test } from "bun:test";
import { Random } from "../../src/base/random.ts";
import {
  BlendSum,
  hippocampalStrength,
  interleave,
  neocorticalStrength,
  phaseAfterReplay,
  ratesOfHalfLife,
  replayPriority,
} from "../../src/cognition/complementary-learning.ts";
import { NODE_PHASE } from "../../src/layout/node-header.ts";

const RATES = ratesOfHalfLife(100);

describe("the two traces of a memory", () => {
  test("follow the paper's differential equations", () => {
    const { hippocampalDecay, consolidation, neocorticalDecay } = RATES;
    const step = 0.01;
    let hippocampus = 1;
    let neocortex = 0;
    for (let i = 1; i <= 50_000; i++) {
      neocortex += step * (consolidation * hippocampus - neocorticalDecay * neocortex);
      hippocampus -= step * hippocampalDecay * hippocampus;
      if (i % 5000 !== 0) continue;
      expect(Math.abs(hippocampalStrength(i * step, RATES) - hippocampus)).toBeLessThan(1e-4);
      expect(Math.abs(neocorticalStrength(i * step, RATES) - neocortex)).toBeLessThan(1e-4);
    }
  });

  test("cross once: first the hippocampus carries a memory, later the neocortex does", () => {
    expect(hippocampalStrength(100, RATES)).toBeCloseTo(0.5, 12);
    let crossings = 0;
    let slowCarries = false;
    for (let hours = 0; hours < 2000; hours += 5) {
      const carries = neocorticalStrength(hours, RATES) > hippocampalStrength(hours, RATES);
      if (carries !== slowCarries) crossings += 1;
      slowCarries = carries;
    }
    expect(crossings).toBe(1);
    expect(slowCarries).toBe(true);
  });
});

describe("phaseAfterReplay", () => {
  test("a memory without a concept stays consolidating, however old", () => {
    expect(phaseAfterReplay({ phase: NODE_PHASE.recent, ageHours: 1e6, likeness: 0 }, RATES)).toBe(1);
    expect(phaseAfterReplay({ phase: NODE_PHASE.remote, ageHours: 1e6, likeness: 0 }, RATES)).toBe(1);
  });

  test("a member becomes remote when the neocortex carries it, and stays so", () => {
    expect(phaseAfterReplay({ phase: NODE_PHASE.recent, ageHours: 1, likeness: 0.9 }, RATES)).toBe(1);
    expect(phaseAfterReplay({ phase: NODE_PHASE.recent, ageHours: 300, likeness: 0.9 }, RATES)).toBe(2);
    expect(phaseAfterReplay({ phase: NODE_PHASE.remote, ageHours: 0, likeness: 0.9 }, RATES)).toBe(2);
  });

  test("the less a memory is like its concept the longer the hippocampus keeps it", () => {
    const hoursUntilRemote = (likeness: number): number => {
      let hours = 0;
      while (phaseAfterReplay({ phase: NODE_PHASE.consolidating, ageHours: hours, likeness }, RATES) < 2)
        hours += 1;
      return hours;
    };
    expect(hoursUntilRemote(0.9)).toBeLessThan(hoursUntilRemote(0.5));
    expect(hoursUntilRemote(0.5)).toBeLessThan(hoursUntilRemote(0.2));
  });
});

test("replayPriority prefers what is fresh, important and used, in that order of weight", () => {
  const claim = { ageHours: 10, importance: 0.5, useCount: 2 };
  const base = replayPriority(claim, RATES);
  expect(replayPriority({ ...claim, ageHours: 5 }, RATES)).toBeGreaterThan(base);
  expect(replayPriority({ ...claim, importance: 0.8 }, RATES)).toBeGreaterThan(base);
  expect(replayPriority({ ...claim, useCount: 3 }, RATES)).toBeGreaterThan(base);
  // However well known, an old memory does not keep a new one waiting.
  expect(replayPriority({ ageHours: 500, importance: 1, useCount: 1e6 }, RATES)).toBeLessThan(
    replayPriority({ ageHours: 1, importance: 0, useCount: 0 }, RATES),
  );
});

test("interleave puts one old replay behind so many new ones, and leaves none out", () => {
  expect(interleave([1, 2, 3, 4, 5], [-1, -2, -3], 2)).toEqual([1, 2, -1, 3, 4, -2, 5, -3]);
  expect(interleave([], [-1], 3)).toEqual([-1]);
  expect(interleave([1], [], 1)).toEqual([1]);
});

describe("BlendSum", () => {
  test("is fast for fresh episodes, slow for concepts, and adds up to 1", () => {
    const fresh = new BlendSum(RATES);
    fresh.add({ score: 1, isConcept: false, ageHours: 0, likeness: 0.9 });
    expect(fresh.blend()).toEqual({ fast: 1, slow: 0 });
    const concept = new BlendSum(RATES);
    concept.add({ score: 0.4, isConcept: true, ageHours: 0, likeness: 0 });
    expect(concept.blend()).toEqual({ fast: 0, slow: 1 });
    const random = new Random(6);
    const mixed = new BlendSum(RATES);
    for (let i = 0; i < 50; i++) {
      mixed.add({
        score: random.float(),
        isConcept: i % 3 === 0,
        ageHours: 1000 * random.float(),
        likeness: random.float(),
      });
      const { fast, slow } = mixed.blend()!;
      expect(fast + slow).toBeCloseTo(1, 12);
    }
  });

  test("moves from fast to slow while members of a concept age, and not for episodes without one", () => {
    const fastAt = (ageHours: number, likeness: number): number => {
      const sum = new BlendSum(RATES);
      sum.add({ score: 0.7, isConcept: false, ageHours, likeness });
      return sum.blend()!.fast;
    };
    expect(fastAt(10, 0.8)).toBeGreaterThan(fastAt(200, 0.8));
    expect(fastAt(1000, 0.8)).toBeLessThan(0.1);
    expect(fastAt(1000, 0)).toBe(1);
  });

  test("says nothing where nothing was found", () => {
    const sum = new BlendSum(RATES);
    sum.add({ score: 0, isConcept: true, ageHours: 0, likeness: 0 });
    expect(sum.blend()).toBeUndefined();
  });
});
