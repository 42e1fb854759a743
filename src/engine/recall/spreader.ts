/** Spreads activation over a space's bindings as settings and a call ask, and keeps what it met: one per thread and use. */
import { assert } from "../../base/assert.ts";
import { bindingDecayTable } from "../../cognition/binding-decay.ts";
import {
  EXHAUSTED,
  makeSpreadResult,
  NO_NODE,
  pathTo,
  type SpreadResult,
  type SpreadSeeds,
} from "../../cognition/spreading.ts";
import { SpreadScratch } from "../../ffi/spread.ts";
import { BINDING_KINDS } from "../../layout/metric-codes.ts";
import type { ActivationReport } from "../engine.ts";
import type { EngineMeter } from "../meters.ts";
import type { SpaceReader } from "../space-reader.ts";
import { type ActivationSettings, KIND_WEIGHTS } from "./activation-settings.ts";
import { type KeptOutcome, SpreadCache, type SpreadScene } from "./spread-cache.ts";

/** The most that settings and calls may ask for. */
export const SEEDS_MAX = 64;
export const VISITS_MAX = 20_000;
const BUDGETS = { [EXHAUSTED.none]: "none", [EXHAUSTED.visits]: "visits", [EXHAUSTED.time]: "time" } as const;

/** The way on which most of a memory's activation came: from a seed, binding by binding. */
export type ActivationPath = readonly {
  readonly id: string;
  readonly kind?: string;
  readonly strength?: number;
}[];

export class Spreader {
  readonly #meter: EngineMeter;
  readonly #fading: Float64Array;
  readonly #cache = new SpreadCache();
  /** made at the first use: most threads never spread */
  #room: { readonly scratch: SpreadScratch; readonly result: SpreadResult } | undefined;

  constructor(settings: Pick<ActivationSettings, "halfLifeSeconds">, meter: EngineMeter) {
    this.#meter = meter;
    this.#fading = bindingDecayTable(settings.halfLifeSeconds);
  }

  /** What the last spreading met. */
  get result(): SpreadResult {
    assert(this.#room !== undefined, "a result is read after something was spread");
    return this.#room.result;
  }

  /** @param of.nodeCount slots from here on are not seen */
  spread(
    reader: SpaceReader,
    seeds: SpreadSeeds,
    asked: ActivationSettings,
    of: { readonly nodeCount: number; readonly atMs: number },
  ): ActivationReport {
    this.#room ??= {
      scratch: new SpreadScratch(SEEDS_MAX + VISITS_MAX),
      result: makeSpreadResult(SEEDS_MAX, VISITS_MAX),
    };
    const { result } = this.#room;
    const scene = {
      spaceIndex: reader.root.spaceIndex,
      generation: reader.generation,
      // Read before the bindings are: what changes meanwhile makes the entry old at once.
      mindGeneration: reader.root.load("mindGeneration"),
      nodeCount: of.nodeCount,
      minute: Math.floor(of.atMs / 60_000),
    };
    const kept = this.#cache.find(seeds, asked, scene, result);
    const { visited, hops, exhausted } = kept ?? this.#spread(reader, seeds, asked, scene);
    if (kept === undefined && exhausted !== EXHAUSTED.time)
      this.#cache.keep(result, { visited, hops, exhausted });
    this.#meter.activated(visited, hops, exhausted, kept !== undefined);
    return {
      seeds: result.seedCount,
      visited,
      hops,
      reached: result.count,
      budgetExhausted: BUDGETS[exhausted],
    };
  }

  /** Whether a node that was met is more than a seed. */
  isReached(node: number): boolean {
    return this.result.via[node] !== NO_NODE;
  }

  path(reader: SpaceReader, node: number): ActivationPath {
    const { result } = this;
    return pathTo(result, node).map((at, step) => {
      const { id } = reader.memory(result.slots[at]!);
      if (step === 0) return { id };
      return {
        id,
        kind: BINDING_KINDS[result.viaKinds[at]!]!,
        strength: Math.round(result.viaStrengths[at]! * 1e6) / 1e6,
      };
    });
  }

  #spread(
    reader: SpaceReader,
    seeds: SpreadSeeds,
    asked: ActivationSettings,
    { nodeCount, minute }: SpreadScene,
  ): KeptOutcome {
    const { scratch, result } = this.#room!;
    assert(asked.visits <= VISITS_MAX, "no more visits are asked for than there is room for");
    result.count = scratch.spread(
      {
        headers: reader.headers.ref,
        bindingTable: reader.root.number("bindingTable"),
        nodeCount,
        fading: this.#fading,
        nowSeconds: minute * 60,
      },
      seeds,
      {
        hops: asked.hops,
        decay: asked.decay,
        threshold: asked.threshold,
        visitsMax: asked.visits,
        cyclePenalty: asked.cyclePenalty,
        kindWeights: KIND_WEIGHTS,
        timeMsMax: asked.timeMs,
      },
      result,
    );
    const [seedCount, visited, hops, exhausted] = scratch.outcome as unknown as [
      number,
      number,
      number,
      0 | 1 | 2,
    ];
    result.seedCount = seedCount;
    result.visited = visited;
    return { visited, hops, exhausted };
  }
}
