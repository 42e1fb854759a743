/**
 * The indexer: moves new vectors from the unindexed tail of each space into its graph, a few at a time, and
 * builds new graphs beside the old ones while both are searched.
 *
 * One indexer at a time inserts into a graph (usearch issue 735), so spaces are dealt out to the indexers by
 * their index. Each turn takes one batch of every space that has work, so that a large space does not keep a
 * small one waiting.
 *
 *   rebuild:  asked ──▶ new graph filled beside the old ──▶ it covers as much ──▶ published ──▶ old one freed
 *
 * A small space is left to the exact scan: below GRAPH_WORTH vectors it is as fast, and costs no memory.
 */

import { VectorGraph } from "../index/vector-graph.ts";
import { NODE_UNBOUND, SPACE_STATE } from "../layout/space-root.ts";
import type { EpochReader, Epochs } from "../shm/epochs.ts";
import type { IndexPace } from "./index-pace.ts";
import { type IndexMeter, SILENT_INDEX_METER } from "./meters.ts";
import { graphConfig } from "./space-graph.ts";
import type { SpaceRoot, SpaceTable } from "./space-table.ts";

/** Vectors from which a graph is faster than a scan (bench/index/search.bench.ts measures the crossover). */
const GRAPH_WORTH = 1024;
/** Slots linked before the next space has its turn: some 10 ms at 768 dimensions. */
const BATCH_SLOTS = 32;

type Rebuild = {
  readonly graph: VectorGraph;
  readonly request: number;
  readonly M: number;
  readonly efConstruction: number;
};
type Known = { generation: number; graph: VectorGraph; rebuild: Rebuild | undefined };

export class Indexer {
  readonly #table: SpaceTable;
  readonly #epoch: EpochReader;
  readonly #epochs: Epochs;
  readonly #ordinal: number;
  readonly #count: number;
  readonly #known: (Known | undefined)[] = [];
  readonly #pace: IndexPace;
  readonly #interleaveNodes: readonly number[] | undefined;
  readonly #meter: IndexMeter;
  #retired: { graph: VectorGraph; epoch: number }[] = [];

  constructor(options: {
    table: SpaceTable;
    epoch: EpochReader;
    epochs: Epochs;
    /** this indexer among `count` */
    ordinal: number;
    count: number;
    pace: IndexPace;
    /** nodes that rebuilt graphs are spread over (numa.strategy "interleaved"); else on their space's node */
    interleaveNodes?: readonly number[] | undefined;
    meter?: IndexMeter;
  }) {
    this.#table = options.table;
    this.#epoch = options.epoch;
    this.#epochs = options.epochs;
    this.#ordinal = options.ordinal;
    this.#count = options.count;
    this.#pace = options.pace;
    this.#interleaveNodes = options.interleaveNodes;
    this.#meter = options.meter ?? SILENT_INDEX_METER;
  }

  /** Gives every space of this indexer one batch. @returns slots gone through; 0 when there was nothing to do */
  turn(): number {
    let done = 0;
    let tailLongest = 0;
    let nodes = 0;
    const { roots } = this.#table;
    for (let spaceIndex = this.#ordinal; spaceIndex < roots.length; spaceIndex += this.#count) {
      const root = roots[spaceIndex]!;
      if (!isIndexed(root)) {
        this.#forget(spaceIndex);
        continue;
      }
      // A space deleted from here on is not freed before the epoch is left.
      this.#epoch.enter();
      try {
        if (!isIndexed(root)) continue;
        done += this.#advance(root);
        const nodeCount = root.load("nodeCount");
        nodes += nodeCount;
        tailLongest = Math.max(tailLongest, nodeCount - root.load("indexedCount"));
      } finally {
        this.#epoch.exit();
      }
    }
    this.#collect();
    this.#pace.turned({ tailLongest, nodes });
    return done;
  }

  #advance(root: SpaceRoot): number {
    const known = this.#knownOf(root);
    const nodeCount = root.load("nodeCount");
    const covered = root.load("indexedCount");
    let done = 0;
    if (nodeCount > covered && (covered > 0 || nodeCount >= GRAPH_WORTH)) {
      const count = Math.min(BATCH_SLOTS, nodeCount - covered);
      this.#add(known.graph, covered, count);
      root.publish("indexedCount", covered + count);
      root.setNumber("graphBytes", known.graph.stats().usedBytes);
      done += count;
    }
    const request = root.load("rebuildRequested");
    if (request !== root.load("rebuildDone")) done += this.#rebuild(root, known, request);
    return done;
  }

  #rebuild(root: SpaceRoot, known: Known, request: number): number {
    if (known.rebuild !== undefined && known.rebuild.request !== request) {
      // Asked again meanwhile, with other figures perhaps: nobody has seen the half-built one.
      known.rebuild.graph.close();
      known.rebuild = undefined;
    }
    if (known.rebuild === undefined) {
      const M = root.load("rebuildM");
      const efConstruction = root.load("rebuildEfConstruction");
      const node = root.load("node");
      const graph = VectorGraph.open(
        graphConfig(
          { root },
          {
            M,
            efConstruction,
            node: node === NODE_UNBOUND ? undefined : node,
            interleaveNodes: this.#interleaveNodes,
          },
        ),
      );
      known.rebuild = { graph, request, M, efConstruction };
      root.publish("rebuildProgress", 0);
    }
    const { graph, M, efConstruction } = known.rebuild;
    const built = graph.stats().covered;
    const target = root.load("indexedCount");
    const count = Math.min(BATCH_SLOTS, target - built);
    if (count > 0) this.#add(graph, built, count);
    root.publish("rebuildProgress", built + count);
    if (built + count < target) return count;

    graph.repair();
    const old = known.graph;
    root.setNumber("graph", graph.address);
    root.setNumber("graphBytes", graph.stats().usedBytes);
    root.publish("graphM", M);
    root.publish("graphEfConstruction", efConstruction);
    root.publish("graphGeneration", root.load("graphGeneration") + 1);
    root.publish("rebuildDone", request);
    this.#meter.rebuilt();
    known.graph = graph;
    known.rebuild = undefined;
    this.#retired.push({ graph: old, epoch: this.#epochs.advance() });
    return count;
  }

  #add(graph: VectorGraph, firstSlot: number, count: number): void {
    const startedAtMs = this.#meter.nowMs();
    const linked = graph.add(firstSlot, count);
    if (linked > 0) this.#meter.inserted(this.#meter.nowMs() - startedAtMs, linked);
  }

  #knownOf(root: SpaceRoot): Known {
    const generation = root.load("generation");
    const known = this.#known[root.spaceIndex];
    if (known?.generation === generation) return known;
    this.#forget(root.spaceIndex);
    const fresh: Known = { generation, graph: VectorGraph.attach(root.number("graph")), rebuild: undefined };
    this.#known[root.spaceIndex] = fresh;
    return fresh;
  }

  /** The space is gone: its home writer frees the graph in use, a half-built one is ours. */
  #forget(spaceIndex: number): void {
    this.#known[spaceIndex]?.rebuild?.graph.close();
    this.#known[spaceIndex] = undefined;
  }

  #collect(): void {
    if (this.#retired.length === 0) return;
    this.#retired = this.#retired.filter(({ graph, epoch }) => {
      if (!this.#epochs.isPast(epoch)) return true;
      graph.close();
      return false;
    });
  }
}

/** Open spaces, and images that will replace one once they are in a graph. */
function isIndexed(root: SpaceRoot): boolean {
  const state = root.load("state");
  return state === SPACE_STATE.open || state === SPACE_STATE.compacting;
}
