/**
 * A board: one thread writes a text now and then, any thread reads the newest whole one.
 *
 *   word 0   texts begun
 *   word 1   texts done; text n lies in half n & 1
 *   word 2   bytes of the text in half 0
 *   word 3   bytes of the text in half 1
 *   byte 64  half 0, then half 1: UTF-8
 *
 * The writer counts `begun`, writes the half that nobody is sent to, and counts `done`. A reader copies the half of the
 * text that was done last and looks at `begun` again: only the text after the next one is written over it. So a writer
 * that loses its core in the middle of a text holds nobody up; one version and an odd number while it writes would.
 * The counts are changed atomically and order the plain stores around them.
 */
import { assert } from "../base/assert.ts";
import { CACHE_LINE_BYTES } from "../layout/cache-line.ts";

const BEGUN = 0;
const DONE = 1;
const BYTES = 2;
/** A reader that is overtaken this often in a row shows what it read last. */
const TRIES_MAX = 16;

/** @param bytesMax of the longest text */
export function makeTextBoard(bytesMax: number): SharedArrayBuffer {
  return new SharedArrayBuffer(CACHE_LINE_BYTES + 2 * bytesMax);
}

class TextBoardEnd {
  protected readonly words: Int32Array;
  protected readonly halves: readonly [Uint8Array, Uint8Array];

  constructor(shared: SharedArrayBuffer) {
    const bytesMax = (shared.byteLength - CACHE_LINE_BYTES) / 2;
    assert(Number.isInteger(bytesMax) && bytesMax > 0, "the memory was made by makeTextBoard");
    this.words = new Int32Array(shared, 0, 4);
    this.halves = [
      new Uint8Array(shared, CACHE_LINE_BYTES, bytesMax),
      new Uint8Array(shared, CACHE_LINE_BYTES + bytesMax, bytesMax),
    ];
  }
}

/** The writing end, for one thread. */
export class TextBoardWriter extends TextBoardEnd {
  readonly #encoder = new TextEncoder();

  /** Replaces the text. @returns false, and leaves the old one, when it does not fit */
  write(text: string): boolean {
    const bytes = this.#encoder.encode(text);
    if (bytes.length > this.halves[0].length) return false;
    const half = (Atomics.add(this.words, BEGUN, 1) + 1) & 1;
    this.halves[half]!.set(bytes);
    Atomics.store(this.words, BYTES + half, bytes.length);
    Atomics.add(this.words, DONE, 1);
    return true;
  }
}

export class TextBoardReader extends TextBoardEnd {
  readonly #decoder = new TextDecoder();
  #last = "";

  /** The newest text; "" before the first. */
  read(): string {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const done = Atomics.load(this.words, DONE);
      if (done === 0) return "";
      const half = done & 1;
      const copy = this.halves[half]!.slice(0, Atomics.load(this.words, BYTES + half));
      if (((Atomics.load(this.words, BEGUN) - done) | 0) >= 2) continue;
      this.#last = this.#decoder.decode(copy);
      break;
    }
    return this.#last;
  }
}
