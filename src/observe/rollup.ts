/**
 * Sums the lanes of one node into the node's block.
 *
 * Each cell of the block is stored once with its whole sum, so who reads it sees no total fall: lanes only
 * grow, and an 8-byte store is not torn. Levels that nobody has measured stay NaN; those of several threads are
 * added. What every thread has of its own is left out: readers take it from the lanes.
 */
import { assert } from "../base/assert.ts";
import { LANE_CELLS, LANE_METRICS, LEVEL_CELLS } from "./series.ts";

/** Runs of cells that are summed, [from, to). */
const RUNS: readonly (readonly [number, number])[] = runsToSum();

export class NodeRollup {
  readonly #lanes: readonly Float64Array[];
  readonly #block: Float64Array;
  readonly #sums = new Float64Array(LANE_CELLS);

  constructor(lanes: readonly Float64Array[], block: Float64Array) {
    assert(
      lanes.every((lane) => lane.length === block.length),
      "the node's block is laid out as its lanes are",
    );
    this.#lanes = lanes;
    this.#block = block;
  }

  /** Brings the block up to date; some 10 us a lane. */
  roll(): void {
    const sums = this.#sums;
    sums.fill(Number.NaN, 0, LEVEL_CELLS);
    sums.fill(0, LEVEL_CELLS);
    for (const lane of this.#lanes) addLane(sums, lane);
    const block = this.#block;
    for (const [from, to] of RUNS) for (let cell = from; cell < to; cell++) block[cell] = sums[cell]!;
  }
}

function addLane(sums: Float64Array, lane: Float64Array): void {
  for (const [from, to] of RUNS) {
    const levelsEnd = Math.min(to, LEVEL_CELLS);
    for (let cell = from; cell < levelsEnd; cell++) {
      const value = lane[cell]!;
      if (Number.isNaN(value)) continue;
      sums[cell] = Number.isNaN(sums[cell]!) ? value : sums[cell]! + value;
    }
    for (let cell = Math.max(from, LEVEL_CELLS); cell < to; cell++) sums[cell]! += lane[cell]!;
  }
}

function runsToSum(): [number, number][] {
  const runs: [number, number][] = [];
  for (const { declaration, at, seriesCount, stride } of LANE_METRICS) {
    if (declaration.perThread === true) continue;
    const last = runs.at(-1);
    const end = at + seriesCount * stride;
    if (last !== undefined && last[1] === at) last[1] = end;
    else runs.push([at, end]);
  }
  return runs;
}
