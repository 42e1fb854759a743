/**
 * Complementary learning systems (McClelland, McNaughton & O'Reilly 1995, Psychological Review 102, 419-457): a
 * fast store keeps single episodes, a slow one what they have in common, and replay carries from one to the other.
 *
 * The paper's two traces of one memory, as functions of its age t:
 *
 *   S_h(t)  strength in the hippocampus:  dS_h/dt = -D_h S_h
 *   S_c(t)  strength in the neocortex:    dS_c/dt = C S_h - D_c S_c
 *
 *   with S_h(0) = 1, S_c(0) = 0:   S_h = e^(-D_h t),   S_c = C / (D_h - D_c) × (e^(-D_c t) - e^(-D_h t))
 *
 * C is the rate of consolidation: how often a memory is reinstated times how much each time teaches. Here the
 * neocortical trace of an episode is its share in a concept, so S_c counts only as far as the episode is like
 * the concept that it belongs to, and not at all while it belongs to none.
 *
 *   recent ──replayed──▶ consolidating ──S_c × likeness ≥ S_h──▶ remote
 *
 * Phases only move to the right, but for an episode whose concept is gone: it is consolidating again.
 */
import { assert } from "../base/assert.ts";
import { NODE_PHASE } from "../layout/node-header.ts";

export type LearningRates = {
  /** D_h, per hour */
  readonly hippocampalDecay: number;
  /** C, per hour */
  readonly consolidation: number;
  /** D_c, per hour, below D_h */
  readonly neocorticalDecay: number;
};

/** As a header holds it: a NODE_PHASE. */
export type PhaseCode = (typeof NODE_PHASE)[keyof typeof NODE_PHASE];

/** Half of what the hippocampus lets go of reaches the neocortex, which forgets a hundred times slower. */
export const CONSOLIDATED_SHARE = 0.5;
export const NEOCORTICAL_SLOWNESS = 100;

/** The rates of a hippocampus that has lost half of a trace after so many hours. */
export function ratesOfHalfLife(halfLifeHours: number): LearningRates {
  assert(halfLifeHours > 0, "a half-life is more than nothing");
  const hippocampalDecay = Math.LN2 / halfLifeHours;
  return {
    hippocampalDecay,
    consolidation: CONSOLIDATED_SHARE * hippocampalDecay,
    neocorticalDecay: hippocampalDecay / NEOCORTICAL_SLOWNESS,
  };
}

/** S_h at an age. */
export function hippocampalStrength(ageHours: number, rates: LearningRates): number {
  return Math.exp(-rates.hippocampalDecay * Math.max(0, ageHours));
}

/** S_c at an age. */
export function neocorticalStrength(ageHours: number, rates: LearningRates): number {
  const { hippocampalDecay, consolidation, neocorticalDecay } = rates;
  const age = Math.max(0, ageHours);
  const rate = consolidation / (hippocampalDecay - neocorticalDecay);
  return rate * (Math.exp(-neocorticalDecay * age) - Math.exp(-hippocampalDecay * age));
}

/** What a memory's phase depends on when it has been replayed. */
export type ReplayedTrace = {
  readonly phase: PhaseCode;
  readonly ageHours: number;
  /** similarity to its concept's centroid; 0 while it belongs to none */
  readonly likeness: number;
};

/** The phase of a memory that has just been replayed. */
export function phaseAfterReplay(
  { phase, ageHours, likeness }: ReplayedTrace,
  rates: LearningRates,
): PhaseCode {
  if (likeness <= 0) return NODE_PHASE.consolidating;
  if (phase === NODE_PHASE.remote) return NODE_PHASE.remote;
  const slow = neocorticalStrength(ageHours, rates) * Math.min(1, likeness);
  return slow >= hippocampalStrength(ageHours, rates) ? NODE_PHASE.remote : NODE_PHASE.consolidating;
}

/** What decides how soon a memory is replayed. */
export type ReplayClaim = {
  readonly ageHours: number;
  /** 0 to 1 */
  readonly importance: number;
  /** how often it was recalled */
  readonly useCount: number;
};

/**
 * How soon a memory is replayed: what is fresh, important and in use comes first. The paper leaves open what is
 * reinstated when; importance doubles a claim at most, and each doubling of use adds a tenth, so that what is
 * new is not kept waiting by what is known well.
 */
export function replayPriority(claim: ReplayClaim, rates: LearningRates): number {
  const { ageHours, importance, useCount } = claim;
  return hippocampalStrength(ageHours, rates) * (1 + importance) * (1 + 0.1 * Math.log2(1 + useCount));
}

/**
 * Interleaves two lists of replays, `every` of the new for one of the old: taught one after another, new things
 * would overwrite what the neocortex knows (the paper's catastrophic interference).
 */
export function interleave<T>(fresh: readonly T[], old: readonly T[], every: number): T[] {
  assert(every >= 1, "old replays come after at least one new one");
  const replays: T[] = [];
  let taken = 0;
  for (const [i, each] of fresh.entries()) {
    replays.push(each);
    if ((i + 1) % every === 0 && taken < old.length) replays.push(old[taken++]!);
  }
  while (taken < old.length) replays.push(old[taken++]!);
  return replays;
}

/** What one answer of a recall rests on. */
export type Evidence = {
  /** its score, 0 or more */
  readonly score: number;
  readonly isConcept: boolean;
  readonly ageHours: number;
  /** similarity to its concept's centroid; 0 where it belongs to none */
  readonly likeness: number;
};

/** How much of a recall rests on each store; the two add up to 1. */
export type Blend = { readonly fast: number; readonly slow: number };

/**
 * Adds up what each store contributed to a recall: a concept speaks for the slow store alone, an episode for
 * both, in the proportion of its two traces; each as loud as its score.
 */
export class BlendSum {
  readonly #rates: LearningRates;
  #fast = 0;
  #slow = 0;

  constructor(rates: LearningRates) {
    this.#rates = rates;
  }

  add({ score, isConcept, ageHours, likeness }: Evidence): void {
    if (!(score > 0)) return;
    if (isConcept) {
      this.#slow += score;
      return;
    }
    const fast = hippocampalStrength(ageHours, this.#rates);
    const slow = likeness > 0 ? neocorticalStrength(ageHours, this.#rates) * Math.min(1, likeness) : 0;
    // An old episode that no concept speaks for is still known from itself alone.
    const share = slow === 0 ? 1 : fast / (fast + slow);
    this.#fast += score * share;
    this.#slow += score * (1 - share);
  }

  /** undefined where nothing was found: then neither store contributed. */
  blend(): Blend | undefined {
    const sum = this.#fast + this.#slow;
    return sum > 0 ? { fast: this.#fast / sum, slow: this.#slow / sum } : undefined;
  }
}
