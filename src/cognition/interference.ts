/**
 * Interference: memories that are alike and near in time compete for a cue.
 *
 * Older ones interfere proactively (Underwood 1957: what was learned before explains most of what a day
 * takes away), newer ones retroactively (McGeoch 1932). Both act here as competition at retrieval, by the
 * ratio rule of SAM (Raaijmakers & Shiffrin 1981; Mensink & Raaijmakers 1988):
 *
 *   share = s / (s + w Σ s_j · likeness_j · nearness_j)
 *
 *   s           strength of the memory, s_j of each competitor: what is left of them
 *   likeness    0 at the cosine LIKENESS_FLOOR and below, 1 for the same text (Osgood 1949)
 *   nearness    e^(-distance in time / window): lists of one week compete, those of two years do not
 *   w           COMPETITION_W, fitted to Underwood 1957: 20 lists learned before leave a third of the
 *               recall that the first list has
 *
 * A share of 1 is a memory without competitors. What recall makes of it is bounded by its caller.
 */
import { assert } from "../base/assert.ts";

/** Weight of one competitor that is the same in everything. */
export const COMPETITION_W = 0.105;
/** Cosine at which memories begin to be alike. */
export const LIKENESS_FLOOR = 0.3;

export type Competitors = {
  readonly count: number;
  /** what is left of each, 0 to 1 */
  readonly strengths: ArrayLike<number>;
  /** when each happened, ms */
  readonly timesMs: ArrayLike<number>;
  /** cosine of each pair, count × count, row-major; NaN where there is no vector */
  readonly cosines: ArrayLike<number>;
};

/** What competition leaves of a memory: `share` of its strength, and how much of the loss came from where. */
export type Interference = {
  /** 0 to 1; 1 without competitors */
  readonly share: number;
  /** parts of the loss 1 - share: by older ones, and by newer ones */
  readonly proactive: number;
  readonly retroactive: number;
};

/** Without competition. */
export const UNDISTURBED: Interference = { share: 1, proactive: 0, retroactive: 0 };

/**
 * The competition one memory meets among the others.
 *
 * @param windowMs distance in time at which 1/e of the competition is left
 */
export function interferenceOf(memory: number, among: Competitors, windowMs: number): Interference {
  const { count, strengths, timesMs, cosines } = among;
  assert(memory < count, "the memory is one of those that compete");
  assert(windowMs > 0, "the window has a length");
  let older = 0;
  let newer = 0;
  for (let other = 0; other < count; other++) {
    const cosine = cosines[memory * count + other]!;
    if (other === memory || !(cosine > LIKENESS_FLOOR)) continue;
    const likeness = Math.min(1, (cosine - LIKENESS_FLOOR) / (1 - LIKENESS_FLOOR));
    const apartMs = timesMs[other]! - timesMs[memory]!;
    const pull = strengths[other]! * likeness * Math.exp(-Math.abs(apartMs) / windowMs);
    if (apartMs <= 0) older += pull;
    else newer += pull;
  }
  const against = COMPETITION_W * (older + newer);
  if (against === 0) return UNDISTURBED;
  const share = strengths[memory]! / (strengths[memory]! + against);
  const loss = 1 - share;
  return {
    share,
    proactive: (loss * older) / (older + newer),
    retroactive: (loss * newer) / (older + newer),
  };
}
