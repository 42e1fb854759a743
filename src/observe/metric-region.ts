/**
 * The memory of the metrics: a region on each NUMA node with a block for the node and a lane for each of its
 * threads (`layout/metric-lane.ts` draws it). Main maps them before it starts a thread, and they stay for the
 * life of the process; threads are told the addresses.
 */
import { assert } from "../base/assert.ts";
import { CELL_BYTES } from "../layout/metric-lane.ts";
import type { MemoryPolicy } from "../shm/memory-policy.ts";
import { mapRegion, viewMemory } from "../shm/region.ts";
import { LANE_BYTES, LANE_CELLS, LEVEL_CELLS } from "./series.ts";

/** Where the metrics of one node lie; plain, to be handed to threads. */
export type MetricRegion = {
  readonly address: number;
  readonly laneCount: number;
  /** undefined where memory is not bound to nodes */
  readonly node: number | undefined;
};

/** Maps the region of one node. Its pages come as threads touch them, from the node the policy names. */
export function mapMetricRegion(laneCount: number, policy: MemoryPolicy): MetricRegion {
  assert(laneCount >= 1, "a node with metrics has a thread");
  const bytes = (laneCount + 1) * LANE_BYTES;
  const where = policy.node === undefined ? "" : ` of node ${policy.node}`;
  const region = mapRegion({ bytes, purpose: `metrics${where}`, policy, pages: "small" });
  const described = { address: region.address, laneCount, node: policy.node };
  for (let lane = 0; lane < laneCount; lane++) clearLevels(laneCells(described, lane));
  clearLevels(nodeCells(described));
  return described;
}

/** The cells of a lane. @param lane among the threads of the node, from 0 */
export function laneCells(region: MetricRegion, lane: number): Float64Array {
  assert(lane >= 0, "lanes are numbered from 0");
  assert(lane < region.laneCount, "the node has that many lanes");
  return cellsAt(region.address + (lane + 1) * LANE_BYTES);
}

/** The cells of the node's block. */
export function nodeCells(region: MetricRegion): Float64Array {
  return cellsAt(region.address);
}

/** Cells for one thread alone: for tests, benches and commands that serve nobody. */
export function localLaneCells(): Float64Array {
  const cells = new Float64Array(LANE_CELLS);
  clearLevels(cells);
  return cells;
}

function cellsAt(address: number): Float64Array {
  return new Float64Array(viewMemory(address, LANE_BYTES), 0, LANE_BYTES / CELL_BYTES);
}

function clearLevels(cells: Float64Array): void {
  cells.fill(Number.NaN, 0, LEVEL_CELLS);
}
