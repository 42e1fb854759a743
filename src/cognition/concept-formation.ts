/**
 * Which episodes of a batch make a concept: those that are more alike than strangers are.
 *
 * How alike two strangers are depends on who made the vectors: some 0.05 with hashed words, 0.3 and more with a
 * neural embedder. So the cut is set by the batch itself: `distinctiveness` deviations above the mean over all
 * pairs, and at least `similarityMin`, below which a group is one by chance in a batch of strangers.
 *
 * A matrix of similarities (natively, on several threads), then average linkage (`clustering.ts`), then one
 * direction for each group. The result does not depend on the number of threads.
 */
import { assert } from "../base/assert.ts";
import { type Rows, similarityMatrix } from "../ffi/centroids.ts";
import { CentroidMover } from "./centroid.ts";
import { averageLinkage, type Background, backgroundOf } from "./clustering.ts";

export type FormationRules = {
  /** members that make a concept; fewer wait for more of their kind */
  readonly membersMin: number;
  /** deviations above the mean similarity of the batch */
  readonly distinctiveness: number;
  /** similarity that a group has at least, whatever the batch looks like */
  readonly similarityMin: number;
};

export const FORMATION_RULES: FormationRules = { membersMin: 3, distinctiveness: 2.5, similarityMin: 0.1 };

/** Vectors at most in one batch: 4 MiB of similarities. */
export const FORMATION_BATCH_MAX = 1024;

export type ConceptProposal = {
  /** rows of the batch, ascending */
  readonly members: readonly number[];
  /** unit vector */
  readonly direction: Float32Array;
  readonly coherence: number;
};

export type Formation = {
  readonly proposals: readonly ConceptProposal[];
  readonly cut: number;
  readonly background: Background;
};

/** Forms concepts; one for a thread, since it keeps its arrays. */
export class ConceptFormer {
  readonly #dimensions: number;
  readonly #mover: CentroidMover;
  readonly #matrix = new Float32Array(FORMATION_BATCH_MAX ** 2);

  constructor(dimensions: number) {
    this.#dimensions = dimensions;
    this.#mover = new CentroidMover(dimensions);
  }

  /** @param rows unit vectors, at most FORMATION_BATCH_MAX */
  form(rows: Rows, { rules, threads }: { rules: FormationRules; threads: number }): Formation {
    const { count } = rows;
    assert(count <= FORMATION_BATCH_MAX, "a batch is bounded");
    similarityMatrix(rows, this.#dimensions, threads, this.#matrix);
    const background = backgroundOf(this.#matrix, count);
    const cut = formationCut(background, rules);
    const { labels, count: clusterCount } = averageLinkage(this.#matrix, count, cut);
    const groups = Array.from({ length: clusterCount }, (): number[] => []);
    for (let row = 0; row < count; row++) groups[labels[row]!]!.push(row);
    const proposals: ConceptProposal[] = [];
    for (const members of groups) {
      if (members.length < rules.membersMin) continue;
      this.#mover.begin();
      for (const row of members) this.#mover.addMember(rows.address(row));
      const direction = new Float32Array(this.#dimensions);
      const coherence = this.#mover.finish(members.length, direction);
      if (coherence !== undefined) proposals.push({ members, direction, coherence });
    }
    return { proposals, cut, background };
  }
}

/** Similarity from which a group is more than chance. */
export function formationCut({ mean, deviation }: Background, rules: FormationRules): number {
  return Math.max(rules.similarityMin, mean + rules.distinctiveness * deviation);
}
