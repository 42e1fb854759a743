/**
 * One slow operation as it is kept and answered: what it was, where its time went, and what was measured meanwhile.
 *
 * It holds no content: a query appears by its shape. Only where `monitoring.slow_query_content` is on does it hold
 * the text of a recall. A figure that was not measured is absent.
 */
import type { Operation, Outcome, RECALL_MODES, Stage } from "../layout/metric-codes.ts";

/** How the vectors of a space were searched. */
export const SEARCH_PLANS = ["none", "graph", "scan", "graph_then_scan"] as const;

/** What was asked for, without what it was about. */
export type SlowPlan = {
  readonly mode?: (typeof RECALL_MODES)[number];
  readonly limit?: number;
  /** asked for with the call; absent: what the settings say */
  readonly ef_asked?: number;
  /** candidates the search kept; absent where no vectors were searched */
  readonly ef?: number;
  readonly search?: (typeof SEARCH_PLANS)[number];
  /** what the recall was narrowed by; tags as their number */
  readonly filters?: {
    readonly tags?: number;
    readonly time?: boolean;
    readonly confidence?: boolean;
    readonly score?: boolean;
  };
  readonly has_embedding?: boolean;
  readonly explain?: boolean;
  readonly ack?: "memory" | "wal" | "fsync";
  readonly memories?: number;
};

export type SlowCounts = {
  readonly distances_in_graph?: number;
  readonly distances_in_scan?: number;
  readonly selectivity?: number;
  readonly postings?: number;
  readonly candidates?: number;
  readonly bindings?: number;
  readonly results?: number;
  readonly reply_bytes?: number;
  readonly space_memories?: number;
  readonly tail_vectors?: number;
  /** syncs of the log that ended meanwhile, and the records they made durable */
  readonly syncs?: number;
  readonly synced_records?: number;
};

export type SlowWaits = {
  readonly tail?: number;
  readonly ring?: number;
  /** in syncs of the home writer's log */
  readonly sync?: number;
  /** what no stage and no wait accounts for: the thread did something else */
  readonly elsewhere: number;
};

/** What the thread did from the sample before the operation began to its end. */
export type SlowThread = {
  readonly window_ms: number;
  /** the latest any timer of the thread was */
  readonly loop_delay_ms: number;
  readonly minor_faults: number;
  readonly major_faults: number;
  readonly voluntary_switches: number;
  readonly involuntary_switches: number;
};

export type SlowEmbedder = {
  readonly provider: string;
  readonly is_local: boolean;
  readonly cache_requests?: number;
  readonly cache_hits?: number;
  readonly cache_bytes?: number;
  readonly cache_bytes_max?: number;
};

/** What is usual for this thread since the start, to judge the operation by. */
export type SlowUsual = { readonly ns_per_distance?: number; readonly sync_ms?: number };

export type SlowOperation = {
  readonly ended_at: string;
  readonly took_ms: number;
  readonly operation: Operation;
  readonly space: string;
  readonly outcome: Outcome;
  /** code of what it was refused or failed with */
  readonly error?: string;
  readonly worker: number;
  readonly trace_id?: string;
  readonly stages_ms: Readonly<Partial<Record<Stage, number>>>;
  readonly waits_ms: SlowWaits;
  readonly plan: SlowPlan;
  readonly counts: SlowCounts;
  readonly thread?: SlowThread;
  readonly embedder?: SlowEmbedder;
  /** NUMA nodes, where threads are placed on more than one */
  readonly nodes?: { readonly worker: number; readonly space: number };
  readonly usual: SlowUsual;
  readonly query?: string;
};
