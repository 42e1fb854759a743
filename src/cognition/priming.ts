/**
 * Priming: what was just used makes its neighbours easier to reach, for a moment (Meyer & Schvaneveldt 1971).
 *
 * Neely 1977 parts two windows: spreading that comes by itself is there 250 ms after the prime and passes;
 * what is expected builds up over 700 ms and more. An appliance is asked once a second rather than four times,
 * so the spreading that comes by itself is kept for the length of an exchange: it falls by e every `decayMs`
 * (a setting, seconds to minutes) and is nothing after PRIMING_WINDOW_DECAYS of them.
 *
 * A memory takes from each neighbour that was used lately: the neighbour's activation, divided by its fan
 * (`fan.ts`), times the strength of the binding. Several primes add as chances do, 1 - Π (1 - p), so priming
 * is at most 1 whatever is bound to whatever.
 */
import { assert } from "../base/assert.ts";

/** Priming ends here, in units of `decayMs`: 2 % is left. */
export const PRIMING_WINDOW_DECAYS = 4;

/** What is left of an activation, 0 to 1. Nothing for a use that lies ahead of `atMs`. */
export function primingLeft(usedAtMs: number, atMs: number, decayMs: number): number {
  assert(decayMs > 0, "priming takes time to pass");
  const decays = (atMs - usedAtMs) / decayMs;
  return decays < 0 || decays > PRIMING_WINDOW_DECAYS ? 0 : Math.exp(-decays);
}

/**
 * What one prime gives, 0 to 1.
 *
 * @param strength of the binding, 0 to 1
 * @param share what the prime passes on along each of its bindings: what is left of its activation by its fan (`fan.ts`)
 */
export function primedBy(strength: number, share: number): number {
  return Math.min(1, strength * share);
}

/** Two primings together, as chances. */
export function primedBoth(one: number, other: number): number {
  return 1 - (1 - one) * (1 - other);
}
