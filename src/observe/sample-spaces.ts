/** What the memory spaces hold, from their roots: by class over all of them, by name for the first of the table. */
import type { SpaceRoot, SpaceTable } from "../engine/space-table.ts";
import { BINDING_KINDS, MEMORY_PHASES, SPACE_CLASSES, spaceClassOf } from "../layout/metric-codes.ts";
import { SPACE_NUMBER } from "../layout/space-root.ts";
import { SPACES_NAMED_MAX } from "./catalogue.ts";
import type { FamilySet } from "./family.ts";

type Sums = {
  concepts: number;
  spaces: number;
  memories: number;
  pending: number;
  indexed: number;
  tail: number;
  graphBytes: number;
};

const F32_BYTES = 4;

export function sampleSpaces(set: FamilySet, table: SpaceTable): void {
  const byClass: Sums[] = SPACE_CLASSES.map(() => ({
    concepts: 0,
    spaces: 0,
    memories: 0,
    pending: 0,
    indexed: 0,
    tail: 0,
    graphBytes: 0,
  }));
  const bindings = BINDING_KINDS.map(() => 0);
  let dataBytes = 0;
  let memories = 0;
  let episodes = 0;
  let tailLongest = 0;
  let named = 0;
  const phases = { recent: 0, consolidating: 0, remote: 0 };
  for (const root of table.roots) {
    if (!root.isOpen) continue;
    const nodes = root.load("liveCount");
    const concepts = root.load("conceptCount");
    // What was made of memories is none.
    const live = Math.max(0, nodes - concepts);
    const indexed = root.load("indexedCount");
    const tail = Math.max(0, root.load("nodeCount") - indexed);
    const graphBytes = root.number("graphBytes");
    const sums = byClass[spaceClassOf(nodes)]!;
    const consolidating = root.number("consolidatingCount");
    const remote = root.number("remoteCount");
    // A concept is in no phase: it is what memories are consolidated into.
    phases.recent += Math.max(0, live - consolidating - remote);
    phases.consolidating += consolidating;
    phases.remote += remote;
    sums.concepts += concepts;
    sums.spaces += 1;
    sums.memories += live;
    sums.pending += root.load("pendingCount");
    sums.indexed += indexed;
    sums.tail += tail;
    sums.graphBytes += graphBytes;
    memories += live;
    episodes += root.load("episodeCount");
    tailLongest = Math.max(tailLongest, tail);
    dataBytes += dataBytesOf(root, nodes);
    for (let kind = 0; kind < bindings.length; kind++) {
      bindings[kind]! += root.numbers[SPACE_NUMBER.bindingsByKind + kind]!;
    }
    if (named < SPACES_NAMED_MAX) {
      const space = root.text("name");
      set.sample("engram_space_memories", { space }, live);
      set.sample("engram_space_tail_vectors", { space }, tail);
      set.sample("engram_space_bytes", { space }, root.number("mappedBytes") + graphBytes);
      named += 1;
    }
  }
  // Spaces of the class `none` do not exist.
  for (let code = 1; code < SPACE_CLASSES.length; code++) {
    const sums = byClass[code]!;
    const labels = { space_class: SPACE_CLASSES[code]! };
    set.sample("engram_spaces", labels, sums.spaces);
    set.sample("engram_memories", labels, sums.memories);
    set.sample("engram_memories_pending_embedding", labels, sums.pending);
    set.sample("engram_index_vectors", labels, sums.indexed);
    set.sample("engram_index_tail_vectors", labels, sums.tail);
    set.sample("engram_index_bytes", labels, sums.graphBytes);
    set.sample("engram_concepts", labels, sums.concepts);
  }
  for (const [kind, name] of BINDING_KINDS.entries()) {
    set.sample("engram_bindings", { kind: name }, bindings[kind]!);
  }
  if (memories > 0) {
    const ends = 2 * bindings.reduce((sum, count) => sum + count, 0);
    set.sample("engram_graph_edges_per_node", {}, ends / memories);
  }
  set.sample("engram_episodes", {}, episodes);
  for (const phase of MEMORY_PHASES) set.sample("engram_memories_by_phase", { phase }, phases[phase]);
  set.sample("engram_index_tail_vectors_max", {}, tailLongest);
  set.sample("engram_data_bytes", {}, dataBytes);
  set.sample("engram_storage_tier_memories_count", { tier: "hot" }, memories);
}

function dataBytesOf(root: SpaceRoot, live: number): number {
  const vectors = (live - root.load("pendingCount")) * root.load("dimensions") * F32_BYTES;
  return root.number("contentUsedBytes") + vectors;
}
