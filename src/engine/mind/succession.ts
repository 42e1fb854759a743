/**
 * What a memory takes over from the one that it replaced, where reconsolidation has a say in it
 * (`cognition/reconsolidation.ts`): within the window after a use everything, strengthened; later nothing, since it is
 * a new trace. The result goes to the log as absolute traits, right behind the memory.
 *
 * Bindings are handed on either way: what belongs together stays together. A memory that was never used has earned
 * nothing, so there is nothing to decide.
 */

import type { Hash64 } from "../../base/hash64.ts";
import { traitsOfSuccessor } from "../../cognition/reconsolidation.ts";
import type { SlotArenaReader } from "../../shm/arena.ts";
import { CompoundBuilder } from "./compound.ts";
import { readTraits } from "./node-traits.ts";
import { type NodeTraits, TRAITS_AT_BIRTH } from "./traits-record.ts";

export type Succession = {
  readonly headers: SlotArenaReader;
  /** slot of the replaced memory */
  readonly older: number;
  readonly node: Hash64;
  /** when it was replaced, ms */
  readonly atMs: number;
  /** given by the storer of the new one */
  readonly importance: number | undefined;
  readonly valence: number | undefined;
};

export class SuccessionPlanner {
  readonly #out = new CompoundBuilder();
  readonly #older: NodeTraits = { ...TRAITS_AT_BIRTH };

  /** A compound for the log, valid until the next call; undefined where the successor takes over everything. */
  plan(succession: Succession, windowHours: number): Uint8Array | undefined {
    const { headers, older, node, atMs, importance, valence } = succession;
    const before = readTraits(headers, older, this.#older);
    if (before.useCount === 0) return undefined;
    const fresh = {
      lastUsedMs: 0,
      useCount: 0,
      stabilityHours: 0,
      importance: importance ?? TRAITS_AT_BIRTH.importance,
      valence: valence ?? 0,
      lastActivation: 0,
    };
    const after = traitsOfSuccessor(before, fresh, atMs, windowHours);
    this.#out.clear();
    this.#out.traits(node, {
      ...after,
      importance: importance ?? after.importance,
      valence: valence ?? after.valence,
    });
    return this.#out.payload;
  }
}
