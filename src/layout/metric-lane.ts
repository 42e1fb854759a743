/**
 * Metrics in shared memory: one region for each NUMA node, which holds a block and then a lane per thread.
 *
 *   byte 0          | node block: the sums of the node's lanes, written by its collector         |
 *        laneBytes  | lane of the node's first thread, written by that thread                     |
 *        2 laneBytes| lane of its second thread                                                   | …
 *
 * Block and lanes are laid out alike, as f64 cells. What the cells are is computed from the catalogue
 * (`observe/series.ts`); here is only how a histogram lies in them, and that lanes fill whole cache lines:
 *
 *   cell 0 … 63   events by bucket; bucket e holds what is above 2^(e-1) and at most 2^e units
 *        64       sum of what was recorded, in the unit it was recorded in
 *        65 … 71  unused, so that the next histogram starts on its own line
 *
 * For durations the unit is 2^-30 s, so that the bounds are powers of two in seconds (Prometheus's native
 * schema 0); for shares it is 2^-30, for sizes 1. Bucket 0 also takes zero. The number of events is the sum of the buckets.
 */
import { assert } from "../base/assert.ts";
import { CACHE_LINE_BYTES } from "./cache-line.ts";

export const CELL_BYTES = 8;
export const CELLS_PER_LINE: number = CACHE_LINE_BYTES / CELL_BYTES;
export const HISTOGRAM_BUCKETS = 64;
export const HISTOGRAM_SUM = 64;
export const HISTOGRAM_CELLS = 72;

/** Durations are recorded in ms; times this they are in units of 2^-30 s. */
export const DURATION_UNITS_PER_MS: number = 2 ** 30 / 1000;
/** Shares are recorded as they are; times this they are in units of 2^-30. */
export const RATIO_UNITS: number = 2 ** 30;
/** The upper bound of a duration's or share's bucket e is 2^(e + this). */
export const DURATION_BUCKET_EXPONENT = -30;

assert(HISTOGRAM_CELLS % CELLS_PER_LINE === 0, "a histogram fills whole cache lines");
assert(HISTOGRAM_SUM >= HISTOGRAM_BUCKETS, "the sum lies behind the buckets");
assert(HISTOGRAM_SUM < HISTOGRAM_CELLS, "the sum lies in the histogram");
