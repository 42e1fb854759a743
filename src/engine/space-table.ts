/**
 * The table of memory spaces, shared by all threads: `layout/space-root.ts` says what a block holds.
 *
 * A block is claimed, filled in and freed by one writer only: writer w owns the blocks whose index is w modulo
 * the number of writers, so no two threads ever want the same one.
 */
import { assert } from "../base/assert.ts";
import {
  SPACE_NUMBER,
  SPACE_NUMBERS_AT,
  SPACE_ROOT_BYTES,
  SPACE_STATE,
  SPACE_TEXT,
  SPACE_WORD,
} from "../layout/space-root.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

type Word = keyof typeof SPACE_WORD;
type Num = keyof typeof SPACE_NUMBER;
type Text = keyof typeof SPACE_TEXT;

/** One block, seen by one thread. */
export class SpaceRoot {
  readonly spaceIndex: number;
  readonly words: Int32Array;
  readonly numbers: Float64Array;
  readonly #bytes: Uint8Array;

  constructor(table: SharedArrayBuffer, spaceIndex: number) {
    const at = spaceIndex * SPACE_ROOT_BYTES;
    this.spaceIndex = spaceIndex;
    this.words = new Int32Array(table, at, SPACE_NUMBERS_AT / 4);
    this.numbers = new Float64Array(
      table,
      at + SPACE_NUMBERS_AT,
      (SPACE_TEXT.name.at - SPACE_NUMBERS_AT) / 8,
    );
    this.#bytes = new Uint8Array(table, at, SPACE_ROOT_BYTES);
  }

  /** Loads a word as an unsigned number; everything stored before it is seen afterwards. */
  load(word: Word): number {
    return Atomics.load(this.words, SPACE_WORD[word]) >>> 0;
  }

  /** Publishes a word: everything stored before it is seen by whoever loads it. */
  publish(word: Word, value: number): void {
    Atomics.store(this.words, SPACE_WORD[word], value | 0);
  }

  number(name: Num): number {
    return this.numbers[SPACE_NUMBER[name]]!;
  }

  setNumber(name: Num, value: number): void {
    this.numbers[SPACE_NUMBER[name]] = value;
  }

  text(name: Text): string {
    const { at } = SPACE_TEXT[name];
    // TextDecoder refuses shared memory, so the few bytes are copied.
    return decoder.decode(this.#bytes.slice(at + 1, at + 1 + this.#bytes[at]!));
  }

  setText(name: Text, value: string): void {
    const { at, bytes } = SPACE_TEXT[name];
    const encoded = encoder.encode(value);
    assert(encoded.byteLength < Math.min(bytes, 256), `the space's ${name} fits its ${bytes} bytes`);
    this.#bytes[at] = encoded.byteLength;
    this.#bytes.set(encoded, at + 1);
  }

  get isOpen(): boolean {
    return this.load("state") === SPACE_STATE.open;
  }

  /** Zeroes the block, its generation excepted. */
  clear(): void {
    const generation = this.load("generation");
    this.#bytes.fill(0);
    this.publish("generation", generation);
  }
}

export class SpaceTable {
  readonly buffer: SharedArrayBuffer;
  readonly roots: readonly SpaceRoot[];
  readonly #indexByName = new Map<string, number>();

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.roots = Array.from(
      { length: buffer.byteLength / SPACE_ROOT_BYTES },
      (_, spaceIndex) => new SpaceRoot(buffer, spaceIndex),
    );
  }

  /** Memory for `spacesMax` spaces, to be handed to every thread. */
  static allocate(spacesMax: number): SharedArrayBuffer {
    return new SharedArrayBuffer(spacesMax * SPACE_ROOT_BYTES);
  }

  /** The open space of that name, or undefined. Costs one map look-up and one text comparison when known. */
  find(name: string): SpaceRoot | undefined {
    const known = this.#indexByName.get(name);
    if (known !== undefined) {
      const root = this.roots[known]!;
      if (root.isOpen && root.text("name") === name) return root;
      this.#indexByName.delete(name);
    }
    for (const root of this.roots) {
      if (root.isOpen && root.text("name") === name) {
        this.#indexByName.set(name, root.spaceIndex);
        return root;
      }
    }
    return undefined;
  }

  open(): SpaceRoot[] {
    return this.roots.filter((root) => root.isOpen);
  }
}
