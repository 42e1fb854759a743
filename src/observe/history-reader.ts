/**
 * The history's reading end: answers selectors from the finest ring that reaches back far enough.
 *
 * Any thread may have one. A writer that seals a block meanwhile costs a second look, never a wait
 * (`history-ring-reader.ts`).
 */
import { type HistoryShape, layoutHistory, STATE_NUMBER, STATE_WORD } from "./history-layout.ts";
import { HistoryRingReader } from "./history-ring-reader.ts";
import { SeriesTableReader } from "./history-series.ts";
import type { Labels } from "./promql/labels.ts";
import { allMatch, type Matcher } from "./promql/matcher.ts";
import type { SeriesSamples, SeriesStore } from "./promql/samples.ts";

/** What is opened once the writer has made its memory. */
type Opened = { readonly series: SeriesTableReader; readonly rings: readonly HistoryRingReader[] };

export class HistoryReader implements SeriesStore {
  readonly #shape: HistoryShape;
  readonly #state: SharedArrayBuffer;
  readonly #words: Int32Array;
  #opened: Opened | undefined;

  constructor(shape: HistoryShape, state: SharedArrayBuffer) {
    this.#shape = shape;
    this.#state = state;
    this.#words = new Int32Array(state);
  }

  /** Labels of all series, whether or not they have samples now. */
  series(): readonly Labels[] {
    return this.#open()?.series.all() ?? [];
  }

  seriesBetween(selectors: readonly (readonly Matcher[])[], fromMs: number, toMs: number): Labels[] {
    const series = this.series();
    if (series.length === 0) return [];
    const isThere = this.#ringFor(fromMs).present(series.length, fromMs, toMs);
    return series.filter(
      (labels, index) =>
        isThere[index] === 1 &&
        (selectors.length === 0 || selectors.some((matchers) => allMatch(matchers, labels))),
    );
  }

  select(matchers: readonly Matcher[], fromMs: number, toMs: number): SeriesSamples[] {
    const series = this.series();
    const wanted: number[] = [];
    for (let index = 0; index < series.length; index++) {
      if (allMatch(matchers, series[index]!)) wanted.push(index);
    }
    if (wanted.length === 0) return [];
    const { times, values, stride, from } = this.#ringFor(fromMs).read(wanted, fromMs, toMs);
    return wanted.flatMap((index, place) => {
      const at = place * stride + from;
      const samples = samplesOf(times, values.subarray(at, at + times.length));
      return samples === undefined ? [] : [{ labels: series[index]!, ...samples }];
    });
  }

  #open(): Opened | undefined {
    if (this.#opened !== undefined) return this.#opened;
    if (Atomics.load(this.#words, STATE_WORD.isReady) === 0) return undefined;
    const layout = layoutHistory(this.#shape);
    const numbers = new Float64Array(this.#state, layout.numbersAt);
    const memory = { words: this.#words, numbers, address: numbers[STATE_NUMBER.regionAddress]! };
    this.#opened = {
      series: new SeriesTableReader({
        ...memory,
        bytes: this.#shape.seriesTextBytes,
        countMax: this.#shape.seriesCountMax,
      }),
      rings: this.#shape.rings.map((ring, i) => new HistoryRingReader(ring, layout.rings[i]!, memory)),
    };
    return this.#opened;
  }

  /** The finest ring that has given up no sample from `fromMs` on, else the one that reaches back furthest. */
  #ringFor(fromMs: number): HistoryRingReader {
    const { rings } = this.#opened!;
    let best = rings[0]!;
    for (const ring of rings) {
      if (ring.lostMs < fromMs) return ring;
      if (ring.lostMs < best.lostMs) best = ring;
    }
    return best;
  }
}

/** The samples of one series, and when it was found gone; undefined where it has none. */
function samplesOf(times: Float64Array, values: Float64Array): Omit<SeriesSamples, "labels"> | undefined {
  let present = 0;
  for (let i = 0; i < values.length; i++) if (!Number.isNaN(values[i]!)) present += 1;
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
