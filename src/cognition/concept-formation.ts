/**
 * Which episodes of a batch make a concept: those that are more alike than strangers are.
 *
 * How alike two strangers are depends on who made the vectors: some 0.05 with hashed words, 0.3 and more with a
 * neural embedder. So the cut is set by a sample of what there is: `distinctiveness` deviations above the mean over
 * all its pairs; at least `similarityMin`, below which a group is one by chance in a batch of strangers, and at most
 * halfway from that mean to what is the same: in a space of a few clear topics the deviation is that between topics,
 * and in one that says one thing again and again there is hardly any.
 *
 * A matrix of similarities (natively, on several threads), then average linkage (`clustering.ts`), then one
 * direction for each group. The result does not depend on the number of threads.
 *
 * By the same measure, how alike two groups are on average, an episode joins a concept, two concepts are one, and
 * one falls apart: for centroids with coherence R it is R₁ R₂ × cosine, with R = 1 for a single episode.
 */
import { assert } from "../base/assert.ts";
import { type Rows, similarityMatrix } from "../ffi/centroids.ts";
import { CentroidMover } from "./centroid.ts";
import { averageLinkage, type Background, backgroundOf } from "./clustering.ts";

export type FormationRules = {
  /** members that make a concept; fewer wait for more of their kind */
  readonly membersMin: number;
  /** deviations above the mean similarity of the sample */
  readonly distinctiveness: number;
  /** similarity that a group has at least, whatever the sample looks like */
  readonly similarityMin: number;
};

export const FORMATION_RULES: FormationRules = {
  membersMin: 3,
  distinctiveness: 2.5,
  similarityMin: 0.1,
};

/** Vectors at most in one batch: 4 MiB of similarities. */
export const FORMATION_BATCH_MAX = 1024;

export type ConceptProposal = {
  /** rows of the batch, ascending */
  readonly members: readonly number[];
  /** unit vector */
  readonly direction: Float32Array;
  readonly coherence: number;
};

/** Forms concepts; one for a thread, since it keeps its arrays. */
export class ConceptFormer {
  readonly #dimensions: number;
  readonly #mover: CentroidMover;
  #matrix = new Float32Array(0);

  constructor(dimensions: number) {
    this.#dimensions = dimensions;
    this.#mover = new CentroidMover(dimensions);
  }

  /** How alike the rows are by chance. @param rows unit vectors, at most FORMATION_BATCH_MAX */
  background(rows: Rows, threads: number): Background {
    return backgroundOf(this.#similarities(rows, threads), rows.count);
  }

  /**
   * Groups of rows that are alike enough and large enough.
   *
   * @param rows unit vectors, at most FORMATION_BATCH_MAX
   * @param cut average similarity that a group has at least
   */
  form(
    rows: Rows,
    { cut, membersMin, threads }: { cut: number; membersMin: number; threads: number },
  ): ConceptProposal[] {
    const { labels, count } = averageLinkage(this.#similarities(rows, threads), rows.count, cut);
    const groups = Array.from({ length: count }, (): number[] => []);
    for (let row = 0; row < rows.count; row++) groups[labels[row]!]!.push(row);
    const proposals: ConceptProposal[] = [];
    for (const members of groups) {
      if (members.length < membersMin) continue;
      this.#mover.begin();
      for (const row of members) this.#mover.addMember(rows.address(row));
      const direction = new Float32Array(this.#dimensions);
      const coherence = this.#mover.finish(members.length, direction);
      if (coherence !== undefined) proposals.push({ members, direction, coherence });
    }
    return proposals;
  }

  #similarities(rows: Rows, threads: number): Float32Array {
    assert(rows.count <= FORMATION_BATCH_MAX, "a batch is bounded");
    if (this.#matrix.length < rows.count ** 2) this.#matrix = new Float32Array(rows.count ** 2);
    similarityMatrix(rows, this.#dimensions, threads, this.#matrix);
    return this.#matrix;
  }
}

/** Similarity from which a group is more than chance. */
export function formationCut({ mean, deviation }: Background, rules: FormationRules): number {
  const cut = mean + rules.distinctiveness * deviation;
  return Math.max(rules.similarityMin, Math.min(cut, (1 + mean) / 2));
}
