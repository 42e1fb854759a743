import { describe, expect, test } from "bun:test";
import { fanShare } from "../../src/cognition/fan.ts";
import { PRIMING_WINDOW_DECAYS, primedBoth, primedBy, primingLeft } from "../../src/cognition/priming.ts";

const DECAY_MS = 30_000;

/** What a neighbour bound with `strength` and used `afterMs` ago gives. */
function given(afterMs: number, { strength = 0.5, activation = 1, fanOut = 4 } = {}): number {
  return primedBy(strength, fanShare(activation * primingLeft(1000, 1000 + afterMs, DECAY_MS), fanOut));
}

describe("primedBy", () => {
  test("primedBy is there 250 ms after the prime (Neely 1977), and passes within seconds to minutes", () => {
    expect(given(0)).toBe(0.25);
    expect(given(250)).toBeGreaterThan(0.24);
    expect(given(DECAY_MS)).toBeCloseTo(0.25 / Math.E, 12);
    expect(given(PRIMING_WINDOW_DECAYS * DECAY_MS)).toBeGreaterThan(0);
    expect(given(PRIMING_WINDOW_DECAYS * DECAY_MS + 1)).toBe(0);
  });

  test("primedBy divides by the fan of the prime, and weighs by the binding", () => {
    expect(given(0, { fanOut: 16 })).toBe(0.125);
    expect(given(0, { strength: 1 })).toBe(0.5);
    expect(given(0, { activation: 0 })).toBe(0);
    expect(given(0, { strength: 1, activation: 1, fanOut: 1 })).toBe(1);
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
