import { describe, expect, test } from "bun:test";
import { PRIMING_WINDOW_DECAYS, primedBoth, primedBy, primingLeft } from "../../src/cognition/priming.ts";

const DECAY_MS = 30_000;
const prime = { strength: 0.5, activation: 1, fanOut: 4, usedAtMs: 1000 };

describe("primedBy", () => {
  test("primedBy is there 250 ms after the prime (Neely 1977), and passes within seconds to minutes", () => {
    const at = (afterMs: number): number => primedBy(prime, 1000 + afterMs, DECAY_MS);
    expect(at(0)).toBe(0.25);
    expect(at(250)).toBeGreaterThan(0.24);
    expect(at(DECAY_MS)).toBeCloseTo(0.25 / Math.E, 12);
    expect(at(PRIMING_WINDOW_DECAYS * DECAY_MS)).toBeGreaterThan(0);
    expect(at(PRIMING_WINDOW_DECAYS * DECAY_MS + 1)).toBe(0);
  });

  test("primedBy divides by the fan of the prime, and weighs by the binding", () => {
    expect(primedBy({ ...prime, fanOut: 16 }, 1000, DECAY_MS)).toBe(0.125);
    expect(primedBy({ ...prime, strength: 1 }, 1000, DECAY_MS)).toBe(0.5);
    expect(primedBy({ ...prime, activation: 0 }, 1000, DECAY_MS)).toBe(0);
  });

  test("primingLeft of a use that is still to come is nothing", () => {
    expect(primingLeft(2000, 1000, DECAY_MS)).toBe(0);
  });
});

test("primedBoth stays within 1 however many prime", () => {
  let primed = 0;
  for (let i = 0; i < 1000; i++) {
    const next = primedBoth(primed, 0.3);
    expect(next).toBeGreaterThanOrEqual(primed);
    primed = next;
  }
  expect(primed).toBeLessThanOrEqual(1);
});
