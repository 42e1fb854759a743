/**
 * When memory may be given back: epochs that readers announce and writers wait for.
 *
 *   word 0         the epoch, from 1, counted up by writers
 *   word 16 × r    reader r (from 1): the epoch it entered in, 0 while it is outside; a cache line each
 *
 * A reader stores the epoch when it enters and 0 when it leaves. A writer first unpublishes what it wants to
 * free (a later reader can not find it), then counts the epoch up; once every reader is outside or entered in
 * that epoch or later, nobody holds the old address. All of these accesses are atomic and sequentially
 * consistent: a reader that stored its epoch too late for a writer to see it also loads its addresses after
 * the writer unpublished the old ones. (Fraser 2004, epoch-based reclamation, with one epoch counter.)
 *
 * Readers keep no address across `exit()`, or check by a generation that it still holds.
 */
import { assert } from "../base/assert.ts";
import type { Region } from "./region.ts";

const LINE_WORDS = 16;

/** Memory for the epochs of up to `readerCount` reading threads; handed to every thread. */
export function makeEpochs(readerCount: number): SharedArrayBuffer {
  const shared = new SharedArrayBuffer((readerCount + 1) * LINE_WORDS * 4);
  new Int32Array(shared)[0] = 1;
  return shared;
}

/** The reading end: one per reading thread. */
export class EpochReader {
  readonly #words: Int32Array;
  readonly #at: number;
  #depth = 0;

  /** @param readerIndex from 0, its own for each thread */
  constructor(shared: SharedArrayBuffer, readerIndex: number) {
    this.#words = new Int32Array(shared);
    this.#at = (readerIndex + 1) * LINE_WORDS;
    assert(readerIndex >= 0 && this.#at < this.#words.length, "each reader has a line of its own");
  }

  /** From here on nothing that can be found is freed. Calls nest; keep the stay short. */
  enter(): void {
    if (this.#depth === 0) Atomics.store(this.#words, this.#at, Atomics.load(this.#words, 0));
    this.#depth += 1;
  }

  exit(): void {
    assert(this.#depth > 0, "a reader leaves after it entered");
    this.#depth -= 1;
    if (this.#depth === 0) Atomics.store(this.#words, this.#at, 0);
  }

  /** Runs a synchronous read inside. */
  inside<T>(read: () => T): T {
    this.enter();
    try {
      return read();
    } finally {
      this.exit();
    }
  }
}

/** Regions that `retireRegion` was given on this thread, before an `Epochs` took them over. */
const retiredHere: Region[] = [];

/**
 * Hands a region over to be given back once no reader can hold it. It must be unpublished already.
 * The thread's `Epochs.collect()` frees it; on a thread without one it stays mapped.
 */
export function retireRegion(region: Region): void {
  retiredHere.push(region);
}

/** The writing end: any number of threads may have one. */
export class Epochs {
  readonly #words: Int32Array;
  #retired: { readonly region: Region; readonly epoch: number }[] = [];

  constructor(shared: SharedArrayBuffer) {
    this.#words = new Int32Array(shared);
  }

  /** Begins an epoch, after something was unpublished. @returns what `isPast` is asked with */
  advance(): number {
    const epoch = Atomics.add(this.#words, 0, 1) + 1;
    assert(epoch > 0 && epoch < 0x7fff_ffff, "epochs are counted up for what is freed, not for every write");
    return epoch;
  }

  /** Whether every reader is outside, or entered in this epoch or later. */
  isPast(epoch: number): boolean {
    for (let at = LINE_WORDS; at < this.#words.length; at += LINE_WORDS) {
      const entered = Atomics.load(this.#words, at);
      if (entered !== 0 && entered < epoch) return false;
    }
    return true;
  }

  /** Gives back the retired regions of this thread that nobody holds. @returns how many still wait */
  collect(): number {
    if (retiredHere.length > 0) {
      const epoch = this.advance();
      for (const region of retiredHere) this.#retired.push({ region, epoch });
      retiredHere.length = 0;
    }
    if (this.#retired.length === 0) return 0;
    this.#retired = this.#retired.filter(({ region, epoch }) => {
      if (!this.isPast(epoch)) return true;
      region.unmap();
      return false;
    });
    return this.#retired.length;
  }
}
