/**
 * Grouping vectors by how alike they are: agglomerative clustering with average linkage (UPGMA; Sokal & Michener
 * 1958), found by chains of nearest neighbours (Murtagh 1983) in count² steps, and cut at a similarity.
 *
 * Two groups are as alike as their members are on average, so a group is not drawn out along a chain of
 * neighbours, as with single linkage. No later merger can bring a group closer to another than its parts were
 * (average linkage is reducible); hence a group whose nearest neighbour lies beyond the cut is finished, and a
 * batch of strangers costs one look at each row.
 *
 * The same matrix gives the same groups: equal similarities are settled by the lower row.
 */
import { assert } from "../base/assert.ts";

export type Clusters = {
  /** the cluster of each row; clusters are numbered by their first row */
  readonly labels: Uint32Array;
  readonly count: number;
};

/** How alike two vectors of a batch are by chance: mean and deviation over its pairs. */
export type Background = { readonly mean: number; readonly deviation: number; readonly pairs: number };

/** Pairs looked at for the background: its error is then some 1/250 of the deviation. */
const BACKGROUND_PAIRS_MAX = 65_536;

/**
 * Groups rows whose average similarity stays at or above a cut.
 *
 * @param matrix count × count, symmetric; overwritten with the similarities of the groups
 */
export function averageLinkage(matrix: Float32Array, count: number, cut: number): Clusters {
  assert(matrix.length >= count * count, "the matrix has a row for every vector");
  const groups = new Groups(matrix, count);
  const chain = new Uint32Array(count);
  let chainLength = 0;
  while (groups.activeCount > 0) {
    if (chainLength === 0) chain[chainLength++] = groups.first();
    const last = chain[chainLength - 1]!;
    const before = chainLength > 1 ? chain[chainLength - 2]! : -1;
    const nearest = groups.nearest(last, before);
    if (nearest === -1 || matrix[last * count + nearest]! < cut) {
      // Whoever led here would be as near as this one's nearest, so the chain is this one alone.
      assert(chainLength === 1, "a group beyond the cut is nobody's neighbour");
      groups.finish(last);
      chainLength = 0;
    } else if (nearest === before) {
      groups.merge(before, last);
      chainLength -= 2;
    } else {
      chain[chainLength++] = nearest;
    }
  }
  return groups.clusters();
}

/** Mean and deviation of the similarities of different rows, from at most 65,536 pairs at equal steps. */
export function backgroundOf(matrix: Float32Array, count: number): Background {
  const pairsAll = (count * (count - 1)) / 2;
  if (pairsAll === 0) return { mean: 0, deviation: 0, pairs: 0 };
  const step = Math.max(1, Math.floor(pairsAll / BACKGROUND_PAIRS_MAX));
  let sum = 0;
  let squares = 0;
  let pairs = 0;
  let skip = 0;
  for (let row = 0; row < count; row++) {
    let column = row + 1 + skip;
    for (; column < count; column += step) {
      const similarity = matrix[row * count + column]!;
      sum += similarity;
      squares += similarity * similarity;
      pairs += 1;
    }
    skip = column - count;
  }
  const mean = sum / pairs;
  return { mean, deviation: Math.sqrt(Math.max(0, squares / pairs - mean * mean)), pairs };
}

/** The groups that may still merge, each standing in the row of its first member. */
class Groups {
  readonly #matrix: Float32Array;
  readonly #count: number;
  readonly #sizes: Float64Array;
  /** the group a row was merged into, itself while it stands */
  readonly #into: Uint32Array;
  /** rows of groups that may still merge, ascending */
  readonly #active: Uint32Array;
  activeCount: number;

  constructor(matrix: Float32Array, count: number) {
    this.#matrix = matrix;
    this.#count = count;
    this.#sizes = new Float64Array(count).fill(1);
    this.#into = Uint32Array.from({ length: count }, (_, row) => row);
    this.#active = this.#into.slice();
    this.activeCount = count;
  }

  first(): number {
    return this.#active[0]!;
  }

  /** The most similar group; of equals the one that led here, which ends the chain, else the lowest row. */
  nearest(row: number, before: number): number {
    const matrix = this.#matrix;
    const active = this.#active;
    const at = row * this.#count;
    let best = before;
    let most = before === -1 ? Number.NEGATIVE_INFINITY : matrix[at + before]!;
    for (let i = 0, end = this.activeCount; i < end; i++) {
      const other = active[i]!;
      const similarity = matrix[at + other]!;
      if (similarity > most && other !== row) {
        most = similarity;
        best = other;
      }
    }
    return best;
  }

  finish(row: number): void {
    const active = this.#active;
    let at = 0;
    while (active[at] !== row) at += 1;
    active.copyWithin(at, at + 1, this.activeCount);
    this.activeCount -= 1;
  }

  merge(one: number, other: number): void {
    const matrix = this.#matrix;
    const count = this.#count;
    const keep = Math.min(one, other);
    const gone = Math.max(one, other);
    this.finish(gone);
    const keepSize = this.#sizes[keep]!;
    const goneSize = this.#sizes[gone]!;
    const size = keepSize + goneSize;
    for (let i = 0, end = this.activeCount; i < end; i++) {
      const row = this.#active[i]!;
      if (row === keep) continue;
      const at = keep * count + row;
      const similarity = (keepSize * matrix[at]! + goneSize * matrix[gone * count + row]!) / size;
      matrix[at] = similarity;
      matrix[row * count + keep] = similarity;
    }
    this.#sizes[keep] = size;
    this.#into[gone] = keep;
  }

  clusters(): Clusters {
    const into = this.#into;
    const labels = new Uint32Array(this.#count);
    let clusterCount = 0;
    // A row is merged into a lower one only, whose label is known by then.
    for (let row = 0; row < this.#count; row++) {
      labels[row] = into[row] === row ? clusterCount++ : labels[into[row]!]!;
    }
    return { labels, count: clusterCount };
  }
}
