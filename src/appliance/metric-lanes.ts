/**
 * The lanes of the threads: main lays them out, each thread opens its own.
 *
 * Every node has a region on its own memory with a lane for each of its threads; threads that are not placed
 * use the first node's. Lanes are numbered like threads are for their signs of life (`thread.ts`).
 */
import { openTickClock } from "../ffi/tick-clock.ts";
import { MetricLane } from "../observe/lane.ts";
import { laneCells, mapMetricRegion } from "../observe/metric-region.ts";
import type { LanePlace, MetricMemory } from "../observe/snapshot.ts";
import type { Placement, ThreadPlace } from "../runtime/placement.ts";
import type { Boot, ThreadRole } from "./boot.ts";
import { threadIndex } from "./thread.ts";

export function layMetricLanes(placement: Placement, lock: boolean): MetricMemory {
  const nodes = placement.writers.map((place) => place.node);
  const laneCounts = nodes.map(() => 0);
  const lanesOf = (role: ThreadRole, places: readonly ThreadPlace[]): LanePlace[] =>
    places.map(({ node }, ordinal) => {
      const region = Math.max(0, nodes.indexOf(node));
      const lane = laneCounts[region]!;
      laneCounts[region] = lane + 1;
      return { thread: `${role}-${ordinal}`, region, lane };
    });
  const lanes = [
    ...lanesOf("api", placement.apiWorkers),
    ...lanesOf("writer", placement.writers),
    ...lanesOf("indexer", placement.indexers),
    ...lanesOf("collector", placement.collectors),
    ...lanesOf("background", placement.background),
  ];
  const regions = nodes.map((node, region) =>
    mapMetricRegion(laneCounts[region]!, { hugePages: "off", node, interleaveNodes: undefined, lock }),
  );
  return { regions, lanes };
}

/** The lane of this thread. */
export function openLane(boot: Boot): MetricLane {
  return new MetricLane(openLaneCells(boot));
}

/** The same to be read. */
export function openLaneCells(boot: Boot): Float64Array {
  const { regions, lanes } = boot.shared.metrics;
  const place = lanes[threadIndex(boot)]!;
  return laneCells(regions[place.region]!, place.lane);
}

/** Monotonic ms from the cheapest clock the machine has. */
export function openMeterClock(): () => number {
  const { nowNs } = openTickClock();
  return () => nowNs() * 1e-6;
}
