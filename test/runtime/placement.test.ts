import { expect, test } from "bun:test";
import type { NumaTopology } from "../../src/ffi/libnuma.ts";
import { setThreadCpus, threadCpus } from "../../src/ffi/threads.ts";
import { type Machine, type PlacementWish, planPlacement, readMachine } from "../../src/runtime/placement.ts";

const GIB = 1024 ** 3;
const WISH: PlacementWish = {
  isEnabled: true,
  strategy: "local",
  apiWorkerCount: 6,
  indexerCount: 2,
  backgroundCount: 1,
};

/** A machine with these CPUs on its nodes; an empty list is a node of memory alone. */
function machineOf(cpusOfNodes: readonly (readonly number[])[], allowedCpus = cpusOfNodes.flat()): Machine {
  const topology: NumaTopology = {
    isAvailable: true,
    nodes: cpusOfNodes.map((cpus, node) => ({
      node,
      cpus,
      totalBytes: 8 * GIB,
      freeBytes: 4 * GIB,
      distances: cpusOfNodes.map((_, other) => (other === node ? 10 : 21)),
      mayAllocate: true,
    })),
  };
  return { topology, allowedCpus, isBalancing: false };
}

test("planPlacement gives each node a writer and a collector, and spreads the rest", () => {
  const plan = planPlacement(
    machineOf([
      [0, 1],
      [2, 3],
    ]),
    WISH,
  );
  expect(plan.isPlaced).toBe(true);
  expect(plan.reason).toBeUndefined();
  expect(plan.writers).toEqual([
    { cpus: [0, 1], node: 0, interleaveNodes: undefined },
    { cpus: [2, 3], node: 1, interleaveNodes: undefined },
  ]);
  expect(plan.collectors).toEqual(plan.writers);
  expect(plan.apiWorkers.map((place) => place.node)).toEqual([0, 1, 0, 1, 0, 1]);
  expect(plan.indexers.map((place) => place.node)).toEqual([0, 1]);
  expect(plan.background).toEqual([{ cpus: undefined, node: undefined, interleaveNodes: undefined }]);
});

test("planPlacement spreads workers by the number of cores that may be used", () => {
  const machine = machineOf(
    [
      [0, 1, 2, 3],
      [4, 5, 6, 7],
    ],
    [0, 1, 2, 3, 4, 5],
  );
  const plan = planPlacement(machine, WISH);
  expect(plan.apiWorkers.filter((place) => place.node === 0)).toHaveLength(4);
  expect(plan.apiWorkers.filter((place) => place.node === 1)).toHaveLength(2);
  expect(plan.writers[1]!.cpus).toEqual([4, 5]);
});

test("planPlacement interleaves memory over all nodes with cores, and keeps threads on theirs", () => {
  const plan = planPlacement(machineOf([[0, 1], [2, 3], []]), { ...WISH, strategy: "interleaved" });
  expect(plan.writers).toEqual([
    { cpus: [0, 1], node: 0, interleaveNodes: [0, 1] },
    { cpus: [2, 3], node: 1, interleaveNodes: [0, 1] },
  ]);
});

test("planPlacement binds nothing where there is nothing to choose, and says why", () => {
  const unavailable: NumaTopology = {
    isAvailable: false,
    reason: "libnuma.so.1 can not be loaded",
    remedy: "install it",
  };
  const cases: [Machine, Partial<PlacementWish>, string][] = [
    [machineOf([[0, 1]]), {}, "one NUMA node"],
    [
      machineOf([
        [0, 1],
        [2, 3],
      ]),
      { isEnabled: false },
      "numa.enabled is off",
    ],
    [{ ...machineOf([]), topology: unavailable }, {}, "can not be loaded"],
    [
      machineOf(
        [
          [0, 1],
          [2, 3],
        ],
        [0, 1],
      ),
      {},
      "may use the cores and memory of 1",
    ],
    [machineOf([[0, 1], []]), {}, "may use the cores and memory of 1"],
  ];
  for (const [machine, change, words] of cases) {
    const plan = planPlacement(machine, { ...WISH, ...change });
    expect(plan.isPlaced).toBe(false);
    expect(plan.reason).toContain(words);
    expect(plan.writers).toEqual([{ cpus: undefined, node: undefined, interleaveNodes: undefined }]);
    expect(plan.apiWorkers).toHaveLength(WISH.apiWorkerCount);
  }
});

test("planPlacement leaves out a node whose memory this process may not take", () => {
  const machine = machineOf([
    [0, 1],
    [2, 3],
    [4, 5],
  ]);
  if (!machine.topology.isAvailable) throw new Error("the fixture has nodes");
  const nodes = machine.topology.nodes.map((node) => ({ ...node, mayAllocate: node.node !== 1 }));
  const plan = planPlacement({ ...machine, topology: { isAvailable: true, nodes } }, WISH);
  expect(plan.writers.map((place) => place.node)).toEqual([0, 2]);
});

test("planPlacement warns that the kernel may move pages", () => {
  const plan = planPlacement({ ...machineOf([[0], [1]]), isBalancing: true }, WISH);
  expect(plan.isPlaced).toBe(true);
  expect(plan.reason).toContain("numa_balancing");
});

test("a thread can take every place that is planned for this machine", () => {
  const before = threadCpus();
  const plan = planPlacement(readMachine(), WISH);
  for (const place of [...plan.writers, ...plan.apiWorkers]) {
    if (place.cpus === undefined) continue;
    expect(setThreadCpus(place.cpus)).toBeUndefined();
    expect(threadCpus()).toEqual([...place.cpus]);
    setThreadCpus(before);
  }
});

test("planPlacement separates contents from what is searched, and follows access only from one node on", () => {
  const machine = machineOf([[0, 1], [2, 3], [4]]);
  const separated = planPlacement(machine, { ...WISH, strategy: "separated" });
  expect(separated.writers.map(({ node, bulkNode }) => [node, bulkNode])).toEqual([
    [0, 1],
    [1, 2],
    [2, 0],
  ]);
  expect(separated.writers.every(({ interleaveNodes }) => interleaveNodes === undefined)).toBe(true);
  for (const { node, bulkNode } of separated.apiWorkers) expect(bulkNode).toBe((node! + 1) % 3);
  const adaptive = planPlacement(machine, { ...WISH, strategy: "adaptive" });
  expect(adaptive.writers.map(({ node, bulkNode }) => [node, bulkNode])).toEqual([
    [0, undefined],
    [1, undefined],
    [2, undefined],
  ]);
  expect(planPlacement(machineOf([[0, 1]]), { ...WISH, strategy: "separated" }).isPlaced).toBe(false);
});
