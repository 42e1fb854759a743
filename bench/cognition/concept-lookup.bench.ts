/**
 * How long does it take to find the concept nearest to an embedding, of 10,000?
 *
 * Sketch: comparing with all of them reads 30 MB, 2-3 ms. A graph of their centroids, quantised to i8 as in new
 * spaces, measures some 400 distances at ef 16, 40-100 ns each from memory: 20-40 µs. The plain version compares
 * with all.
 *
 * Concepts come in families, ten in one here, as texts on one subject do. With 10,000 directions that have
 * nothing in common the graph finds the nearest of two in three at ef 16, and of four in five at ef 64.
 *
 *   bun bench/cognition/concept-lookup.bench.ts [--small] [--seed N] [--json FILE]
 */
import { VectorGraph } from "../../src/index/vector-graph.ts";
import { SEARCH_PLAN, VectorSearcher } from "../../src/index/vector-searcher.ts";
import { TestSpace } from "../../test/index/vector-space.ts";
import { clustered, row } from "../support/clustered.ts";
import { type FigureBench, runFigures } from "../support/figure.ts";
import { plainSimilarities } from "../support/plain-similarity.ts";

const DIMENSIONS = 768;
const EF = 16;
const FAMILY = 10;

let opened: (() => void) | undefined;

export const bench: FigureBench = {
  name: "concept-lookup",
  parameters: ({ isSmall }) => ({ dimensions: DIMENSIONS, concepts: conceptCount(isSmall), ef: EF, M: 16 }),
  calls: ({ isSmall }) => (isSmall ? 20 : 5000),
  make: ({ isSmall, seed }) => {
    const count = conceptCount(isSmall);
    const queries = isSmall ? 20 : 500;
    const data = clustered({
      seed,
      dimensions: DIMENSIONS,
      count,
      queries,
      centres: Math.ceil(count / FAMILY),
      sigma: 0.5,
    });
    const space = new TestSpace({
      dimensions: DIMENSIONS,
      quantization: "i8",
      slotsMax: count,
      slotsPerChunk: 4096,
      isMapped: true,
    });
    for (let i = 0; i < count; i++) space.push(row(data.vectors, i, DIMENSIONS));
    const graph = VectorGraph.open(space.config({ M: 16, efConstruction: 128 }));
    graph.add(0, count);
    const searcher = new VectorSearcher();
    opened = () => {
      searcher.close();
      graph.close();
    };
    const wanted = { k: 1, ef: EF, nodeCount: count, plan: SEARCH_PLAN.walk };
    const similarities = new Float32Array(count);
    let asked = 0;
    return [
      {
        name: "concept lookup by embedding",
        operations: 1,
        run: () => {
          searcher.search(graph.address, row(data.queries, asked++ % queries, DIMENSIONS), wanted);
          return searcher.similarities[0]!;
        },
        plain: () => {
          // Asked seldom, and for what was asked last, so that the checksums are of the same questions.
          const query = row(data.queries, (asked - 1) % queries, DIMENSIONS);
          plainSimilarities(query, data.vectors, DIMENSIONS, similarities);
          return similarities.reduce((best, value) => Math.max(best, value), -1);
        },
        plainPerHundred: 2,
        p99NsMax: 100_000,
        timesPlainMin: 5,
      },
    ];
  },
  close: () => {
    opened?.();
    opened = undefined;
  },
};

function conceptCount(isSmall: boolean): number {
  return isSmall ? 300 : 10_000;
}

if (import.meta.main) await runFigures(bench);
