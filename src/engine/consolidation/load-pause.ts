/**
 * Whether consolidation should leave the processor to requests: so many operations a second, measured over a
 * quarter of a second at least. It gives way for half a minute at a time at most, then one cycle is let through, so
 * that under a load that never ends memories are consolidated all the same, only slowly.
 */
export const PAUSE_MS_MAX = 30_000;
const MEASURED_MS_MIN = 250;

export class LoadPause {
  readonly #operations: () => number;
  readonly #perSecondMax: number;
  #measuredAtMs: number;
  #counted: number;
  #isBusy = false;
  /** when the pause under way began */
  #pausedAtMs: number | undefined;

  /** @param options.operations done since the start, all of them */
  constructor(options: { operations: () => number; perSecondMax: number; nowMs: number }) {
    this.#operations = options.operations;
    this.#perSecondMax = options.perSecondMax;
    this.#measuredAtMs = options.nowMs;
    this.#counted = options.operations();
  }

  /** Whether to wait now. @param nowMs monotonic */
  shouldWait(nowMs: number): boolean {
    const elapsedMs = nowMs - this.#measuredAtMs;
    if (elapsedMs >= MEASURED_MS_MIN) {
      const counted = this.#operations();
      this.#isBusy = ((counted - this.#counted) * 1000) / elapsedMs > this.#perSecondMax;
      this.#counted = counted;
      this.#measuredAtMs = nowMs;
    }
    if (!this.#isBusy) {
      this.#pausedAtMs = undefined;
      return false;
    }
    this.#pausedAtMs ??= nowMs;
    if (nowMs - this.#pausedAtMs < PAUSE_MS_MAX) return true;
    this.#pausedAtMs = nowMs;
    return false;
  }
}
