/**
 * NUMA topology through libnuma: nodes, their CPUs, memory and distances.
 *
 * The library is optional and is opened at run time (`libnuma.so.1`). Where it is missing, or the kernel has
 * no NUMA, the appliance runs as on one node and says why. Memory is bound by the shim's own mbind, before
 * the first touch, so binding needs no more of libnuma than the node's number.
 */
import { dlopen, FFIType, ptr } from "bun:ffi";

const LIBRARY = "libnuma.so.1";
const NODES_MAX = 64;

export type NumaNode = {
  readonly node: number;
  /** CPUs of the node that are online; a node of memory alone has none */
  readonly cpus: readonly number[];
  readonly totalBytes: number;
  /** when it was asked */
  readonly freeBytes: number;
  /** to each node of `nodes`, in their order: 10 is local */
  readonly distances: readonly number[];
  /** whether this process may take memory from it (cpuset, AllowedMemoryNodes=) */
  readonly mayAllocate: boolean;
};

export type NumaTopology =
  | { readonly isAvailable: true; readonly nodes: readonly NumaNode[] }
  | { readonly isAvailable: false; readonly reason: string; readonly remedy: string };

/** Asks libnuma how this machine is built. Opened anew at each call; some 100 µs. */
export function readNumaTopology(): NumaTopology {
  const library = openLibrary();
  if (typeof library === "string") {
    return {
      isAvailable: false,
      reason: `${LIBRARY} can not be loaded: ${library}`,
      remedy: "apt-get install libnuma1 (dnf install numactl-libs)",
    };
  }
  const numa = library.symbols;
  if (numa.numa_available() < 0) {
    library.close();
    return {
      isAvailable: false,
      reason: "this kernel has no NUMA support",
      remedy: "Boot a kernel with CONFIG_NUMA",
    };
  }
  const allowed = numa.numa_get_mems_allowed();
  const cpuMask = numa.numa_allocate_cpumask();
  const freeBytes = new BigInt64Array(1);
  const cpusPossible = numa.numa_num_possible_cpus();
  const present: Omit<NumaNode, "distances">[] = [];
  for (let node = 0; node <= Math.min(numa.numa_max_node(), NODES_MAX - 1); node++) {
    const totalBytes = Number(numa.numa_node_size64(node, ptr(freeBytes)));
    const cpus: number[] = [];
    if (numa.numa_node_to_cpus(node, cpuMask) === 0) {
      for (let cpu = 0; cpu < cpusPossible; cpu++)
        if (numa.numa_bitmask_isbitset(cpuMask, cpu) === 1) cpus.push(cpu);
    }
    /* Node numbers may have gaps: a number without memory and CPUs is none. */
    if (totalBytes <= 0 && cpus.length === 0) continue;
    present.push({
      node,
      cpus,
      totalBytes: Math.max(0, totalBytes),
      freeBytes: Number(freeBytes[0]),
      mayAllocate: totalBytes > 0 && numa.numa_bitmask_isbitset(allowed, node) === 1,
    });
  }
  const nodes = present.map((from) => ({
    ...from,
    distances: present.map((to) => numa.numa_distance(from.node, to.node)),
  }));
  numa.numa_bitmask_free(allowed);
  numa.numa_bitmask_free(cpuMask);
  library.close();
  return { isAvailable: true, nodes };
}

function openLibrary() {
  try {
    return dlopen(LIBRARY, {
      numa_available: { args: [], returns: "i32" },
      numa_max_node: { args: [], returns: "i32" },
      numa_num_possible_cpus: { args: [], returns: "i32" },
      numa_node_size64: { args: ["i32", "ptr"], returns: FFIType.i64_fast },
      numa_distance: { args: ["i32", "i32"], returns: "i32" },
      numa_get_mems_allowed: { args: [], returns: "ptr" },
      numa_allocate_cpumask: { args: [], returns: "ptr" },
      numa_node_to_cpus: { args: ["i32", "ptr"], returns: "i32" },
      numa_bitmask_isbitset: { args: ["ptr", "u32"], returns: "i32" },
      numa_bitmask_free: { args: ["ptr"], returns: "void" },
    });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
