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
import { ConceptCache } from "../consolidation/concept-cache.ts";
import type { ActivationReport, RecalledMemory, RecallQuery } from "../engine.ts";
import type { EngineSettings } from "../engine-settings.ts";
import { filterBlock } from "../filter-block.ts";
import { type EngineMeter, SILENT_ENGINE_METER } from "../meters.ts";
import { RetentionReader } from "../mind/retention.ts";
import type { OperationTrace } from "../operation-trace.ts";
import type { SpaceReader } from "../space-reader.ts";
import { ActivationStage } from "./activation-stage.ts";
import { CandidateSearch } from "./candidate-search.ts";
import { type ConceptAnswer, conceptAnswerOf } from "./concept-recall.ts";
import { InterferenceStage } from "./interference-stage.ts";
import { MeaningSearch } from "./meaning-search.ts";
import { PrimingStage } from "./priming-stage.ts";
import { answerOf } from "./recall-answer.ts";
import { type RecallPlan, RecallPlanner } from "./recall-planner.ts";
import { Candidates, type RecallStage, type RecallWork } from "./recall-work.ts";
import { RetentionStage } from "./retention-stage.ts";
import { SpeakerStage } from "./speaker-stage.ts";

export class Recaller {
  readonly #settings: EngineSettings;
  readonly #meter: EngineMeter;
  readonly #wallClock: () => number;
  readonly #planner: RecallPlanner;
  readonly #search: CandidateSearch;
  readonly #meaning: MeaningSearch;
  readonly #candidates = new Candidates();
  /** what happens between fusion and answer, in this order */
  readonly #stages: readonly RecallStage[];
  readonly #retention = new RetentionReader();
  readonly #activation: ActivationStage;
  #conceptAnswer: ConceptAnswer | undefined;
  readonly #conceptCache = new ConceptCache();
  readonly #interference: InterferenceStage;
  readonly #priming: PrimingStage;

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
    this.#planner = new RecallPlanner({ embedder, epoch, meter, spreads: settings.activation.enabled });
    this.#search = new CandidateSearch(settings, meter, accumulator);
    this.#activation = new ActivationStage(settings.activation, meter);
    this.#interference = new InterferenceStage(settings.interference);
    this.#priming = new PrimingStage(settings.priming);
    this.#stages = [
      this.#activation,
      new SpeakerStage(settings.activation),
      new RetentionStage(settings),
      this.#interference,
      this.#priming,
    ];
    this.#meaning = new MeaningSearch(settings.meaning);
  }

  /** Decides what can be done, and embeds the query where that takes an embedding. */
  plan(reader: SpaceReader, query: RecallQuery): Promise<RecallPlan> {
    return this.#planner.plan(reader, query);
  }

  /** What activation did in the last run; undefined where none spread. */
  get activation(): ActivationReport | undefined {
    return this.#activation.report;
  }

  /** Carries a plan out. To be called inside an epoch, with a current reader. */
  run(reader: SpaceReader, plan: RecallPlan): RecalledMemory[] {
    const { root } = reader;
    const { query, mode } = plan;
    const nodeCount = root.load("nodeCount");
    const { trace } = query;
    trace?.noteSpace(root);
    this.#conceptAnswer = undefined;
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
      let meaningShare = 0;
      // A caller's own embedding says more about the query than its words were learned to mean.
      if (mode === "hybrid" && plan.family === "hashed" && query.meaning !== false) {
        const { terms } = search;
        const spreads = this.#activation.spreadsIn(reader, query);
        meaningShare = this.#meaning.find(reader, terms, breadth.words, scope, search, candidates, spreads);
        stageAtMs = this.#stageEnded(STAGE.meaning, stageAtMs, trace);
      }
      const facts = { family: plan.family, queryMass, k1: this.#settings.bm25.k1, meaningShare };
      const meanings = meaningShare > 0 ? this.#meaning.compare(candidates) : undefined;
      const weights = search.score(reader, scope.graph, plan, facts, candidates, meanings);
      const work: RecallWork = {
        ...scope,
        reader,
        plan,
        candidates,
        search,
        retention: this.#retention,
        facts,
        weights,
        atMs: query.asOfMs ?? this.#wallClock(),
      };
      stageAtMs = this.#stageEnded(STAGE.fuse, stageAtMs, trace);
      for (const stage of this.#stages) stage.run(work);
      if (this.activation !== undefined) stageAtMs = this.#stageEnded(STAGE.spread, stageAtMs, trace);
      const memories = answerOf(work, this.#stages);
      this.#conceptAnswer = conceptAnswerOf(work, this.#settings, this.#conceptCache);
      this.#stageEnded(STAGE.fetch, stageAtMs, trace);
      const [first] = candidates.answered;
      if (first !== undefined) {
        const { left } = this.#retention;
        this.#meter.weighed(left[first]!, this.#interference.hasCompeted, this.#priming.hasPrimed);
      }
      if (trace !== undefined) {
        trace.candidates = candidates.count;
        trace.results = memories.length;
        trace.bindings = this.activation?.visited ?? 0;
      }
      return memories;
    } finally {
      search.reset();
    }
  }

  /** Concepts beside the last run's memories, and its blend; undefined where the space has no concepts. */
  get conceptAnswer(): ConceptAnswer | undefined {
    return this.#conceptAnswer;
  }

  /** How many of the memories just answered were used after the moment that the recall asked for. */
  get usedSince(): number {
    const { isRewound } = this.#retention;
    return this.#candidates.answered.reduce((sum, candidate) => sum + isRewound[candidate]!, 0);
  }

  close(): void {
    this.#search.close();
  }

  /** @returns the time, at which the next stage begins */
  #stageEnded(stage: number, startedAtMs: number, trace: OperationTrace | undefined): number {
    const nowMs = this.#meter.nowMs();
    this.#meter.stage(OPERATION.recall, stage, nowMs - startedAtMs);
    trace?.stage(stage, nowMs - startedAtMs, nowMs);
    return nowMs;
  }
}
