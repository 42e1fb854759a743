/**
 * On which NUMA nodes a graph's memory lies, as the kernel tells. With one node there is nothing to choose; on a
 * machine with more it runs, such as the lab: `numa-lab -- bun test test/index/graph-placement.test.ts`.
 */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { Random } from "../../src/base/random.ts";
import { readNumaTopology } from "../../src/ffi/libnuma.ts";
import { VectorGraph } from "../../src/index/vector-graph.ts";
import { TestSpace } from "./vector-space.ts";

const topology = readNumaTopology();
const nodes = topology.isAvailable
  ? topology.nodes.filter((node) => node.mayAllocate).map((node) => node.node)
  : [];
const skipNote =
  nodes.length > 1
    ? ""
    : ` (skipped: ${topology.isAvailable ? "this machine has one NUMA node" : topology.reason})`;

const DIMENSIONS = 16;
const COUNT = 600;
/** Sets how much address space the graph reserves: its mappings are told from all others by that. */
const NODES_MAX = 1_000_000;

/** Pages by node in mappings of this policy: "prefer:1", "interleave:0-1". */
function pagesOf(policy: string): Map<number, number> {
  const pages = new Map<number, number>();
  for (const line of readFileSync("/proc/self/numa_maps", "utf8").split("\n")) {
    if (line.split(" ")[1] !== policy) continue;
    for (const [, node, count] of line.matchAll(/ N(\d+)=(\d+)/g)) {
      pages.set(Number(node), (pages.get(Number(node)) ?? 0) + Number(count));
    }
  }
  return pages;
}

/** Pages by node that such mappings have beyond those before: other tests of this process may keep some. */
function pagesSince(before: ReadonlyMap<number, number>, policy: string): Map<number, number> {
  const grown = [...pagesOf(policy)].map(([node, count]) => [node, count - (before.get(node) ?? 0)] as const);
  return new Map(grown.filter(([, count]) => count > 0));
}

function filledGraph(place: { node: number; interleaveNodes?: readonly number[] }): VectorGraph {
  const space = new TestSpace({ dimensions: DIMENSIONS, quantization: "bf16", slotsMax: COUNT });
  const random = new Random(7);
  for (let slot = 0; slot < COUNT; slot++) {
    const vector = Float32Array.from({ length: DIMENSIONS }, () => random.gaussian());
    space.push(vector.map((value) => value / Math.hypot(...vector)));
  }
  const graph = VectorGraph.open({ ...space.config({ nodesMax: NODES_MAX }), ...place });
  graph.add(0, COUNT);
  return graph;
}

test("VectorGraph of a small space lies on base pages, also where the kernel gives huge ones unasked", () => {
  const resident = (): number =>
    Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]);
  filledGraph({ node: -1 }).close();
  const before = resident();
  const graphs = Array.from({ length: 4 }, () => filledGraph({ node: -1 }));
  const kibEach = (resident() - before) / graphs.length;
  // The arenas of the space and the garbage of making it are counted, too; on huge pages it was 4331.
  expect(kibEach).toBeLessThan(2048);
  for (const graph of graphs) graph.close();
});

test.skipIf(nodes.length < 2)(`VectorGraph takes its memory from the node it is given${skipNote}`, () => {
  for (const node of nodes) {
    const before = pagesOf(`prefer:${node}`);
    const graph = filledGraph({ node });
    const pages = pagesSince(before, `prefer:${node}`);
    expect([...pages.keys()]).toEqual([node]);
    // 600 records of 4 + 4 + 4 x 32 bytes are more than 19 pages.
    expect(pages.get(node)).toBeGreaterThan(19);
    graph.close();
  }
});

test.skipIf(nodes.length < 2)(`VectorGraph spreads its memory over the nodes it is given${skipNote}`, () => {
  const first = Math.min(...nodes);
  const last = Math.max(...nodes);
  const policy = last - first === nodes.length - 1 ? `interleave:${first}-${last}` : `interleave:${nodes}`;
  const before = pagesOf(policy);
  const graph = filledGraph({ node: -1, interleaveNodes: nodes });
  const pages = pagesSince(before, policy);
  expect([...pages.keys()].sort((a, b) => a - b)).toEqual(nodes);
  const total = [...pages.values()].reduce((sum, count) => sum + count, 0);
  expect(total).toBeGreaterThan(19);
  for (const count of pages.values()) expect(count / total).toBeCloseTo(1 / nodes.length, 0);
  graph.close();
});
