/**
 * One recall, in the thread that was asked: candidates from the vectors and from the words, fused, passed
 * through the stages, and read.
 *
 * The arrays are kept from recall to recall. `plan` may await the embedding provider; `run` awaits nothing,
 * and belongs inside an epoch.
 */
import type { EmbeddingProvider } from "../../embedding/embedder.ts";
import type { ScoreAccumulator } from "../../index/word-index-reader.ts";
import { OPERATION, STAGE } from "../../layout/metric-codes.ts";
import type { EpochReader } from "../../shm/epochs.ts";
import type { RecalledMemory, RecallQuery } from "../engine.ts";
import type { EngineSettings } from "../engine-settings.ts";
import { filterBlock } from "../filter-block.ts";
import { type EngineMeter, SILENT_ENGINE_METER } from "../meters.ts";
import type { OperationTrace } from "../operation-trace.ts";
import type { SpaceReader } from "../space-reader.ts";
import { CandidateSearch } from "./candidate-search.ts";
import { answerOf } from "./recall-answer.ts";
import { type RecallPlan, RecallPlanner } from "./recall-planner.ts";
import { Candidates, type RecallStage, type RecallWork } from "./recall-work.ts";

export class Recaller {
  readonly #settings: EngineSettings;
  readonly #meter: EngineMeter;
  readonly #wallClock: () => number;
  readonly #planner: RecallPlanner;
  readonly #search: CandidateSearch;
  readonly #candidates = new Candidates();
  /** what happens between fusion and answer, in this order */
  readonly #stages: readonly RecallStage[] = [];

  constructor(
    options: {
      settings: EngineSettings;
      embedder: EmbeddingProvider;
      epoch: EpochReader;
      wallClock: () => number;
      meter?: EngineMeter | undefined;
    },
    accumulator: ScoreAccumulator,
  ) {
    const { settings, embedder, epoch, wallClock, meter = SILENT_ENGINE_METER } = options;
    this.#settings = settings;
    this.#meter = meter;
    this.#wallClock = wallClock;
    this.#planner = new RecallPlanner({ embedder, epoch, meter });
    this.#search = new CandidateSearch(settings, meter, accumulator);
  }

  /** Decides what can be done, and embeds the query where that takes an embedding. */
  plan(reader: SpaceReader, query: RecallQuery): Promise<RecallPlan> {
    return this.#planner.plan(reader, query);
  }

  /** Carries a plan out. To be called inside an epoch, with a current reader. */
  run(reader: SpaceReader, plan: RecallPlan): RecalledMemory[] {
    const { root } = reader;
    const { query, mode } = plan;
    const nodeCount = root.load("nodeCount");
    const { trace } = query;
    trace?.noteSpace(root);
    if (nodeCount === 0) return [];
    const scope = { graph: root.number("graph"), nodeCount, filter: filterBlock(query, nodeCount) };
    const candidates = this.#candidates;
    const search = this.#search;
    candidates.clear();
    try {
      const breadth = search.breadth(reader, plan, nodeCount);
      let queryMass = 0;
      let stageAtMs = this.#meter.nowMs();
      if (mode !== "words") {
        search.byVectors(plan, breadth.vectors, scope, candidates);
        stageAtMs = this.#stageEnded(STAGE.vector, stageAtMs, trace);
      }
      if (mode !== "vector") {
        queryMass = search.byWords(reader, plan, breadth.words, scope, candidates);
        stageAtMs = this.#stageEnded(STAGE.words, stageAtMs, trace);
      }
      const facts = { family: plan.family, queryMass, k1: this.#settings.bm25.k1 };
      const weights = search.score(reader, scope.graph, plan, facts, candidates);
      const atMs = this.#wallClock();
      const work: RecallWork = { ...scope, reader, plan, candidates, search, facts, weights, atMs };
      for (const stage of this.#stages) stage.run(work);
      stageAtMs = this.#stageEnded(STAGE.fuse, stageAtMs, trace);
      const memories = answerOf(work, this.#stages);
      this.#stageEnded(STAGE.fetch, stageAtMs, trace);
      if (trace !== undefined) {
        trace.candidates = candidates.count;
        trace.results = memories.length;
      }
      return memories;
    } finally {
      search.reset();
    }
  }

  close(): void {
    this.#search.close();
  }

  /** @returns the time, at which the next stage begins */
  #stageEnded(stage: number, startedAtMs: number, trace: OperationTrace | undefined): number {
    const nowMs = this.#meter.nowMs();
    this.#meter.stage(OPERATION.recall, stage, nowMs - startedAtMs);
    trace?.stage(stage, nowMs - startedAtMs);
    return nowMs;
  }
}
