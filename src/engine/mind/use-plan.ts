/**
 * What uses do to the nodes of a space: their traits afterwards (`cognition/use.ts`), and the strength of what binds
 * those that were used together (`cognition/co-use.ts`), as a compound of absolute values for the log.
 *
 * Nodes that are no longer there are left out. Several uses of one node in a request follow one on the other.
 */
import { strengthAfterUse } from "../../cognition/co-use.ts";
import { nextTraits } from "../../cognition/use.ts";
import { MIND_PAYLOAD_BYTES_MAX, USE, type UseHow } from "../../layout/mind-record.ts";
import type { SlotArena } from "../../shm/arena.ts";
import type { Forgetting } from "../space-forgetting.ts";
import { BIND_USE_COUNT_MAX } from "./bind-record.ts";
import { CompoundBuilder } from "./compound.ts";
import type { MindSpace } from "./mind-plan.ts";
import { readTraits } from "./node-traits.ts";
import { type NodeTraits, TRAITS_AT_BIRTH } from "./traits-record.ts";
import type { NodeUse } from "./use-request.ts";

export type UsePlan = {
  /** empty where nothing is left to do; valid until the next plan */
  readonly payload: Uint8Array;
  /** uses that were done, by USE */
  readonly done: readonly number[];
};

/** Uses that happened together are looked at pair by pair, so at most so many of them. */
const TOGETHER_MAX = 16;

export class UsePlanner {
  readonly #out = new CompoundBuilder();
  readonly #changed = new Map<number, NodeTraits>();

  /** @param storedAtMs when the node in a slot was stored: an unused one has aged since then */
  plan(
    space: MindSpace & { readonly headers: SlotArena; readonly storedAtMs: (slot: number) => number },
    uses: readonly Required<NodeUse>[],
    rules: Forgetting,
  ): UsePlan {
    this.#out.clear();
    this.#changed.clear();
    const done = Object.values(USE).map(() => 0);
    const slots = uses.map(({ node }) => space.slotOf(node));
    for (const [i, use] of uses.entries()) {
      const slot = slots[i]!;
      if (slot < 0) continue;
      this.#changed.set(slot, this.#used(space, slot, use.how, use.atMs, rules));
      done[USE[use.how]]! += 1;
    }
    for (const [slot, traits] of this.#changed) {
      const { lastUsedMs, useCount, stabilityHours, importance, lastActivation } = traits;
      this.#out.traits(space.nodeAt(slot), {
        lastActivation,
        // A node that was only primed was not used.
        ...(lastUsedMs === 0 ? {} : { lastUsedMs, useCount, stabilityHours, importance }),
      });
    }
    for (const together of groupsOf(uses, slots)) this.#strengthen(space, together);
    return { payload: this.#out.payload, done };
  }

  #used(
    space: { readonly headers: SlotArena; readonly storedAtMs: (slot: number) => number },
    slot: number,
    how: UseHow,
    atMs: number,
    rules: Forgetting,
  ): NodeTraits {
    const traits = this.#changed.get(slot) ?? readTraits(space.headers, slot, { ...TRAITS_AT_BIRTH });
    if (how === "primed") return { ...traits, lastActivation: 1 };
    const before = {
      ...traits,
      lastUsedMs: traits.lastUsedMs || space.storedAtMs(slot),
      stabilityHours: traits.stabilityHours || rules.stabilityHours,
    };
    return { ...traits, ...nextTraits(before, how, atMs, rules.curve) };
  }

  /** Strengthens the bindings there are between nodes that were used together. */
  #strengthen(space: MindSpace, together: readonly { slot: number; atMs: number }[]): void {
    const { bindings } = space;
    const atMsBySlot = new Map(together.map(({ slot, atMs }) => [slot, atMs]));
    for (const [slot, atMs] of atMsBySlot) {
      const fanOut = bindings.fanOut(slot);
      for (let index = 0; index < fanOut; index++) {
        const bind = bindings.at(slot, index);
        // Each binding is met at its source.
        if (bind.isReverse || !atMsBySlot.has(bind.target)) continue;
        // What no longer fits the record is strengthened another time.
        if (this.#out.byteLength >= MIND_PAYLOAD_BYTES_MAX) return;
        this.#out.bind({
          source: space.nodeAt(slot),
          destination: space.nodeAt(bind.target),
          kind: bind.kind,
          strength: strengthAfterUse(bind.strength),
          lastUsedSeconds: Math.max(bind.lastUsedSeconds, Math.max(0, Math.floor(atMs / 1000)) >>> 0),
          useCount: Math.min(bind.useCount + 1, BIND_USE_COUNT_MAX),
        });
      }
    }
  }
}

/** Uses next to each other that happened together, those of nodes that are still there. */
function groupsOf(
  uses: readonly Required<NodeUse>[],
  slots: readonly number[],
): { slot: number; atMs: number }[][] {
  const groups: { slot: number; atMs: number }[][] = [];
  let open: { slot: number; atMs: number }[] = [];
  let group = 0;
  for (const [i, use] of uses.entries()) {
    if (use.group === 0 || use.group !== group) {
      open = [];
      group = use.group;
      if (group !== 0) groups.push(open);
    }
    if (group !== 0 && slots[i]! >= 0 && open.length < TOGETHER_MAX) {
      open.push({ slot: slots[i]!, atMs: use.atMs });
    }
  }
  return groups.filter((each) => each.length > 1);
}
