/**
 * Where the history lies: one region of mapped memory, and a small shared buffer that says what in it counts.
 *
 *   region   | series text | ring 0: two heads, arena | ring 1: … | ring 2: … |
 *   head     K rows of: time in ms, count of series, a value for each series (f64; NaN where it was not there)
 *   arena    sealed blocks, one after the other, beginning anew where the next would not fit
 *   block    times (f64 × ticks) | offsets (u32 × series + 1) | columns (history-column.ts)
 *
 * One thread writes, any number read, none waits. A ring counts its blocks from 0: those from `first` up to `end` are
 * sealed, and `end` is being filled in head `end & 1`.
 *
 *   tick    fills a row, then counts `headTicks` up
 *   seal    moves `first` past what will be overwritten, writes the block where no reader looks, empties the
 *           other head, then counts `end` up
 *
 * A reader copies what it wants and looks at `first` and `end` again: a block counts if it still is not before
 * `first`, the head if `end` went up by at most one. What it may have seen half overwritten is thrown away.
 */
import { assert } from "../base/assert.ts";
import { MIB } from "../base/units.ts";

export type RingShape = {
  readonly stepMs: number;
  readonly retentionMs: number;
  /** ticks in a block */
  readonly blockTicks: number;
  /** memory for sealed blocks; where it is short, the ring reaches back less far */
  readonly arenaBytes: number;
};
export type HistoryShape = {
  /** series beyond are not kept, and counted */
  readonly seriesCountMax: number;
  readonly seriesTextBytes: number;
  /** from the finest to the coarsest */
  readonly rings: readonly RingShape[];
};

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** 1 s for 10 minutes, 10 s for 6 hours, 1 minute for 7 days. Memory is taken as it is written to. */
export const HISTORY_SHAPE: HistoryShape = {
  seriesCountMax: 8192,
  seriesTextBytes: 4 * MIB,
  rings: [
    { stepMs: 1000, retentionMs: 10 * MINUTE_MS, blockTicks: 60, arenaBytes: 16 * MIB },
    { stepMs: 10_000, retentionMs: 6 * HOUR_MS, blockTicks: 120, arenaBytes: 32 * MIB },
    { stepMs: MINUTE_MS, retentionMs: 7 * 24 * HOUR_MS, blockTicks: 120, arenaBytes: 96 * MIB },
  ],
};

/** Numbers before the values of a head's row. */
export const ROW_HEADER = 2;
/** A value takes a control byte and eight more at most. */
const VALUE_BYTES_MAX = 9;

/** Bytes that a block can take at most. */
export function blockBytesMax(tickCount: number, seriesCount: number): number {
  const columnBytesMax = 1 + Math.ceil(tickCount / 8) + tickCount * VALUE_BYTES_MAX;
  return tickCount * 8 + (seriesCount + 1) * 4 + 4 + seriesCount * columnBytesMax;
}

/** Byte offsets in the region. */
export type RingPlace = {
  readonly heads: readonly [number, number];
  readonly rowBytes: number;
  readonly arena: number;
  readonly slotCount: number;
  /** of the first of its words in the shared state */
  readonly wordAt: number;
  /** of the time up to which samples were given up */
  readonly lostAt: number;
  /** of the numbers of its blocks */
  readonly numberAt: number;
};
export type HistoryLayout = {
  readonly regionBytes: number;
  readonly stateBytes: number;
  readonly numbersAt: number;
  readonly rings: readonly RingPlace[];
};

/** Words of the shared state (Int32, atomic). */
export const STATE_WORD = { isReady: 0, seriesCount: 1, rings: 4 } as const;
/** Words of each ring. */
export const RING_WORD = { first: 0, end: 1, headTicks: 2 } as const;
const RING_WORDS = 4;
/** Numbers of the shared state (f64, published by a word). */
export const STATE_NUMBER = { regionAddress: 0, seriesTextBytes: 1, seriesRefused: 2, rings: 4 } as const;
/** Numbers of each block. */
export const BLOCK_NUMBER = { at: 0, bytes: 1, ticks: 2, series: 3, firstMs: 4, lastMs: 5 } as const;
export const BLOCK_NUMBERS = 6;

export function layoutHistory(shape: HistoryShape): HistoryLayout {
  let regionAt = shape.seriesTextBytes;
  let numberAt: number = STATE_NUMBER.rings;
  const rowBytes = (ROW_HEADER + shape.seriesCountMax) * 8;
  const rings = shape.rings.map((ring, index): RingPlace => {
    const worst = blockBytesMax(ring.blockTicks, shape.seriesCountMax);
    assert(ring.arenaBytes >= 2 * worst, "a ring holds two blocks, however badly they compress");
    const headBytes = rowBytes * ring.blockTicks;
    // Blocks that were cut short by a restart take slots too.
    const slotCount = Math.ceil(ring.retentionMs / (ring.stepMs * ring.blockTicks)) + 16;
    const place: RingPlace = {
      heads: [regionAt, regionAt + headBytes],
      rowBytes,
      arena: regionAt + 2 * headBytes,
      slotCount,
      wordAt: STATE_WORD.rings + index * RING_WORDS,
      lostAt: numberAt,
      numberAt: numberAt + 1,
    };
    regionAt = place.arena + ring.arenaBytes;
    numberAt += 1 + slotCount * BLOCK_NUMBERS;
    return place;
  });
  const wordCount = STATE_WORD.rings + shape.rings.length * RING_WORDS;
  const numbersAt = Math.ceil((wordCount * 4) / 64) * 64;
  return { regionBytes: regionAt, stateBytes: numbersAt + numberAt * 8, numbersAt, rings };
}

/** The shared state that main makes, empty. */
export function makeHistoryState(shape: HistoryShape): SharedArrayBuffer {
  return new SharedArrayBuffer(layoutHistory(shape).stateBytes);
}
