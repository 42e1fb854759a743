/**
 * Where lanes lie. On a machine with one NUMA node only the layout is checked; the rest runs on one with more, such
 * as the lab: `numa-lab -- bun test test/observe/lane-placement.test.ts`.
 */
import { expect, test } from "bun:test";
import { layMetricLanes } from "../../src/appliance/metric-lanes.ts";
import { readNumaTopology } from "../../src/ffi/libnuma.ts";
import { pagePlacement } from "../../src/ffi/pages.ts";
import { laneCells, nodeCells } from "../../src/observe/metric-region.ts";
import { LANE_BYTES } from "../../src/observe/series.ts";
import { planPlacement, readMachine } from "../../src/runtime/placement.ts";

const topology = readNumaTopology();
const nodeCount = topology.isAvailable ? topology.nodes.filter((node) => node.mayAllocate).length : 0;
const wish = {
  isEnabled: true,
  strategy: "local",
  apiWorkerCount: 4,
  indexerCount: 2,
  backgroundCount: 1,
} as const;

test("layMetricLanes gives every thread a lane that no other has", () => {
  const placement = planPlacement(readMachine(), { ...wish, isEnabled: false });
  const { regions, lanes } = layMetricLanes(placement, false);
  expect(regions.length).toBe(1);
  expect(lanes.map(({ thread }) => thread)).toEqual([
    "api-0",
    "api-1",
    "api-2",
    "api-3",
    "writer-0",
    "indexer-0",
    "indexer-1",
    "collector-0",
    "background-0",
  ]);
  expect(new Set(lanes.map(({ region, lane }) => `${region} ${lane}`)).size).toBe(lanes.length);
  expect(LANE_BYTES % 128).toBe(0);
  expect(regions[0]!.address % 64).toBe(0);
});

const reason = topology.isAvailable ? "this machine has one NUMA node" : topology.reason;

test.skipIf(nodeCount < 2)(
  `each lane lies on its own node${nodeCount < 2 ? ` (skipped: ${reason})` : ""}`,
  () => {
    const placement = planPlacement(readMachine(), wish);
    const { regions, lanes } = layMetricLanes(placement, false);
    expect(regions.length).toBe(placement.writers.length);
    const nodeOf = new Map(placement.apiWorkers.map(({ node }, ordinal) => [`api-${ordinal}`, node]));
    for (const { thread, region, lane } of lanes) {
      const { node } = regions[region]!;
      if (nodeOf.has(thread)) expect([thread, node]).toEqual([thread, nodeOf.get(thread)]);
      laneCells(regions[region]!, lane).fill(1);
    }
    for (const region of regions) {
      nodeCells(region).fill(1);
      const bytes = (region.laneCount + 1) * LANE_BYTES;
      const placed = pagePlacement(region.address, bytes, 512);
      if (typeof placed === "string") throw new Error(`the kernel does not say where pages lie: ${placed}`);
      expect([...placed.nodes.keys()]).toEqual([region.node!]);
    }
  },
);
