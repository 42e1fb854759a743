/**
 * The history's writing end: takes a sample of every series once a second and keeps it in each ring that is due.
 *
 * It belongs to one thread, the first collector. Readers (`history-reader.ts`) find everything through the shared
 * state; nobody waits for anybody. What a tick costs is a copy of one number a series, and a block to pack now and then
 * (bench/observe/promql.bench.ts).
 */
import { assert } from "../base/assert.ts";
import type { MemoryPolicy } from "../shm/memory-policy.ts";
import { mapRegion, type Region } from "../shm/region.ts";
import { type HistoryShape, layoutHistory, STATE_NUMBER, STATE_WORD } from "./history-layout.ts";
import { HistoryRing } from "./history-ring.ts";
import { type SeriesIdentity, SeriesTableWriter } from "./history-series.ts";

/** What the history is fed from. */
export interface SampleSource {
  /** Takes a sample of everything, and says how many series there are now. */
  sample(): number;
  /** Series by index. An index stands for the same series for good; new ones come at the end. */
  identity(index: number): SeriesIdentity;
  /** The values of the last sample by index; NaN for a series that is not there now. Valid until the next one. */
  readonly values: Float64Array;
}

export class History {
  readonly shape: HistoryShape;
  readonly rings: readonly HistoryRing[];
  readonly series: SeriesTableWriter;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  readonly #region: Region;
  readonly #row: Float64Array;
  /** the history's index of each series of the source */
  readonly #indexes: number[] = [];
  #lastMs = Number.NEGATIVE_INFINITY;

  /**
   * @param state from `makeHistoryState`, shared with the readers
   * @throws {OperatorError} `memory-refused`
   */
  constructor(shape: HistoryShape, state: SharedArrayBuffer, policy: MemoryPolicy) {
    const layout = layoutHistory(shape);
    assert(state.byteLength === layout.stateBytes, "the shared state is of this shape");
    this.shape = shape;
    this.#words = new Int32Array(state);
    this.#numbers = new Float64Array(state, layout.numbersAt);
    assert(this.#words[STATE_WORD.isReady] === 0, "a history has one writer");
    // Most of it stays untouched: room for thousands of series that few machines have.
    this.#region = mapRegion({ bytes: layout.regionBytes, purpose: "history", policy, pages: "small" });
    const address = this.#region.address;
    const memory = { words: this.#words, numbers: this.#numbers, address };
    this.series = new SeriesTableWriter({
      ...memory,
      bytes: shape.seriesTextBytes,
      countMax: shape.seriesCountMax,
    });
    this.rings = shape.rings.map((ring, index) => new HistoryRing(ring, layout.rings[index]!, memory));
    this.#row = new Float64Array(shape.seriesCountMax);
    this.#numbers[STATE_NUMBER.regionAddress] = address;
    this.#numbers[STATE_NUMBER.seriesTextBytes] = 0;
  }

  /** Lets readers in; call it once what an earlier process saved is loaded. */
  open(): void {
    for (const ring of this.rings) this.#lastMs = Math.max(this.#lastMs, ring.lastMs);
    Atomics.store(this.#words, STATE_WORD.isReady, 1);
  }

  /**
   * Samples the source for the tick at `atMs`, ms since the epoch.
   * @returns false when the tick is left out because the clock was set back behind the one before
   */
  record(atMs: number, source: SampleSource): boolean {
    const due = this.rings.filter((ring) => ring.isDue(atMs));
    if (atMs <= this.#lastMs) return false;
    if (due.length === 0) return true;
    const count = source.sample();
    while (this.#indexes.length < count) {
      this.#indexes.push(this.series.indexOf(source.identity(this.#indexes.length)));
    }
    const seriesCount = this.series.identities.length;
    // Series that this process does not have are gone.
    this.#row.fill(Number.NaN, 0, seriesCount);
    const { values } = source;
    for (let i = 0; i < count; i++) {
      const index = this.#indexes[i]!;
      if (index >= 0) this.#row[index] = values[i]!;
    }
    for (const ring of due) ring.append(atMs, this.#row, seriesCount);
    this.#lastMs = atMs;
    return true;
  }

  /** Series that found no room. */
  get seriesRefused(): number {
    return this.#numbers[STATE_NUMBER.seriesRefused]!;
  }

  /** Gives the memory back. No reader may be inside. */
  close(): void {
    Atomics.store(this.#words, STATE_WORD.isReady, 0);
    this.#region.unmap();
  }
}
