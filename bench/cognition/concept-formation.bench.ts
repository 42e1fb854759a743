/**
 * How long does it take to form concepts from 1,000 episodes on two cores?
 *
 * Sketch: half a million pairs of 768 are 384 million multiply-adds: 8 ms of one core at one register of 16 a
 * cycle and 3 GHz, 4 of two. Average linkage looks at every row a few times, a million numbers each pass: 3-5 ms
 * of one core in JavaScript. The plain version makes the matrix in JavaScript: 0.3 s and more.
 *
 *   bun bench/cognition/concept-formation.bench.ts [--small] [--seed N] [--json FILE]
 */
import { averageLinkage } from "../../src/cognition/clustering.ts";
import { ConceptFormer, FORMATION_RULES, formationCut } from "../../src/cognition/concept-formation.ts";
import { Rows } from "../../src/ffi/centroids.ts";
import { clustered } from "../support/clustered.ts";
import { type FigureBench, runFigures } from "../support/figure.ts";
import { plainSimilarities } from "../support/plain-similarity.ts";

const DIMENSIONS = 768;
const THREADS = 2;
const SIGMA = 0.7;

export const bench: FigureBench = {
  name: "concept-formation",
  parameters: ({ isSmall }) => ({
    dimensions: DIMENSIONS,
    episodes: episodeCount(isSmall),
    groups: groupCount(isSmall),
    sigma: SIGMA,
    threads: THREADS,
  }),
  calls: ({ isSmall }) => (isSmall ? 5 : 200),
  make: ({ isSmall, seed }) => {
    const count = episodeCount(isSmall);
    const { vectors } = clustered({
      seed,
      dimensions: DIMENSIONS,
      count,
      queries: 0,
      centres: groupCount(isSmall),
      sigma: SIGMA,
    });
    const rows = Rows.of(vectors, DIMENSIONS);
    const former = new ConceptFormer(DIMENSIONS);
    const cut = formationCut(former.background(rows, THREADS), FORMATION_RULES);
    const matrix = new Float32Array(count * count);
    return [
      {
        name: `forming concepts from ${count.toLocaleString("en-US")} episodes`,
        operations: 1,
        run: () => {
          const proposals = former.form(rows, {
            cut,
            membersMin: FORMATION_RULES.membersMin,
            threads: THREADS,
          });
          return proposals.reduce((sum, { members }) => sum + members.length ** 2, 0);
        },
        plain: () => {
          plainSimilarities(vectors, vectors, DIMENSIONS, matrix);
          const { labels, count: clusterCount } = averageLinkage(matrix, count, cut);
          const sizes = new Float64Array(clusterCount);
          for (const label of labels) sizes[label]! += 1;
          return sizes.reduce((sum, size) => sum + (size < FORMATION_RULES.membersMin ? 0 : size ** 2), 0);
        },
        plainPerHundred: 5,
        p99NsMax: 20e6,
      },
    ];
  },
};

function episodeCount(isSmall: boolean): number {
  return isSmall ? 120 : 1000;
}

function groupCount(isSmall: boolean): number {
  return isSmall ? 10 : 60;
}

if (import.meta.main) await runFigures(bench);
