/**
 * One recall, in the thread that was asked: candidates from the vectors and from the words, fused, and read.
 *
 * Both searches hand in more candidates than are asked for, and every candidate gets both scores: those the
 * words found are compared exactly with the query's vector, those the vectors found have their BM25 score in
 * the accumulator already. So the fusion (`fuse.ts`) never has to guess what a missing rank would have been.
 *
 * The arrays are kept from recall to recall. `plan` may await the embedding provider; `run` awaits nothing,
 * and belongs inside an epoch.
 */
import { assert } from "../base/assert.ts";
import { RequestError } from "../base/errors.ts";
import type { EmbeddingProvider, VectorFamily } from "../embedding/embedder.ts";
import { bestScores } from "../ffi/words.ts";
import { inverseDocumentFrequency } from "../index/bm25.ts";
import { SEARCH_RESULTS_MAX, VectorSearcher, VIA } from "../index/vector-searcher.ts";
import type { ScoreAccumulator } from "../index/word-index-reader.ts";
import { analyse, analyseWords } from "../language/analyse.ts";
import { TermBuffer } from "../language/term-buffer.ts";
import { closeness, timesMentioned } from "../language/time-mention.ts";
import { OPERATION, STAGE } from "../layout/metric-codes.ts";
import type { EpochReader } from "../shm/epochs.ts";
import type { RecalledMemory, RecallMode, RecallQuery, RecallWhy } from "./engine.ts";
import type { EngineSettings } from "./engine-settings.ts";
import { filterBlock } from "./filter-block.ts";
import { FusionScratch, type FusionWeights, fuse, scoreOfCosine, scoreOfWords } from "./fuse.ts";
import { type EngineMeter, SILENT_ENGINE_METER } from "./meters.ts";
import { normalised } from "./normalise.ts";
import type { SpaceReader } from "./space-reader.ts";

export type RecallPlan = {
  readonly query: RecallQuery;
  /** what will be done: less than was asked for where `degraded` says why */
  readonly mode: RecallMode;
  readonly degraded: string | undefined;
  /** unit vector; undefined in words mode */
  readonly vector: Float32Array | undefined;
  readonly family: VectorFamily;
};

const VIA_NAMES = { [VIA.index]: "index", [VIA.tail]: "tail", [VIA.scan]: "scan" } as const;

export class Recaller {
  readonly #settings: EngineSettings;
  readonly #embedder: EmbeddingProvider;
  readonly #epoch: EpochReader;
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
  /** candidates of the recall under way */
  #count = 0;
  #slots = new Uint32Array(2 * SEARCH_RESULTS_MAX);
  #bm25 = new Float32Array(2 * SEARCH_RESULTS_MAX);
  #cosines = new Float32Array(2 * SEARCH_RESULTS_MAX);
  #closeness = new Float32Array(2 * SEARCH_RESULTS_MAX);
  #scores = new Float32Array(2 * SEARCH_RESULTS_MAX);
  readonly #seen = new Set<number>();

  constructor(
    options: {
      settings: EngineSettings;
      embedder: EmbeddingProvider;
      epoch: EpochReader;
      meter?: EngineMeter | undefined;
    },
    accumulator: ScoreAccumulator,
  ) {
    this.#epoch = options.epoch;
    this.#meter = options.meter ?? SILENT_ENGINE_METER;
    this.#settings = options.settings;
    this.#embedder = options.embedder;
    this.#accumulator = accumulator;
  }

  /** Decides what can be done, and embeds the query where that takes an embedding. */
  async plan(reader: SpaceReader, query: RecallQuery): Promise<RecallPlan> {
    const family: VectorFamily = query.embedding !== undefined ? "learned" : this.#embedder.family;
    const hasText = query.query !== undefined;
    if (query.mode === "words") {
      if (!hasText) throw missing("query", "A recall by words needs words");
      return { query, mode: "words", degraded: undefined, vector: undefined, family };
    }
    if (query.embedding !== undefined) {
      const vector = checkedQuery(query.embedding, reader);
      return { query, mode: hasText ? query.mode : "vector", degraded: undefined, vector, family };
    }
    if (!hasText) throw missing("query", "A recall needs a query or an embedding");
    const text = query.query!;
    try {
      const startedAtMs = this.#meter.nowMs();
      const vector = await this.#embedQuery(reader, text);
      this.#meter.stage(OPERATION.recall, STAGE.embed, this.#meter.nowMs() - startedAtMs);
      return { query, mode: query.mode, degraded: undefined, vector, family };
    } catch (error) {
      if (!(error instanceof RequestError) || query.mode === "vector") throw error;
      return { query, mode: "words", degraded: error.message, vector: undefined, family };
    }
  }

  /** Carries a plan out. To be called inside an epoch, with a current reader. */
  run(reader: SpaceReader, plan: RecallPlan): RecalledMemory[] {
    const { root } = reader;
    const { query, mode } = plan;
    const nodeCount = root.load("nodeCount");
    if (nodeCount === 0) return [];
    const filter = filterBlock(query, nodeCount);
    const graph = root.number("graph");
    this.#count = 0;
    this.#seen.clear();
    try {
      const wanted = mode === "hybrid" ? Math.max(this.#settings.candidates, query.limit) : query.limit;
      // A memory replaced this moment can be found twice, so a few more than wanted are asked for.
      const k = Math.min(SEARCH_RESULTS_MAX, wanted + 2, nodeCount);
      const breadth = this.#breadth(reader, plan, k);
      let queryMass = 0;
      let vectorCount = 0;
      let stageAtMs = this.#meter.nowMs();
      if (mode !== "words") {
        vectorCount = this.#searchVectors(graph, plan, { k: breadth.vectors, nodeCount, filter });
        stageAtMs = this.#stageEnded(STAGE.vector, stageAtMs);
      }
      if (mode !== "vector") {
        queryMass = this.#searchWords(reader, plan, { k: breadth.words, nodeCount, filter, graph });
        stageAtMs = this.#stageEnded(STAGE.words, stageAtMs);
      }
      const facts = { family: plan.family, queryMass, k1: this.#settings.bm25.k1 };
      const weights = this.#score(reader, graph, plan, { vectorCount, facts });
      stageAtMs = this.#stageEnded(STAGE.fuse, stageAtMs);
      const memories = this.#results(reader, plan, { weights, vectorCount });
      this.#stageEnded(STAGE.fetch, stageAtMs);
      return memories;
    } finally {
      this.#accumulator.reset();
    }
  }

  close(): void {
    this.#searcher.close();
  }

  /** @returns the time, at which the next stage begins */
  #stageEnded(stage: number, startedAtMs: number): number {
    const nowMs = this.#meter.nowMs();
    this.#meter.stage(OPERATION.recall, stage, nowMs - startedAtMs);
    return nowMs;
  }

  /**
   * How many candidates each list hands in. A small space is scanned, which gives as many as are wanted for
   * nothing. In a graph, each costs an exact comparison and a cache miss or two, and one list's are compared
   * with the other's measure anyway: half of ef from the graph and ef from the words answer as well, and a
   * hybrid recall costs a third less than with a hundred of both.
   */
  #breadth(reader: SpaceReader, plan: RecallPlan, k: number): { vectors: number; words: number } {
    if (plan.mode !== "hybrid" || reader.root.load("indexedCount") === 0) return { vectors: k, words: k };
    const ef = plan.query.ef ?? this.#settings.efSearch;
    const least = plan.query.limit + 2;
    return { vectors: Math.min(k, Math.max(least, ef >>> 1)), words: Math.min(k, Math.max(least, ef)) };
  }

  #searchVectors(
    graph: number,
    plan: RecallPlan,
    { k, nodeCount, filter }: { k: number; nodeCount: number; filter: Uint8Array | undefined },
  ): number {
    assert(plan.vector !== undefined, "a search by vector has one");
    const ef = Math.max(plan.query.ef ?? this.#settings.efSearch, k);
    const searcher = this.#searcher;
    const count = searcher.search(graph, plan.vector, { k, ef, nodeCount, filter });
    const { distances, matched } = searcher.stats();
    this.#meter.searched(distances - matched, matched);
    for (let i = 0; i < count; i++) {
      this.#slots[i] = searcher.slots[i]!;
      this.#cosines[i] = searcher.similarities[i]!;
      this.#seen.add(searcher.slots[i]!);
    }
    this.#count = count;
    return count;
  }

  /** @returns the idf mass of the query */
  #searchWords(
    reader: SpaceReader,
    plan: RecallPlan,
    wanted: { k: number; nodeCount: number; filter: Uint8Array | undefined; graph: number },
  ): number {
    const { root } = reader;
    const { k, nodeCount, filter, graph } = wanted;
    const accumulator = this.#accumulator;
    const liveCount = root.load("liveCount");
    analyse(plan.query.query!, reader.language, this.#terms);
    const averageTokens = Math.max(1, root.number("tokensTotal") / Math.max(1, liveCount));
    const mass = reader.words.score(this.#terms, { nodeCount, liveCount, averageTokens });
    const { touched, touchedCount } = accumulator;
    let passes: Uint8Array | undefined;
    if (filter !== undefined) {
      if (this.#passes.length < touchedCount) this.#passes = new Uint8Array(touched.length);
      passes = this.#passes;
      this.#searcher.filter(graph, filter, nodeCount, touched, touchedCount, passes);
    }
    const best = this.#best;
    const bestCount = bestScores(accumulator, touchedCount, passes, reader.headers.ref, k, best);
    let count = this.#count;
    for (let i = 0; i < bestCount; i++) {
      const slot = best.slots[i]!;
      if (!this.#seen.has(slot)) this.#slots[count++] = slot;
    }
    this.#count = count;
    return mass;
  }

  /** Gives every candidate its score in `#scores`. */
  #score(
    reader: SpaceReader,
    graph: number,
    plan: RecallPlan,
    {
      vectorCount,
      facts,
    }: { vectorCount: number; facts: { family: VectorFamily; queryMass: number; k1: number } },
  ): FusionWeights {
    const count = this.#count;
    const { scores: bm25BySlot } = this.#accumulator;
    if (plan.mode === "vector") {
      for (let i = 0; i < count; i++) this.#scores[i] = scoreOfCosine(this.#cosines[i]!);
      return { vector: 1, words: 0, time: 0 };
    }
    for (let i = 0; i < count; i++) this.#bm25[i] = bm25BySlot[this.#slots[i]!] ?? 0;
    if (plan.mode === "words") {
      for (let i = 0; i < count; i++) this.#scores[i] = scoreOfWords(this.#bm25[i]!, facts);
      return { vector: 0, words: 1, time: 0 };
    }
    if (count > vectorCount) {
      this.#searcher.compare(
        graph,
        plan.vector!,
        this.#slots.subarray(vectorCount, count),
        count - vectorCount,
        this.#cosines.subarray(vectorCount, count),
      );
    }
    const closeness = this.#closenessOf(reader, plan);
    const candidates = { count, bm25: this.#bm25, cosines: this.#cosines, closeness };
    return fuse(candidates, facts, this.#scores, this.#fusion);
  }

  /** How near each candidate's time is to the times the query names; undefined where it names none. */
  #closenessOf(reader: SpaceReader, plan: RecallPlan): Float32Array | undefined {
    const spans = timesMentioned(plan.query.query!, reader.language);
    if (spans.length === 0) return undefined;
    for (let i = 0; i < this.#count; i++) {
      this.#closeness[i] = closeness(spans, reader.timestampMs(this.#slots[i]!));
    }
    return this.#closeness;
  }

  #results(
    reader: SpaceReader,
    plan: RecallPlan,
    { weights, vectorCount }: { weights: FusionWeights; vectorCount: number },
  ): RecalledMemory[] {
    const { query } = plan;
    const count = this.#count;
    const scores = this.#scores;
    const slots = this.#slots;
    const order = new Uint32Array(count);
    for (let i = 0; i < count; i++) order[i] = i;
    order.sort((a, b) => scores[b]! - scores[a]! || slots[a]! - slots[b]!);
    const threshold = query.threshold ?? Number.NEGATIVE_INFINITY;
    const memories: RecalledMemory[] = [];
    const ids = new Map<string, { at: number; slot: number }>();
    for (let i = 0; i < count && memories.length < query.limit; i++) {
      const candidate = order[i]!;
      const score = scores[candidate]!;
      if (score < threshold) break;
      const slot = slots[candidate]!;
      if (!reader.isLive(slot)) continue;
      const memory = reader.memory(slot);
      const twin = ids.get(memory.id);
      // Two versions of one memory: the one stored later is what it is now.
      if (twin !== undefined && twin.slot > slot) continue;
      const recalled: RecalledMemory = {
        ...memory,
        score,
        why: query.explain
          ? this.#why(reader, plan, { candidate, vectorCount, weights, content: memory.content })
          : undefined,
      };
      if (twin !== undefined) {
        memories[twin.at] = recalled;
        twin.slot = slot;
      } else {
        ids.set(memory.id, { at: memories.length, slot });
        memories.push(recalled);
      }
    }
    return memories;
  }

  #why(
    reader: SpaceReader,
    plan: RecallPlan,
    of: { candidate: number; vectorCount: number; weights: FusionWeights; content: string },
  ): RecallWhy {
    const { candidate, vectorCount, weights, content } = of;
    const why: { -readonly [Key in keyof RecallWhy]: RecallWhy[Key] } = {};
    if (plan.mode !== "words") {
      const found = candidate < vectorCount;
      why.vector = {
        similarity: this.#cosines[candidate]!,
        ...(found ? { rank: candidate + 1 } : {}),
        via: found ? VIA_NAMES[this.#searcher.via[candidate] as 0 | 1 | 2] : "scan",
      };
    }
    if (plan.mode !== "vector") {
      const bm25 = this.#bm25[candidate]!;
      const rank = bm25 > 0 ? this.#rankByWords(bm25) : undefined;
      const asked = new Set(analyseWords(plan.query.query!, reader.language).map((word) => word.term));
      const terms = new Set<string>();
      for (const { term } of analyseWords(content, reader.language)) {
        if (term !== undefined && asked.has(term)) terms.add(term);
      }
      why.words = { bm25, ...(rank === undefined ? {} : { rank }), terms: [...terms] };
    }
    if (plan.mode === "hybrid")
      why.fusion = { vectorWeight: weights.vector, wordsWeight: weights.words, timeWeight: weights.time };
    return why;
  }

  /** Rank among the candidates by BM25, from 1. */
  #rankByWords(bm25: number): number {
    let rank = 1;
    for (let i = 0; i < this.#count; i++) if (this.#bm25[i]! > bm25) rank += 1;
    return rank;
  }

  async #embedQuery(reader: SpaceReader, text: string): Promise<Float32Array> {
    const embedder = this.#embedder;
    if (reader.embedder === "none") {
      throw new RequestError({
        code: "embedding-required",
        message: `The space "${reader.name}" takes embeddings from its callers`,
        expected: `an embedding of ${reader.dimensions} numbers`,
        received: "text only",
        at: "embedding",
      });
    }
    if (reader.embedder !== embedder.id) {
      throw new RequestError({
        code: "embedder-mismatch",
        message: `The space "${reader.name}" was made with the embedder ${reader.embedder}, the appliance now embeds with ${embedder.id}`,
        expected: reader.embedder,
        received: embedder.id,
      });
    }
    const liveCount = reader.root.load("liveCount");
    const { language } = reader;
    if (embedder.embedSync === undefined) {
      const [vector] = await embedder.embed([text], "query", { language });
      return checkedQuery(vector!, reader);
    }
    // How rare a word is stands in shared memory, so it is asked for inside an epoch.
    const [vector] = this.#epoch.inside(() => {
      // A space deleted since it was found gives no figures; the recall itself will say that it is gone.
      const { isCurrent } = reader;
      return embedder.embedSync!([text], "query", {
        language,
        idf: (lo, hi) =>
          inverseDocumentFrequency({
            memoryCount: liveCount,
            withTermCount: isCurrent ? reader.words.liveCount(lo, hi) : 0,
          }),
      });
    });
    return checkedQuery(vector!, reader);
  }
}

function checkedQuery(embedding: Float32Array, reader: SpaceReader): Float32Array {
  if (embedding.length !== reader.dimensions) {
    throw new RequestError({
      code: "dimensions-mismatch",
      message: `The query has ${embedding.length} dimensions, the space "${reader.name}" has ${reader.dimensions}`,
      expected: `${reader.dimensions} numbers`,
      received: `${embedding.length} numbers`,
      at: "embedding",
    });
  }
  const scaled = normalised(embedding);
  if (scaled instanceof Error) throw scaled;
  return scaled.unit;
}

function missing(at: string, message: string): RequestError {
  return new RequestError({ code: "request-invalid", message, expected: `a ${at}`, received: "none", at });
}
