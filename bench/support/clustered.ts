/**
 * Vectors as embeddings lie: in clusters, on the unit sphere. Made from a seed, so that every run and every
 * engine compared sees the same ones.
 *
 *   centre    `centres` Gaussian directions, normalised
 *   vector    its centre + sigma × a Gaussian vector of length about 1, normalised
 *   query     made the same way, from the same centres, never one of the vectors
 *
 * With 768 dimensions, 50,000 vectors, 1,000 centres and sigma 0.5 a raw usearch index (bf16, M 16, ef 64) finds
 * .99 of the ten nearest: neighbours are to be told from some 50 in the same cluster, as with real texts on
 * one subject. Without clusters Gaussian vectors are all equally far apart, which no embedding is.
 */
import { Random } from "../../src/base/random.ts";

export type Clustered = {
  readonly dimensions: number;
  /** count × dimensions, row-major, unit length */
  readonly vectors: Float32Array;
  readonly queries: Float32Array;
};

export type ClusteredOptions = {
  readonly seed: number;
  readonly dimensions: number;
  readonly count: number;
  readonly queries: number;
  readonly centres?: number;
  readonly sigma?: number;
};

export const CLUSTERED_CENTRES = 1000;
export const CLUSTERED_SIGMA = 0.5;

export function clustered(options: ClusteredOptions): Clustered {
  const { seed, dimensions, count, queries } = options;
  const centreCount = options.centres ?? CLUSTERED_CENTRES;
  const sigma = (options.sigma ?? CLUSTERED_SIGMA) / Math.sqrt(dimensions);
  const random = new Random(seed);
  const centres = new Float32Array(centreCount * dimensions);
  for (let i = 0; i < centres.length; i++) centres[i] = random.gaussian();
  normaliseRows(centres, dimensions);

  const fill = (rows: Float32Array): Float32Array => {
    for (let at = 0; at < rows.length; at += dimensions) {
      const centreAt = random.below(centreCount) * dimensions;
      for (let i = 0; i < dimensions; i++) rows[at + i] = centres[centreAt + i]! + sigma * random.gaussian();
    }
    normaliseRows(rows, dimensions);
    return rows;
  };
  return {
    dimensions,
    vectors: fill(new Float32Array(count * dimensions)),
    queries: fill(new Float32Array(queries * dimensions)),
  };
}

export function row(rows: Float32Array, index: number, dimensions: number): Float32Array {
  return rows.subarray(index * dimensions, (index + 1) * dimensions);
}

function normaliseRows(rows: Float32Array, dimensions: number): void {
  for (let at = 0; at < rows.length; at += dimensions) {
    let sum = 0;
    for (let i = 0; i < dimensions; i++) sum += rows[at + i]! * rows[at + i]!;
    const scale = 1 / Math.sqrt(sum);
    for (let i = 0; i < dimensions; i++) rows[at + i]! *= scale;
  }
}
