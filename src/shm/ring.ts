/**
 * A ring of messages from one producer thread to one consumer thread, in a SharedArrayBuffer.
 *
 *   byte 0      64     128                                              128 + capacity
 *        | tail | head | message | message | … | (skipped) |
 *
 *   message, at a multiple of 8:  | bytes u32 | 0 | payload, padded to 8 |
 *
 * Tail and head count units of 8 bytes from the beginning of time, wrapping at 2^32; the capacity is a power
 * of two, so the place is the count's low bits. Only the producer stores the tail, only the consumer the
 * head, each after it is done with the bytes before it; each keeps a copy of the other's and looks again
 * only when the ring seems full or empty. A payload never wraps: where it would not fit before the end, a
 * mark of SKIP says to go on at the beginning. That can waste as much as the message is long, so a message
 * may take half the capacity at most. Payloads are read and written in place, nothing is copied.
 */
import { assert } from "../base/assert.ts";
import { CACHE_LINE_BYTES } from "../layout/cache-line.ts";

const UNIT_BYTES = 8;
const HEAD_BYTES = 2 * CACHE_LINE_BYTES;
const HEAD_WORD = CACHE_LINE_BYTES / 4;
const SKIP = 0xffff_ffff;

/** Memory for a ring. @param capacityBytes a power of two, at least 64 */
export function makeRing(capacityBytes: number): SharedArrayBuffer {
  assert(
    capacityBytes >= 64 && (capacityBytes & (capacityBytes - 1)) === 0,
    "a ring's capacity is a power of two",
  );
  return new SharedArrayBuffer(HEAD_BYTES + capacityBytes);
}

/** What both ends see of a ring. Offsets of payloads count from the start of these views. */
class RingEnd {
  readonly bytes: Uint8Array;
  /** of 4 bytes: index is offset / 4 */
  readonly words: Uint32Array;
  /** of 8 bytes: index is offset / 8 */
  readonly numbers: Float64Array;
  readonly capacityBytes: number;
  /** longest payload that fits a ring of this capacity */
  readonly payloadBytesMax: number;
  protected readonly counts: Int32Array;
  protected readonly unitMask: number;

  constructor(shared: SharedArrayBuffer) {
    this.capacityBytes = shared.byteLength - HEAD_BYTES;
    const capacity = this.capacityBytes;
    assert(capacity >= 64 && (capacity & (capacity - 1)) === 0, "the memory was made by makeRing");
    this.payloadBytesMax = capacity / 2 - UNIT_BYTES;
    this.counts = new Int32Array(shared, 0, HEAD_BYTES / 4);
    this.bytes = new Uint8Array(shared, HEAD_BYTES);
    this.words = new Uint32Array(shared, HEAD_BYTES);
    this.numbers = new Float64Array(shared, HEAD_BYTES);
    this.unitMask = capacity / UNIT_BYTES - 1;
  }
}

/** The putting end, for one thread. */
export class RingProducer extends RingEnd {
  #tail: number;
  #head: number;
  #reservedUnits = 0;

  constructor(shared: SharedArrayBuffer) {
    super(shared);
    this.#tail = Atomics.load(this.counts, 0);
    this.#head = Atomics.load(this.counts, HEAD_WORD);
  }

  /**
   * Room for a payload of `payloadBytes`, to be filled in and committed. A reservation that is not committed
   * is replaced by the next.
   *
   * @returns its byte offset in the views, a multiple of 8; -1 while the ring is too full
   */
  reserve(payloadBytes: number): number {
    assert(payloadBytes <= this.payloadBytesMax, "a message takes half the ring at most");
    const units = 1 + ((payloadBytes + UNIT_BYTES - 1) >>> 3);
    const unitCount = this.unitMask + 1;
    const place = this.#tail & this.unitMask;
    const skipped = place + units > unitCount ? unitCount - place : 0;
    const needed = skipped + units;
    if (unitCount - ((this.#tail - this.#head) | 0) < needed) {
      this.#head = Atomics.load(this.counts, HEAD_WORD);
      if (unitCount - ((this.#tail - this.#head) | 0) < needed) return -1;
    }
    let at = place;
    if (skipped > 0) {
      this.words[place * 2] = SKIP;
      at = 0;
    }
    this.words[at * 2] = payloadBytes;
    this.#reservedUnits = needed;
    return (at + 1) * UNIT_BYTES;
  }

  /** Hands the reserved message to the consumer. */
  commit(): void {
    assert(this.#reservedUnits > 0, "a message is committed after it was reserved");
    this.#tail = (this.#tail + this.#reservedUnits) | 0;
    this.#reservedUnits = 0;
    Atomics.store(this.counts, 0, this.#tail);
  }

  /** Whether the consumer has taken everything. */
  get isEmpty(): boolean {
    return Atomics.load(this.counts, HEAD_WORD) === this.#tail;
  }
}

/** The taking end, for one thread. */
export class RingConsumer extends RingEnd {
  #head: number;
  #tail: number;
  #peekedUnits = 0;
  /** bytes of the payload that `peek` found */
  payloadBytes = 0;

  constructor(shared: SharedArrayBuffer) {
    super(shared);
    this.#head = Atomics.load(this.counts, HEAD_WORD);
    this.#tail = Atomics.load(this.counts, 0);
  }

  /**
   * The oldest message, which stays in the ring until it is released; `payloadBytes` says how long it is.
   *
   * @returns the payload's byte offset in the views; -1 while the ring is empty
   */
  peek(): number {
    if (this.#head === this.#tail) {
      this.#tail = Atomics.load(this.counts, 0);
      if (this.#head === this.#tail) return -1;
    }
    const place = this.#head & this.unitMask;
    let at = place;
    let skipped = 0;
    if (this.words[place * 2] === SKIP) {
      skipped = this.unitMask + 1 - place;
      at = 0;
    }
    this.payloadBytes = this.words[at * 2]!;
    this.#peekedUnits = skipped + 1 + ((this.payloadBytes + UNIT_BYTES - 1) >>> 3);
    return (at + 1) * UNIT_BYTES;
  }

  /** Gives the peeked message's room back; its bytes may change from here on. */
  release(): void {
    assert(this.#peekedUnits > 0, "a message is released after it was peeked at");
    this.#head = (this.#head + this.#peekedUnits) | 0;
    this.#peekedUnits = 0;
    Atomics.store(this.counts, HEAD_WORD, this.#head);
  }

  /** Bytes that wait, heads of messages included. */
  get waitingBytes(): number {
    return ((Atomics.load(this.counts, 0) - this.#head) >>> 0) * UNIT_BYTES;
  }
}
