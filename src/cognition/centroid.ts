/**
 * The centroid of a concept: the mean direction of its members, kept as a running mean on the unit sphere.
 *
 *   S = Σ vᵢ        sum of the members, all unit vectors
 *   direction       S / |S|
 *   coherence       R = |S| / n, the mean resultant length (Mardia & Jupp 2000, Directional Statistics, 9.2): the
 *                   mean cosine of the members with the direction, 1 where all are alike
 *
 * Direction, R and n together hold the whole sum, S = n R × direction, so members join and leave without a look
 * at the others, in any order, with the same result but for rounding: nothing is learnt at the cost of what
 * was learnt before. The mean cosine of two different members follows too: (n R² - 1) / (n - 1).
 */
import { assert } from "../base/assert.ts";
import { Rows, weightedDirection } from "../ffi/centroids.ts";

/** What a concept's header keeps beside its vector. */
export type Spread = { readonly coherence: number; readonly memberCount: number };

/** Rows that are summed at once: members, and the centroid they join. */
const ROWS_MAX = 4096;

/** Moves centroids; one for a thread, since it keeps its arrays. */
export class CentroidMover {
  readonly #rows = new Rows(ROWS_MAX);
  readonly #weights = new Float64Array(ROWS_MAX);
  readonly #scratch: Float64Array;

  constructor(dimensions: number) {
    this.#scratch = new Float64Array(dimensions);
  }

  /** Starts a sum of nothing. */
  begin(): void {
    this.#rows.clear();
  }

  /** Adds a centroid with all its members; `sign` -1 takes them out. */
  addCentroid(address: number, spread: Spread, sign: 1 | -1 = 1): void {
    this.#push(address, sign * spread.coherence * spread.memberCount);
  }

  /** Adds a member; `sign` -1 takes one out that was in the sum. */
  addMember(address: number, sign: 1 | -1 = 1): void {
    this.#push(address, sign);
  }

  get isFull(): boolean {
    return this.#rows.count === ROWS_MAX;
  }

  /**
   * Writes the direction of the sum, and returns its coherence; undefined where the members cancel each other
   * out, or there are none left.
   *
   * @param memberCount of the sum as it is now
   */
  finish(memberCount: number, direction: Float32Array): number | undefined {
    assert(direction.length === this.#scratch.length, "the direction has as many dimensions as the members");
    if (memberCount < 1) return undefined;
    const length = weightedDirection(this.#rows, this.#weights, this.#scratch, direction);
    if (!(length > LENGTH_MIN)) return undefined;
    return Math.min(1, length / memberCount);
  }

  #push(address: number, weight: number): void {
    this.#weights[this.#rows.count] = weight;
    this.#rows.push(address);
  }
}

/** Below this a sum of unit vectors in f32 is rounding, and has no direction. */
const LENGTH_MIN = 1e-4;

/** Mean cosine of two different members; 1 for a single one. */
export function pairSimilarity({ coherence, memberCount }: Spread): number {
  if (memberCount < 2) return 1;
  return (memberCount * coherence * coherence - 1) / (memberCount - 1);
}
