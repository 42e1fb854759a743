/**
 * The recording end of the metrics: one lane per thread, in its node's memory.
 *
 * Only its own thread writes a lane, so plain stores are enough: aligned 8-byte stores are not torn on x86-64
 * and arm64, and a double counts exactly to 2^53. (One exception, which keeps one writer to a cell: levels that
 * only the node's collector can know of a thread are set by it, once a second.) Nothing is allocated, nothing is
 * looked up: a series is the number of its cell, found when the program starts (`series.ts`).
 *
 * A histogram's bucket is found without a loop: the value in units, rounded up, less one, has as many bits as
 * the exponent of the power of two that bounds it.
 */
import { assert } from "../base/assert.ts";
import {
  DURATION_UNITS_PER_MS,
  HISTOGRAM_BUCKETS,
  HISTOGRAM_SUM,
  RATIO_UNITS,
} from "../layout/metric-lane.ts";
import {
  type CounterSeries,
  type DurationSeries,
  LANE_CELLS,
  type LevelSeries,
  type RatioSeries,
  type SizeSeries,
} from "./series.ts";

export class MetricLane {
  readonly #cells: Float64Array;

  /** @param cells of a lane, as `metric-region.ts` or `localLaneCells` makes them */
  constructor(cells: Float64Array) {
    assert(cells.length === LANE_CELLS, "a lane has the cells that the catalogue asks for");
    this.#cells = cells;
  }

  /** Counts `count` events. */
  add(series: CounterSeries, count: number): void {
    this.#cells[series]! += count;
  }

  /** Sets a gauge, or a counter that is kept elsewhere. NaN says that it can not be measured (any more). */
  set(series: LevelSeries, value: number): void {
    this.#cells[series] = value;
  }

  /** Records one duration in ms. Below zero (clocks of two cores may differ by nanoseconds) counts as zero. */
  record(series: DurationSeries, ms: number): void {
    const cells = this.#cells;
    const took = ms > 0 ? ms : 0;
    cells[series + bucketOf(took * DURATION_UNITS_PER_MS)]! += 1;
    cells[series + HISTOGRAM_SUM]! += took;
  }

  /** Records `count` durations of `ms` each, as when a batch was measured. */
  recordMany(series: DurationSeries, ms: number, count: number): void {
    const cells = this.#cells;
    const took = ms > 0 ? ms : 0;
    cells[series + bucketOf(took * DURATION_UNITS_PER_MS)]! += count;
    cells[series + HISTOGRAM_SUM]! += took * count;
  }

  /** Records one size: a number of things, or bytes. */
  recordSize(series: SizeSeries, size: number): void {
    const cells = this.#cells;
    cells[series + bucketOf(size)]! += 1;
    cells[series + HISTOGRAM_SUM]! += size;
  }

  /** Records a share: 0 to 1, in the buckets that durations of as many seconds have. */
  recordRatio(series: RatioSeries, ratio: number): void {
    const cells = this.#cells;
    cells[series + bucketOf(ratio * RATIO_UNITS)]! += 1;
    cells[series + HISTOGRAM_SUM]! += ratio;
  }
}

const TWO_32 = 2 ** 32;
const TWO_31 = 2 ** 31;

/** The bucket of a value in units: the smallest e with value <= 2^e, at most the last one. */
export function bucketOf(units: number): number {
  if (units <= TWO_32) {
    const below = Math.ceil(units) - 1;
    return below > 0 ? 32 - Math.clz32(below) : 0;
  }
  // Divided by a power of two, because above 2^53 one less is no other number.
  const below = Math.ceil(units / TWO_32) - 1;
  return below < TWO_31 ? 64 - Math.clz32(below) : HISTOGRAM_BUCKETS - 1;
}
