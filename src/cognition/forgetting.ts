/**
 * How much of a memory is left: its retention, from its age and its stability, computed whenever it is read.
 *
 * Age counts from the last use. Stability is a half-life: after that many hours half is left, on each curve,
 * so that a space can change its curve and keep what its memories have earned. The curves are the shapes in
 * units of that half-life, x = age / stability:
 *
 *   exponential    2^(-x)                              Ebbinghaus 1885 as it is told; Loftus 1985
 *   power          (1 + β x)^(-ψ)                      Wickelgren 1974; Wixted & Ebbesen 1991
 *   two-component  (1 - s) e^(-a₁ x) + s e^(-a₂ x)     Memory Chain Model, Murre & Chessa 2011;
 *                                                      fitted to Ebbinghaus by Murre & Dros 2015
 *
 * The shape constants are least-squares fits to Ebbinghaus's seven savings (20 minutes to 31 days). The root
 * mean square error is 0.02 for the power law, 0.04 for two components and 0.25 for one exponential: one rate
 * can not fall as fast as the first hour and as slowly as the month (test/cognition/forgetting.test.ts).
 *
 * What matters fades more slowly (McGaugh 2004): importance from 0 to 1 takes the half-life from a half over
 * the whole to the double of it, and the strength of a feeling doubles it once more.
 */
import { assert } from "../base/assert.ts";
import type { ForgettingCurve } from "../layout/forgetting-curve.ts";

export const HOUR_MS = 3_600_000;

/** Exponent of the power law. */
export const POWER_PSI = 0.13;
/** Rate of the power law per half-life: what makes its value 1/2 at x = 1. */
export const POWER_BETA = 2 ** (1 / POWER_PSI) - 1;
/** Part of a memory that reaches the slow store: μ₂ / (a₁ - a₂) of the Memory Chain Model. */
export const CHAIN_SLOW_SHARE = 0.33;
/** Rate at which the fast store is lost, per half-life. */
export const CHAIN_A1 = 1.37076686;
/** Rate at which the slow store is lost, per half-life. */
export const CHAIN_A2 = CHAIN_A1 / 3733;

/** What is left of a memory, 1 down to 0, as a function of x = age / half-life. */
const SHAPE: Readonly<Record<ForgettingCurve, (x: number) => number>> = {
  exponential: (x) => 2 ** -x,
  power: (x) => (1 + POWER_BETA * x) ** -POWER_PSI,
  "two-component": (x) =>
    (1 - CHAIN_SLOW_SHARE) * Math.exp(-CHAIN_A1 * x) + CHAIN_SLOW_SHARE * Math.exp(-CHAIN_A2 * x),
};

/** The constants of each curve as `native/decay.c` takes them. */
export const CURVE_CONSTANTS: Readonly<Record<ForgettingCurve, readonly number[]>> = {
  exponential: [],
  power: [POWER_BETA, POWER_PSI],
  "two-component": [CHAIN_SLOW_SHARE, CHAIN_A1, CHAIN_A2],
};

for (const shape of Object.values(SHAPE)) {
  assert(Math.abs(shape(1) - 0.5) < 1e-6, "half is left after one half-life");
}

/**
 * What is left of a memory, 0 to 1.
 *
 * @param ageHours since the last use; an age before it counts as 0
 * @param stabilityHours half-life, more than 0
 */
export function retention(curve: ForgettingCurve, ageHours: number, stabilityHours: number): number {
  assert(stabilityHours > 0, "a half-life is more than 0");
  return ageHours <= 0 ? 1 : SHAPE[curve](ageHours / stabilityHours);
}

/**
 * The half-life as importance (0..1, 0.5 changes nothing) and valence (-1..1) stretch it: a half to four times.
 */
export function effectiveStability(stabilityHours: number, importance: number, valence: number): number {
  return stabilityHours * 2 ** (2 * importance - 1) * (1 + Math.abs(valence));
}

/** The age at which so much is left, in half-lives: where a memory falls below a floor. */
export function ageAtRetention(curve: ForgettingCurve, floor: number): number {
  assert(floor > 0 && floor < 1, "a floor lies between 0 and 1");
  let [young, old] = [0, 1];
  while (SHAPE[curve](old) > floor) old *= 2;
  for (let step = 0; step < 60; step++) {
    const middle = (young + old) / 2;
    if (SHAPE[curve](middle) > floor) young = middle;
    else old = middle;
  }
  return old;
}
