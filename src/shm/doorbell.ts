/**
 * A doorbell: one thread sleeps until another rings. In a SharedArrayBuffer, because `Atomics.wait` throws
 * on memory that the shim mapped.
 *
 *   word 0   rings so far, wrapping
 *   word 1   threads asleep or about to be
 *
 * The sleeper reads the rings, looks whether there is work, and sleeps only if the count is still the one it
 * read: a ring in between is never lost. The ringer wakes only if somebody is asleep, since counting costs
 * some 10 ns and waking 5 µs. Both words are accessed sequentially consistent: either the ringer
 * sees the sleeper, or the sleeper sees the ring.
 *
 * A sleeper may wake for nothing: a ringer that counted while nobody slept can come to waking only when the
 * other has begun its next sleep. Whoever wakes looks for work, and sleeps again where there is none.
 */
import { assert } from "../base/assert.ts";

/** Each bell has a cache line. */
export const DOORBELL_BYTES = 64;

/** Memory for `count` bells; handed to the threads that share them. */
export function makeDoorbells(count: number): SharedArrayBuffer {
  return new SharedArrayBuffer(count * DOORBELL_BYTES);
}

export class Doorbell {
  readonly #words: Int32Array;

  constructor(shared: SharedArrayBuffer, bellIndex = 0) {
    assert((bellIndex + 1) * DOORBELL_BYTES <= shared.byteLength, "the bell lies in the memory it is given");
    this.#words = new Int32Array(shared, bellIndex * DOORBELL_BYTES, 2);
  }

  /** Wakes whoever sleeps, and keeps awake whoever is about to. */
  ring(): void {
    Atomics.add(this.#words, 0, 1);
    if (Atomics.load(this.#words, 1) > 0) Atomics.notify(this.#words, 0);
  }

  /** The rings so far. Read it before looking for work, and pass it to `wait`. */
  read(): number {
    return Atomics.load(this.#words, 0);
  }

  /**
   * Sleeps until a ring, or returns at once where there was one since `seen` was read. Blocks the thread.
   * May return early for nothing.
   *
   * @returns false when the time is over
   */
  wait(seen: number, timeoutMs = Number.POSITIVE_INFINITY): boolean {
    Atomics.add(this.#words, 1, 1);
    const outcome = Atomics.wait(this.#words, 0, seen, timeoutMs);
    Atomics.sub(this.#words, 1, 1);
    return outcome !== "timed-out";
  }

  /** The same for a thread with an event loop. @returns false when the time is over */
  async waitAsync(seen: number, timeoutMs = Number.POSITIVE_INFINITY): Promise<boolean> {
    Atomics.add(this.#words, 1, 1);
    const { value } = Atomics.waitAsync(this.#words, 0, seen, timeoutMs);
    const outcome = await value;
    Atomics.sub(this.#words, 1, 1);
    return outcome !== "timed-out";
  }
}
