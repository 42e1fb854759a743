/** One ring of the history, at its writing end. The protocol is in `history-layout.ts`. */
import { assert } from "../base/assert.ts";
import { copyFromAddress, copyToAddress } from "../ffi/memory.ts";
import { packColumn, unpackColumn } from "./history-column.ts";
import {
  BLOCK_NUMBER,
  BLOCK_NUMBERS,
  blockBytesMax,
  RING_WORD,
  type RingPlace,
  type RingShape,
  ROW_HEADER,
} from "./history-layout.ts";

/** A sealed block as bytes, with what its slot says of it. */
export type SealedBlock = {
  readonly bytes: Uint8Array;
  readonly ticks: number;
  readonly series: number;
  readonly firstMs: number;
  readonly lastMs: number;
};

/** Series whose samples are turned from rows into columns at once. */
const TURN_SERIES = 64;

export class HistoryRing {
  readonly shape: RingShape;
  readonly #place: RingPlace;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  readonly #address: number;
  readonly #header = new Float64Array(ROW_HEADER);
  #arenaNext = 0;
  #lastMs = Number.NEGATIVE_INFINITY;

  /** @param memory the shared state and the address of the region */
  constructor(
    shape: RingShape,
    place: RingPlace,
    memory: { readonly words: Int32Array; readonly numbers: Float64Array; readonly address: number },
  ) {
    this.shape = shape;
    this.#place = place;
    this.#words = memory.words;
    this.#numbers = memory.numbers;
    this.#address = memory.address;
    this.#numbers[place.lostAt] = Number.NEGATIVE_INFINITY;
  }

  /** The time of the newest row; -Infinity before there is one. */
  get lastMs(): number {
    return this.#lastMs;
  }

  /** Whether a tick at `atMs` begins a new step of this ring. */
  isDue(atMs: number): boolean {
    const { stepMs } = this.shape;
    return atMs > this.#lastMs && Math.floor(atMs / stepMs) > Math.floor(this.#lastMs / stepMs);
  }

  /** Adds a row: `values[0, seriesCount)`, NaN where a series is not there. */
  append(atMs: number, values: Float64Array, seriesCount: number): void {
    assert(atMs > this.#lastMs, "time does not go back in a ring");
    if (this.#headTicks(this.#end) === this.shape.blockTicks) this.#seal(atMs);
    const end = this.#end;
    const tick = this.#headTicks(end);
    const row = this.#row(end, tick);
    this.#header[0] = atMs;
    this.#header[1] = seriesCount;
    copyToAddress(row, this.#header, 0, ROW_HEADER * 8);
    copyToAddress(row + ROW_HEADER * 8, values, 0, seriesCount * 8);
    this.#lastMs = atMs;
    Atomics.store(this.#words, this.#headTicksWord(end), tick + 1);
  }

  /** Everything as sealed blocks, oldest first; the head as the last one. */
  *blocks(): Generator<SealedBlock> {
    for (let block = this.#first; block < this.#end; block++) {
      const slot = this.#slot(block);
      const bytes = new Uint8Array(this.#numbers[slot + BLOCK_NUMBER.bytes]!);
      copyFromAddress(
        this.#address + this.#place.arena + this.#numbers[slot + BLOCK_NUMBER.at]!,
        bytes,
        0,
        bytes.length,
      );
      yield {
        bytes,
        ticks: this.#numbers[slot + BLOCK_NUMBER.ticks]!,
        series: this.#numbers[slot + BLOCK_NUMBER.series]!,
        firstMs: this.#numbers[slot + BLOCK_NUMBER.firstMs]!,
        lastMs: this.#numbers[slot + BLOCK_NUMBER.lastMs]!,
      };
    }
    const head = this.#pack();
    if (head !== undefined) yield head;
  }

  /** Puts back a block of an earlier process. Only before the first `append`. */
  restore(block: SealedBlock, nowMs: number): void {
    if (block.firstMs <= this.#lastMs) return;
    if (block.lastMs < nowMs - this.shape.retentionMs) {
      this.#numbers[this.#place.lostAt] = block.lastMs;
      return;
    }
    // What was cut short in the middle became the head, and is sealed as it is.
    if (this.#headTicks(this.#end) > 0) this.#seal(nowMs);
    this.#lastMs = block.lastMs;
    if (block.ticks < this.shape.blockTicks) this.#refill(block);
    else this.#publish(block, nowMs);
  }

  get #first(): number {
    return Atomics.load(this.#words, this.#place.wordAt + RING_WORD.first);
  }

  get #end(): number {
    return Atomics.load(this.#words, this.#place.wordAt + RING_WORD.end);
  }

  #headTicksWord(block: number): number {
    return this.#place.wordAt + RING_WORD.headTicks + (block & 1);
  }

  #headTicks(block: number): number {
    return Atomics.load(this.#words, this.#headTicksWord(block));
  }

  #row(block: number, tick: number): number {
    return this.#address + this.#place.heads[(block & 1) as 0 | 1] + tick * this.#place.rowBytes;
  }

  #slot(block: number): number {
    return this.#place.numberAt + (block % this.#place.slotCount) * BLOCK_NUMBERS;
  }

  #seal(nowMs: number): void {
    const block = this.#pack();
    assert(block !== undefined, "a head that is sealed has rows");
    this.#publish(block, nowMs);
  }

  /** The head as a block; undefined while it is empty. */
  #pack(): SealedBlock | undefined {
    const end = this.#end;
    const ticks = this.#headTicks(end);
    if (ticks === 0) return undefined;
    const times = new Float64Array(ticks);
    const counts = new Float64Array(ticks);
    for (let tick = 0; tick < ticks; tick++) {
      copyFromAddress(this.#row(end, tick), this.#header, 0, ROW_HEADER * 8);
      times[tick] = this.#header[0]!;
      counts[tick] = this.#header[1]!;
    }
    // Series are only ever added, so the last row has most.
    const series = counts[ticks - 1]!;
    const bytes = new Uint8Array(blockBytesMax(ticks, series));
    bytes.set(new Uint8Array(times.buffer));
    const offsets = new DataView(bytes.buffer, ticks * 8, (series + 1) * 4);
    let next = ticks * 8 + (series + 1) * 4;
    const rows = new Float64Array(TURN_SERIES * ticks);
    const column = new Float64Array(ticks);
    for (let base = 0; base < series; base += TURN_SERIES) {
      const width = Math.min(TURN_SERIES, series - base);
      for (let tick = 0; tick < ticks; tick++) {
        const there = Math.max(0, Math.min(width, counts[tick]! - base));
        const from = this.#row(end, tick) + (ROW_HEADER + base) * 8;
        copyFromAddress(from, rows, tick * TURN_SERIES * 8, there * 8);
        rows.fill(Number.NaN, tick * TURN_SERIES + there, tick * TURN_SERIES + width);
      }
      for (let index = 0; index < width; index++) {
        for (let tick = 0; tick < ticks; tick++) column[tick] = rows[tick * TURN_SERIES + index]!;
        offsets.setUint32((base + index) * 4, next, true);
        next += packColumn(column, ticks, bytes, next);
      }
    }
    offsets.setUint32(series * 4, next, true);
    return {
      bytes: bytes.subarray(0, next),
      ticks,
      series,
      firstMs: times[0]!,
      lastMs: times[ticks - 1]!,
    };
  }

  /** Makes a block the newest sealed one; the head begins anew. */
  #publish(block: SealedBlock, nowMs: number): void {
    const bytes = block.bytes.length;
    const at = this.#arenaNext + bytes > this.shape.arenaBytes ? 0 : this.#arenaNext;
    this.#reclaim(at, bytes, nowMs);
    copyToAddress(this.#address + this.#place.arena + at, block.bytes, 0, bytes);
    const end = this.#end;
    const slot = this.#slot(end);
    this.#numbers[slot + BLOCK_NUMBER.at] = at;
    this.#numbers[slot + BLOCK_NUMBER.bytes] = bytes;
    this.#numbers[slot + BLOCK_NUMBER.ticks] = block.ticks;
    this.#numbers[slot + BLOCK_NUMBER.series] = block.series;
    this.#numbers[slot + BLOCK_NUMBER.firstMs] = block.firstMs;
    this.#numbers[slot + BLOCK_NUMBER.lastMs] = block.lastMs;
    this.#arenaNext = Math.ceil((at + bytes) / 8) * 8;
    Atomics.store(this.#words, this.#headTicksWord(end + 1), 0);
    Atomics.store(this.#words, this.#place.wordAt + RING_WORD.end, end + 1);
  }

  /** Gives up the oldest blocks: those that are too old, in the way of the next one, or whose slot it needs. */
  #reclaim(at: number, bytes: number, nowMs: number): void {
    const end = this.#end;
    let first = this.#first;
    for (let block = first; block < end; block++) {
      const slot = this.#slot(block);
      const blockAt = this.#numbers[slot + BLOCK_NUMBER.at]!;
      const blockEnd = blockAt + this.#numbers[slot + BLOCK_NUMBER.bytes]!;
      const isInTheWay = blockAt < at + bytes && at < blockEnd;
      const isOld = this.#numbers[slot + BLOCK_NUMBER.lastMs]! < nowMs - this.shape.retentionMs;
      const isCrowded = end - block >= this.#place.slotCount;
      if (isInTheWay || isOld || isCrowded) first = block + 1;
    }
    if (first > this.#first) {
      const newestLost = this.#slot(first - 1) + BLOCK_NUMBER.lastMs;
      this.#numbers[this.#place.lostAt] = this.#numbers[newestLost]!;
    }
    // With the atomicity of an exchange, so that no byte of the new block can be seen before it.
    Atomics.exchange(this.#words, this.#place.wordAt + RING_WORD.first, first);
  }

  /** Makes a short block the head again, to be gone on with. */
  #refill(block: SealedBlock): void {
    const { bytes, ticks, series } = block;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const offsetOf = (index: number): number => view.getUint32(ticks * 8 + index * 4, true);
    const rows = new Float64Array(ticks * (ROW_HEADER + series));
    const column = new Float64Array(ticks);
    for (let index = 0; index < series; index++) {
      unpackColumn(bytes, offsetOf(index), offsetOf(index + 1), column, 0, ticks);
      for (let tick = 0; tick < ticks; tick++) {
        rows[tick * (ROW_HEADER + series) + ROW_HEADER + index] = column[tick]!;
      }
    }
    const end = this.#end;
    for (let tick = 0; tick < ticks; tick++) {
      const at = tick * (ROW_HEADER + series);
      rows[at] = view.getFloat64(tick * 8, true);
      rows[at + 1] = series;
      copyToAddress(this.#row(end, tick), rows, at * 8, (ROW_HEADER + series) * 8);
    }
    Atomics.store(this.#words, this.#headTicksWord(end), ticks);
  }
}
