/**
 * Where memory should lie and on which pages, as the settings and the placement say: handed to everything
 * that maps memory. What was really granted is in the region registry.
 */
import type { HugePages } from "../ffi/pages.ts";

export type MemoryPolicy = {
  /** memory.huge_pages */
  readonly hugePages: HugePages;
  /** NUMA node to take memory from; undefined leaves it to the kernel */
  readonly node?: number | undefined;
  /** nodes to spread memory over, in place of `node` (numa.strategy = "interleaved") */
  readonly interleaveNodes?: readonly number[] | undefined;
  /** NUMA node for what is read last, contents and exact vectors, where they lie apart (numa.strategy = "separated") */
  readonly bulkNode?: number | undefined;
  /** memory.lock: never swapped out */
  readonly lock?: boolean | undefined;
};

/** The same for contents and exact vectors, which a recall reads only of what it answers. */
export function bulkPolicy(policy: MemoryPolicy): MemoryPolicy {
  return policy.bulkNode === undefined ? policy : { ...policy, node: policy.bulkNode };
}

/** Transparent or reserved 2 MiB pages where there are any, and the kernel's choice of node. */
export const DEFAULT_MEMORY_POLICY: MemoryPolicy = { hugePages: "try" };
