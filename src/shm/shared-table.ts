/**
 * An open-addressing hash table of u32 values in shared memory, with one writer and any number of readers.
 *
 * It stores values only (a number + 1, 0 meaning free); whoever uses it compares what the value refers to.
 * Linear probing, at most half full. When it is, the writer fills a table of twice the size and publishes it
 * by counting the generation up: its lowest bit says which of two (address, capacity) pairs holds. A reader
 * that has loaded the old one goes on reading it unharmed; it is given back after the readers' epoch is over.
 *
 *   value k sits at position (hash * 0x9e3779b1 >>> shift), or behind it before the first free position
 */
import { assert } from "../base/assert.ts";
import { SPACE_NUMBER, SPACE_WORD } from "../layout/space-root.ts";
import { retireRegion } from "./epochs.ts";
import type { MemoryPolicy } from "./memory-policy.ts";
import { mapRegion, type Region, viewMemory } from "./region.ts";

const CAPACITY_MIN = 1024;
const WORD_BYTES = 4;

type GenerationWord = "idTableGeneration" | "termTableGeneration";

const PAIRS = {
  idTableGeneration: {
    address: [SPACE_NUMBER.idTableAddress0, SPACE_NUMBER.idTableAddress1],
    capacity: [SPACE_NUMBER.idTableCapacity0, SPACE_NUMBER.idTableCapacity1],
  },
  termTableGeneration: {
    address: [SPACE_NUMBER.termHashAddress0, SPACE_NUMBER.termHashAddress1],
    capacity: [SPACE_NUMBER.termHashCapacity0, SPACE_NUMBER.termHashCapacity1],
  },
} as const;

/** Where a table is published: the words and numbers of a space's root. */
export type TableRoot = { readonly words: Int32Array; readonly numbers: Float64Array };

/** Walks and reads the table of one generation. */
class Probe {
  protected values: Uint32Array = new Uint32Array(0);
  protected mask = 0;
  #shift = 32;

  protected use(values: Uint32Array): void {
    this.values = values;
    this.mask = values.length - 1;
    this.#shift = Math.clz32(values.length) + 1;
  }

  /** First position to look at for a hash. */
  first(hash: number): number {
    return (Math.imul(hash, 0x9e3779b1) >>> this.#shift) & this.mask;
  }

  next(position: number): number {
    return (position + 1) & this.mask;
  }

  /** The value at a position, 0 where it is free. */
  at(position: number): number {
    return Atomics.load(this.values, position);
  }
}

/** The reading end. `refresh()` once per operation, inside an epoch. */
export class SharedTableReader extends Probe {
  readonly #root: TableRoot;
  readonly #word: GenerationWord;
  #generation = -1;

  constructor(root: TableRoot, generationWord: GenerationWord) {
    super();
    this.#root = root;
    this.#word = generationWord;
  }

  /** Follows the writer to the table it uses now. */
  refresh(): void {
    const generation = Atomics.load(this.#root.words, SPACE_WORD[this.#word]);
    if (generation === this.#generation) return;
    const pair = PAIRS[this.#word];
    const side = (generation & 1) as 0 | 1;
    const address = this.#root.numbers[pair.address[side]]!;
    const capacity = this.#root.numbers[pair.capacity[side]]!;
    this.use(new Uint32Array(viewMemory(address, capacity * WORD_BYTES)));
    this.#generation = generation;
  }
}

/** The writing end. */
export class SharedTable extends Probe {
  readonly #root: TableRoot;
  readonly #word: GenerationWord;
  readonly #purpose: string;
  readonly #policy: MemoryPolicy;
  #region: Region;
  #used = 0;

  constructor(
    options: TableRoot & { generationWord: GenerationWord; purpose: string; policy: MemoryPolicy },
  ) {
    super();
    this.#root = { words: options.words, numbers: options.numbers };
    this.#word = options.generationWord;
    this.#purpose = options.purpose;
    this.#policy = options.policy;
    this.#region = this.#map(CAPACITY_MIN);
    this.use(new Uint32Array(this.#region.buffer, 0, CAPACITY_MIN));
    this.#publish();
  }

  /** Half full: grow it instead of inserting. */
  get isCrowded(): boolean {
    return (this.#used + 1) * 2 > this.values.length;
  }

  get mappedBytes(): number {
    return this.#region.bytes;
  }

  insert(hash: number, value: number): void {
    assert(value > 0, "0 marks a free position");
    assert((this.#used + 1) * 2 <= this.values.length, "a table is never more than half full");
    let position = this.first(hash);
    while (this.values[position] !== 0) position = this.next(position);
    Atomics.store(this.values, position, value);
    this.#used += 1;
  }

  /** Changes the value at a position that holds one. */
  replace(position: number, value: number): void {
    assert(this.values[position] !== 0, "a value is replaced where one is");
    Atomics.store(this.values, position, value);
  }

  /** Fills a larger table through `fill`, which inserts everything anew, then publishes it. */
  grow(expected: number, fill: (insert: (hash: number, value: number) => void) => void): void {
    const old = this.#swap(expected);
    fill((hash, value) => this.insert(hash, value));
    this.#publish();
    retireRegion(old);
  }

  /** An empty table with room for `expected` values. No reader may use the table meanwhile. */
  clear(expected: number): void {
    const old = this.#swap(expected);
    this.#publish();
    retireRegion(old);
  }

  free(): void {
    this.#region.unmap();
  }

  /** Changes over to an empty table; the old one is returned, and retired once the new one is published. */
  #swap(expected: number): Region {
    const old = this.#region;
    let capacity = CAPACITY_MIN;
    while (capacity < (expected + 1) * 3) capacity *= 2;
    this.#region = this.#map(capacity);
    this.use(new Uint32Array(this.#region.buffer, 0, capacity));
    this.#used = 0;
    return old;
  }

  #map(capacity: number): Region {
    return mapRegion({ bytes: capacity * WORD_BYTES, purpose: this.#purpose, policy: this.#policy });
  }

  #publish(): void {
    const { words, numbers } = this.#root;
    const generation = Atomics.load(words, SPACE_WORD[this.#word]) + 1;
    const pair = PAIRS[this.#word];
    const side = (generation & 1) as 0 | 1;
    numbers[pair.address[side]] = this.#region.address;
    numbers[pair.capacity[side]] = this.values.length;
    Atomics.store(words, SPACE_WORD[this.#word], generation);
  }
}
