/**
 * How long does it take to compare one episode with 16 centroids, and a batch of episodes with many?
 *
 * Sketch: 16 × 768 products are 12,288 multiply-adds from the second level cache, 48 KiB: at 16 lanes and one
 * load a cycle 900 cycles, 0.3 µs, and the call. JavaScript takes 550-650 ns for one product of 768, so 10 µs.
 * 256 episodes with 1,000 centroids: 197 million multiply-adds, each row loaded once a tile of four: 5 ms.
 *
 *   bun bench/cognition/centroids.bench.ts [--small] [--seed N] [--json FILE]
 */
import { Rows, similarities } from "../../src/ffi/centroids.ts";
import { clustered } from "../support/clustered.ts";
import { type Figure, type FigureBench, runFigures } from "../support/figure.ts";
import { plainSimilarities, total } from "../support/plain-similarity.ts";

const DIMENSIONS = 768;
const FEW = 16;

export const bench: FigureBench = {
  name: "centroids",
  parameters: ({ isSmall }) => ({ dimensions: DIMENSIONS, centroids: FEW, ...batch(isSmall) }),
  calls: ({ isSmall }) => (isSmall ? 20 : 1000),
  make: ({ isSmall, seed }) => {
    const { episodes, many } = batch(isSmall);
    const { vectors, queries } = clustered({
      seed,
      dimensions: DIMENSIONS,
      count: many,
      queries: episodes,
      centres: 50,
    });
    return [
      figure("similarity to 16 centroids of 768 f32", {
        episodes: queries.subarray(0, DIMENSIONS),
        centroids: vectors.subarray(0, FEW * DIMENSIONS),
        operations: 20,
        medianNsMax: 2000,
      }),
      figure("similarities of episodes with many centroids, by pair", {
        episodes: queries,
        centroids: vectors,
        operations: 1,
        plainPerHundred: 2,
      }),
    ];
  },
};

function batch(isSmall: boolean): { episodes: number; many: number } {
  return isSmall ? { episodes: 16, many: 64 } : { episodes: 128, many: 1000 };
}

function figure(
  name: string,
  of: {
    episodes: Float32Array;
    centroids: Float32Array;
    operations: number;
    medianNsMax?: number;
    plainPerHundred?: number;
  },
): Figure {
  const { episodes, centroids, operations, plainPerHundred = 100 } = of;
  const episodeRows = Rows.of(episodes, DIMENSIONS);
  const centroidRows = Rows.of(centroids, DIMENSIONS);
  const pairs = episodeRows.count * centroidRows.count;
  const out = new Float32Array(pairs);
  const repeat = (once: () => void) => (): number => {
    for (let i = 0; i < operations; i++) once();
    return total(out, pairs);
  };
  return {
    name,
    operations: of.medianNsMax === undefined ? operations * pairs : operations,
    run: repeat(() => void similarities(episodeRows, centroidRows, DIMENSIONS, out)),
    plain: repeat(() => plainSimilarities(episodes, centroids, DIMENSIONS, out)),
    plainPerHundred,
    timesPlainMin: 5,
    ...(of.medianNsMax === undefined ? {} : { medianNsMax: of.medianNsMax }),
  };
}

if (import.meta.main) await runFigures(bench);
