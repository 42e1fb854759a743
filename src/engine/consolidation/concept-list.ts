/**
 * The live concepts of a space, by slot, for one thread: found by looking through the headers once, and kept up by
 * looking at those that are new. Use it inside an epoch, with a current reader.
 */
import { Rows } from "../../ffi/centroids.ts";
import { NODE_KIND } from "../../layout/node-header.ts";
import type { NodeTraits } from "../mind/traits-record.ts";
import { TRAITS_AT_BIRTH } from "../mind/traits-record.ts";
import type { SpaceReader } from "../space-reader.ts";

export class ConceptList {
  /** ascending */
  slots: number[] = [];
  #reader: SpaceReader | undefined;
  #seenBelow = 0;
  #rows = new Rows(64);
  readonly #traits: NodeTraits = { ...TRAITS_AT_BIRTH };

  /** Brings the list up to the node count; a new reader means new slots. */
  refresh(reader: SpaceReader, nodeCount: number): void {
    if (this.#reader !== reader) {
      this.#reader = reader;
      this.#seenBelow = 0;
      this.slots = [];
    }
    this.slots = this.slots.filter((slot) => reader.isLive(slot));
    for (let slot = this.#seenBelow; slot < nodeCount; slot++) {
      if (reader.kind(slot) === NODE_KIND.concept && reader.isLive(slot)) this.slots.push(slot);
    }
    this.#seenBelow = nodeCount;
  }

  /** The centroids, in the order of `slots`; valid until the next call. */
  rows(): Rows {
    const reader = this.#reader!;
    if (this.#rows.capacity < this.slots.length) this.#rows = new Rows(2 * this.slots.length);
    this.#rows.clear();
    for (const slot of this.slots) this.#rows.push(reader.vectors.address(slot));
    return this.#rows;
  }

  /** Coherence and members of a concept; valid until the next call. */
  traits(slot: number): Readonly<NodeTraits> {
    return this.#reader!.traits(slot, this.#traits);
  }
}
