/**
 * Compaction of a space: its live memories copied into new arenas, which then take the place of the old ones.
 *
 *   copying ──▶ caught up, being indexed ──▶ ready ──▶ replaced (space-keeper.ts)
 *      a few slots at a time, between groups of writes; the old image serves all the while
 *
 * What happens meanwhile to slots that were copied already is done to the copy at once: forgetting (replacing
 * forgets one slot and stores another behind), and changes of traits and bindings. A binding is copied with the
 * second of its ends. Nothing of it is logged: both images
 * say the same, so a crash leaves the old one, from the checkpoint and the log.
 */
import { TRAIT_FIELDS_ALL } from "../layout/mind-record.ts";
import { readTraits } from "./mind/node-traits.ts";
import { TRAITS_AT_BIRTH } from "./mind/traits-record.ts";
import type { SpaceWriter } from "./space-writer.ts";

/** A tail that a recall scans in a tenth of a millisecond: the new image need not be better than this. */
const TAIL_READY = 2048;

export class Compaction {
  readonly from: SpaceWriter;
  readonly to: SpaceWriter;
  #next = 0;
  /** slot + 1 in the new image, by slot in the old one; 0 where there is none */
  #twins = new Uint32Array(4096);

  constructor(from: SpaceWriter, to: SpaceWriter) {
    this.from = from;
    this.to = to;
    from.onForget = (slot) => {
      if (slot < this.#next) to.forgetTwin(from, slot);
    };
    from.mind.mirror = {
      traitsChanged: (slot) => this.#copyTraits(slot),
      bound: (source, destination, bind) => {
        const [twin, other] = [this.#twinOf(source), this.#twinOf(destination)];
        if (twin >= 0 && other >= 0) to.mind.bindings.set(twin, other, bind.kind, bind);
      },
    };
    to.openToIndexers();
  }

  /** Copies up to `slots` more. @returns how many slots were gone through */
  advance(slots: number): number {
    const end = Math.min(this.from.nodeCount, this.#next + slots);
    const begin = this.#next;
    for (let slot = begin; slot < end; slot++) {
      this.#copy(slot);
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
    this.from.mind.mirror = undefined;
  };

  /** What the walks had done of the old image, they have done of the new one. To be called before it opens. */
  handOver(): void {
    this.to.mind.continueFrom(this.from.mind);
  }

  #copy(slot: number): void {
    const { from, to } = this;
    const twin = to.adopt(from, slot);
    if (twin < 0) return;
    if (slot >= this.#twins.length) {
      const grown = new Uint32Array(Math.max(slot + 1, this.#twins.length * 2));
      grown.set(this.#twins);
      this.#twins = grown;
    }
    this.#twins[slot] = twin + 1;
    this.#copyTraits(slot);
    const fanOut = from.mind.bindings.fanOut(slot);
    for (let index = 0; index < fanOut; index++) {
      const bind = from.mind.bindings.at(slot, index);
      const other = this.#twinOf(bind.target);
      if (other < 0) continue;
      const [source, destination] = bind.isReverse ? [other, twin] : [twin, other];
      to.mind.bindings.set(source, destination, bind.kind, bind, true);
    }
  }

  #copyTraits(slot: number): void {
    const twin = this.#twinOf(slot);
    if (twin < 0) return;
    const traits = readTraits(this.from.arenas.headers, slot, { ...TRAITS_AT_BIRTH });
    this.to.mind.setTraits(twin, traits, TRAIT_FIELDS_ALL);
  }

  #twinOf(slot: number): number {
    return (this.#twins[slot] ?? 0) - 1;
  }
}
