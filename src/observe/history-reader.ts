/**
 * The history's reading end: answers selectors from the finest ring that reaches back far enough.
 *
 * It copies what was asked for out of shared memory and then looks whether that still counts; the protocol is in
 * `history-layout.ts`. A writer that seals a block meanwhile costs a second look, never a wait.
 */
import { copyFromAddress } from "../ffi/memory.ts";
import { unpackColumn } from "./history-column.ts";
import {
  BLOCK_NUMBERS,
  type HistoryLayout,
  type HistoryShape,
  layoutHistory,
  RING_WORD,
  ROW_HEADER,
  STATE_NUMBER,
  STATE_WORD,
} from "./history-layout.ts";
import { SeriesTableReader } from "./history-series.ts";
import type { Labels } from "./promql/labels.ts";
import { allMatch, type Matcher } from "./promql/matcher.ts";
import type { SeriesSamples, SeriesStore } from "./promql/samples.ts";

/** Looks at a ring that is sealed again and again meanwhile, before what was found last is answered. */
const TRIES = 8;

/** Samples of several series by tick: values of series s at [s × tickCount, (s + 1) × tickCount). */
type Ticks = { readonly times: Float64Array; readonly values: Float64Array };

export class HistoryReader implements SeriesStore {
  readonly #shape: HistoryShape;
  readonly #layout: HistoryLayout;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  #series: SeriesTableReader | undefined;
  #scratch = new Uint8Array(64 * 1024);

  constructor(shape: HistoryShape, state: SharedArrayBuffer) {
    this.#shape = shape;
    this.#layout = layoutHistory(shape);
    this.#words = new Int32Array(state);
    this.#numbers = new Float64Array(state, this.#layout.numbersAt);
  }

  /** Labels of all series, whether or not they have samples now. */
  series(): readonly Labels[] {
    if (Atomics.load(this.#words, STATE_WORD.isReady) === 0) return [];
    this.#series ??= new SeriesTableReader({
      words: this.#words,
      numbers: this.#numbers,
      address: this.#address,
      bytes: this.#shape.seriesTextBytes,
      countMax: this.#shape.seriesCountMax,
    });
    return this.#series.all();
  }

  /**
   * Labels of the series that pass any of the lists of matchers (all, where there is none) and have samples in a time.
   * As in Prometheus whole blocks are looked at, so one that ended shortly before may be among them.
   */
  seriesBetween(selectors: readonly (readonly Matcher[])[], fromMs: number, toMs: number): Labels[] {
    const series = this.series();
    if (series.length === 0) return [];
    const isThere = this.#present(this.#ringFor(fromMs), series.length, fromMs, toMs);
    return series.filter(
      (labels, index) =>
        isThere[index] === 1 &&
        (selectors.length === 0 || selectors.some((matchers) => allMatch(matchers, labels))),
    );
  }

  select(matchers: readonly Matcher[], fromMs: number, toMs: number): SeriesSamples[] {
    const series = this.series();
    const wanted: number[] = [];
    for (const [index, labels] of series.entries()) if (allMatch(matchers, labels)) wanted.push(index);
    if (wanted.length === 0) return [];
    const ring = this.#ringFor(fromMs);
    const { times, values } = this.#read(ring, wanted, fromMs, toMs);
    const count = times.length;
    return wanted.flatMap((index, place) => {
      const samples = samplesOf(times, values.subarray(place * count, (place + 1) * count));
      return samples === undefined ? [] : [{ labels: series[index]!, ...samples }];
    });
  }

  /** The finest ring that has given up no sample from `fromMs` on, else the one that reaches back furthest. */
  #ringFor(fromMs: number): number {
    let best = 0;
    let bestMs = Number.POSITIVE_INFINITY;
    for (const [index, { lostAt }] of this.#layout.rings.entries()) {
      const lostMs = this.#numbers[lostAt]!;
      if (lostMs < fromMs) return index;
      if (lostMs < bestMs) {
        best = index;
        bestMs = lostMs;
      }
    }
    return best;
  }

  #read(ring: number, wanted: readonly number[], fromMs: number, toMs: number): Ticks {
    const { wordAt } = this.#layout.rings[ring]!;
    for (let tries = 1; ; tries++) {
      const end = Atomics.load(this.#words, wordAt + RING_WORD.end);
      const parts: { readonly block: number; readonly ticks: Ticks }[] = [];
      for (let block = Atomics.load(this.#words, wordAt + RING_WORD.first); block < end; block++) {
        const ticks = this.#readBlock(ring, block, wanted, fromMs, toMs);
        if (ticks !== undefined) parts.push({ block, ticks });
      }
      parts.push({ block: end, ticks: this.#readHead(ring, end, wanted) });
      const isHeadGood = this.#reload(wordAt + RING_WORD.end) <= end + 1;
      if (!isHeadGood && tries < TRIES) continue;
      const first = this.#reload(wordAt + RING_WORD.first);
      const good = parts.filter(({ block }) => (block === end ? isHeadGood : block >= first));
      return join(
        good.map(({ ticks }) => ticks),
        wanted.length,
        fromMs,
        toMs,
      );
    }
  }

  /** A sealed block's ticks, those of no interest included; undefined where there is none in the time asked for. */
  #readBlock(
    ring: number,
    block: number,
    wanted: readonly number[],
    fromMs: number,
    toMs: number,
  ): Ticks | undefined {
    const { numberAt, slotCount, arena } = this.#layout.rings[ring]!;
    const slot = numberAt + (block % slotCount) * BLOCK_NUMBERS;
    const numbers = this.#numbers.slice(slot, slot + BLOCK_NUMBERS);
    const [at, bytes, tickCount, seriesCount, firstMs, lastMs] = numbers as unknown as BlockNumbers;
    if (lastMs < fromMs || firstMs > toMs) return undefined;
    if (tickCount > this.#shape.rings[ring]!.blockTicks || bytes > this.#shape.rings[ring]!.arenaBytes)
      return undefined;
    const start = this.#address + arena + at;
    const times = new Float64Array(tickCount);
    copyFromAddress(start, times, 0, tickCount * 8);
    const values = new Float64Array(wanted.length * tickCount);
    const offsets = new Uint32Array(2);
    for (const [place, index] of wanted.entries()) {
      if (index >= seriesCount) {
        values.fill(Number.NaN, place * tickCount, (place + 1) * tickCount);
        continue;
      }
      copyFromAddress(start + tickCount * 8 + index * 4, offsets, 0, 8);
      const length = offsets[1]! - offsets[0]!;
      // Offsets that make no sense are of a block that is being overwritten, and will not count.
      if (length < 0 || offsets[1]! > bytes) return undefined;
      if (length > this.#scratch.length) this.#scratch = new Uint8Array(length);
      copyFromAddress(start + offsets[0]!, this.#scratch, 0, length);
      unpackColumn(this.#scratch, 0, length, values, place * tickCount, tickCount);
    }
    return { times, values };
  }

  #readHead(ring: number, end: number, wanted: readonly number[]): Ticks {
    const { wordAt, heads, rowBytes } = this.#layout.rings[ring]!;
    const tickCount = Atomics.load(this.#words, wordAt + RING_WORD.headTicks + (end & 1));
    const times = new Float64Array(tickCount);
    const values = new Float64Array(wanted.length * tickCount);
    const header = new Float64Array(ROW_HEADER);
    // The series asked for mostly lie side by side, as those of one histogram do: one copy a row.
    const low = wanted[0]!;
    const span = new Float64Array(wanted.at(-1)! - low + 1);
    for (let tick = 0; tick < tickCount; tick++) {
      const row = this.#address + heads[(end & 1) as 0 | 1] + tick * rowBytes;
      copyFromAddress(row, header, 0, ROW_HEADER * 8);
      times[tick] = header[0]!;
      const seriesCount = header[1]!;
      const there = Math.max(0, Math.min(span.length, seriesCount - low));
      copyFromAddress(row + (ROW_HEADER + low) * 8, span, 0, there * 8);
      for (const [place, index] of wanted.entries()) {
        values[place * tickCount + tick] = index < seriesCount ? span[index - low]! : Number.NaN;
      }
    }
    return { times, values };
  }

  /** 1 for each series that has samples in a ring's blocks of a time. */
  #present(ring: number, count: number, fromMs: number, toMs: number): Uint8Array {
    const { wordAt, numberAt, slotCount, arena } = this.#layout.rings[ring]!;
    const isThere = new Uint8Array(count);
    const end = Atomics.load(this.#words, wordAt + RING_WORD.end);
    const all = Array.from({ length: count }, (_, index) => index);
    const head = this.#readHead(ring, end, all);
    for (const [tick, time] of head.times.entries()) {
      if (time < fromMs || time > toMs) continue;
      for (let index = 0; index < count; index++) {
        if (!Number.isNaN(head.values[index * head.times.length + tick]!)) isThere[index] = 1;
      }
    }
    for (let block = Atomics.load(this.#words, wordAt + RING_WORD.first); block < end; block++) {
      const slot = numberAt + (block % slotCount) * BLOCK_NUMBERS;
      const numbers = this.#numbers.slice(slot, slot + BLOCK_NUMBERS);
      const [at, , tickCount, seriesCount, firstMs, lastMs] = numbers as unknown as BlockNumbers;
      if (lastMs < fromMs || firstMs > toMs || seriesCount > this.#shape.seriesCountMax) continue;
      const offsets = new Uint32Array(seriesCount + 1);
      copyFromAddress(this.#address + arena + at + tickCount * 8, offsets, 0, offsets.byteLength);
      if (this.#reload(wordAt + RING_WORD.first) > block) continue;
      const known = Math.min(seriesCount, count);
      for (let index = 0; index < known; index++)
        if (offsets[index]! < offsets[index + 1]!) isThere[index] = 1;
    }
    return isThere;
  }

  get #address(): number {
    return this.#numbers[STATE_NUMBER.regionAddress]!;
  }

  /** A word as it is after everything that was read before: an exchange orders both ways, a load only one. */
  #reload(word: number): number {
    return Atomics.add(this.#words, word, 0);
  }
}

/** In the order of `BLOCK_NUMBER`. */
type BlockNumbers = readonly [
  at: number,
  bytes: number,
  ticks: number,
  series: number,
  firstMs: number,
  lastMs: number,
];

/** Ticks of blocks, one after the other, within the time asked for. */
function join(parts: readonly Ticks[], seriesCount: number, fromMs: number, toMs: number): Ticks {
  const cuts = parts.map(({ times, values }) => {
    let from = 0;
    let to = times.length;
    while (from < to && times[from]! < fromMs) from += 1;
    while (to > from && times[to - 1]! > toMs) to -= 1;
    return { times, values, from, to };
  });
  const tickCount = cuts.reduce((sum, { from, to }) => sum + to - from, 0);
  const times = new Float64Array(tickCount);
  const values = new Float64Array(seriesCount * tickCount);
  let next = 0;
  for (const cut of cuts) {
    times.set(cut.times.subarray(cut.from, cut.to), next);
    for (let place = 0; place < seriesCount; place++) {
      const at = place * cut.times.length;
      values.set(cut.values.subarray(at + cut.from, at + cut.to), place * tickCount + next);
    }
    next += cut.to - cut.from;
  }
  return { times, values };
}

/** The samples of one series, and when it was found gone; undefined where it has none. */
function samplesOf(times: Float64Array, values: Float64Array): Omit<SeriesSamples, "labels"> | undefined {
  let present = 0;
  for (const value of values) if (!Number.isNaN(value)) present += 1;
  if (present === values.length) return present === 0 ? undefined : { times, values, goneAt: undefined };
  if (present === 0) return undefined;
  const kept = { times: new Float64Array(present), values: new Float64Array(present) };
  const goneAt: number[] = [];
  let next = 0;
  let wasThere = false;
  for (const [tick, value] of values.entries()) {
    const isThere = !Number.isNaN(value);
    if (isThere) {
      kept.times[next] = times[tick]!;
      kept.values[next++] = value;
    } else if (wasThere) {
      goneAt.push(times[tick]!);
    }
    wasThere = isThere;
  }
  return { ...kept, goneAt: goneAt.length === 0 ? undefined : Float64Array.from(goneAt) };
}
