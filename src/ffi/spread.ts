/** Spreading activation through the shim (native/spread.c), over the arenas of a space, by address. */
import { type Pointer, ptr } from "bun:ffi";
import { assert } from "../base/assert.ts";
import { openShim } from "./library.ts";

const shim = openShim({
  shim_spread_scratch_bytes: { args: ["u32"], returns: "u64" },
  shim_spread: {
    // biome-ignore format: one line each for what goes in, what is worked in, and what comes out
    args: [
      "ptr", "u32", "ptr", "u32", "ptr", "ptr", "u32", "ptr", "u32", "u32",
      "ptr", "u32",
      "ptr", "ptr", "ptr", "ptr", "ptr", "ptr",
    ],
    returns: "u32",
  },
});

const KINDS = 8;
const AGE_OCTAVES = 32;
/** Where things stand in `struct spread_parameters`. */
const NUMBER = {
  decay: 0,
  threshold: 1,
  cyclePenalty: 2,
  timeMsMax: 3,
  nowSeconds: 4,
  kindWeights: 5,
} as const;
const FADING: number = NUMBER.kindWeights + KINDS;

/** Where the nodes and bindings of a space lie. */
export type SpreadGraph = {
  readonly headers: { readonly tableAddress: number; readonly chunkShift: number };
  /** chunk table of the binding arena */
  readonly bindingTable: number;
  readonly nodeCount: number;
  /** by which the strengths of bindings have faded, and when now is: `cognition/binding-decay.ts` */
  readonly fading: Float64Array;
  readonly nowSeconds: number;
};

/** As in `cognition/spreading.ts`, whose types these fit; the shim's room knows nothing of rooms above it. */
type Parameters = {
  readonly hops: number;
  readonly decay: number;
  readonly threshold: number;
  readonly visitsMax: number;
  readonly cyclePenalty: number;
  readonly kindWeights: Float32Array;
  readonly timeMsMax: number;
};
type Seeds = { readonly count: number; readonly slots: Uint32Array; readonly activations: Float64Array };
type Columns = {
  readonly slots: Uint32Array;
  readonly received: Float64Array;
  readonly via: Uint32Array;
  readonly viaKinds: Uint8Array;
  readonly viaStrengths: Float32Array;
};

/** Memory to spread in: one per thread, for results of one size. */
export class SpreadScratch {
  readonly #room: number;
  readonly #scratch: Uint8Array;
  readonly #parameters = new Float64Array(FADING + AGE_OCTAVES);
  /** seeds, bindings followed, hops, which budget ended it */
  readonly outcome: Uint32Array = new Uint32Array(4);

  /** @param room nodes that can be met: seeds and visits together */
  constructor(room: number) {
    assert(room > 0, "there is room for a seed");
    this.#room = room;
    this.#scratch = new Uint8Array(Number(shim.shim_spread_scratch_bytes(room)));
  }

  /**
   * Spreads; what happened is in `outcome`.
   *
   * @param columns as long as the room
   * @returns nodes met
   */
  spread(graph: SpreadGraph, seeds: Seeds, parameters: Parameters, columns: Columns): number {
    const room = this.#room;
    assert(seeds.count + parameters.visitsMax <= room, "there is room for every node met");
    assert(
      columns.slots.length >= room && columns.received.length >= room,
      "the columns hold every node met",
    );
    const numbers = this.#parameters;
    assert(parameters.kindWeights.length === KINDS, "every kind has a weight");
    assert(graph.fading.length === AGE_OCTAVES, "there is a factor for every age");
    numbers[NUMBER.decay] = parameters.decay;
    numbers[NUMBER.threshold] = parameters.threshold;
    numbers[NUMBER.cyclePenalty] = parameters.cyclePenalty;
    numbers[NUMBER.timeMsMax] = parameters.timeMsMax;
    numbers[NUMBER.nowSeconds] = graph.nowSeconds;
    numbers.set(parameters.kindWeights, NUMBER.kindWeights);
    numbers.set(graph.fading, FADING);
    return shim.shim_spread(
      graph.headers.tableAddress as Pointer,
      graph.headers.chunkShift,
      graph.bindingTable as Pointer,
      graph.nodeCount,
      ptr(seeds.slots),
      ptr(seeds.activations),
      seeds.count,
      ptr(numbers),
      parameters.hops,
      parameters.visitsMax,
      ptr(this.#scratch),
      room,
      ptr(columns.slots),
      ptr(columns.received),
      ptr(columns.via),
      ptr(columns.viaKinds),
      ptr(columns.viaStrengths),
      ptr(this.outcome),
    );
  }
}
