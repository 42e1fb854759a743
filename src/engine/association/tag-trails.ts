/**
 * Which memories carried a tag lately: for each tag of a space the last few, and how many there were.
 *
 * Kept by the associator alone, and filled from the last memories of the space when it meets the space again: what
 * lies further back is bound already, or was not worth it.
 */

type Trail = { count: number; readonly slots: number[] };

/** Tags remembered for a space; the one met longest ago is dropped for a new one. */
const TAGS_MAX = 65_536;

export class TagTrails {
  readonly #trails = new Map<string, Trail>();
  readonly #slotsMax: number;

  /** @param slotsMax memories kept for a tag */
  constructor(slotsMax: number) {
    this.#slotsMax = slotsMax;
  }

  /** The last memories with the tag, the latest first, and how many there were. */
  of(tag: string): { readonly count: number; readonly slots: readonly number[] } {
    const trail = this.#trails.get(tag);
    return trail === undefined
      ? { count: 0, slots: [] }
      : { count: trail.count, slots: trail.slots.toReversed() };
  }

  add(tag: string, slot: number): void {
    const trail = this.#trails.get(tag) ?? { count: 0, slots: [] };
    this.#trails.delete(tag);
    this.#trails.set(tag, trail);
    trail.count += 1;
    trail.slots.push(slot);
    if (trail.slots.length > this.#slotsMax) trail.slots.shift();
    if (this.#trails.size > TAGS_MAX) this.#trails.delete(this.#trails.keys().next().value!);
  }
}
