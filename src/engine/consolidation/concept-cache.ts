/**
 * Concepts as one API worker last read them: a recall answers the same few again and again, and reading one with its
 * cited members costs some 20 µs, most of what concepts cost a recall.
 *
 * A concept in a slot never changes but for its bindings, whose version stands in its header: the same version is the
 * same concept. The one used longest ago makes room. An entry takes some 1.5 KB, the concept itself 5 KB and more in
 * shared memory (768 dimensions), so that a full cache beside 10,000 concepts adds less than a fifth of them, for
 * each API worker.
 */
import type { SpaceReader } from "../space-reader.ts";
import type { Concept } from "./concept-desk.ts";

export const CONCEPTS_CACHED_MAX = 6144;

type Entry = { readonly version: number; readonly concept: Concept };

export class ConceptCache {
  readonly #entries = new Map<number, Entry>();
  readonly #capacity: number;
  #reader: SpaceReader | undefined;
  hits = 0;
  misses = 0;

  constructor(capacity: number = CONCEPTS_CACHED_MAX) {
    this.#capacity = capacity;
  }

  /** The concept in a slot, read where it is not known. Inside an epoch; a new reader means new slots. */
  get(reader: SpaceReader, slot: number, read: () => Concept): Concept {
    if (this.#reader !== reader) {
      this.#reader = reader;
      this.#entries.clear();
    }
    const version = reader.bindingVersion(slot);
    const known = this.#entries.get(slot);
    if (known?.version === version) {
      this.hits += 1;
      this.#entries.delete(slot);
      this.#entries.set(slot, known);
      return known.concept;
    }
    this.misses += 1;
    const concept = read();
    this.#entries.set(slot, { version, concept });
    if (this.#entries.size > this.#capacity) this.#entries.delete(this.#entries.keys().next().value!);
    return concept;
  }
}
