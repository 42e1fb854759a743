/**
 * Which thread runs on which NUMA node, and where memory comes from: decided once, at start, in a pure
 * function of what the machine is and what the settings say.
 *
 *   writer w     node w's cores, its spaces' memory from node w (numa.strategy "local"), from all nodes
 *                ("interleaved"), contents and exact vectors from the next node ("separated"), or from where it is
 *                read ("adaptive", `access-placement.ts`)
 *   collector w  node w's cores
 *   API workers, indexers   spread over the nodes by their number of cores
 *   background   anywhere
 *
 * A thread is kept to the cores of a node, not to one core: inside a node the kernel's scheduler does better
 * than a plan made at start. On a machine of one node nothing is bound, because there is nothing to gain and
 * a restriction can only be in the way.
 */
import { readFileSync } from "node:fs";
import { assert } from "../base/assert.ts";
import { type NumaTopology, readNumaTopology } from "../ffi/libnuma.ts";
import { threadCpus } from "../ffi/threads.ts";

/** Where one thread runs and takes its memory from. */
export type ThreadPlace = {
  /** cores to run on; undefined leaves it to the kernel */
  readonly cpus: readonly number[] | undefined;
  readonly node: number | undefined;
  /** nodes to spread a space's memory over, in place of `node` */
  readonly interleaveNodes: readonly number[] | undefined;
  /** node for contents and exact vectors, where they lie apart from what is searched */
  readonly bulkNode?: number | undefined;
};

export type Machine = {
  readonly topology: NumaTopology;
  /** CPUs this process may use (affinity, cgroup) */
  readonly allowedCpus: readonly number[];
  /** kernel.numa_balancing: pages may be moved behind our back; undefined where the kernel has no such setting */
  readonly isBalancing: boolean | undefined;
};

export type NumaStrategy = "local" | "interleaved" | "separated" | "adaptive";

export type PlacementWish = {
  /** numa.enabled */
  readonly isEnabled: boolean;
  /** numa.strategy */
  readonly strategy: NumaStrategy;
  readonly apiWorkerCount: number;
  readonly indexerCount: number;
  readonly backgroundCount: number;
};

export type Placement = {
  /** whether threads and memory are bound to nodes */
  readonly isPlaced: boolean;
  /** why not, or what holds it back */
  readonly reason: string | undefined;
  /** one for each node with cores and memory; one in all where nothing is placed */
  readonly writers: readonly ThreadPlace[];
  readonly collectors: readonly ThreadPlace[];
  readonly apiWorkers: readonly ThreadPlace[];
  readonly indexers: readonly ThreadPlace[];
  readonly background: readonly ThreadPlace[];
};

/** What placement depends on, as it is now. */
export function readMachine(): Machine {
  return { topology: readNumaTopology(), allowedCpus: threadCpus(), isBalancing: readBalancing() };
}

export function planPlacement(machine: Machine, wish: PlacementWish): Placement {
  const homes = homesOf(machine, wish);
  if (typeof homes === "string") {
    const anywhere = (count: number): ThreadPlace[] => Array.from({ length: count }, () => ANYWHERE);
    return {
      isPlaced: false,
      reason: homes,
      writers: [ANYWHERE],
      collectors: [ANYWHERE],
      apiWorkers: anywhere(wish.apiWorkerCount),
      indexers: anywhere(wish.indexerCount),
      background: anywhere(wish.backgroundCount),
    };
  }
  const interleaveNodes = wish.strategy === "interleaved" ? homes.map((home) => home.node) : undefined;
  const placeAt = (home: Home, index: number): ThreadPlace => ({
    cpus: home.cpus,
    node: home.node,
    interleaveNodes,
    ...(wish.strategy === "separated" ? { bulkNode: homes[(index + 1) % homes.length]!.node } : {}),
  });
  const places = homes.map(placeAt);
  return {
    isPlaced: true,
    reason:
      machine.isBalancing === true
        ? "kernel.numa_balancing is on: the kernel may move pages later"
        : undefined,
    writers: places,
    collectors: places,
    apiWorkers: spread(homes, wish.apiWorkerCount).map((home) => placeAt(home, homes.indexOf(home))),
    indexers: spread(homes, wish.indexerCount).map((home) => placeAt(home, homes.indexOf(home))),
    background: Array.from({ length: wish.backgroundCount }, () => ({ ...ANYWHERE, interleaveNodes })),
  };
}

const ANYWHERE: ThreadPlace = { cpus: undefined, node: undefined, interleaveNodes: undefined };

type Home = { readonly node: number; readonly cpus: readonly number[] };

/**
 * Nodes that threads can live on, or why nothing is placed. A node needs cores we may run on and memory we
 * may take: nodes of memory alone (CXL) are slower and are left out, even of interleaving.
 */
function homesOf(machine: Machine, wish: PlacementWish): Home[] | string {
  if (!wish.isEnabled) return "numa.enabled is off";
  const { topology } = machine;
  if (!topology.isAvailable) return topology.reason;
  if (topology.nodes.length < 2) return "this machine has one NUMA node";
  const allowed = new Set(machine.allowedCpus);
  const homes = topology.nodes
    .filter((node) => node.mayAllocate)
    .map((node) => ({ node: node.node, cpus: node.cpus.filter((cpu) => allowed.has(cpu)) }))
    .filter((home) => home.cpus.length > 0);
  if (homes.length < 2) {
    return `of ${topology.nodes.length} NUMA nodes this process may use the cores and memory of ${homes.length}`;
  }
  return homes;
}

/** `count` homes, each node as often as its share of the cores says, in an order that takes turns. */
function spread(homes: readonly Home[], count: number): Home[] {
  const given = homes.map(() => 0);
  return Array.from({ length: count }, () => {
    let leastLoaded = 0;
    for (let i = 1; i < homes.length; i++) {
      const load = (given[i]! + 1) / homes[i]!.cpus.length;
      if (load < (given[leastLoaded]! + 1) / homes[leastLoaded]!.cpus.length) leastLoaded = i;
    }
    given[leastLoaded]! += 1;
    const home = homes[leastLoaded];
    assert(home !== undefined, "threads are spread over at least one node");
    return home;
  });
}

function readBalancing(): boolean | undefined {
  try {
    return readFileSync("/proc/sys/kernel/numa_balancing", "utf8").trim() !== "0";
  } catch {
    return undefined;
  }
}
