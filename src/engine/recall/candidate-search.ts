/**
 * The candidates of a recall: found by their vectors and by their words, each with both of its scores.
 *
 * What the words found is compared exactly with the query's vector; what the vectors found has its BM25 score
 * in the accumulator already. So the fusion (`fuse.ts`) never has to guess what a missing rank would have been.
 */
import { assert } from "../../base/assert.ts";
import { bestScores } from "../../ffi/words.ts";
import { SEARCH_RESULTS_MAX, VectorSearcher } from "../../index/vector-searcher.ts";
import type { ScoreAccumulator } from "../../index/word-index-reader.ts";
import { analyse } from "../../language/analyse.ts";
import { TermBuffer } from "../../language/term-buffer.ts";
import { closeness, timesMentioned } from "../../language/time-mention.ts";
import type { EngineSettings } from "../engine-settings.ts";
import type { EngineMeter } from "../meters.ts";
import type { SpaceReader } from "../space-reader.ts";
import { conceptsWanted } from "./concept-recall.ts";
import {
  type FusionFacts,
  FusionScratch,
  type FusionWeights,
  fuse,
  scoreOfCosine,
  scoreOfWords,
} from "./fuse.ts";
import type { RecallPlan } from "./recall-planner.ts";
import type { Candidates } from "./recall-work.ts";

/** What a search looks through. */
export type SearchScope = {
  readonly graph: number;
  readonly nodeCount: number;
  readonly filter: Uint8Array | undefined;
};

export class CandidateSearch {
  readonly #settings: EngineSettings;
  readonly #meter: EngineMeter;
  readonly #accumulator: ScoreAccumulator;
  readonly #searcher = new VectorSearcher(SEARCH_RESULTS_MAX);
  readonly #terms = new TermBuffer();
  readonly #best = {
    slots: new Uint32Array(SEARCH_RESULTS_MAX),
    scores: new Float32Array(SEARCH_RESULTS_MAX),
  };
  readonly #fusion = new FusionScratch();
  #passes = new Uint8Array(0);
  /** concepts met by the search of this recall */
  #metCount = 0;

  constructor(settings: EngineSettings, meter: EngineMeter, accumulator: ScoreAccumulator) {
    this.#settings = settings;
    this.#meter = meter;
    this.#accumulator = accumulator;
  }

  close(): void {
    this.#searcher.close();
  }

  /** Concepts that the search by vector met, the nearest first, `most` at most. */
  conceptsMet(most: number): { readonly slot: number; readonly similarity: number }[] {
    const { slots, similarities, conceptsAt } = this.#searcher;
    return Array.from({ length: Math.min(most, this.#metCount) }, (_, i) => ({
      slot: slots[conceptsAt + i]!,
      similarity: similarities[conceptsAt + i]!,
    }));
  }

  /** Forgets the word scores of the recall that ends. */
  reset(): void {
    this.#metCount = 0;
    this.#accumulator.reset();
  }

  /** Terms of the query that was searched for last. */
  get terms(): TermBuffer {
    return this.#terms;
  }

  /** A VIA: how a candidate that the vectors found was found. */
  via(candidate: number): number {
    return this.#searcher.via[candidate]!;
  }

  /**
   * How many candidates each list hands in. A small space is scanned, which gives as many as are wanted for
   * nothing. In a graph, each costs an exact comparison and a cache miss or two, and one list's are compared
   * with the other's measure anyway: half of ef from the graph and ef from the words answer as well, and a
   * hybrid recall costs a third less than with a hundred of both.
   */
  breadth(reader: SpaceReader, plan: RecallPlan, nodeCount: number): { vectors: number; words: number } {
    const { query, mode } = plan;
    const wanted = mode === "hybrid" ? Math.max(this.#settings.candidates, query.limit) : query.limit;
    // A memory replaced this moment can be found twice, so a few more than wanted are asked for.
    const k = Math.min(SEARCH_RESULTS_MAX, wanted + 2, nodeCount);
    if (mode !== "hybrid" || reader.root.load("indexedCount") === 0) return { vectors: k, words: k };
    const ef = query.ef ?? this.#settings.efSearch;
    const least = query.limit + 2;
    return { vectors: Math.min(k, Math.max(least, ef >>> 1)), words: Math.min(k, Math.max(least, ef)) };
  }

  /** Adds the memories nearest to the query's vector, at most `k`. */
  byVectors(plan: RecallPlan, k: number, scope: SearchScope, candidates: Candidates): void {
    assert(plan.vector !== undefined, "a search by vector has one");
    const { graph, nodeCount, filter } = scope;
    const ef = Math.max(plan.query.ef ?? this.#settings.efSearch, k);
    const searcher = this.#searcher;
    const concepts = conceptsWanted(plan.query, filter);
    const count = searcher.search(graph, plan.vector, { k, ef, nodeCount, filter, concepts });
    this.#metCount = searcher.conceptCount;
    const { distances, matched, planUsed, selectivity } = searcher.stats();
    this.#meter.searched(distances - matched, matched);
    const { trace } = plan.query;
    if (trace !== undefined) {
      trace.ef = ef;
      trace.searchPlan = planUsed;
      trace.distancesInGraph = distances - matched;
      trace.distancesInScan = matched;
      if (filter !== undefined) trace.selectivity = selectivity;
    }
    for (let i = 0; i < count; i++) {
      candidates.cosines[candidates.add(searcher.slots[i]!)] = searcher.similarities[i]!;
    }
    candidates.vectorCount = count;
  }

  /**
   * Adds the memories that say most of the query's words, at most `k`.
   * @returns the idf mass of the query
   */
  byWords(
    reader: SpaceReader,
    plan: RecallPlan,
    k: number,
    scope: SearchScope,
    candidates: Candidates,
  ): number {
    const { root } = reader;
    const { nodeCount, filter } = scope;
    const accumulator = this.#accumulator;
    const liveCount = root.load("liveCount");
    analyse(plan.query.query!, reader.language, this.#terms);
    const averageTokens = Math.max(1, root.number("tokensTotal") / Math.max(1, liveCount));
    const mass = reader.words.score(this.#terms, { nodeCount, liveCount, averageTokens });
    const { touched, touchedCount } = accumulator;
    if (plan.query.trace !== undefined) plan.query.trace.postings = touchedCount;
    let passes: Uint8Array | undefined;
    if (filter !== undefined) passes = this.passing(touched, touchedCount, scope);
    const best = this.#best;
    const bestCount = bestScores(accumulator, touchedCount, passes, reader.headers.ref, k, best);
    for (let i = 0; i < bestCount; i++) {
      const slot = best.slots[i]!;
      if (!candidates.has(slot)) candidates.add(slot);
    }
    return mass;
  }

  /** Which of some slots are live and pass the filter: 1 for each that does, until the next call. */
  passing(slots: Uint32Array, count: number, scope: SearchScope): Uint8Array {
    assert(scope.filter !== undefined, "there is a filter to pass");
    if (this.#passes.length < count) this.#passes = new Uint8Array(slots.length);
    this.#searcher.filter(scope.graph, scope.filter, scope.nodeCount, slots, count, this.#passes);
    return this.#passes;
  }

  /** Fills in the exact cosines of the candidates from `from` on, where the query has a vector. */
  compareFrom(from: number, plan: RecallPlan, graph: number, candidates: Candidates): void {
    const { count } = candidates;
    if (plan.vector === undefined || count <= from) return;
    const slots = candidates.slots.subarray(from, count);
    this.#searcher.compare(graph, plan.vector, slots, count - from, candidates.cosines.subarray(from, count));
  }

  /** Exact cosines of `count` slots with a unit vector, into `out`; 0 for a slot without a vector. */
  compare(graph: number, vector: Float32Array, slots: Uint32Array, count: number, out: Float32Array): void {
    this.#searcher.compare(graph, vector, slots, count, out);
  }

  /** The BM25 score of a slot for the query's words; 0 where it has none of them. */
  bm25(slot: number): number {
    return this.#accumulator.scores[slot] ?? 0;
  }

  /** Gives every candidate its score. */
  score(
    reader: SpaceReader,
    graph: number,
    plan: RecallPlan,
    facts: FusionFacts,
    candidates: Candidates,
    meanings?: Float32Array | undefined,
  ): FusionWeights {
    const { count, slots, bm25, cosines, scores, vectorCount } = candidates;
    if (plan.mode === "vector") {
      for (let i = 0; i < count; i++) scores[i] = scoreOfCosine(cosines[i]!);
      return { vector: 1, words: 0, meaning: 0, time: 0 };
    }
    for (let i = 0; i < count; i++) bm25[i] = this.bm25(slots[i]!);
    if (plan.mode === "words") {
      for (let i = 0; i < count; i++) scores[i] = scoreOfWords(bm25[i]!, facts);
      return { vector: 0, words: 1, meaning: 0, time: 0 };
    }
    this.compareFrom(vectorCount, plan, graph, candidates);
    const closeness = this.#closenessOf(reader, plan, candidates);
    return fuse({ count, bm25, cosines, meanings, closeness }, facts, scores, this.#fusion);
  }

  /** How near each candidate's time is to the times the query names; undefined where it names none. */
  #closenessOf(reader: SpaceReader, plan: RecallPlan, candidates: Candidates): Float32Array | undefined {
    const spans = timesMentioned(plan.query.query!, reader.language);
    if (spans.length === 0) return undefined;
    for (let i = 0; i < candidates.count; i++) {
      candidates.closeness[i] = closeness(spans, reader.timestampMs(candidates.slots[i]!));
    }
    return candidates.closeness;
  }
}
