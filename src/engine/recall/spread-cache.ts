/**
 * What activation reached lately, by what it started from: a question that is asked again spreads again from the same
 * memories, and along the same bindings until one of them changes.
 *
 * An entry holds for the seeds with what each fires, the parameters, the nodes that were published, the state of the
 * mind (`mindGeneration` grows with each change of a binding) and the minute, within which fading is nothing. So a hit
 * is bit by bit what spreading would give in that minute. Spreading that a budget of time ended is not kept: it may
 * reach further the next time.
 *
 * One per thread. ENTRIES places, each taken by the last that fell on it; some 20 bytes for each memory reached.
 */
import type { SpreadResult, SpreadSeeds } from "../../cognition/spreading.ts";
import type { ActivationSettings } from "./activation-settings.ts";

const ENTRIES = 64;
/** What reached more is not kept: it takes as long to copy as to find. */
const NODES_MAX = 2048;

/** What the seeds and parameters do not say of where activation spreads. */
export type SpreadScene = {
  readonly spaceIndex: number;
  readonly generation: number;
  readonly mindGeneration: number;
  readonly nodeCount: number;
  readonly minute: number;
};

export type KeptOutcome = { readonly visited: number; readonly hops: number; readonly exhausted: 0 | 1 | 2 };

type Entry = {
  readonly key: Float64Array<ArrayBuffer>;
  readonly outcome: KeptOutcome;
  readonly seedCount: number;
  readonly slots: Uint32Array;
  readonly received: Float64Array;
  readonly via: Uint32Array;
  readonly viaKinds: Uint8Array;
  readonly viaStrengths: Float32Array;
};

const SCENE_NUMBERS = 5;
const PARAMETERS = 5;

export class SpreadCache {
  readonly #entries: (Entry | undefined)[] = new Array(ENTRIES).fill(undefined);
  #key: Float64Array<ArrayBuffer> = new Float64Array(0);
  #place = 0;

  /** Puts what is kept into `result`. @returns undefined where nothing is; `keep` then takes what was found */
  find(
    seeds: SpreadSeeds,
    asked: ActivationSettings,
    scene: SpreadScene,
    result: SpreadResult,
  ): KeptOutcome | undefined {
    this.#key = keyOf(seeds, asked, scene);
    this.#place = placeOf(this.#key);
    const entry = this.#entries[this.#place];
    if (entry === undefined || !isSame(entry.key, this.#key)) return undefined;
    result.count = entry.slots.length;
    result.seedCount = entry.seedCount;
    result.slots.set(entry.slots);
    result.received.set(entry.received);
    result.via.set(entry.via);
    result.viaKinds.set(entry.viaKinds);
    result.viaStrengths.set(entry.viaStrengths);
    return entry.outcome;
  }

  /** Keeps what was found for the seeds that were looked for last. */
  keep(result: SpreadResult, outcome: KeptOutcome): void {
    const { count } = result;
    if (count > NODES_MAX) return;
    this.#entries[this.#place] = {
      key: this.#key,
      outcome,
      seedCount: result.seedCount,
      slots: result.slots.slice(0, count),
      received: result.received.slice(0, count),
      via: result.via.slice(0, count),
      viaKinds: result.viaKinds.slice(0, count),
      viaStrengths: result.viaStrengths.slice(0, count),
    };
  }

  /** Bytes of what is kept. */
  get bytes(): number {
    let bytes = 0;
    for (const entry of this.#entries) {
      if (entry === undefined) continue;
      const { key, slots, received, via, viaKinds, viaStrengths } = entry;
      for (const part of [key, slots, received, via, viaKinds, viaStrengths]) bytes += part.byteLength;
    }
    return bytes;
  }
}

function keyOf(
  { count, slots, activations }: SpreadSeeds,
  asked: ActivationSettings,
  scene: SpreadScene,
): Float64Array<ArrayBuffer> {
  const key = new Float64Array(SCENE_NUMBERS + PARAMETERS + 2 * count);
  key[0] = scene.spaceIndex;
  key[1] = scene.generation;
  key[2] = scene.mindGeneration;
  key[3] = scene.nodeCount;
  key[4] = scene.minute;
  key[5] = asked.hops;
  key[6] = asked.decay;
  key[7] = asked.threshold;
  key[8] = asked.visits;
  key[9] = asked.cyclePenalty;
  const from = SCENE_NUMBERS + PARAMETERS;
  for (let i = 0; i < count; i++) {
    key[from + 2 * i] = slots[i]!;
    key[from + 2 * i + 1] = activations[i]!;
  }
  return key;
}

/** FNV-1a over the words of the key. */
function placeOf(key: Float64Array<ArrayBuffer>): number {
  const words = new Uint32Array(key.buffer);
  let hash = 0x811c9dc5;
  for (let i = 0; i < words.length; i++) hash = Math.imul(hash ^ words[i]!, 0x01000193);
  return (hash ^ (hash >>> 15)) & (ENTRIES - 1);
}

function isSame(a: Float64Array, b: Float64Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
