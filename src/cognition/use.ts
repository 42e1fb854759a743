/**
 * What a use does to a memory: its traits after it, as absolute values, from its traits before it.
 *
 * The home writer calls this and logs the result, so it is a pure function of its arguments: no clock, no
 * settings, no chance. Three uses:
 *
 *   retrieved    a recall brought it up. The testing effect (Roediger & Karpicke 2006): the half-life grows by
 *                  S' = S (1 + G (e^(w (1 - R)) - 1))
 *                with R what was left of it: hardly at all right after the last use (massed repetition), and
 *                the more the nearer it was to being forgotten (spacing; "desirable difficulty", Bjork 1994).
 *                The form is that of spaced-repetition schedulers (Woźniak's two-component model; Ye 2022).
 *   reinforced   it was studied again: RESTUDY_SHARE of that growth, and a step of importance towards 1
 *                (the error-correcting step of Rescorla & Wagner 1972), so that being told that it matters
 *                counts at once, and is bounded however often it is said.
 *   primed       a neighbour was used: only the activation changes, nothing that lasts.
 *
 * G and w are fitted to the optimal gaps of Cepeda et al. 2008, RESTUDY_SHARE to the half-lives that tested
 * and restudied groups have in Roediger & Karpicke 2006 (test/cognition/use.test.ts).
 */
import { assert } from "../base/assert.ts";
import type { ForgettingCurve } from "../layout/forgetting-curve.ts";
import { effectiveStability, HOUR_MS, retention } from "./forgetting.ts";

/** The mutable traits of a memory that uses change; `layout/node-header.ts` says where they lie. */
export type Traits = {
  /** ms since the epoch: the last use, or when it was stored */
  readonly lastUsedMs: number;
  readonly useCount: number;
  /** half-life before importance and feeling stretch it */
  readonly stabilityHours: number;
  /** 0 to 1 */
  readonly importance: number;
  /** -1 to 1 */
  readonly valence: number;
  /** 0 to 1, at `lastUsedMs` or when it was primed */
  readonly lastActivation: number;
};

export type Use = "retrieved" | "reinforced" | "primed";

/** Gain of the half-life, and how steeply it grows with what had been forgotten. */
export const GAIN_G = 8;
export const GAIN_W = 3;
/** Growth by studying again, as a part of the growth by a test. */
export const RESTUDY_SHARE = 0.3;
/** Step of importance towards 1 at each reinforcement: α of Rescorla & Wagner. */
export const IMPORTANCE_ALPHA = 0.1;
/** A hundred years: beyond it nothing is measured, and f32 stays exact enough. */
export const STABILITY_HOURS_MAX = 876_600;
const USE_COUNT_MAX = 0xffffffff;

/**
 * The traits after one use. Deterministic; about 50 ns.
 *
 * @param atMs when it was used; a time before the last use counts as that
 * @param curve of the space
 */
export function nextTraits(traits: Traits, how: Use, atMs: number, curve: ForgettingCurve): Traits {
  if (how === "primed") return { ...traits, lastActivation: 1 };
  const left = retentionOf(traits, atMs, curve);
  const share = how === "retrieved" ? 1 : RESTUDY_SHARE;
  return {
    lastUsedMs: Math.max(atMs, traits.lastUsedMs),
    useCount: Math.min(traits.useCount + 1, USE_COUNT_MAX),
    stabilityHours: Math.min(STABILITY_HOURS_MAX, traits.stabilityHours * (1 + share * gain(left))),
    importance:
      how === "reinforced"
        ? traits.importance + IMPORTANCE_ALPHA * (1 - traits.importance)
        : traits.importance,
    valence: traits.valence,
    lastActivation: 1,
  };
}

/** What is left of a memory with these traits at a time, 0 to 1. */
export function retentionOf(
  traits: Pick<Traits, "lastUsedMs" | "stabilityHours" | "importance" | "valence">,
  atMs: number,
  curve: ForgettingCurve,
): number {
  const { stabilityHours, importance, valence } = traits;
  const ageHours = (atMs - traits.lastUsedMs) / HOUR_MS;
  return retention(curve, ageHours, effectiveStability(stabilityHours, importance, valence));
}

/** By how much, as a part of itself, a successful test lengthens the half-life of which `left` was left. */
export function gain(left: number): number {
  assert(left >= 0 && left <= 1, "what is left lies between 0 and 1");
  return GAIN_G * Math.expm1(GAIN_W * (1 - left));
}
