/**
 * A board: one thread writes a text now and then, any thread reads the newest whole one.
 *
 *   word 0   version: odd while the text is being written
 *   word 1   bytes of the text
 *   byte 64  the text, UTF-8
 *
 * The writer makes the version odd, writes, and makes it even again. A reader copies and looks at the version once
 * more: if it changed or was odd, it copies again. A text is written every few seconds and copied in microseconds, so
 * who reads twice is rare; nobody waits. Changes of the version are atomic and order the plain stores around them.
 */
import { assert } from "../base/assert.ts";
import { CACHE_LINE_BYTES } from "../layout/cache-line.ts";

const VERSION = 0;
const BYTES = 1;
/** A reader that is overtaken this often in a row has met a broken writer. */
const TRIES_MAX = 1000;

/** @param bytesMax of the longest text */
export function makeTextBoard(bytesMax: number): SharedArrayBuffer {
  return new SharedArrayBuffer(CACHE_LINE_BYTES + bytesMax);
}

/** The writing end, for one thread. */
export class TextBoardWriter {
  readonly #words: Int32Array;
  readonly #text: Uint8Array;
  readonly #encoder = new TextEncoder();

  constructor(shared: SharedArrayBuffer) {
    this.#words = new Int32Array(shared, 0, 2);
    this.#text = new Uint8Array(shared, CACHE_LINE_BYTES);
  }

  /** Replaces the text. @returns false, and leaves the old one, when it does not fit */
  write(text: string): boolean {
    const bytes = this.#encoder.encode(text);
    if (bytes.length > this.#text.length) return false;
    Atomics.add(this.#words, VERSION, 1);
    this.#text.set(bytes);
    Atomics.store(this.#words, BYTES, bytes.length);
    Atomics.add(this.#words, VERSION, 1);
    return true;
  }
}

export class TextBoardReader {
  readonly #words: Int32Array;
  readonly #text: Uint8Array;
  readonly #decoder = new TextDecoder();

  constructor(shared: SharedArrayBuffer) {
    this.#words = new Int32Array(shared, 0, 2);
    this.#text = new Uint8Array(shared, CACHE_LINE_BYTES);
  }

  /** The newest text; "" before the first. */
  read(): string {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const version = Atomics.load(this.#words, VERSION);
      if ((version & 1) === 1) continue;
      const copy = this.#text.slice(0, Atomics.load(this.#words, BYTES));
      if (Atomics.load(this.#words, VERSION) === version) return this.#decoder.decode(copy);
    }
    assert(false, "a board's writer ends what it begins");
    return "";
  }
}
