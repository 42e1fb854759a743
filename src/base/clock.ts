/**
 * The door to time. What waits, ages or measures is handed a `Clock`, so that tests can step it.
 *
 * Two kinds of time, never mixed: monotonic nanoseconds for how long something took (they start anywhere and
 * never go back), and wall-clock milliseconds since the Unix epoch for when something happened (they may
 * jump when the system's clock is set). `ffi/tick-clock.ts` has a cheaper monotonic one for hot paths.
 */
export interface Clock {
  /** Monotonic time in ns, from an origin of its own. */
  nowNs(): number;
  /** Wall-clock time in ms since the Unix epoch. */
  wallMs(): number;
}

/** The system's clocks; `nowNs` costs some 30 ns. */
export const systemClock: Clock = {
  nowNs: () => Bun.nanoseconds(),
  wallMs: () => Date.now(),
};
