/**
 * When the requests of an open loop are due: a Poisson process, as many independent clients make it, whose rate may
 * rise in bursts. Made beforehand, by thinning (Lewis & Shedler 1979), so that it is the same for the same seed.
 */
import { assert } from "../../base/assert.ts";
import { Random } from "../../base/random.ts";

export type Rate = {
  /** requests a second */
  readonly base: number;
  readonly burst?: { readonly periodMs: number; readonly burstMs: number; readonly rate: number } | undefined;
};

/** Moments in ms from the start, ascending. */
export function arrivalTimes(rate: Rate, durationMs: number, seed: number): Float64Array {
  const most = Math.max(rate.base, rate.burst?.rate ?? 0);
  assert(most > 0, "an open loop has a rate");
  const random = new Random(seed);
  const times: number[] = [];
  for (let atMs = 0; ; ) {
    atMs += (-Math.log(1 - random.float()) * 1000) / most;
    if (atMs >= durationMs) return Float64Array.from(times);
    if (random.float() * most < rateAt(rate, atMs)) times.push(atMs);
  }
}

/** Whether a moment lies in a burst. */
export function isBurst({ burst }: Rate, atMs: number): boolean {
  return burst !== undefined && atMs % burst.periodMs < burst.burstMs;
}

function rateAt(rate: Rate, atMs: number): number {
  return isBurst(rate, atMs) ? rate.burst!.rate : rate.base;
}
