/**
 * One ring of the history, at a reading end: copies the samples of some series out of shared memory.
 *
 * What was copied is looked at again by the protocol of `history-layout.ts`. Blocks are given up from the oldest on, so
 * what no longer counts is cut off at the beginning; a head that was emptied meanwhile is read again.
 */
import { copyFromAddress } from "../ffi/memory.ts";
import { unpackColumn } from "./history-column.ts";
import {
  BLOCK_NUMBER,
  BLOCK_NUMBERS,
  RING_WORD,
  type RingPlace,
  type RingShape,
  ROW_HEADER,
} from "./history-layout.ts";

/** Looks at a ring that is sealed again and again meanwhile, before it is answered without its newest rows. */
const TRIES = 8;

/**
 * Samples of several series, NaN where there is none: those of series s at `values[s × stride + from]` and on, one for
 * each of `times`.
 */
export type Ticks = {
  readonly times: Float64Array;
  readonly values: Float64Array;
  readonly stride: number;
  readonly from: number;
};

type Block = {
  readonly block: number;
  /** of its bytes in memory */
  readonly address: number;
  readonly bytes: number;
  readonly ticks: number;
  readonly series: number;
};

export type RingMemory = {
  readonly words: Int32Array;
  readonly numbers: Float64Array;
  /** of the region */
  readonly address: number;
};

export class HistoryRingReader {
  readonly #shape: RingShape;
  readonly #place: RingPlace;
  readonly #memory: RingMemory;
  #offsets = new Uint32Array(1024);
  #scratch = new Uint8Array(64 * 1024);

  constructor(shape: RingShape, place: RingPlace, memory: RingMemory) {
    this.#shape = shape;
    this.#place = place;
    this.#memory = memory;
  }

  /** The time up to which samples were given up. */
  get lostMs(): number {
    return this.#memory.numbers[this.#place.lostAt]!;
  }

  /** @param wanted indexes of series, rising */
  read(wanted: readonly number[], fromMs: number, toMs: number): Ticks {
    for (let tries = 1; ; tries++) {
      const end = this.#load(RING_WORD.end);
      const blocks = this.#blocksBetween(end, fromMs, toMs);
      const headTicks = this.#load(RING_WORD.headTicks + (end & 1));
      const stride = blocks.reduce((sum, { ticks }) => sum + ticks, headTicks);
      const times = new Float64Array(stride);
      const values = new Float64Array(wanted.length * stride);
      let at = 0;
      for (const block of blocks) {
        this.#readBlock(block, wanted, times, values, at);
        at += block.ticks;
      }
      this.#readHead(end, headTicks, wanted, times, values, at);
      const isHeadGood = this.#reload(RING_WORD.end) <= end + 1;
      if (!isHeadGood && tries < TRIES) continue;
      const first = this.#reload(RING_WORD.first);
      let from = 0;
      for (const { block, ticks } of blocks) if (block < first) from += ticks;
      let to = isHeadGood ? stride : at;
      while (from < to && times[from]! < fromMs) from += 1;
      while (to > from && times[to - 1]! > toMs) to -= 1;
      return { times: times.subarray(from, to), values, stride, from };
    }
  }

  /** 1 for each of `count` series that has samples in blocks that overlap a time. */
  present(count: number, fromMs: number, toMs: number): Uint8Array {
    const isThere = new Uint8Array(count);
    const end = this.#load(RING_WORD.end);
    for (const { block, address, ticks, series } of this.#blocksBetween(end, fromMs, toMs)) {
      this.#copyOffsets(address + ticks * 8, series + 1);
      if (this.#reload(RING_WORD.first) > block) continue;
      const known = Math.min(series, count);
      for (let i = 0; i < known; i++) if (this.#offsets[i]! < this.#offsets[i + 1]!) isThere[i] = 1;
    }
    const all = Array.from({ length: count }, (_, index) => index);
    const ticks = this.#load(RING_WORD.headTicks + (end & 1));
    const times = new Float64Array(ticks);
    const values = new Float64Array(count * ticks);
    this.#readHead(end, ticks, all, times, values, 0);
    for (let tick = 0; tick < ticks; tick++) {
      if (times[tick]! < fromMs || times[tick]! > toMs) continue;
      for (let i = 0; i < count; i++) if (!Number.isNaN(values[i * ticks + tick]!)) isThere[i] = 1;
    }
    return isThere;
  }

  #blocksBetween(end: number, fromMs: number, toMs: number): Block[] {
    const { numberAt, slotCount, arena } = this.#place;
    const { numbers, address } = this.#memory;
    const found: Block[] = [];
    for (let block = this.#load(RING_WORD.first); block < end; block++) {
      const slot = numberAt + (block % slotCount) * BLOCK_NUMBERS;
      const bytes = numbers[slot + BLOCK_NUMBER.bytes]!;
      const ticks = numbers[slot + BLOCK_NUMBER.ticks]!;
      if (numbers[slot + BLOCK_NUMBER.lastMs]! < fromMs || numbers[slot + BLOCK_NUMBER.firstMs]! > toMs)
        continue;
      // Of a slot that is being written anew; such a block does not count any more.
      if (ticks > this.#shape.blockTicks || bytes > this.#shape.arenaBytes) continue;
      const at = address + arena + numbers[slot + BLOCK_NUMBER.at]!;
      found.push({ block, address: at, bytes, ticks, series: numbers[slot + BLOCK_NUMBER.series]! });
    }
    return found;
  }

  /** Unpacks a block's columns to its place among the ticks. Series side by side are copied at once. */
  #readBlock(
    { address, bytes, ticks, series }: Block,
    wanted: readonly number[],
    times: Float64Array,
    values: Float64Array,
    at: number,
  ): void {
    const stride = times.length;
    copyFromAddress(address, times, at * 8, ticks * 8);
    const low = wanted[0]!;
    const known = Math.min(wanted.at(-1)! + 1, series);
    if (known > low) this.#copyOffsets(address + ticks * 8 + low * 4, known - low + 1);
    const offsets = this.#offsets;
    let place = 0;
    while (place < wanted.length) {
      const first = wanted[place]!;
      let count = 1;
      while (place + count < wanted.length && wanted[place + count] === first + count) count += 1;
      const there = Math.max(0, Math.min(count, known - first));
      const start = there === 0 ? 0 : offsets[first - low]!;
      const length = there === 0 ? 0 : offsets[first - low + there]! - start;
      // Offsets that make no sense are of a block that is being overwritten, and will not count.
      const isWhole = length >= 0 && start + length <= bytes;
      if (isWhole && length > 0) this.#copyColumns(address + start, length);
      for (let i = 0; i < count; i++) {
        const column = first - low + i;
        const from = isWhole && i < there ? offsets[column]! - start : 0;
        const to = isWhole && i < there ? Math.min(length, offsets[column + 1]! - start) : 0;
        unpackColumn(this.#scratch, Math.max(0, from), to, values, (place + i) * stride + at, ticks);
      }
      place += count;
    }
  }

  #readHead(
    end: number,
    ticks: number,
    wanted: readonly number[],
    times: Float64Array,
    values: Float64Array,
    at: number,
  ): void {
    const stride = times.length;
    const header = new Float64Array(ROW_HEADER);
    const low = wanted[0]!;
    const span = new Float64Array(wanted.at(-1)! - low + 1);
    for (let tick = 0; tick < ticks; tick++) {
      const row = this.#memory.address + this.#place.heads[(end & 1) as 0 | 1] + tick * this.#place.rowBytes;
      copyFromAddress(row, header, 0, ROW_HEADER * 8);
      times[at + tick] = header[0]!;
      const there = Math.max(0, Math.min(span.length, header[1]! - low));
      copyFromAddress(row + (ROW_HEADER + low) * 8, span, 0, there * 8);
      for (let place = 0; place < wanted.length; place++) {
        const column = wanted[place]! - low;
        values[place * stride + at + tick] = column < there ? span[column]! : Number.NaN;
      }
    }
  }

  #copyOffsets(address: number, count: number): void {
    if (count > this.#offsets.length) this.#offsets = new Uint32Array(count * 2);
    copyFromAddress(address, this.#offsets, 0, count * 4);
  }

  #copyColumns(address: number, bytes: number): void {
    if (bytes > this.#scratch.length) this.#scratch = new Uint8Array(bytes * 2);
    copyFromAddress(address, this.#scratch, 0, bytes);
  }

  #load(word: number): number {
    return Atomics.load(this.#memory.words, this.#place.wordAt + word);
  }

  /** A word as it is after everything that was read before: an exchange orders both ways, a load only one. */
  #reload(word: number): number {
    return Atomics.add(this.#memory.words, this.#place.wordAt + word, 0);
  }
}
