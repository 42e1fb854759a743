/**
 * Reconsolidation: a memory that was recalled can be changed for some hours (Nader, Schafe & LeDoux 2000).
 *
 * In their experiment a blocker of protein synthesis erased a fear memory when given right after it was
 * reactivated, and did nothing six hours later, or without reactivation. So a memory is labile from a use
 * until `windowHours` after it, less and less:
 *
 *   lability = 1 - age of the last use / window; 0 for a memory that was never used
 *
 * An update that meets a labile memory changes that memory: its successor inherits use count, importance and
 * half-life, strengthened by at most UPDATE_GAIN (Forcato et al. 2011: reminders that end in an update
 * strengthen). One that comes later is a new trace, which has to earn its half-life anew
 * (Hupbach et al. 2007: without a reminder the new list does not mix with the old one).
 */
import { assert } from "../base/assert.ts";
import { HOUR_MS } from "./forgetting.ts";
import { STABILITY_HOURS_MAX, type Traits } from "./use.ts";

/** How much an update within the window adds to the half-life at most, as a part of it. */
export const UPDATE_GAIN = 0.5;

/** How open to change a memory is, 1 right after a use down to 0 at the end of the window. */
export function lability(
  traits: Pick<Traits, "lastUsedMs" | "useCount">,
  atMs: number,
  windowHours: number,
): number {
  assert(windowHours > 0, "the window has a length");
  if (traits.useCount === 0) return 0;
  const ageHours = Math.max(0, atMs - traits.lastUsedMs) / HOUR_MS;
  return Math.max(0, 1 - ageHours / windowHours);
}

/**
 * The traits of a memory that takes the place of another.
 *
 * @param fresh the traits it would have as a memory of its own
 */
export function traitsOfSuccessor(older: Traits, fresh: Traits, atMs: number, windowHours: number): Traits {
  const open = lability(older, atMs, windowHours);
  if (open === 0) return fresh;
  const strengthened = Math.max(older.stabilityHours, fresh.stabilityHours) * (1 + UPDATE_GAIN * open);
  return {
    lastUsedMs: Math.max(atMs, older.lastUsedMs),
    useCount: older.useCount,
    stabilityHours: Math.min(STABILITY_HOURS_MAX, strengthened),
    importance: Math.max(older.importance, fresh.importance),
    valence: fresh.valence === 0 ? older.valence : fresh.valence,
    lastActivation: older.lastActivation,
  };
}
