/**
 * How much of a core background work may take: most of it while nobody asks, little while somebody does.
 *
 * Load is what the appliance is asked for since the last turn, reads and writes alike. Under load the work goes on in
 * short slices between which whoever needs the core gets it, so that it never falls behind for good.
 */

export type WorkSlice = {
  readonly sliceMs: number;
  /** rest before the next turn, where there is more to do */
  readonly restMs: number;
};

/** Operations a second from which the appliance counts as busy. */
const BUSY_PER_SECOND = 20;
/** 4 % of a core. */
const BUSY: WorkSlice = { sliceMs: 10, restMs: 240 };
const IDLE: WorkSlice = { sliceMs: 80, restMs: 5 };

export class WorkPace {
  readonly #operations: () => number;
  readonly #nowMs: () => number;
  #seen: number;
  #seenAtMs: number;
  #slice = IDLE;

  /** @param options.operations reads and writes done so far @param options.nowMs monotonic */
  constructor(options: { operations: () => number; nowMs: () => number }) {
    this.#operations = options.operations;
    this.#nowMs = options.nowMs;
    this.#seen = options.operations();
    this.#seenAtMs = options.nowMs();
  }

  /** What the next turn may take. */
  next(): WorkSlice {
    const nowMs = this.#nowMs();
    const elapsedMs = nowMs - this.#seenAtMs;
    // Too short a look says nothing: what was found at the last one holds.
    if (elapsedMs < 50) return this.#slice;
    const operations = this.#operations();
    const perSecond = ((operations - this.#seen) * 1000) / elapsedMs;
    this.#seen = operations;
    this.#seenAtMs = nowMs;
    this.#slice = perSecond >= BUSY_PER_SECOND ? BUSY : IDLE;
    return this.#slice;
  }
}
