/**
 * What a probe meets in a space: the memories most like it with what is left of each, and how similar memories taken
 * anywhere are to it. Straight from shared memory, inside an epoch.
 */
import { VectorSearcher } from "../../index/vector-searcher.ts";
import type { NodeKind } from "../../layout/node-header.ts";
import { filterBlock } from "../filter-block.ts";
import { RetentionReader } from "../mind/retention.ts";
import type { Forgetting } from "../space-forgetting.ts";
import type { SpaceReader } from "../space-reader.ts";

/** Traces looked at: the cube of a similarity makes the hundredth of no account. */
const TRACES_MAX = 64;
/** A concept was made of memories, and never met. */
const MET_KINDS: readonly NodeKind[] = ["memory", "episode"];
/** Memories taken anywhere: their mean is known to some hundredths. */
const SAMPLE_MAX = 128;

export type ProbeFacts = {
  readonly traces: readonly {
    readonly id: string;
    readonly content: string;
    readonly similarity: number;
    readonly retention: number;
  }[];
  readonly unrelatedSimilarity: number;
};

export class FamiliarityProbe {
  readonly #searcher = new VectorSearcher(TRACES_MAX);
  readonly #retention = new RetentionReader();
  readonly #sample = new Uint32Array(SAMPLE_MAX);
  readonly #similarities = new Float32Array(SAMPLE_MAX);

  /**
   * @param vector unit length, as long as the space's dimensions
   * @param of.forgetting how memories fade; undefined where they do not
   */
  run(
    reader: SpaceReader,
    vector: Float32Array,
    of: {
      readonly kinds?: readonly NodeKind[] | undefined;
      readonly ef: number;
      readonly atMs: number;
      readonly forgetting: Forgetting | undefined;
    },
  ): ProbeFacts {
    const { root } = reader;
    const { kinds = MET_KINDS, ef, atMs, forgetting } = of;
    const nodeCount = root.load("nodeCount");
    if (nodeCount === 0) return { traces: [], unrelatedSimilarity: 0 };
    const graph = root.number("graph");
    const searcher = this.#searcher;
    const k = Math.min(TRACES_MAX, nodeCount);
    const filter = filterBlock({ kinds, limit: k, mode: "vector" }, nodeCount);
    const found = searcher.search(graph, vector, { k, ef: Math.max(ef, k), nodeCount, filter });
    const retention = this.#retention;
    if (forgetting !== undefined) retention.read(reader.headers, searcher.slots, found, { atMs, forgetting });
    const traces: ProbeFacts["traces"][number][] = [];
    for (let i = 0; i < found; i++) {
      const slot = searcher.slots[i]!;
      if (!reader.isLive(slot)) continue;
      const { id, content } = reader.memory(slot);
      traces.push({
        id,
        content,
        similarity: searcher.similarities[i]!,
        retention: forgetting === undefined ? 1 : retention.left[i]!,
      });
    }
    return { traces, unrelatedSimilarity: this.#meanOfSample(reader, graph, vector, nodeCount) };
  }

  close(): void {
    this.#searcher.close();
  }

  /** Slots evenly spaced: those that are stored together are alike, and neighbours of the probe would count too much. */
  #meanOfSample(reader: SpaceReader, graph: number, vector: Float32Array, nodeCount: number): number {
    const step = Math.max(1, nodeCount / SAMPLE_MAX);
    let count = 0;
    for (let at = step / 2; at < nodeCount && count < SAMPLE_MAX; at += step) {
      const slot = Math.floor(at);
      if (reader.isLive(slot) && reader.hasVector(slot)) this.#sample[count++] = slot;
    }
    if (count === 0) return 0;
    this.#searcher.compare(graph, vector, this.#sample, count, this.#similarities);
    // The median: in a small space some of the sample are what the probe is about.
    const sorted = this.#similarities.slice(0, count).sort();
    return Math.max(0, sorted[count >>> 1]!);
  }
}
