/** What is kept of a slow operation, put together from its trace and from what is read only now that it was slow. */
import { OperatorError, RequestError } from "../base/errors.ts";
import type { CacheCounts } from "../embedding/embedder.ts";
import { outcomeOf } from "../engine/metered-engine.ts";
import type { OperationTrace } from "../engine/operation-trace.ts";
import { OPERATION, OPERATIONS, OUTCOME, OUTCOMES, RECALL_MODES, STAGES } from "../layout/metric-codes.ts";
import { STREAM_FACT } from "../layout/stream-facts.ts";
import {
  SEARCH_PLANS,
  type SlowCounts,
  type SlowEmbedder,
  type SlowOperation,
  type SlowPlan,
  type SlowThread,
  type SlowUsual,
} from "./slow-operation.ts";
import type { ThreadWindows } from "./thread-windows.ts";

const QUERY_CHARS_MAX = 2048;

/** Where the figures come from that no trace holds. */
export type SlowSources = {
  /** number of the API worker */
  readonly worker: number;
  /** whether the text of a recall is kept, now */
  readonly keepsQueries: () => boolean;
  readonly windows: ThreadWindows;
  /** by home writer */
  readonly streamFacts: readonly Float64Array[];
  readonly embedder: {
    readonly id: string;
    readonly isLocal: boolean;
    readonly cache: () => (CacheCounts & { readonly bytesMax?: number }) | undefined;
  };
  /** NUMA node of this thread, where threads are placed on more than one */
  readonly node: number | undefined;
  readonly usual: () => SlowUsual;
};

type Syncs = { readonly ms: number; readonly count: number; readonly records: number };

/** Notes in a trace what the writers' logs have synced so far. */
export function noteSyncs(trace: OperationTrace, streamFacts: readonly Float64Array[]): void {
  trace.syncsBefore ??= new Float64Array(streamFacts.length * 3);
  const before = trace.syncsBefore;
  for (let writer = 0; writer < streamFacts.length; writer++) {
    const facts = streamFacts[writer]!;
    before[writer * 3] = facts[STREAM_FACT.syncMs]!;
    before[writer * 3 + 1] = facts[STREAM_FACT.groupCount]!;
    before[writer * 3 + 2] = facts[STREAM_FACT.groupRecords]!;
  }
}

export function slowOperation(
  trace: OperationTrace,
  end: {
    readonly tookMs: number;
    readonly endedAtMs: number;
    /** ms since the epoch */
    readonly wallMs: number;
    readonly error: unknown;
    readonly traceId: string | undefined;
  },
  sources: SlowSources,
): SlowOperation {
  const { tookMs, endedAtMs, wallMs, error, traceId } = end;
  const { worker, node, usual, keepsQueries } = sources;
  const stages: Record<string, number> = {};
  let known = trace.tailWaitMs;
  for (const [stage, name] of STAGES.entries()) {
    const ms = trace.stagesMs[stage]!;
    known += ms;
    if (ms > 0) stages[name] = round(ms);
  }
  const syncs = syncsOf(trace, sources.streamFacts);
  const thread = threadOf(trace, endedAtMs, sources.windows);
  const embedder = embedderOf(trace, sources.embedder);
  const query = keepsQueries() ? trace.query?.query : undefined;
  return {
    ended_at: new Date(wallMs).toISOString(),
    took_ms: round(tookMs),
    operation: OPERATIONS[trace.operation]!,
    space: trace.space,
    outcome: OUTCOMES[error === undefined ? OUTCOME.ok : outcomeOf(error)]!,
    ...(error === undefined ? {} : { error: codeOf(error) }),
    worker,
    ...(traceId === undefined ? {} : { trace_id: traceId }),
    stages_ms: stages,
    waits_ms: {
      ...(trace.tailWaitMs > 0 ? { tail: round(trace.tailWaitMs) } : {}),
      ...(trace.ringWaitMs > 0 ? { ring: round(trace.ringWaitMs) } : {}),
      ...(syncs === undefined ? {} : { sync: round(syncs.ms) }),
      elsewhere: round(Math.max(0, tookMs - known)),
    },
    plan: planOf(trace),
    counts: countsOf(trace, syncs),
    ...(thread === undefined ? {} : { thread }),
    ...(embedder === undefined ? {} : { embedder }),
    ...(node === undefined || trace.node < 0 ? {} : { nodes: { worker: node, space: trace.node } }),
    usual: usual(),
    ...(query === undefined ? {} : { query: query.slice(0, QUERY_CHARS_MAX) }),
  };
}

function syncsOf(trace: OperationTrace, streamFacts: readonly Float64Array[]): Syncs | undefined {
  const before = trace.syncsBefore;
  const facts = streamFacts[trace.writer];
  if (before === undefined || facts === undefined) return undefined;
  const at = trace.writer * 3;
  return {
    ms: facts[STREAM_FACT.syncMs]! - before[at]!,
    count: facts[STREAM_FACT.groupCount]! - before[at + 1]!,
    records: facts[STREAM_FACT.groupRecords]! - before[at + 2]!,
  };
}

function threadOf(trace: OperationTrace, endedAtMs: number, windows: ThreadWindows): SlowThread | undefined {
  const window = windows.since(trace.startedAtMs, endedAtMs);
  if (window === undefined) return undefined;
  return {
    window_ms: round(window.windowMs),
    loop_delay_ms: round(window.loopDelayMs),
    minor_faults: window.usage.minorFaults,
    major_faults: window.usage.majorFaults,
    voluntary_switches: window.usage.voluntarySwitches,
    involuntary_switches: window.usage.involuntarySwitches,
  };
}

function embedderOf(trace: OperationTrace, embedder: SlowSources["embedder"]): SlowEmbedder | undefined {
  if (trace.operation !== OPERATION.recall && trace.operation !== OPERATION.remember) return undefined;
  const cache = embedder.cache();
  return {
    provider: embedder.id,
    is_local: embedder.isLocal,
    ...(cache === undefined
      ? {}
      : {
          cache_requests: cache.hits + cache.misses,
          cache_hits: cache.hits,
          cache_bytes: cache.bytes,
          ...(cache.bytesMax === undefined ? {} : { cache_bytes_max: cache.bytesMax }),
        }),
  };
}

function planOf(trace: OperationTrace): SlowPlan {
  const { query } = trace;
  if (query === undefined) {
    if (trace.ack === undefined) return {};
    return { ack: trace.ack, ...(trace.memories > 0 ? { memories: trace.memories } : {}) };
  }
  const mode = RECALL_MODES[trace.mode] ?? query.mode;
  const filters = {
    ...(query.tags === undefined || query.tags.length === 0 ? {} : { tags: query.tags.length }),
    ...(query.fromMs === undefined && query.toMs === undefined ? {} : { time: true }),
    ...(query.minConfidence === undefined ? {} : { confidence: true }),
    ...(query.threshold === undefined ? {} : { score: true }),
  };
  return {
    mode,
    limit: query.limit,
    ...(query.ef === undefined ? {} : { ef_asked: query.ef }),
    ...(trace.ef > 0 ? { ef: trace.ef, search: SEARCH_PLANS[trace.searchPlan]! } : {}),
    filters,
    has_embedding: query.embedding !== undefined,
    explain: query.explain === true,
  };
}

function countsOf(trace: OperationTrace, syncs: Syncs | undefined): SlowCounts {
  const space = { space_memories: trace.liveCount, tail_vectors: trace.tailVectors };
  const reply = trace.replyLength > 0 ? { reply_bytes: trace.replyLength } : {};
  if (trace.query === undefined) {
    return {
      ...(trace.writer >= 0 ? space : {}),
      ...reply,
      ...(syncs === undefined ? {} : { syncs: syncs.count, synced_records: syncs.records }),
    };
  }
  return {
    distances_in_graph: trace.distancesInGraph,
    distances_in_scan: trace.distancesInScan,
    selectivity: trace.selectivity,
    postings: trace.postings,
    candidates: trace.candidates,
    bindings: trace.bindings,
    results: trace.results,
    ...reply,
    ...space,
  };
}

function codeOf(error: unknown): string {
  return error instanceof RequestError || error instanceof OperatorError ? error.code : "internal";
}

/** Microseconds are enough. */
function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
