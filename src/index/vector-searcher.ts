/**
 * Searches vector graphs, in the thread that asks. One per worker, for all spaces: it owns the native scratch
 * memory and the arrays that results lie in, so a search allocates nothing.
 *
 *   searcher.search(graph, query, { k: 10, ef: 64, nodeCount, indexedCount }) → count
 *   searcher.slots[i], searcher.similarities[i], searcher.via[i]   for i < count, until the next search
 *
 * Results come by similarity (cosine, exact) descending, slots of equal similarity ascending.
 */
import { assert } from "../base/assert.ts";
import {
  CONCEPTS_BESIDE_MAX,
  closeSearcher,
  filterSlots,
  openSearcher,
  SEARCH_PLAN,
  SEARCH_WORD,
  SEARCH_WORDS,
  type SearchArrays,
  searchGraph,
  slotSimilarities,
} from "../ffi/vector.ts";

export { SEARCH_PLAN, VIA } from "../ffi/vector.ts";

/** Results that one search can give at most. */
export const SEARCH_RESULTS_MAX = 4096;

export type VectorQuery = {
  /** results wanted, 1 to the searcher's most */
  readonly k: number;
  /** candidates the walk keeps; at least k is used, at most 4096 */
  readonly ef: number;
  /** slots published when the recall began */
  readonly nodeCount: number;
  /** slots below are in the graph; those from here on are scanned. What the graph has covered, where absent */
  readonly indexedCount?: number | undefined;
  /** a filter block (layout/filter.ts); live memories of every kind but concepts where absent */
  readonly filter?: Uint8Array | undefined;
  /** candidates compared exactly; chosen by quantization where absent */
  readonly rerank?: number | undefined;
  /** a SEARCH_PLAN; the cheaper one where absent. Tests and the bench ask for one */
  readonly plan?: number | undefined;
  /** concepts wanted beside, where there is no filter: those that the search meets */
  readonly concepts?: number | undefined;
};

/** What the last search did. */
export type SearchStats = {
  readonly visited: number;
  readonly distances: number;
  readonly scanned: number;
  readonly reranked: number;
  /** a SEARCH_PLAN; `auto` (0) where nothing is indexed */
  readonly planUsed: number;
  readonly matched: number;
  readonly selectivity: number;
};

export class VectorSearcher {
  readonly slots: Uint32Array;
  readonly similarities: Float32Array;
  /** a VIA */
  readonly via: Uint8Array;
  readonly resultsMax: number;
  /** concepts met by the last search: `conceptCount` of them, from `conceptsAt` on in `slots` and `similarities` */
  conceptsAt = 0;
  readonly #words = new Uint32Array(SEARCH_WORDS);
  readonly #arrays: SearchArrays;
  #address: number;

  /** @throws {OperatorError} `vector-index-failed` without memory */
  constructor(resultsMax = 1024) {
    assert(resultsMax >= 1, "a searcher has room for a result");
    assert(resultsMax <= SEARCH_RESULTS_MAX, "a searcher has no more room than C gives results");
    this.resultsMax = resultsMax;
    this.slots = new Uint32Array(resultsMax + CONCEPTS_BESIDE_MAX);
    this.similarities = new Float32Array(resultsMax + CONCEPTS_BESIDE_MAX);
    this.via = new Uint8Array(resultsMax);
    this.#arrays = {
      words: this.#words,
      slots: this.slots,
      similarities: this.similarities,
      via: this.via,
    };
    this.#address = openSearcher();
  }

  /**
   * The k most similar memories that are live and pass the filter. k of them come back wherever k exist.
   *
   * @param graph address of the space's graph
   * @param query unit length, as long as the space's dimensions
   * @returns how many, at most k
   */
  search(graph: number, query: Float32Array, wanted: VectorQuery): number {
    const words = this.#words;
    assert(wanted.k >= 1 && wanted.k <= this.resultsMax, "k results fit the searcher's arrays");
    words[SEARCH_WORD.k] = wanted.k;
    words[SEARCH_WORD.ef] = wanted.ef;
    words[SEARCH_WORD.nodeCount] = wanted.nodeCount;
    words[SEARCH_WORD.indexedCount] = wanted.indexedCount ?? 0xffffffff;
    words[SEARCH_WORD.rerank] = wanted.rerank ?? 0;
    words[SEARCH_WORD.plan] = wanted.plan ?? SEARCH_PLAN.auto;
    words[SEARCH_WORD.firstSlot] = 0;
    words[SEARCH_WORD.concepts] = wanted.filter === undefined ? (wanted.concepts ?? 0) : 0;
    this.conceptsAt = wanted.k;
    return searchGraph(graph, this.#address, query, wanted.filter, this.#arrays);
  }

  /**
   * The same by comparing the query with every slot of `[firstSlot, nodeCount)`, with all of them exactly
   * where `rerank` says so: ground truth for tests and the self-check.
   */
  scan(graph: number, query: Float32Array, wanted: VectorQuery & { readonly firstSlot?: number }): number {
    const words = this.#words;
    assert(wanted.k >= 1 && wanted.k <= this.resultsMax, "k results fit the searcher's arrays");
    words[SEARCH_WORD.k] = wanted.k;
    words[SEARCH_WORD.ef] = wanted.k;
    words[SEARCH_WORD.nodeCount] = wanted.nodeCount;
    words[SEARCH_WORD.indexedCount] = 0xffffffff;
    words[SEARCH_WORD.rerank] = wanted.rerank ?? 0;
    words[SEARCH_WORD.plan] = SEARCH_PLAN.scan;
    words[SEARCH_WORD.firstSlot] = wanted.firstSlot ?? 0;
    words[SEARCH_WORD.concepts] = 0;
    return searchGraph(graph, this.#address, query, wanted.filter, this.#arrays);
  }

  get conceptCount(): number {
    return this.#words[SEARCH_WORD.concepts]!;
  }

  stats(): SearchStats {
    const words = this.#words;
    return {
      visited: words[SEARCH_WORD.visited]!,
      distances: words[SEARCH_WORD.distances]!,
      scanned: words[SEARCH_WORD.scanned]!,
      reranked: words[SEARCH_WORD.reranked]!,
      planUsed: words[SEARCH_WORD.planUsed]!,
      matched: words[SEARCH_WORD.matched]!,
      selectivity: words[SEARCH_WORD.selectivityPpm]! / 1e6,
    };
  }

  /** Exact cosines of `count` slots with a unit query, into `out`; 0 for a slot without a vector. */
  compare(graph: number, query: Float32Array, slots: Uint32Array, count: number, out: Float32Array): void {
    slotSimilarities(graph, query, slots, count, out);
  }

  /** Writes 1 into `out` for each of `count` slots that is live and passes the filter, else 0. */
  filter(
    graph: number,
    filter: Uint8Array | undefined,
    nodeCount: number,
    slots: Uint32Array,
    count: number,
    out: Uint8Array,
  ): void {
    filterSlots(graph, filter, nodeCount, slots, count, out);
  }

  close(): void {
    assert(this.#address !== 0, "a searcher is closed once");
    closeSearcher(this.#address);
    this.#address = 0;
  }
}
