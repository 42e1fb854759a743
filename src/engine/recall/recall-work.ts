/**
 * One recall under way: its candidates, and what the stages between fusion and answer may read and change.
 *
 *   search → fuse → stages, in the order the recaller lists them → answer
 *
 * A stage may change the scores of candidates and add candidates of its own. It awaits nothing, and its time
 * is the recall's time.
 */
import { assert } from "../../base/assert.ts";
import { SEARCH_RESULTS_MAX } from "../../index/vector-searcher.ts";
import type { RecallWhy } from "../engine.ts";
import type { RetentionReader } from "../mind/retention.ts";
import type { SpaceReader } from "../space-reader.ts";
import type { CandidateSearch } from "./candidate-search.ts";
import type { FusionFacts, FusionWeights } from "./fuse.ts";
import type { RecallPlan } from "./recall-planner.ts";

/** The vectors, the words, their meaning and the stages may each hand in as many as a search gives. */
const CANDIDATES_MAX = 4 * SEARCH_RESULTS_MAX;

/** The score of a candidate that was taken out. No factor brings it back. */
export const DROPPED: number = Number.NEGATIVE_INFINITY;

/** Candidates as parallel arrays, kept from recall to recall; entries at and beyond `count` say nothing. */
export class Candidates {
  count = 0;
  /** how many of the first were found by their vector */
  vectorCount = 0;
  /** those that were answered, in their order, once the recall is done */
  answered: number[] = [];
  readonly slots = new Uint32Array(CANDIDATES_MAX);
  readonly bm25 = new Float32Array(CANDIDATES_MAX);
  /** exact cosine with the query's vector; NaN where there is none */
  readonly cosines = new Float32Array(CANDIDATES_MAX);
  /** cosine with what the query was learned to mean; filled in where the recall goes by meaning */
  readonly meanings = new Float32Array(CANDIDATES_MAX);
  readonly closeness = new Float32Array(CANDIDATES_MAX);
  readonly scores = new Float32Array(CANDIDATES_MAX);
  readonly #places = new Map<number, number>();

  clear(): void {
    this.count = 0;
    this.vectorCount = 0;
    this.answered = [];
    this.#places.clear();
  }

  has(slot: number): boolean {
    return this.#places.has(slot);
  }

  /** Where a slot is among the candidates, or -1. */
  placeOf(slot: number): number {
    return this.#places.get(slot) ?? -1;
  }

  /** Adds a slot that is not among them yet; its score is 0 until somebody gives it one. @returns where */
  add(slot: number): number {
    const at = this.count;
    assert(at < CANDIDATES_MAX, "there is room for every candidate");
    this.#places.set(slot, at);
    this.slots[at] = slot;
    this.bm25[at] = 0;
    this.cosines[at] = Number.NaN;
    this.meanings[at] = 0;
    this.scores[at] = 0;
    this.count = at + 1;
    return at;
  }

  /** Takes a candidate out: it is not answered, whatever its score becomes. */
  drop(at: number): void {
    this.scores[at] = DROPPED;
  }

  /**
   * The `most` best scored candidates, best first, and among equals the one stored first; dropped ones are not among
   * them. For a few of many: 20 of 300 take some 4 µs, sorting all takes ten times that.
   */
  best(most: number): number[] {
    const { count, scores } = this;
    const best: number[] = [];
    for (let i = 0; i < count; i++) {
      if (scores[i] === DROPPED || (best.length === most && !this.#isBefore(i, best[most - 1]!))) continue;
      let at = best.length < most ? best.length : most - 1;
      for (; at > 0 && this.#isBefore(i, best[at - 1]!); at--) best[at] = best[at - 1]!;
      best[at] = i;
    }
    return best;
  }

  /** Scales all scores so that the best one is `top`. */
  rescale(top: number): void {
    const { count, scores } = this;
    let highest = 0;
    for (let i = 0; i < count; i++) if (scores[i]! > highest) highest = scores[i]!;
    if (!(highest > 0)) return;
    const scale = top / highest;
    for (let i = 0; i < count; i++) scores[i]! *= scale;
  }

  /**
   * The candidates, best first; among equals the one stored first.
   * @param likely how many of them will be looked at, as a rule: the others are sorted when they are
   */
  *inOrder(likely: number): Generator<number> {
    const { count } = this;
    const first = likely * 4 < count ? this.best(likely) : [];
    yield* first;
    const order = Uint32Array.from({ length: count }, (_, i) => i);
    yield* order.sort((a, b) => (this.#isBefore(a, b) ? -1 : 1)).subarray(first.length);
  }

  #isBefore(a: number, b: number): boolean {
    const { scores, slots } = this;
    return scores[a]! > scores[b]! || (scores[a] === scores[b] && slots[a]! < slots[b]!);
  }
}

export type RecallWork = {
  readonly reader: SpaceReader;
  readonly plan: RecallPlan;
  readonly candidates: Candidates;
  /** compares and filters slots that a stage wants to add */
  readonly search: CandidateSearch;
  /** address of the space's graph */
  readonly graph: number;
  /** slots published when the recall began; later ones are not seen */
  readonly nodeCount: number;
  /** what a candidate has to pass; undefined where everything live does */
  readonly filter: Uint8Array | undefined;
  /** what is left of each candidate at `atMs`; read by the retention stage */
  readonly retention: RetentionReader;
  readonly facts: FusionFacts;
  readonly weights: FusionWeights;
  /** ms since the epoch: now, or the moment that `as_of` names */
  readonly atMs: number;
};

export type ExplainedWhy = { -readonly [Key in keyof RecallWhy]: RecallWhy[Key] };

/**
 * Whether age, use, competition and context count: where vectors or words are asked for alone, the score is theirs
 * alone, to be held against a measure of the caller's.
 */
export function isWeighed({ plan }: RecallWork): boolean {
  return plan.query.mode !== "vector" && plan.query.mode !== "words";
}

/** A step between fusion and answer. */
export interface RecallStage {
  /** Changes scores, or adds candidates. */
  run(work: RecallWork): void;
  /** Says what it did to a candidate, for whoever asked for `explain`. Called after every stage has run. */
  explain(work: RecallWork, candidate: number, why: ExplainedWhy): void;
}
