/**
 * Spreading activation: from the memories a recall found first, along bindings, to those that belong to them.
 *
 * After A. M. Collins and E. F. Loftus, "A spreading-activation theory of semantic processing", Psychological
 * Review 82 (1975): activation starts at the nodes a cue names, spreads along links in proportion to their
 * strength, weakens with distance, and adds up where it arrives from several sides. The fan effect is J. R.
 * Anderson's ("A spreading activation theory of memory", Journal of Verbal Learning and Verbal Behavior 22,
 * 1983): what a node passes on is shared by its links; here it is divided by the square root of their number,
 * so that a node with many links says less along each, but not so little that it says nothing.
 *
 *   arrives(j) = Σ_i fires(i) · decay · weight(kind_ij) · strength_ij / √fanOut(i)
 *
 * In each hop the nodes that received something in the hop before fire it on, strongest first. What comes back
 * to a node that lies on its own way counts `cyclePenalty` times: two memories bound to each other would
 * otherwise keep each other awake. A seed counts what it receives from others, too; what it started with is
 * not counted. Equal states and parameters give equal results, bit by bit, whichever of this function and
 * `native/spread.c` computes them; only a time budget that runs out can make a difference, and that is said.
 */
import { assert } from "../base/assert.ts";

/** What spreading sees of the bindings: `src/engine/association` lays it over a space, tests over a list. */
export type BindingView = {
  /**
   * Reads the bindings of a node into the columns, as many as they hold, and says how many in `columns.count`.
   *
   * @returns its fan-out: how many it has in all
   */
  read(slot: number, columns: BindingColumns): number;
};

export type BindingColumns = {
  count: number;
  readonly targets: Uint32Array;
  readonly strengths: Float32Array;
  readonly kinds: Uint8Array;
};

export type SpreadParameters = {
  /** steps away from a seed, 1 or more */
  readonly hops: number;
  /** what is left of activation after a step, 0 to 1 */
  readonly decay: number;
  /** a node that received less in a hop does not fire; in units of the strongest seed */
  readonly threshold: number;
  /** bindings followed at most */
  readonly visitsMax: number;
  /** how much counts of what returns to a node on its own way, 0 to 1 */
  readonly cyclePenalty: number;
  /** by binding kind: how much a kind conducts, 0 for not at all */
  readonly kindWeights: Float32Array;
  /** looked at after every 32 nodes that fired; infinite for never */
  readonly timeMsMax: number;
};

export type SpreadSeeds = {
  readonly count: number;
  readonly slots: Uint32Array;
  /** what they fire in the first hop; above 0 */
  readonly activations: Float64Array;
};

/** No node: the end of a way. */
export const NO_NODE = 0xffffffff;

/** Which budget ended the spreading before the last hop was done. */
export const EXHAUSTED = { none: 0, visits: 1, time: 2 } as const;
export type Exhausted = (typeof EXHAUSTED)[keyof typeof EXHAUSTED];

/** Nodes in the order in which they were met, the seeds first; parallel arrays of `count` entries. */
export type SpreadResult = {
  count: number;
  seedCount: number;
  /** bindings followed */
  visited: number;
  /** the hop in which the last node fired */
  hops: number;
  exhausted: Exhausted;
  readonly slots: Uint32Array;
  /** activation that arrived from others */
  readonly received: Float64Array;
  /** position of the node that the strongest single part of it came from; NO_NODE where nothing arrived */
  readonly via: Uint32Array;
  /** kind and strength of the binding it came along */
  readonly viaKinds: Uint8Array;
  readonly viaStrengths: Float32Array;
};

/** Bindings read of one node at most: what a larger hub has beyond them is not followed. */
export const FAN_READ_MAX = 1024;
const FIRED_BETWEEN_LOOKS = 32;
/** What the time between two looks counts at most: one longer was spent waiting for a core, not walking. */
const LOOK_MS_MAX = 0.5;

/** Room for the nodes that `visitsMax` visits from `seedsMax` seeds can meet. */
export function makeSpreadResult(seedsMax: number, visitsMax: number): SpreadResult {
  const room = seedsMax + visitsMax;
  return {
    count: 0,
    seedCount: 0,
    visited: 0,
    hops: 0,
    exhausted: EXHAUSTED.none,
    slots: new Uint32Array(room),
    received: new Float64Array(room),
    via: new Uint32Array(room),
    viaKinds: new Uint8Array(room),
    viaStrengths: new Float32Array(room),
  };
}

/**
 * Spreads from the seeds. The plain version, which states what `native/spread.c` does; it takes some 50 ns a
 * visit where that takes 15 (bench/cognition/spreading.bench.ts).
 *
 * @param result from `makeSpreadResult`, with room for the seeds and visits
 */
export function spread(
  view: BindingView,
  seeds: SpreadSeeds,
  parameters: SpreadParameters,
  result: SpreadResult,
  nowMs: () => number,
): SpreadResult {
  const { hops, decay, threshold, visitsMax, cyclePenalty, kindWeights, timeMsMax } = parameters;
  assert(seeds.count + visitsMax <= result.slots.length, "the result has room for every node met");
  const { slots, received, via, viaKinds, viaStrengths } = result;
  const positions = new Map<number, number>();
  const columns: BindingColumns = {
    count: 0,
    targets: new Uint32Array(FAN_READ_MAX),
    strengths: new Float32Array(FAN_READ_MAX),
    kinds: new Uint8Array(FAN_READ_MAX),
  };
  const largest = new Float64Array(slots.length);
  const pending = new Float64Array(slots.length);
  let count = 0;
  const meet = (slot: number): number => {
    const known = positions.get(slot);
    if (known !== undefined) return known;
    positions.set(slot, count);
    slots[count] = slot;
    received[count] = 0;
    via[count] = NO_NODE;
    return count++;
  };

  let frontier: number[] = [];
  for (let i = 0; i < seeds.count; i++) {
    const node = meet(seeds.slots[i]!);
    if (pending[node] === 0) frontier.push(node);
    pending[node]! += seeds.activations[i]!;
  }
  result.seedCount = count;
  result.hops = 0;
  result.exhausted = EXHAUSTED.none;
  let visited = 0;
  let lookedAtMs = nowMs();
  let spentMs = 0;
  let firedCount = 0;

  for (let hop = 1; hop <= hops && frontier.length > 0 && result.exhausted === EXHAUSTED.none; hop++) {
    const fires = frontier.map((node) => ({ node, activation: pending[node]! }));
    fires.sort((a, b) => b.activation - a.activation || slots[a.node]! - slots[b.node]!);
    for (const { node } of fires) pending[node] = 0;
    frontier = [];
    for (const { node, activation } of fires) {
      if (activation < threshold) break;
      if (firedCount++ % FIRED_BETWEEN_LOOKS === 0) {
        const now = nowMs();
        spentMs += Math.min(now - lookedAtMs, LOOK_MS_MAX);
        lookedAtMs = now;
        if (spentMs > timeMsMax) {
          result.exhausted = EXHAUSTED.time;
          break;
        }
      }
      const fanOut = view.read(slots[node]!, columns);
      if (fanOut === 0) continue;
      result.hops = hop;
      const share = (activation * decay) / Math.sqrt(fanOut);
      for (let i = 0; i < columns.count; i++) {
        const kind = columns.kinds[i]!;
        let part = share * kindWeights[kind]! * columns.strengths[i]!;
        if (part <= 0) continue;
        if (visited === visitsMax) {
          result.exhausted = EXHAUSTED.visits;
          break;
        }
        visited += 1;
        const target = meet(columns.targets[i]!);
        if (liesOnWay(via, target, node, hop)) part *= cyclePenalty;
        if (part <= 0) continue;
        if (pending[target] === 0) frontier.push(target);
        pending[target]! += part;
        received[target]! += part;
        if (part > largest[target]!) {
          largest[target] = part;
          via[target] = node;
          viaKinds[target] = kind;
          viaStrengths[target] = columns.strengths[i]!;
        }
      }
      if (result.exhausted !== EXHAUSTED.none) break;
    }
  }
  result.count = count;
  result.visited = visited;
  return result;
}

/**
 * The way along which the strongest part of a node's activation came: positions from a seed to the node.
 * A node that received nothing is its own way.
 */
export function pathTo(result: SpreadResult, node: number): number[] {
  assert(node < result.count, "a way leads to a node that was met");
  const path = [node];
  for (let at = result.via[node]!; at !== NO_NODE && !path.includes(at); at = result.via[at]!) {
    path.push(at);
    if (at < result.seedCount) break;
  }
  return path.reverse();
}

/** Whether `target` is among the nodes that the activation `node` fires in this hop came through. */
function liesOnWay(via: Uint32Array, target: number, node: number, hop: number): boolean {
  let at = node;
  for (let step = 1; step < hop; step++) {
    at = via[at]!;
    if (at === target) return true;
    if (at === NO_NODE) return false;
  }
  return false;
}
