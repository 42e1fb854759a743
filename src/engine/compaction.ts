/**
 * Compaction of a space: its live memories copied into new arenas, which then take the place of the old ones.
 *
 *   copying ──▶ caught up, being indexed ──▶ ready ──▶ replaced (space-keeper.ts)
 *      a few slots at a time, between groups of writes; the old image serves all the while
 *
 * What happens meanwhile to slots that were copied already is done to the copy at once: that can only be
 * forgetting, since replacing forgets one slot and stores another behind. Nothing of it is logged: both images
 * say the same, so a crash leaves the old one, from the checkpoint and the log.
 */
import type { SpaceWriter } from "./space-writer.ts";

/** A tail that a recall scans in a tenth of a millisecond: the new image need not be better than this. */
const TAIL_READY = 2048;

export class Compaction {
  readonly from: SpaceWriter;
  readonly to: SpaceWriter;
  #next = 0;

  constructor(from: SpaceWriter, to: SpaceWriter) {
    this.from = from;
    this.to = to;
    from.onForget = (slot) => {
      if (slot < this.#next) to.forgetTwin(from, slot);
    };
    to.openToIndexers();
  }

  /** Copies up to `slots` more. @returns how many slots were gone through */
  advance(slots: number): number {
    const end = Math.min(this.from.nodeCount, this.#next + slots);
    const begin = this.#next;
    for (let slot = begin; slot < end; slot++) {
      this.to.adopt(this.from, slot);
      this.#next = slot + 1;
    }
    return end - begin;
  }

  /** Everything is copied, and nearly everything that the old graph holds is in the new one. */
  get isReady(): boolean {
    const { root } = this.to;
    if (this.#next < this.from.nodeCount) return false;
    return root.load("nodeCount") - root.load("indexedCount") <= TAIL_READY;
  }

  /** Lets go of the old image. */
  readonly end = (): void => {
    this.from.onForget = undefined;
  };
}
