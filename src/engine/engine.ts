/**
 * The verbs of the memory engine, as the API and the commands call them.
 *
 * One implementation serves from shared memory (`memory-engine.ts`); tests hold it against a naive
 * in-memory twin. Times are milliseconds since the Unix epoch; scores and confidences are 0 to 1.
 * Every method may throw `RequestError` (the caller can act) or `OperatorError` (the operator can).
 */

import type { NodeKind } from "../layout/node-header.ts";
import type { Concept } from "./consolidation/concept-desk.ts";
import type { MindEngine } from "./mind-engine.ts";
import type { OperationTrace } from "./operation-trace.ts";
import type { ActivationOverrides } from "./recall/activation-settings.ts";
import type { Forgetting, SpaceForgetting } from "./space-forgetting.ts";

/** How durable a write is when it is answered. */
export type Ack = "memory" | "wal" | "fsync";
export type IfExists = "error" | "keep" | "replace";
/** How candidates are found. */
export type SearchMode = "hybrid" | "vector" | "words";
/** `spreading`: found as by a hybrid recall, and ranked by activation alone. */
export type RecallMode = SearchMode | "spreading";

export type RememberInput = {
  readonly content: string;
  /** at most 256 bytes of UTF-8, unique in its space; made by the engine (UUIDv7) where absent */
  readonly id?: string | undefined;
  /** any length above zero; stored normalised, its length kept */
  readonly embedding?: Float32Array | undefined;
  readonly confidence?: number | undefined;
  readonly timestampMs?: number | undefined;
  readonly tags?: readonly string[] | undefined;
  /** a JSON object, already serialised */
  readonly metadataJson?: string | undefined;
  readonly ifExists?: IfExists | undefined;
  /** a plain memory where absent */
  readonly kind?: NodeKind | undefined;
  /** of an episode or a concept: 0 to 1, and -1 to 1 */
  readonly importance?: number | undefined;
  readonly valence?: number | undefined;
  /** of an episode or a concept: what it has beside its content, a JSON object, already serialised */
  readonly detailsJson?: string | undefined;
};

export type Remembered = {
  readonly id: string;
  readonly space: string;
  /** the durability that was really reached */
  readonly ack: Ack;
  readonly storedAtMs: number;
  readonly outcome: "stored" | "replaced" | "kept";
  /** false: stored without a vector, to be embedded later; found by words meanwhile */
  readonly embedded: boolean;
};

export type RecallQuery = {
  readonly query?: string | undefined;
  readonly embedding?: Float32Array | undefined;
  readonly limit: number;
  readonly mode: RecallMode;
  /** memories carrying all of these */
  readonly tags?: readonly string[] | undefined;
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  readonly minConfidence?: number | undefined;
  /** as memories stood then: what was stored later is not seen, and ages count to then; now where absent */
  readonly asOfMs?: number | undefined;
  /** whether memories that have faded below the floor are answered; they are where absent */
  readonly fading?: "include" | "exclude" | undefined;
  /** memories of these kinds; all but concepts where absent */
  readonly kinds?: readonly NodeKind[] | undefined;
  /** lowest score returned */
  readonly threshold?: number | undefined;
  readonly explain?: boolean | undefined;
  /** whether what the space has learned of its words counts; where absent, it does */
  readonly meaning?: boolean | undefined;
  /** candidates looked at by the graph search; index.ef_search where absent */
  readonly ef?: number | undefined;
  /** concepts answered beside, at most; 3 where absent */
  readonly concepts?: number | undefined;
  /** what is answered is not used by that: for whoever watches, and does not remember */
  readonly isPassive?: boolean | undefined;
  /** how activation spreads, where not as the settings say */
  readonly activation?: ActivationOverrides | undefined;
  /** where the parts write down what they did */
  readonly trace?: OperationTrace | undefined;
};

export type WriteOptions = { readonly ack: Ack; readonly trace?: OperationTrace | undefined };

/** Where a score comes from. */
export type RecallWhy = {
  readonly vector?: {
    readonly similarity: number;
    readonly rank?: number;
    readonly via: "index" | "tail" | "scan";
  };
  readonly words?: { readonly bm25: number; readonly rank?: number; readonly terms: readonly string[] };
  /** cosine with the query, by what the space learned of its words */
  readonly meaning?: { readonly similarity: number };
  readonly fusion?: {
    readonly vectorWeight: number;
    readonly wordsWeight: number;
    readonly meaningWeight: number;
    readonly timeWeight: number;
  };
  /** how well it is remembered, and what that did to its score */
  readonly strength?: {
    /** what is left of it, 0 to 1 */
    readonly retention: number;
    /** since the last use, or since it was stored */
    readonly ageHours: number;
    /** half-life, stretched by importance and feeling */
    readonly stabilityHours: number;
    readonly uses: number;
    readonly factor: number;
    /** it was used after the moment asked for; what it was before is not known */
    readonly usedSince?: true;
  };
  readonly interference?: {
    /** of its strength that its competitors leave it */
    readonly share: number;
    readonly proactive: number;
    readonly retroactive: number;
    readonly factor: number;
  };
  /** 0 to 1, and by how many neighbours */
  readonly priming?: { readonly primed: number; readonly by: number; readonly factor: number };
  /** until when an update changes this memory instead of making a new trace */
  readonly reconsolidation?: { readonly labile: boolean; readonly untilMs: number };
  /** what arrived by activation, and the way on which most of it came: from a memory that was found, binding by binding */
  readonly activation?: {
    readonly received: number;
    readonly path: readonly { readonly id: string; readonly kind?: string; readonly strength?: number }[];
  };
  /** who said it, where the query names that one */
  readonly speaker?: string;
};

/** What activation did in one recall. */
export type ActivationReport = {
  readonly seeds: number;
  /** bindings followed */
  readonly visited: number;
  readonly hops: number;
  /** memories it touched, the seeds among them */
  readonly reached: number;
  /** the budget that ended it early */
  readonly budgetExhausted: "none" | "visits" | "time";
};

export type Memory = {
  readonly id: string;
  readonly content: string;
  /** a JSON object, serialised */
  readonly metadataJson: string | undefined;
  readonly tags: readonly string[];
  readonly timestampMs: number;
  readonly storedAtMs: number;
  readonly confidence: number;
  readonly kind: NodeKind;
  /** 0 to 1 */
  readonly importance: number;
  /** -1 to 1 */
  readonly valence: number;
  /** of an episode or a concept: what it has beside its content, a JSON object, serialised */
  readonly detailsJson: string | undefined;
};

export type RecalledMemory = Memory & { readonly score: number; readonly why?: RecallWhy | undefined };

export type RecalledConcept = { readonly concept: Concept; readonly score: number };

export type Recalled = {
  readonly memories: readonly RecalledMemory[];
  readonly space: string;
  /** what was used: hybrid falls back to words when the query can not be embedded */
  readonly mode: RecallMode;
  /** says why less was done than asked for, where that is so */
  readonly degraded?: string | undefined;
  /** absent where the space has no concepts, or the recall filters */
  readonly concepts?: readonly RecalledConcept[] | undefined;
  /** how much of the recall rests on single episodes, and how much on what they have in common; both make 1 */
  readonly memorySystems?: { readonly fast: number; readonly slow: number } | undefined;
  /** absent where no activation spread */
  readonly activation?: ActivationReport | undefined;
  readonly tookMs: number;
  /** of a recall as of a moment: how many of its memories were used since, so that their uses until then are unknown */
  readonly asOf?: { readonly atMs: number; readonly usedSince: number } | undefined;
};

export type Forgotten = {
  readonly id: string;
  readonly space: string;
  readonly ack: Ack;
  readonly forgotten: boolean;
};

export type ListOptions = {
  readonly cursor?: string | undefined;
  readonly limit: number;
  /** memories of these kinds; all where absent */
  readonly kinds?: readonly NodeKind[] | undefined;
};

export type MemoryPage = { readonly memories: readonly Memory[]; readonly nextCursor: string | undefined };

export type SpaceSpec = {
  readonly name: string;
  readonly dimensions?: number | undefined;
  readonly embedder?: string | undefined;
  readonly language?: string | undefined;
  /** how its memories fade; as the settings say where absent */
  readonly forgetting?: SpaceForgetting | undefined;
};

/** What can be changed of a space; what is absent stays. */
export type SpaceUpdate = { readonly forgetting?: SpaceForgetting | undefined };

export type MeaningInfo = {
  /** grows with every learning */
  readonly version: number;
  readonly dimensions: number;
  /** words with a meaning */
  readonly terms: number;
  /** memories and concepts that have one by now, forgotten ones included */
  readonly covered: number;
  /** memories there were when it was learned */
  readonly learnedFrom: number;
  readonly learnedAtMs: number;
  /** 0 to 1: whether neighbouring memories were found to speak of the same things */
  readonly contextGain: number;
};

export type SpaceInfo = {
  readonly name: string;
  readonly dimensions: number;
  /** provider and model, such as "hash/1" or "openai/text-embedding-3-small" */
  readonly embedder: string;
  readonly language: string;
  readonly quantization: string;
  readonly node: number;
  /** live ones, episodes among them */
  readonly memories: number;
  readonly episodes: number;
  readonly concepts: number;
  /** slots that consolidation has not looked at yet */
  readonly unconsolidated: number;
  readonly forgotten: number;
  readonly indexed: number;
  /** vectors stored but not in the graph yet */
  readonly tail: number;
  readonly pendingEmbedding: number;
  /** memories that the associator has not looked at yet */
  readonly unassociated: number;
  /** bindings between its memories */
  readonly bindings: number;
  readonly terms: number;
  readonly memoryBytes: number;
  /** what the space has learned of its words; undefined while that is nothing */
  readonly meaning: MeaningInfo | undefined;
  readonly createdAtMs: number;
  /** `floor`: retention below which a memory has faded */
  readonly forgetting: Forgetting & { readonly floor: number };
};

export type IndexRebuild = { readonly M?: number | undefined; readonly efConstruction?: number | undefined };

export type IndexInfo = {
  readonly space: string;
  readonly M: number;
  readonly efConstruction: number;
  readonly efSearch: number;
  readonly quantization: string;
  readonly indexed: number;
  readonly tail: number;
  readonly bytes: number;
  /** a rebuild under way: vectors done of total */
  readonly rebuild?: {
    readonly done: number;
    readonly total: number;
    readonly M: number;
    readonly efConstruction: number;
  };
};

/** One part's true state; `detail` carries measured figures, or says why one is unavailable. */
export type PartHealth = {
  readonly status: "ok" | "degraded" | "failed" | "unavailable";
  readonly reason?: string | undefined;
  readonly detail?: Readonly<Record<string, unknown>> | undefined;
};

export type Health = {
  readonly status: "ok" | "degraded" | "failed";
  readonly ready: boolean;
  readonly version: string;
  readonly uptimeSeconds: number;
  readonly parts: Readonly<Record<string, PartHealth>>;
};

export interface Engine {
  /** links, reinforcement, replay */
  readonly mind: MindEngine;
  /**
   * Stores memories, in order. The answer has one entry per input: the result, or the error of that item.
   * Throws only when nothing was tried (no such space, not ready).
   */
  remember(
    space: string,
    inputs: readonly RememberInput[],
    options: WriteOptions,
  ): Promise<(Remembered | Error)[]>;
  recall(space: string, query: RecallQuery): Promise<Recalled>;
  /** @throws {RequestError} `memory-not-found` */
  get(space: string, id: string): Memory;
  /** Forgets for good. @throws {RequestError} `memory-not-found` */
  forget(space: string, id: string, options: WriteOptions): Promise<Forgotten>;
  /** In the order of storing. `cursor` is opaque, from the page before. */
  list(space: string, options: ListOptions): MemoryPage;
  spaces(): SpaceInfo[];
  space(name: string): SpaceInfo;
  createSpace(spec: SpaceSpec): Promise<SpaceInfo>;
  /** Durable when it is answered. */
  updateSpace(name: string, update: SpaceUpdate): Promise<SpaceInfo>;
  deleteSpace(name: string): Promise<void>;
  index(space: string): IndexInfo;
  rebuildIndex(space: string, options: IndexRebuild): Promise<IndexInfo>;
  health(): Health;
}
