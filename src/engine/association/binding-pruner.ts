/**
 * Takes bindings away that have faded below what activation would notice, a few nodes at a time, once around every
 * space in an hour. What was linked on purpose does not fade.
 *
 * How strong a binding is now is computed when it is read (`cognition/binding-decay.ts`), so nothing has to be
 * written while it fades; this only gives back the memory and the visits of what has faded out.
 */
import { RequestError } from "../../base/errors.ts";
import { bindingDecayTable, strengthNow } from "../../cognition/binding-decay.ts";
import type { Bm25Settings } from "../../index/word-index-reader.ts";
import { ScoreAccumulator } from "../../index/word-index-reader.ts";
import { BINDING_KIND_DELIBERATE } from "../../layout/binding.ts";
import type { EpochReader } from "../../shm/epochs.ts";
import { BindingList } from "../mind/binding-reader.ts";
import { CompoundBuilder } from "../mind/compound.ts";
import { sendCompound } from "../mind/mind-client.ts";
import { SpaceReader } from "../space-reader.ts";
import type { SpaceRoot, SpaceTable } from "../space-table.ts";
import type { WriteClient } from "../write-client.ts";
import type { AssociationSettings } from "./association-settings.ts";

const ROUND_MS = 3_600_000;
const NODES_A_TURN = 2000;

type Place = { readonly reader: SpaceReader; slot: number; nextRoundAtMs: number };

export class BindingPruner {
  readonly #options: {
    readonly table: SpaceTable;
    readonly epoch: EpochReader;
    readonly client: WriteClient;
    readonly settings: AssociationSettings;
    readonly bm25: Bm25Settings;
    readonly wallClock: () => number;
  };
  readonly #fading: Float64Array;
  readonly #accumulator = new ScoreAccumulator();
  readonly #list = new BindingList();
  readonly #compound = new CompoundBuilder();
  readonly #places = new Map<number, Place>();

  /** @param options.wallClock ms since the epoch */
  constructor(options: {
    table: SpaceTable;
    epoch: EpochReader;
    client: WriteClient;
    settings: AssociationSettings;
    bm25: Bm25Settings;
    wallClock: () => number;
  }) {
    this.#options = options;
    this.#fading = bindingDecayTable(options.settings.halfLifeSeconds);
  }

  /** Looks at some nodes of each space that is due. @returns nodes looked at */
  async turn(): Promise<number> {
    let looked = 0;
    for (const root of this.#options.table.roots) {
      if (!root.isOpen) this.#places.delete(root.spaceIndex);
      else if (root.load("bindingCount") > 0) looked += await this.#space(root);
    }
    return looked;
  }

  async #space(root: SpaceRoot): Promise<number> {
    const { epoch, client, wallClock } = this.#options;
    const place = this.#placeOf(root);
    if (wallClock() < place.nextRoundAtMs) return 0;
    const from = place.slot;
    const compound = this.#compound.clear();
    epoch.inside(() => this.#collect(place));
    if (!compound.isEmpty) {
      try {
        await sendCompound(
          client,
          { root, generation: place.reader.generation },
          compound.payload.slice(),
          "memory",
        );
      } catch (error) {
        if (!(error instanceof RequestError)) throw error;
        place.slot = from;
        return 0;
      }
    }
    return place.slot - from;
  }

  #collect(place: Place): void {
    const { reader } = place;
    if (!reader.isCurrent) return;
    const { wallClock, settings } = this.#options;
    const nodeCount = reader.root.load("nodeCount");
    const nowSeconds = Math.floor(wallClock() / 1000);
    const until = Math.min(nodeCount, place.slot + NODES_A_TURN);
    const list = this.#list;
    for (; place.slot < until; place.slot++) {
      if (reader.bindings.fanOut(place.slot) === 0 || !reader.isLive(place.slot)) continue;
      const count = reader.bindings.read(place.slot, nodeCount, list);
      for (let i = 0; i < count; i++) {
        const kind = list.kinds[i]!;
        if (list.reversed[i] === 1 || kind >= BINDING_KIND_DELIBERATE) continue;
        const lastUsedSeconds = list.lastUsedSeconds[i]!;
        const strength = strengthNow(list.strengths[i]!, lastUsedSeconds, nowSeconds, this.#fading);
        if (strength >= settings.strengthMin) continue;
        const source = reader.nodeAt(place.slot);
        const destination = reader.nodeAt(list.targets[i]!);
        this.#compound.bind({ source, destination, kind, strength: 0, lastUsedSeconds, useCount: 0 });
      }
    }
    if (place.slot < nodeCount) return;
    place.slot = 0;
    place.nextRoundAtMs = wallClock() + ROUND_MS;
  }

  #placeOf(root: SpaceRoot): Place {
    const known = this.#places.get(root.spaceIndex);
    if (known?.reader.isCurrent) return known;
    const reader = new SpaceReader(root, this.#options.bm25, this.#accumulator);
    const fresh: Place = { reader, slot: 0, nextRoundAtMs: 0 };
    this.#places.set(root.spaceIndex, fresh);
    return fresh;
  }
}
