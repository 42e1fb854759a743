/** What activation reaches from memories that a caller names, straight from shared memory, inside an epoch. */
import type { ActivationReport, Memory } from "../engine.ts";
import type { EngineMeter } from "../meters.ts";
import {
  type ActivationOverrides,
  type ActivationSettings,
  activationOf,
} from "../recall/activation-settings.ts";
import { type ActivationPath, SEEDS_MAX, Spreader } from "../recall/spreader.ts";
import type { SpaceReader } from "../space-reader.ts";

export type Reached = {
  readonly memory: Memory;
  /** what arrived, in units of what a seed fires */
  readonly activation: number;
  readonly path: ActivationPath | undefined;
};

export type Spread = { readonly reached: readonly Reached[]; readonly report: ActivationReport };

export class SpreadProbe {
  readonly #settings: ActivationSettings;
  readonly #spreader: Spreader;

  constructor(settings: ActivationSettings, meter: EngineMeter) {
    this.#settings = settings;
    this.#spreader = new Spreader(settings, meter);
  }

  /** Memories by what arrived at them, the seeds aside. @param seeds live slots, at most SEEDS_MAX */
  run(
    reader: SpaceReader,
    seeds: readonly number[],
    options: {
      readonly overrides: ActivationOverrides | undefined;
      readonly limit: number;
      readonly explain: boolean;
      readonly atMs: number;
    },
  ): Spread {
    const asked = activationOf(this.#settings, options.overrides);
    const spreader = this.#spreader;
    const report = spreader.spread(
      reader,
      {
        count: seeds.length,
        slots: Uint32Array.from(seeds),
        activations: new Float64Array(seeds.length).fill(1),
      },
      asked,
      { nodeCount: reader.root.load("nodeCount"), atMs: options.atMs },
    );
    const { result } = spreader;
    const order: number[] = [];
    for (let node = 0; node < result.count; node++) {
      if (spreader.isReached(node) && !seeds.includes(result.slots[node]!)) order.push(node);
    }
    order.sort((a, b) => result.received[b]! - result.received[a]! || result.slots[a]! - result.slots[b]!);
    const reached: Reached[] = [];
    for (const node of order) {
      if (reached.length === options.limit) break;
      const slot = result.slots[node]!;
      if (!reader.isLive(slot)) continue;
      reached.push({
        memory: reader.memory(slot),
        activation: result.received[node]!,
        path: options.explain ? spreader.path(reader, node) : undefined,
      });
    }
    return { reached, report };
  }
}

export { SEEDS_MAX };
