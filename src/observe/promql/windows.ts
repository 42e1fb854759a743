/**
 * Walks the samples of selected series as the evaluator's instant moves on.
 *
 * Instants mostly rise, so each series keeps where it was: a step costs a comparison or two a series, and looking
 * back works too.
 */
import type { Labels } from "./labels.ts";
import type { Window } from "./range-functions.ts";
import type { SeriesSamples } from "./samples.ts";

export class SeriesWalk {
  readonly labels: Labels;
  readonly #times: Float64Array;
  readonly #values: Float64Array;
  readonly #goneAt: Float64Array | undefined;
  /** samples before this one are not later than the instant */
  #end = 0;
  #goneEnd = 0;
  #start = 0;
  /** whether a value is anywhere less than the one before; undefined until somebody asks */
  #falls: boolean | undefined;

  constructor(labels: Labels, series: Omit<SeriesSamples, "labels">) {
    this.labels = labels;
    this.#times = series.times;
    this.#values = series.values;
    this.#goneAt = series.goneAt;
  }

  /**
   * The index of the sample that counts at an instant: the last one, not older than `lookbackMs`, of a series that is
   * not gone by then; -1 where there is none.
   */
  indexAt(atMs: number, lookbackMs: number): number {
    this.#end = firstAfter(this.#times, this.#end, atMs);
    const index = this.#end - 1;
    if (index < 0) return -1;
    const time = this.#times[index]!;
    if (time < atMs - lookbackMs) return -1;
    if (this.#goneAt !== undefined) {
      this.#goneEnd = firstAfter(this.#goneAt, this.#goneEnd, atMs);
      if (this.#goneEnd > 0 && this.#goneAt[this.#goneEnd - 1]! > time) return -1;
    }
    return index;
  }

  valueAt(index: number): number {
    return this.#values[index]!;
  }

  timeAt(index: number): number {
    return this.#times[index]!;
  }

  /** Fills in the samples from `fromMs` to `toMs`, both included; false where there are none. */
  fill(window: Window, fromMs: number, toMs: number): boolean {
    this.#start = firstAtOrAfter(this.#times, this.#start, fromMs);
    this.#end = firstAfter(this.#times, this.#end, toMs);
    if (this.#start >= this.#end) return false;
    window.times = this.#times;
    window.values = this.#values;
    window.lo = this.#start;
    window.hi = this.#end;
    window.fromMs = fromMs;
    window.toMs = toMs;
    return true;
  }

  /** Whether a value is anywhere less than the one before: of counters, whether there is a reset to look for. */
  get falls(): boolean {
    this.#falls ??= falls(this.#values);
    return this.#falls;
  }
}

function falls(values: Float64Array): boolean {
  for (let i = 1; i < values.length; i++) if (values[i]! < values[i - 1]!) return true;
  return false;
}

function firstAfter(times: Float64Array, guess: number, atMs: number): number {
  let index = guess;
  while (index < times.length && times[index]! <= atMs) index += 1;
  while (index > 0 && times[index - 1]! > atMs) index -= 1;
  return index;
}

function firstAtOrAfter(times: Float64Array, guess: number, atMs: number): number {
  let index = guess;
  while (index < times.length && times[index]! < atMs) index += 1;
  while (index > 0 && times[index - 1]! >= atMs) index -= 1;
  return index;
}
