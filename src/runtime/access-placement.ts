/**
 * numa.strategy "adaptive": memory is asked from where it is read, as measured.
 *
 * API workers of all nodes read a space. While a machine's requests come in on one node's workers, memory on that
 * node is read fastest; while they come in on all, memory spread over all of them uses every controller. Which it is
 * is measured by the recalls that the workers of each node answered since memory was last asked for; until there
 * are enough of them, memory comes from the space's home node, whose writer fills it.
 *
 * It decides for what is mapped next. What is mapped stays where it lies until its space is compacted.
 */
import type { MemoryPolicy } from "../shm/memory-policy.ts";

/** Recalls that say enough. */
export const ACCESSES_MIN = 1000;
/** Share of the recalls from which one node is where a space is read. */
export const ACCESS_SHARE_MIN = 2 / 3;

/** Where memory is asked from: one node, or all of them in turn. */
export type AccessPlace = Pick<MemoryPolicy, "node" | "interleaveNodes">;

/** @param accesses by node: recalls its workers answered */
export function placeByAccess(accesses: ReadonlyMap<number, number>, home: number): AccessPlace {
  let total = 0;
  let most = -1;
  let node = home;
  for (const [each, count] of accesses) {
    total += count;
    if (count <= most) continue;
    most = count;
    node = each;
  }
  if (total < ACCESSES_MIN) return { node: home };
  return most >= ACCESS_SHARE_MIN * total ? { node } : { interleaveNodes: [...accesses.keys()] };
}

/**
 * A policy that decides anew each time memory is mapped.
 *
 * @param policy everything but the node
 * @param recallsOf recalls answered since the start, by node
 */
export function adaptivePolicy(
  policy: Omit<MemoryPolicy, "node" | "interleaveNodes">,
  home: number,
  recallsOf: () => ReadonlyMap<number, number>,
): MemoryPolicy {
  let seen = new Map<number, number>();
  let place: AccessPlace = { node: home };
  const look = (): AccessPlace => {
    const recalls = recallsOf();
    const since = new Map([...recalls].map(([node, count]) => [node, count - (seen.get(node) ?? 0)]));
    const total = [...since.values()].reduce((sum, count) => sum + count, 0);
    // Too few to say anything: what was found before still holds.
    if (total >= ACCESSES_MIN) {
      place = placeByAccess(since, home);
      seen = new Map(recalls);
    }
    return place;
  };
  return {
    ...policy,
    get node() {
      return look().node;
    },
    get interleaveNodes() {
      return look().interleaveNodes;
    },
  };
}
