/** Slow operations as tests make them: one of nothing special, and what is different about it. */
import type { SlowOperation } from "../../src/observe/slow-operation.ts";

/** A recall of 150 ms that nothing explains. */
export const PLAIN: SlowOperation = {
  ended_at: "2026-01-31T12:00:00.000Z",
  took_ms: 150,
  operation: "recall",
  space: "default",
  outcome: "ok",
  worker: 0,
  stages_ms: { parse: 20, embed: 20, vector: 30, words: 30, fuse: 20, fetch: 20, serialise: 10 },
  waits_ms: { elsewhere: 0 },
  plan: {
    mode: "hybrid",
    limit: 10,
    ef: 64,
    search: "graph",
    filters: {},
    has_embedding: false,
    explain: false,
  },
  counts: {
    distances_in_graph: 2000,
    distances_in_scan: 0,
    selectivity: 1,
    postings: 500,
    candidates: 100,
    results: 10,
    reply_bytes: 4000,
    space_memories: 100_000,
    tail_vectors: 0,
  },
  thread: {
    window_ms: 200,
    loop_delay_ms: 1,
    minor_faults: 10,
    major_faults: 0,
    voluntary_switches: 20,
    involuntary_switches: 2,
  },
  embedder: { provider: "hash/1", is_local: true },
  usual: { ns_per_distance: 15_000, sync_ms: 0.3 },
};

export function slowOperation(different: Partial<SlowOperation>): SlowOperation {
  return { ...PLAIN, ...different };
}
