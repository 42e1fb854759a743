/**
 * Recovery of one stream: its checkpoint loaded into arenas, then the log behind it applied.
 *
 *   checkpoint ──▶ base data in the arenas ──▶ ids, postings, counts derived ──▶ log replayed ──▶ opened to readers
 *                                         └──▶ graph loaded, or built anew by the indexer when it is damaged
 *
 * Damage in what can not be derived refuses to start, with what the operator can do.
 */
import { assert } from "../base/assert.ts";
import { closeFile, OPEN, openFile } from "../ffi/files.ts";
import { VectorGraph } from "../index/vector-graph.ts";
import { checkpointDamaged } from "../storage/checkpoint-errors.ts";
import type { LoadRequest } from "../storage/checkpoint-loader.ts";
import type { CheckpointStore } from "../storage/checkpoint-store.ts";
import type { Log } from "../storage/log.ts";
import type { SpaceMeta } from "./checkpointer.ts";
import { MIND_BLOBS, openMindBlob } from "./mind/mind-blobs.ts";
import type { SpaceKeeper } from "./space-keeper.ts";
import type { SpaceWriter } from "./space-writer.ts";

export type RecoveryReport = {
  /** memories that came from the checkpoint, forgotten ones included */
  readonly loadedNodes: number;
  readonly replayedRecords: number;
  /** spaces whose graph was damaged and is built anew */
  readonly graphsLost: readonly string[];
};

export function recoverStream(options: {
  store: CheckpointStore;
  log: Log;
  keeper: SpaceKeeper;
  /** threads that quantise vectors */
  threads: number;
  progress: (text: string) => void;
}): RecoveryReport {
  const { store, log, keeper, threads, progress } = options;
  const graphsLost: string[] = [];
  let loadedNodes = 0;
  for (const { spaceId, meta } of store.spaces()) {
    const known = meta as SpaceMeta;
    progress(`loading space ${known.description.name} (${known.nodeCount} memories)`);
    const space = loadSpace(store, keeper, spaceId, known, threads);
    loadMind(store, space, spaceId, known);
    loadedNodes += known.nodeCount;
    if (!loadGraph(store, space, spaceId, known)) graphsLost.push(known.description.name);
  }
  let replayedRecords = 0;
  log.replay(store.sequence + 1, (kind, spaceId, sequence, bytes, at, count) => {
    keeper.apply(kind, spaceId, sequence, bytes.subarray(at, at + count));
    replayedRecords += 1;
    if (replayedRecords % 20_000 === 0) progress(`replaying the log (${replayedRecords} records)`);
  });
  keeper.finishReplay();
  for (const space of keeper.spaces) {
    // The graph may have been ahead of the checkpoint's cut, never of the log; if it is, it is another's.
    if (space.root.load("indexedCount") > space.nodeCount) {
      space.resetGraph();
      graphsLost.push(space.description.name);
    }
    space.open();
  }
  return { loadedNodes, replayedRecords, graphsLost };
}

function loadSpace(
  store: CheckpointStore,
  keeper: SpaceKeeper,
  spaceId: number,
  meta: SpaceMeta,
  threads: number,
): SpaceWriter {
  const { nodeCount, termCount, contentBytes, forwardBytes } = meta;
  const space = keeper.claim(meta.description, meta.graph, meta.image);
  const { headers, vectors, quantised, content, forward, terms } = space.arenas;
  if (nodeCount > 0) {
    headers.ensure(nodeCount - 1);
    vectors.ensure(nodeCount - 1);
    if (quantised !== vectors) quantised.ensure(nodeCount - 1);
  }
  if (termCount > 0) terms.ensure(termCount - 1);
  content.ensure(contentBytes);
  forward.ensure(forwardBytes);
  const requests: LoadRequest[] = [
    { spaceId, name: "headers", into: headers.pieces(0, nodeCount) },
    { spaceId, name: "vectors", into: vectors.pieces(0, nodeCount) },
    { spaceId, name: "terms", into: terms.pieces(0, termCount) },
    { spaceId, name: "content", into: content.pieces(0, contentBytes) },
    { spaceId, name: "forward", into: forward.pieces(0, forwardBytes) },
  ];
  store.load(requests);
  const forgotten = store.read(spaceId, "forgotten");
  assert(forgotten.byteLength === Math.ceil(nodeCount / 8), "there is a bit for every slot");
  if (quantised !== vectors && nodeCount > 0) {
    VectorGraph.attach(space.root.number("graph")).quantise(0, nodeCount, threads);
  }
  space.restore({
    nodeCount,
    termCount,
    contentBytes,
    forwardBytes,
    sequence: store.sequence,
    isForgotten: (slot) => (forgotten[slot >>> 3]! & (1 << (slot & 7))) !== 0,
  });
  return space;
}

/** Traits, bindings and the progress of walks; what concerns nodes that only the log makes is kept aside for them. */
function loadMind(store: CheckpointStore, space: SpaceWriter, spaceId: number, meta: SpaceMeta): void {
  const { mind } = space;
  mind.beginReplay();
  const { parts } = store.spaces().find((each) => each.spaceId === spaceId)!;
  for (const blob of MIND_BLOBS) {
    if (!parts.has(blob)) continue;
    const records = openMindBlob(blob, store.read(spaceId, blob));
    if (typeof records === "string") throw checkpointDamaged(store.partPath(spaceId, blob), records);
    if (blob === "traits") mind.applyTraits(records);
    else mind.applyBind(records);
  }
  mind.setProgress("association", meta.associatedSequence ?? 0);
  mind.setProgress("consolidation", meta.consolidatedSequence ?? 0);
}

/** @returns false when the graph was there and damaged, so that the indexer builds it anew */
function loadGraph(store: CheckpointStore, space: SpaceWriter, spaceId: number, meta: SpaceMeta): boolean {
  if (meta.graph.covered === 0) return true;
  const path = store.partPath(spaceId, "graph");
  const { root } = space;
  const graph = VectorGraph.attach(root.number("graph"));
  let outcome: ReturnType<VectorGraph["load"]> = "damaged";
  try {
    const file = openFile(path, OPEN.read);
    try {
      outcome = graph.load(file, 0, space.slotsMax);
    } finally {
      closeFile(file);
    }
  } catch {
    // Missing or unreadable: it is derived data, and built anew like a damaged one.
  }
  if (outcome !== "loaded") {
    root.publish("graphRebuilt", 1);
    return false;
  }
  const { covered, usedBytes } = graph.stats();
  root.publish("indexedCount", covered);
  root.setNumber("graphBytes", usedBytes);
  return true;
}
