/**
 * What the engine's parts tell whoever watches them. They are handed a meter, and know nothing of what it does
 * with the figures (`observe/meters.ts` counts them in the thread's lane); a silent one records nothing.
 *
 * Codes are those of `layout/metric-codes.ts`. Readings of the clock cost more than recording, so a part reads
 * `nowMs` once at each boundary and hands on differences.
 */

export type EngineMeter = {
  /** monotonic ms, read from the cheapest clock there is */
  readonly nowMs: () => number;
  /**
   * An operation has ended.
   * @param operation an OPERATION
   * @param liveCount live memories of its space; -1 where there is no such space
   * @param outcome an OUTCOME
   */
  readonly operation: (operation: number, liveCount: number, outcome: number, tookMs: number) => void;
  /** The same of one whose time was not taken. */
  readonly untimed: (operation: number, liveCount: number, outcome: number) => void;
  /** One stage of a recall or remember has ended. @param stage a STAGE */
  readonly stage: (operation: number, stage: number, tookMs: number) => void;
  /** What a recall did. @param mode place in RECALL_MODES */
  readonly recalled: (mode: number, memories: number) => void;
  /** How much of a recall rested on fast and on slow memory; both make 1. */
  readonly blended: (fast: number, slow: number) => void;
  /** Distances a recall computed, in walks of the graph and in scans. */
  readonly searched: (inGraph: number, inScan: number) => void;
  /** Activation spread in a recall. @param end place in SPREAD_ENDS @param isKept it was known where it leads */
  readonly activated: (visited: number, hops: number, end: number, isKept: boolean) => void;
  /** What was left of the memory a recall answered first, and whether competition and priming changed scores. */
  readonly weighed: (retention: number, competed: boolean, primed: boolean) => void;
  /** Recalls that taught nothing: there were too many at once, or the home writer took no more. */
  readonly passedOver: (recalls: number) => void;
  /** Memories handed in to be remembered. @param outcome place in REMEMBERED */
  readonly remembered: (outcome: number, memories: number) => void;
};

/** Who is told of operations that took long. */
export type SlowMeter = {
  /** ms; may change while the appliance runs */
  readonly thresholdMs: number;
  /** An operation that nobody traces took at least the threshold. @param error what it threw, if it did */
  readonly untraced: (operation: number, space: string, tookMs: number, error: unknown) => void;
};

/** What a home writer tells. */
export type WriterMeter = {
  readonly appended: (bytes: number) => void;
  /** A sync made `records` records durable. */
  readonly flushed: (tookMs: number, records: number) => void;
  /** Memories were used, by USE. */
  readonly used: (uses: readonly number[]) => void;
};

/** What an indexer tells. */
export type IndexMeter = {
  readonly nowMs: () => number;
  /** `count` vectors were linked, in `tookMs` altogether. */
  readonly inserted: (tookMs: number, count: number) => void;
  readonly rebuilt: () => void;
};

const nothing = (): void => undefined;
const noTime = (): number => 0;

export const SILENT_ENGINE_METER: EngineMeter = {
  nowMs: noTime,
  operation: nothing,
  untimed: nothing,
  stage: nothing,
  recalled: nothing,
  blended: nothing,
  searched: nothing,
  activated: nothing,
  remembered: nothing,
  passedOver: nothing,
  weighed: nothing,
};
export const SILENT_SLOW_METER: SlowMeter = { thresholdMs: Number.POSITIVE_INFINITY, untraced: nothing };
export const SILENT_WRITER_METER: WriterMeter = { appended: nothing, flushed: nothing, used: nothing };
export const SILENT_INDEX_METER: IndexMeter = { nowMs: noTime, inserted: nothing, rebuilt: nothing };

/** A meter that can be silenced: its functions are those of one of two meters at a time. */
export type SwitchedMeter<M extends object> = { readonly meter: M; readonly setOn: (isOn: boolean) => void };

export function switchedMeter<M extends object>(recording: M, silent: M, isOn: boolean): SwitchedMeter<M> {
  const meter = { ...(isOn ? recording : silent) };
  return { meter, setOn: (on) => void Object.assign(meter, on ? recording : silent) };
}
