/** How the call about slow operations is described. */
import { describeOperation } from "./openapi.ts";
import { slowQueriesReply, slowQuery } from "./slow-queries.contract.ts";

export const SLOW_EXAMPLE = {
  ended_at: "2026-01-31T12:00:00.000Z",
  took_ms: 182.4,
  operation: "recall",
  space: "default",
  outcome: "ok",
  worker: 0,
  trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
  stages_ms: { parse: 0.021, embed: 0.04, vector: 171.2, words: 9.8, fuse: 0.3, fetch: 0.2, serialise: 0.05 },
  waits_ms: { elsewhere: 0.789 },
  plan: {
    mode: "hybrid",
    limit: 10,
    ef_asked: 4096,
    ef: 4096,
    search: "graph",
    filters: { tags: 1 },
    has_embedding: false,
    explain: false,
  },
  counts: {
    distances_in_graph: 91_000,
    distances_in_scan: 0,
    selectivity: 0.4,
    postings: 12_000,
    candidates: 200,
    results: 10,
    reply_bytes: 5120,
    space_memories: 1_000_000,
    tail_vectors: 0,
  },
  thread: {
    window_ms: 240,
    loop_delay_ms: 170,
    minor_faults: 3,
    major_faults: 0,
    voluntary_switches: 2,
    involuntary_switches: 9,
  },
  embedder: { provider: "hash/1", is_local: true },
  usual: { ns_per_distance: 1700, sync_ms: 0.3 },
};

export function slowQueriesDetail() {
  return describeOperation({
    id: "slowQueries",
    tag: "System",
    summary: "Read what was slow",
    description:
      "Operations that took `monitoring.slow_query_threshold_ms` or longer, with where their time went. They survive " +
      "a restart. A key sees the operations on spaces that it opens. `engram-appliance slow-queries` groups them by cause.",
    right: "read",
    spaced: false,
    query: slowQuery,
    replies: {
      200: {
        description: "They, newest first",
        schema: slowQueriesReply,
        example: { threshold_ms: 100, operations: [SLOW_EXAMPLE] },
      },
    },
    errors: [],
  });
}
