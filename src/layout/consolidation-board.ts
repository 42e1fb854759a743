/**
 * The board of consolidation: runs that clients ask for and runs that happen by themselves, in a SharedArrayBuffer
 * that API workers and the background thread share. It holds the last RUN_COUNT of them.
 *
 *   byte 0       64                        64 + RUN_BYTES
 *        | next id | run                   | run …
 *
 *   run: byte 0       4    8             12                 16          20          24
 *             | state | id | space index | space generation | requested | cycles max | reason | 0 … 64
 *        byte 64  f64 numbers (RUN_NUMBER)    192 … 320  name of the space, as length byte + UTF-8
 *
 * Whoever wants a run takes a place that is free, or the oldest one that has ended, by a compare-and-swap of its state
 * to `claimed`, fills it in and stores `waiting`. From then on it is the background thread's, which stores `running`,
 * `paused` and at last `done` or `failed`. Readers copy a run and look at its id and state again afterwards.
 */
import { assert } from "../base/assert.ts";
import { CACHE_LINE_BYTES } from "./cache-line.ts";

export const RUN_COUNT = 128;
export const RUN_BYTES = 320;
export const BOARD_HEAD_BYTES = CACHE_LINE_BYTES;
export const BOARD_BYTES: number = BOARD_HEAD_BYTES + RUN_COUNT * RUN_BYTES;

/** Word index from the start of a run. */
export const RUN_WORD = {
  /** a RUN_STATE */
  state: 0,
  /** u32, from 1 */
  id: 1,
  spaceIndex: 2,
  spaceGeneration: 3,
  /** 1: a client asked for it */
  requested: 4,
  /** bound of a run that was asked for */
  cyclesMax: 5,
  /** a RUN_REASON: why it failed */
  reason: 6,
} as const;

/** Index of an f64 from byte RUN_NUMBERS_AT of a run. */
export const RUN_NUMBER = {
  /** ms since the epoch; 0 while it has not come to that */
  requestedAtMs: 0,
  startedAtMs: 1,
  endedAtMs: 2,
  pausedMs: 3,
  /** memories that the walk has not come to, when it ended */
  unconsolidated: 4,
  /** the figures, in their order (engine/consolidation/consolidation-figures.ts) */
  figures: 5,
} as const;
export const RUN_NUMBERS_AT = 64;
export const RUN_FIGURES_MAX = 11;
export const RUN_NAME = { at: 192, bytes: 128 } as const;

export const RUN_STATES = ["free", "claimed", "waiting", "running", "paused", "done", "failed"] as const;
export type RunState = (typeof RUN_STATES)[number];
export const RUN_STATE = {
  free: 0,
  claimed: 1,
  waiting: 2,
  running: 3,
  paused: 4,
  done: 5,
  failed: 6,
} as const;

/** Codes of errors that end a run, by place. */
export const RUN_REASONS = [
  "",
  "space-gone",
  "disk-full",
  "memory-exhausted",
  "space-full",
  "overloaded",
] as const;
export type RunReason = (typeof RUN_REASONS)[number];

assert(
  RUN_STATES.every((state, code) => RUN_STATE[state] === code),
  "every state has its place",
);
assert(
  RUN_NUMBERS_AT + (RUN_NUMBER.figures + RUN_FIGURES_MAX) * 8 <= RUN_NAME.at,
  "the numbers end before the name",
);
assert(RUN_NAME.at + RUN_NAME.bytes <= RUN_BYTES, "the name fits the run");
