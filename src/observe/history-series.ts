/**
 * Which series the history holds: names and labels as JSON, one after the other, in shared memory.
 *
 * A series has an index for as long as the process runs. The writer appends the text and then counts the series up;
 * readers parse what is new to them.
 *
 *   entry   u32 bytes of the text | ["name", {"label": "value", …}] in UTF-8
 */
import { copyFromAddress, copyToAddress } from "../ffi/memory.ts";
import { STATE_NUMBER, STATE_WORD } from "./history-layout.ts";
import { Labels, METRIC_NAME } from "./promql/labels.ts";

export type SeriesIdentity = { readonly name: string; readonly labels: Readonly<Record<string, string>> };

/** The labels of a series as PromQL sees them. */
export function labelsOf({ name, labels }: SeriesIdentity): Labels {
  return new Labels([[METRIC_NAME, name], ...Object.entries(labels)]);
}

export type SeriesTablePlace = {
  readonly words: Int32Array;
  readonly numbers: Float64Array;
  readonly address: number;
  readonly bytes: number;
  readonly countMax: number;
};

/** The writing end. */
export class SeriesTableWriter {
  readonly #place: SeriesTablePlace;
  readonly #indexes = new Map<string, number>();
  readonly identities: SeriesIdentity[] = [];

  constructor(place: SeriesTablePlace) {
    this.#place = place;
  }

  /** The index of a series, entered if it is new; -1 when there is no room for it, which is counted. */
  indexOf(identity: SeriesIdentity): number {
    const key = labelsOf(identity).key;
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    const { words, numbers, address, bytes, countMax } = this.#place;
    const text = new TextEncoder().encode(JSON.stringify([identity.name, identity.labels]));
    const index = this.identities.length;
    const at = numbers[STATE_NUMBER.seriesTextBytes]!;
    if (index >= countMax || at + 4 + text.length > bytes) {
      numbers[STATE_NUMBER.seriesRefused]! += 1;
      this.#indexes.set(key, -1);
      return -1;
    }
    const entry = new Uint8Array(4 + text.length);
    new DataView(entry.buffer).setUint32(0, text.length, true);
    entry.set(text, 4);
    copyToAddress(address + at, entry, 0, entry.length);
    numbers[STATE_NUMBER.seriesTextBytes] = at + entry.length;
    this.identities.push(identity);
    this.#indexes.set(key, index);
    Atomics.store(words, STATE_WORD.seriesCount, index + 1);
    return index;
  }
}

/** The reading end. */
export class SeriesTableReader {
  readonly #place: SeriesTablePlace;
  readonly #labels: Labels[] = [];
  #at = 0;

  constructor(place: SeriesTablePlace) {
    this.#place = place;
  }

  /** All series there are now, by index. */
  all(): readonly Labels[] {
    const { words, address } = this.#place;
    const count = Atomics.load(words, STATE_WORD.seriesCount);
    const size = new Uint32Array(1);
    while (this.#labels.length < count) {
      copyFromAddress(address + this.#at, size, 0, 4);
      const text = new Uint8Array(size[0]!);
      copyFromAddress(address + this.#at + 4, text, 0, text.length);
      this.#at += 4 + text.length;
      const [name, labels] = JSON.parse(new TextDecoder().decode(text)) as [string, Record<string, string>];
      this.#labels.push(labelsOf({ name, labels }));
    }
    return this.#labels;
  }
}
