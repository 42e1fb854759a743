/**
 * What `top` asks for, in PromQL: the expressions of the page at `/`, and what only a table shows.
 *
 * Pure data, held against the catalogue by a test.
 */
import { FIGURES, NODE_QUERIES, OPERATION_TIMES, PANELS, quantile } from "../../page/panels.ts";

export const QUERIES = {
  rate: panel("rates"),
  p50: quantile(0.5, "operation, le", OPERATION_TIMES),
  p99: quantile(0.99, "operation, le", OPERATION_TIMES),
  failed: 'sum by (operation) (rate(engram_operations_total{outcome=~"refused|unavailable|failed"}[1m])) > 0',
  sync: panel("flush"),
  insertion: panel("flush", 1),
  loopDelay: panel("loops"),
  threadCpu: panel("switches"),
  ipc: panel("ipc"),
  cores: panel("cpu"),
  queue: "engram_wal_queue_requests",
  memories: figure("memories"),
  spaces: figure("spaces"),
  resident: figure("resident"),
  nodeUsed: NODE_QUERIES.used,
  nodeFree: NODE_QUERIES.free,
  nodeOurs: NODE_QUERIES.ours,
  nodeLocal: 'rate(engram_numa_pages_total{event="local_node"}[1m])',
  nodeRemote: 'rate(engram_numa_pages_total{event="other_node"}[1m])',
  parts: panel("memory"),
  graphs: panel("memory", 1),
  heap: "sum(engram_js_heap_bytes)",
  stored: "engram_data_bytes",
  diskFree: 'engram_disk_bytes{state="free"}',
  tail: panel("tiers", 1),
  tailLongest: "engram_index_tail_vectors_max",
  tailCapacity: "engram_index_tail_capacity_vectors",
  caches: panel("caches"),
  balance: panel("balance"),
  phases: panel("phases"),
  velocity: panel("velocity"),
  concepts: panel("concepts"),
  bindings: panel("concepts", 1),
  falseMemories: panel("false-memory"),
} as const satisfies Readonly<Record<string, string>>;

export type QueryName = keyof typeof QUERIES;
export const QUERY_NAMES = Object.keys(QUERIES) as readonly QueryName[];

function panel(id: string, index = 0): string {
  return PANELS.find((each) => each.id === id)!.series[index]!.expr;
}

function figure(id: string): string {
  return FIGURES.find((each) => each.id === id)!.expr;
}
