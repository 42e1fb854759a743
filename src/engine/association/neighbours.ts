/**
 * Which earlier memories a new one belongs to by time and session: what is experienced together is bound together
 * (contiguity; Howard & Kahana 2002, "A distributed representation of temporal context": the nearer in the order of
 * experience, the stronger).
 *
 * Two memories that both name a session belong together if it is the same one; otherwise if their times are near.
 * The nearest is bound with strength 1, and each further one half as strongly as the one before.
 */
import { BINDING_KIND } from "../../layout/binding.ts";

/** What time and session say of a memory. */
export type Moment = {
  readonly slot: number;
  readonly timestampMs: number;
  /** as its metadata names it */
  readonly session: string | undefined;
};

export type Tie = {
  readonly slot: number;
  /** a BINDING_KIND */
  readonly kind: number;
  readonly strength: number;
};

const FALL = 0.5;

/** The ties of a memory to the nearest `window` of `earlier` ones that belong to it, nearest first. */
export function tiesInTime(
  memory: Moment,
  earlier: readonly Moment[],
  { window, sessionGapMs }: { readonly window: number; readonly sessionGapMs: number },
): Tie[] {
  const apart = (other: Moment): number => Math.abs(memory.timestampMs - other.timestampMs);
  return earlier
    .filter((other) => belongs(memory, other, sessionGapMs))
    .sort((a, b) => apart(a) - apart(b) || b.slot - a.slot)
    .slice(0, window)
    .map(({ slot, session }, rank) => ({
      slot,
      kind:
        session !== undefined && session === memory.session ? BINDING_KIND.session : BINDING_KIND.temporal,
      strength: FALL ** rank,
    }));
}

function belongs(memory: Moment, other: Moment, sessionGapMs: number): boolean {
  if (memory.session !== undefined && other.session !== undefined) return memory.session === other.session;
  return Math.abs(memory.timestampMs - other.timestampMs) <= sessionGapMs;
}
