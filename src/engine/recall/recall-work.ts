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
import type { SpaceReader } from "../space-reader.ts";
import type { CandidateSearch } from "./candidate-search.ts";
import type { FusionFacts, FusionWeights } from "./fuse.ts";
import type { RecallPlan } from "./recall-planner.ts";

/** The vectors, the words and the stages may each hand in as many as a search gives. */
const CANDIDATES_MAX = 3 * SEARCH_RESULTS_MAX;

/** Candidates as parallel arrays, kept from recall to recall; entries at and beyond `count` say nothing. */
export class Candidates {
  count = 0;
  /** how many of the first were found by their vector */
  vectorCount = 0;
  readonly slots = new Uint32Array(CANDIDATES_MAX);
  readonly bm25 = new Float32Array(CANDIDATES_MAX);
  /** exact cosine with the query's vector; NaN where there is none */
  readonly cosines = new Float32Array(CANDIDATES_MAX);
  readonly closeness = new Float32Array(CANDIDATES_MAX);
  readonly scores = new Float32Array(CANDIDATES_MAX);
  readonly #seen = new Set<number>();

  clear(): void {
    this.count = 0;
    this.vectorCount = 0;
    this.#seen.clear();
  }

  has(slot: number): boolean {
    return this.#seen.has(slot);
  }

  /** Adds a slot that is not among them yet; its score is 0 until somebody gives it one. @returns where */
  add(slot: number): number {
    const at = this.count;
    assert(at < CANDIDATES_MAX, "there is room for every candidate");
    this.#seen.add(slot);
    this.slots[at] = slot;
    this.bm25[at] = 0;
    this.cosines[at] = Number.NaN;
    this.scores[at] = 0;
    this.count = at + 1;
    return at;
  }

  /** The candidates, best first; among equals the one stored first. */
  order(): Uint32Array {
    const { count, scores, slots } = this;
    const order = new Uint32Array(count);
    for (let i = 0; i < count; i++) order[i] = i;
    return order.sort((a, b) => scores[b]! - scores[a]! || slots[a]! - slots[b]!);
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
  readonly facts: FusionFacts;
  readonly weights: FusionWeights;
  /** ms since the epoch: the recall's now */
  readonly atMs: number;
};

export type ExplainedWhy = { -readonly [Key in keyof RecallWhy]: RecallWhy[Key] };

/** A step between fusion and answer. */
export interface RecallStage {
  /** Changes scores, or adds candidates. */
  run(work: RecallWork): void;
  /** Says what it did to a candidate, for whoever asked for `explain`. Called after every stage has run. */
  explain(work: RecallWork, candidate: number, why: ExplainedWhy): void;
}
