/**
 * A ring of events from one thread to any number of readers, overwriting the oldest (`layout/event.ts` draws it).
 *
 * The writer never waits and never fails: it does not know who reads. A reader keeps a position of its own, and
 * finds out by itself what was overwritten before it came to it.
 *
 *   writer   reserved += units of the event   (from here on nobody trusts the bytes that will be overwritten)
 *            bytes, index
 *            head += 1                        (from here on it can be read)
 *   reader   head, index, bytes copied; then head and reserved once more: the copy counts if neither the index
 *            entry nor the bytes can have been overwritten meanwhile, else the event is lost
 *
 * Head and reserved are changed by atomic additions, which order the plain stores around them. Positions wrap at
 * 2^32 and are compared by their difference, so a reader must not fall 2^31 events behind.
 */
import { assert } from "../base/assert.ts";
import {
  EVENT_BYTES_MAX,
  EVENT_HEAD_BYTES,
  EVENT_INDEX_COUNT,
  EVENT_RING_BYTES,
  EVENT_RING_HEAD_BYTES,
  EVENT_RING_WORD,
} from "../layout/event.ts";

const UNIT_BYTES = 8;
const INDEX_MASK = EVENT_INDEX_COUNT - 1;
const DATA_AT = EVENT_RING_HEAD_BYTES + EVENT_INDEX_COUNT * 4;
const UNIT_COUNT = EVENT_RING_BYTES / UNIT_BYTES;
const UNIT_MASK = UNIT_COUNT - 1;
/** A reader that is overtaken this often in a row gives up what it was after. */
const OVERTAKEN_MAX = 8;

assert((EVENT_INDEX_COUNT & INDEX_MASK) === 0, "positions in the index are found with a mask");
assert((UNIT_COUNT & UNIT_MASK) === 0, "positions in the ring are found with a mask");
assert(DATA_AT % UNIT_BYTES === 0, "events lie at multiples of 8 bytes");

export function makeEventRing(): SharedArrayBuffer {
  return new SharedArrayBuffer(DATA_AT + EVENT_RING_BYTES);
}

class EventRingEnd {
  protected readonly words: Int32Array;
  protected readonly index: Uint32Array;
  protected readonly data: Uint8Array;
  protected readonly dataWords: Uint32Array;
  protected readonly dataNumbers: Float64Array;

  constructor(shared: SharedArrayBuffer) {
    assert(shared.byteLength === DATA_AT + EVENT_RING_BYTES, "the memory was made by makeEventRing");
    this.words = new Int32Array(shared, 0, EVENT_RING_HEAD_BYTES / 4);
    this.index = new Uint32Array(shared, EVENT_RING_HEAD_BYTES, EVENT_INDEX_COUNT);
    this.data = new Uint8Array(shared, DATA_AT);
    this.dataWords = new Uint32Array(shared, DATA_AT);
    this.dataNumbers = new Float64Array(shared, DATA_AT);
  }
}

/** The writing end, for one thread. */
export class EventRingWriter extends EventRingEnd {
  readonly #encoder = new TextEncoder();
  readonly #scratch = new Uint8Array(EVENT_BYTES_MAX);

  /** Writes an event over the oldest ones. One that is too large is counted and dropped. */
  put(kind: number, timeMs: number, text: string): void {
    const { read, written } = this.#encoder.encodeInto(text, this.#scratch);
    if (read < text.length) {
      Atomics.add(this.words, EVENT_RING_WORD.tooLarge, 1);
      return;
    }
    const units = (EVENT_HEAD_BYTES + written + UNIT_BYTES - 1) >>> 3;
    const reserved = this.words[EVENT_RING_WORD.reserved]!;
    const place = reserved & UNIT_MASK;
    // An event never wraps: what is left before the end stays unused.
    const skipped = place + units > UNIT_COUNT ? UNIT_COUNT - place : 0;
    const start = (reserved + skipped) | 0;
    Atomics.add(this.words, EVENT_RING_WORD.reserved, skipped + units);
    const at = (start & UNIT_MASK) * UNIT_BYTES;
    this.dataWords[at / 4] = kind;
    this.dataWords[at / 4 + 1] = written;
    this.dataNumbers[at / 8 + 1] = timeMs;
    this.data.set(this.#scratch.subarray(0, written), at + EVENT_HEAD_BYTES);
    this.index[this.words[EVENT_RING_WORD.head]! & INDEX_MASK] = start;
    Atomics.add(this.words, EVENT_RING_WORD.head, 1);
  }
}

/** A reading end; any thread may have any number of them. */
export class EventRingReader extends EventRingEnd {
  readonly #decoder = new TextDecoder();
  readonly #copy = new Uint8Array(EVENT_BYTES_MAX);
  /** position of the next event to be read, u32 */
  position: number;
  /** events that were overwritten before this reader came to them */
  lost = 0;
  /** of the event that `read` found */
  kind = 0;
  timeMs = 0;
  #bytes = 0;

  /** Begins behind the newest event. */
  constructor(shared: SharedArrayBuffer) {
    super(shared);
    this.position = this.#head();
  }

  /** Events dropped by the writer because they were too large. */
  get tooLarge(): number {
    return Atomics.load(this.words, EVENT_RING_WORD.tooLarge) >>> 0;
  }

  /** Goes to an event that was read before, or back to the oldest there is. @returns false: it was not written yet */
  seek(position: number): boolean {
    if (((this.#head() - position) | 0) < 0) return false;
    this.position = position >>> 0;
    return true;
  }

  /** Goes behind the newest event, which counts as no loss. */
  skipAll(): void {
    this.position = this.#head();
    this.lost = 0;
  }

  /** Goes back to the oldest event that is still there, which counts as no loss. */
  rewind(): void {
    this.position = this.#oldest();
  }

  /** Goes to the next event of one of the kinds. @param kinds a bit for each code @returns false: no more */
  read(kinds: number): boolean {
    for (let overtaken = 0; ; ) {
      const head = this.#head();
      if (head === this.position) return false;
      if (overtaken > OVERTAKEN_MAX) {
        this.#loseUntil(head);
        return false;
      }
      if (!this.#tryCopy(head)) {
        this.#loseUntil(this.#oldest());
        overtaken += 1;
        continue;
      }
      this.position = (this.position + 1) >>> 0;
      if ((kinds & (1 << this.kind)) !== 0) return true;
    }
  }

  /** The JSON of the event that `read` found. */
  text(): string {
    return this.#decoder.decode(this.#copy.subarray(0, this.#bytes));
  }

  #head(): number {
    return Atomics.load(this.words, EVENT_RING_WORD.head) >>> 0;
  }

  /** @returns false when it was overwritten before, or while, it was copied */
  #tryCopy(head: number): boolean {
    if (!isIndexed(head, this.position)) return false;
    const start = this.index[this.position & INDEX_MASK]!;
    const at = (start & UNIT_MASK) * UNIT_BYTES;
    const kind = this.dataWords[at / 4]!;
    // Of an event that is being overwritten it may be any number.
    const bytes = Math.min(
      this.dataWords[at / 4 + 1]!,
      EVENT_BYTES_MAX,
      EVENT_RING_BYTES - at - EVENT_HEAD_BYTES,
    );
    const timeMs = this.dataNumbers[at / 8 + 1]!;
    this.#copy.set(this.data.subarray(at + EVENT_HEAD_BYTES, at + EVENT_HEAD_BYTES + bytes));
    if (!this.#isWhole(start)) return false;
    this.kind = kind;
    this.timeMs = timeMs;
    this.#bytes = bytes;
    return true;
  }

  /** Whether what began at `start`, read from the index at `position`, can not have been overwritten by now. */
  #isWhole(start: number, position: number = this.position): boolean {
    // An atomic addition of nothing: the reads before it are done before it looks.
    const reserved = Atomics.add(this.words, EVENT_RING_WORD.reserved, 0);
    return isIndexed(this.#head(), position) && (reserved - start) >>> 0 <= UNIT_COUNT;
  }

  /** The oldest position that could be read a moment ago, found by halving: what is newer is whole, too. */
  #oldest(): number {
    const head = this.#head();
    let behind = 0;
    let ahead = Math.min(EVENT_INDEX_COUNT - 1, this.#everWritten(head));
    while (behind < ahead) {
      const middle = (behind + ahead + 1) >>> 1;
      const position = (head - middle) >>> 0;
      if (this.#isWhole(this.index[position & INDEX_MASK]!, position)) behind = middle;
      else ahead = middle - 1;
    }
    return (head - behind) >>> 0;
  }

  /** Before the index was filled once, older places hold nothing. */
  #everWritten(head: number): number {
    // The index is zero where nothing was written, and only the very first event begins at unit 0.
    return head < EVENT_INDEX_COUNT && this.index[EVENT_INDEX_COUNT - 1] === 0 ? head : EVENT_INDEX_COUNT;
  }

  #loseUntil(position: number): void {
    this.lost += (position - this.position) >>> 0;
    this.position = position;
  }
}

/** Whether the index entry of `position` still is its own, also while the writer is at the next one. */
function isIndexed(head: number, position: number): boolean {
  return (head - position) >>> 0 < EVENT_INDEX_COUNT;
}
