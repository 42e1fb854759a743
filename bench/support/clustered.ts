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
  const random = new Gaussian(seed);
  const centres = new Float32Array(centreCount * dimensions);
  for (let i = 0; i < centres.length; i++) centres[i] = random.next();
  normaliseRows(centres, dimensions);

  const fill = (rows: Float32Array): Float32Array => {
    for (let at = 0; at < rows.length; at += dimensions) {
      const centreAt = Math.floor(random.uniform() * centreCount) * dimensions;
      for (let i = 0; i < dimensions; i++) rows[at + i] = centres[centreAt + i]! + sigma * random.next();
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

/** Normal deviates by the polar method (Marsaglia 1964) over sfc32. */
export class Gaussian {
  #a: number;
  #b: number;
  #c = 0x9e3779b9 | 0;
  #counter = 1;
  #spare: number | undefined;

  constructor(seed: number) {
    this.#a = seed | 0;
    this.#b = Math.imul(seed, 0x85ebca6b) | 0;
    for (let i = 0; i < 16; i++) this.uniform();
  }

  /** At least 0, below 1. */
  uniform(): number {
    const t = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + t;
    this.#c |= 0;
    return (t >>> 0) / 4294967296;
  }

  next(): number {
    if (this.#spare !== undefined) {
      const spare = this.#spare;
      this.#spare = undefined;
      return spare;
    }
    for (;;) {
      const x = 2 * this.uniform() - 1;
      const y = 2 * this.uniform() - 1;
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const factor = Math.sqrt((-2 * Math.log(square)) / square);
      this.#spare = y * factor;
      return x * factor;
    }
  }
}
