/**
 * Every metric, declared once: name, kind, unit, labels with their bounded values, help, OTLP name.
 *
 * The layout of the lanes (`series.ts`), the exposition, `docs/reference/metrics.md`, history, rules and pages
 * are made from this table or checked against it. A name or a label value that is not in it does not compile;
 * one in a document or a rule fails a test.
 *
 * Labels never hold what clients send. Spaces appear by class, which is how many memories they hold; and the
 * first SPACES_NAMED_MAX of the table by name, in the few gauges that say what a space holds.
 */
import {
  OPERATIONS,
  OUTCOMES,
  RECALL_MODES,
  REMEMBERED,
  SPACE_CLASSES,
  STAGES,
} from "../layout/metric-codes.ts";
import { ALERT_CATALOGUE } from "./alert-catalogue.ts";
import type { Declaration, Labels, OpenLabel } from "./declaration.ts";
import { THREADS } from "./declaration.ts";
import { HARDWARE_CATALOGUE } from "./hardware-catalogue.ts";
import { MEANING_CATALOGUE } from "./meaning-catalogue.ts";
import { MIND_CATALOGUE } from "./mind-catalogue.ts";

/** What regions hold, by their purpose. */
export const MEMORY_PARTS = [
  "headers",
  "vectors",
  "quantised",
  "contents",
  "postings",
  "terms",
  "tables",
  "metrics",
  "history",
  "other",
] as const;
export const PAGE_KINDS = ["base", "transparent", "reserved"] as const;
/** As /sys/devices/system/node/nodeN/numastat names them. */
export const NUMA_EVENTS = [
  "numa_hit",
  "numa_miss",
  "numa_foreign",
  "interleave_hit",
  "local_node",
  "other_node",
] as const;

export const STREAM_OUTCOMES = ["sent", "lost"] as const;

/** `embedding`: of texts seen lately; `keys`: API keys that were verified before. */
export const CACHES = ["embedding", "keys"] as const;

export const SPACES_NAMED_MAX = 64;
const SPACES: OpenLabel = { countMax: SPACES_NAMED_MAX, about: "names of the first spaces of the table" };
const STREAMS: OpenLabel = { countMax: 64, about: "log streams, one for each home writer, from 0" };
/** Nodes of larger numbers are not shown. */
export const NODE_NAMES: readonly string[] = Array.from({ length: 64 }, (_, node) => String(node));
const VERSIONS: OpenLabel = { countMax: 1, about: "the version that runs" };

/** Classic buckets of requests, 1 us to 64 s; of waits, 15 us to 8 s; of sizes, 1 to 4,096. */
const REQUEST = [-20, 6] as const;
const WAIT = [-16, 3] as const;
const SIZE = [0, 12] as const;

const operationLabels = { operation: OPERATIONS, space_class: SPACE_CLASSES, outcome: OUTCOMES } as const;
const outcomeLabels = { space_class: SPACE_CLASSES, outcome: OUTCOMES } as const;

/** Keeps the exact type of an entry, so that names and label values are checked when compiling. */
function catalogue<const T extends Readonly<Record<string, Declaration<Labels>>>>(table: T): T {
  return table;
}

export const CATALOGUE = catalogue({
  // --- operations
  engram_memory_operation_duration_seconds: {
    kind: "histogram",
    unit: "seconds",
    help: "Time the engine took for an operation, waiting for the log included; of gets, one in eight is timed",
    labels: operationLabels,
    otlp: "engram.memory.operation.duration",
    source: "lane",
    shown: REQUEST,
  },
  engram_operations_total: {
    kind: "counter",
    unit: "count",
    help: "Operations ended",
    labels: operationLabels,
    otlp: "engram.operations",
    source: "lane",
  },
  engram_recall_operations_total: {
    kind: "counter",
    unit: "count",
    help: "Recalls ended",
    labels: outcomeLabels,
    otlp: "engram.recall.operations",
    source: "derived",
  },
  engram_store_operations_total: {
    kind: "counter",
    unit: "count",
    help: "Calls to remember ended; a batch is one",
    labels: outcomeLabels,
    otlp: "engram.store.operations",
    source: "derived",
  },
  engram_operation_stage_duration_seconds: {
    kind: "histogram",
    unit: "seconds",
    help: "Time one stage of a recall or remember took",
    labels: { operation: ["remember", "recall"], stage: STAGES },
    otlp: "engram.operation.stage.duration",
    source: "lane",
    shown: REQUEST,
  },
  engram_memories_remembered_total: {
    kind: "counter",
    unit: "count",
    help: "Memories handed in to be remembered, by what became of them",
    labels: { outcome: REMEMBERED },
    otlp: "engram.memories.remembered",
    source: "lane",
  },
  engram_recall_result_size: {
    kind: "histogram",
    unit: "count",
    help: "Memories one recall returned",
    labels: {},
    otlp: "engram.recall.result.size",
    source: "lane",
    shown: SIZE,
  },
  engram_recall_modes_total: {
    kind: "counter",
    unit: "count",
    help: "Recalls by what was searched; degraded ones fell back to words because the query could not be embedded",
    labels: { mode: RECALL_MODES },
    otlp: "engram.recall.modes",
    source: "lane",
  },
  engram_http_responses_total: {
    kind: "counter",
    unit: "count",
    help: "HTTP responses of guarded calls by class of status",
    labels: { status: ["2xx", "3xx", "4xx", "5xx"] },
    otlp: "engram.http.responses",
    source: "lane",
  },
  engram_slow_operations_total: {
    kind: "counter",
    unit: "count",
    help: "Operations that took monitoring.slow_query_threshold_ms or longer, as their caller saw it",
    labels: { operation: OPERATIONS },
    otlp: "engram.slow.operations",
    source: "lane",
  },
  engram_slow_operations_dropped_total: {
    kind: "counter",
    unit: "count",
    help: "Slow operations that were counted and not kept: more than a hundred in a second, or the disk refused",
    labels: {},
    otlp: "engram.slow.operations.dropped",
    source: "lane",
  },
  engram_stream_clients: {
    kind: "gauge",
    unit: "count",
    help: "Clients that read an event stream now",
    labels: {},
    otlp: "engram.stream.clients",
    source: "lane",
  },
  engram_stream_events_total: {
    kind: "counter",
    unit: "count",
    help: "Events for clients of event streams: sent, or lost because a client read too slowly or they were overwritten before they could be sent",
    labels: { outcome: STREAM_OUTCOMES },
    otlp: "engram.stream.events",
    source: "lane",
  },
  engram_otlp_exports_total: {
    kind: "counter",
    unit: "count",
    help: "Sendings to the OpenTelemetry receiver; skipped where the one before had not ended",
    labels: { signal: ["metrics", "traces"], outcome: ["ok", "failed", "skipped"] },
    otlp: "engram.otlp.exports",
    source: "lane",
  },
  engram_otlp_spans_total: {
    kind: "counter",
    unit: "count",
    help: "Spans of sampled requests: sent, or lost because the receiver refused them or they were not gathered in time",
    labels: { outcome: STREAM_OUTCOMES },
    otlp: "engram.otlp.spans",
    source: "lane",
  },
  // --- log
  engram_wal_flush_duration_seconds: {
    kind: "histogram",
    unit: "seconds",
    help: "Time one sync of the log took",
    labels: {},
    otlp: "engram.wal.flush.duration",
    source: "lane",
    shown: WAIT,
  },
  engram_wal_group_records: {
    kind: "histogram",
    unit: "count",
    help: "Records that one sync made durable",
    labels: {},
    otlp: "engram.wal.group.records",
    source: "lane",
    shown: SIZE,
  },
  engram_wal_appended_records_total: {
    kind: "counter",
    unit: "count",
    help: "Records appended to the log",
    labels: {},
    otlp: "engram.wal.appended.records",
    source: "lane",
  },
  engram_wal_appended_bytes_total: {
    kind: "counter",
    unit: "bytes",
    help: "Bytes appended to the log",
    labels: {},
    otlp: "engram.wal.appended.bytes",
    source: "lane",
  },
  engram_wal_unsynced_records: {
    kind: "gauge",
    unit: "count",
    help: "Records appended that no sync has covered yet",
    labels: { stream: STREAMS },
    otlp: "engram.wal.unsynced.records",
    source: "sampled",
  },
  engram_wal_queue_requests: {
    kind: "gauge",
    unit: "count",
    help: "Writes handed to home writers and not answered yet, seen once a second",
    labels: {},
    otlp: "engram.wal.queue.requests",
    source: "lane",
  },
  engram_wal_disk_bytes: {
    kind: "gauge",
    unit: "bytes",
    help: "Size of the log's files",
    labels: { stream: STREAMS },
    otlp: "engram.wal.disk",
    source: "sampled",
  },
  engram_wal_refused_writes_total: {
    kind: "counter",
    unit: "count",
    help: "Writes refused because the disk was full",
    labels: { stream: STREAMS },
    otlp: "engram.wal.refused.writes",
    source: "sampled",
  },
  engram_checkpoint_duration_seconds: {
    kind: "histogram",
    unit: "seconds",
    help: "Time a checkpoint took",
    labels: { outcome: ["ok", "failed"] },
    otlp: "engram.checkpoint.duration",
    source: "lane",
    shown: [-8, 12],
  },
  engram_checkpoint_written_bytes_total: {
    kind: "counter",
    unit: "bytes",
    help: "Bytes that checkpoints wrote",
    labels: {},
    otlp: "engram.checkpoint.written",
    source: "lane",
  },
  engram_checkpoint_timestamp_seconds: {
    kind: "gauge",
    unit: "seconds",
    help: "When the last checkpoint was finished, in seconds since the epoch; absent while there was none",
    labels: { stream: STREAMS },
    otlp: "engram.checkpoint.timestamp",
    source: "sampled",
  },
  engram_recovery_duration_seconds: {
    kind: "gauge",
    unit: "seconds",
    help: "Time the recovery at the start took",
    labels: { stream: STREAMS },
    otlp: "engram.recovery.duration",
    source: "sampled",
  },
  engram_recovery_replayed_records: {
    kind: "gauge",
    unit: "count",
    help: "Log records replayed at the start",
    labels: { stream: STREAMS },
    otlp: "engram.recovery.replayed.records",
    source: "sampled",
  },
  // --- index
  engram_index_insert_duration_seconds: {
    kind: "histogram",
    unit: "seconds",
    help: "Time to link one vector into a graph: the mean of the batch of at most 32 it came in",
    labels: {},
    otlp: "engram.index.insert.duration",
    source: "lane",
    shown: [-16, 0],
  },
  engram_index_rebuilds_total: {
    kind: "counter",
    unit: "count",
    help: "Graphs rebuilt and put in the place of the old one",
    labels: {},
    otlp: "engram.index.rebuilds",
    source: "lane",
  },
  engram_vector_distances_total: {
    kind: "counter",
    unit: "count",
    help: "Distances computed by recalls, in walks of the graph and in exact scans",
    labels: { path: ["graph", "scan"] },
    otlp: "engram.vector.distances",
    source: "lane",
  },
  engram_index_vectors: {
    kind: "gauge",
    unit: "count",
    help: "Vectors in the graphs, forgotten ones included",
    labels: { space_class: SPACE_CLASSES },
    otlp: "engram.index.vectors",
    source: "sampled",
  },
  engram_index_tail_vectors: {
    kind: "gauge",
    unit: "count",
    help: "Vectors stored and not in a graph yet, which recall scans",
    labels: { space_class: SPACE_CLASSES },
    otlp: "engram.index.tail.vectors",
    source: "sampled",
  },
  engram_index_tail_vectors_max: {
    kind: "gauge",
    unit: "count",
    help: "The longest tail of one space",
    labels: {},
    otlp: "engram.index.tail.vectors.max",
    source: "sampled",
  },
  engram_index_tail_capacity_vectors: {
    kind: "gauge",
    unit: "count",
    help: "Length of a tail at which writers are slowed: the setting index.tail_max",
    labels: {},
    otlp: "engram.index.tail.capacity.vectors",
    source: "sampled",
  },
  engram_index_bytes: {
    kind: "gauge",
    unit: "bytes",
    help: "Memory of the graphs",
    labels: { space_class: SPACE_CLASSES },
    otlp: "engram.index.size",
    source: "sampled",
  },
  // --- caches
  engram_cache_requests_total: {
    kind: "counter",
    unit: "count",
    help: "Look-ups in a cache, seen once a second",
    labels: { cache: CACHES },
    otlp: "engram.cache.requests",
    source: "lane",
    isRead: true,
  },
  engram_cache_hits_total: {
    kind: "counter",
    unit: "count",
    help: "Look-ups in a cache that found what they looked for, seen once a second",
    labels: { cache: CACHES },
    otlp: "engram.cache.hits",
    source: "lane",
    isRead: true,
  },
  engram_cache_bytes: {
    kind: "gauge",
    unit: "bytes",
    help: "Memory a cache holds, over all threads",
    labels: { cache: CACHES },
    otlp: "engram.cache.size",
    source: "lane",
  },
  // --- spaces
  engram_spaces: {
    kind: "gauge",
    unit: "count",
    help: "Memory spaces",
    labels: { space_class: SPACE_CLASSES },
    otlp: "engram.spaces",
    source: "sampled",
  },
  engram_memories: {
    kind: "gauge",
    unit: "count",
    help: "Live memories",
    labels: { space_class: SPACE_CLASSES },
    otlp: "engram.memories",
    source: "sampled",
  },
  engram_memories_pending_embedding: {
    kind: "gauge",
    unit: "count",
    help: "Live memories stored without a vector, to be embedded later",
    labels: { space_class: SPACE_CLASSES },
    otlp: "engram.memories.pending_embedding",
    source: "sampled",
  },
  engram_space_memories: {
    kind: "gauge",
    unit: "count",
    help: "Live memories of a space",
    labels: { space: SPACES },
    otlp: "engram.space.memories",
    source: "sampled",
  },
  engram_space_tail_vectors: {
    kind: "gauge",
    unit: "count",
    help: "Vectors of a space that are not in its graph yet",
    labels: { space: SPACES },
    otlp: "engram.space.tail.vectors",
    source: "sampled",
  },
  engram_space_bytes: {
    kind: "gauge",
    unit: "bytes",
    help: "Memory mapped for a space, its graph included",
    labels: { space: SPACES },
    otlp: "engram.space.size",
    source: "sampled",
  },
  engram_space_capacity_memories: {
    kind: "gauge",
    unit: "count",
    help: "Memories a space may hold: the setting spaces.max_memories",
    labels: {},
    otlp: "engram.space.capacity.memories",
    source: "sampled",
  },
  engram_storage_tier_memories_count: {
    kind: "gauge",
    unit: "count",
    help: "Live memories by the tier that holds them; all are in memory today",
    labels: { tier: ["hot"] },
    otlp: "engram.storage.tier.memories",
    source: "sampled",
    untyped: "operators use the name, whose ending is kept for histograms and summaries",
  },
  // --- memory and the machine
  engram_memory_bytes: {
    kind: "gauge",
    unit: "bytes",
    help: "Memory mapped in regions by what it holds and the kind of page that was granted; graphs are apart",
    labels: { part: MEMORY_PARTS, page: PAGE_KINDS },
    otlp: "engram.memory.usage",
    source: "lane",
  },
  engram_data_bytes: {
    kind: "gauge",
    unit: "bytes",
    help: "What was stored: contents, metadata and exact vectors of live memories",
    labels: {},
    otlp: "engram.data.size",
    source: "sampled",
  },
  engram_memory_node_bytes: {
    kind: "gauge",
    unit: "bytes",
    help: "Memory mapped in regions that are bound to a NUMA node",
    labels: { node: NODE_NAMES },
    otlp: "engram.memory.node.usage",
    source: "lane",
  },
  engram_numa_pages_total: {
    kind: "counter",
    unit: "count",
    help: "Pages the kernel allocated on a node, of all processes, by how that came about (numastat)",
    labels: { node: NODE_NAMES, event: NUMA_EVENTS },
    otlp: "engram.numa.pages",
    source: "lane",
    isRead: true,
  },
  engram_numa_memory_bytes: {
    kind: "gauge",
    unit: "bytes",
    help: "Memory of a NUMA node, of all processes",
    labels: { node: NODE_NAMES, state: ["free", "used"] },
    otlp: "engram.numa.memory",
    source: "lane",
  },
  engram_disk_bytes: {
    kind: "gauge",
    unit: "bytes",
    help: "The file system of the data directory",
    labels: { state: ["free", "used"] },
    otlp: "engram.disk.size",
    source: "sampled",
  },
  engram_event_loop_delay_seconds: {
    kind: "histogram",
    unit: "seconds",
    help: "How much later than asked a timer of the thread ran, ten times a second",
    labels: {},
    otlp: "engram.event_loop.delay",
    source: "lane",
    perThread: true,
    shown: [-14, 3],
  },
  engram_js_heap_bytes: {
    kind: "gauge",
    unit: "bytes",
    help: "JavaScript heap of the thread, outside memory it holds included, seen once a second",
    labels: {},
    otlp: "engram.js.heap.size",
    source: "lane",
    perThread: true,
  },
  engram_js_heap_collections_total: {
    kind: "counter",
    unit: "count",
    help: "Garbage collections of the thread that a finalizer saw; the runtime tells no durations",
    labels: {},
    otlp: "engram.js.heap.collections",
    source: "lane",
    isRead: true,
    perThread: true,
  },
  process_resident_memory_bytes: {
    kind: "gauge",
    unit: "bytes",
    help: "Pages of the process in memory, reserved huge ones included",
    labels: {},
    otlp: "process.memory.usage",
    source: "sampled",
  },
  process_cpu_seconds_total: {
    kind: "counter",
    unit: "seconds",
    help: "Processor time the process used",
    labels: {},
    otlp: "process.cpu.time",
    source: "sampled",
  },
  process_open_fds: {
    kind: "gauge",
    unit: "count",
    help: "Open file descriptors",
    labels: {},
    otlp: "process.open_file_descriptor.count",
    source: "sampled",
  },
  process_max_fds: {
    kind: "gauge",
    unit: "count",
    help: "Most file descriptors the process may open; absent where unlimited",
    labels: {},
    otlp: "engram.process.file_descriptors.max",
    source: "sampled",
  },
  process_threads: {
    kind: "gauge",
    unit: "count",
    help: "Threads of the process, the runtime's own included",
    labels: {},
    otlp: "process.thread.count",
    source: "sampled",
  },
  process_start_time_seconds: {
    kind: "gauge",
    unit: "seconds",
    help: "When the process began to start, in seconds since the epoch",
    labels: {},
    otlp: "engram.process.start.timestamp",
    source: "sampled",
  },
  engram_ready: {
    kind: "gauge",
    unit: "ratio",
    help: "1 while the appliance takes requests, else 0",
    labels: {},
    otlp: "engram.ready",
    source: "sampled",
  },
  engram_build_info: {
    kind: "gauge",
    unit: "ratio",
    help: "Always 1; the labels say what runs",
    labels: { version: VERSIONS, bun: VERSIONS },
    otlp: "engram.build",
    source: "sampled",
  },
  // --- the processor
  ...MEANING_CATALOGUE,
  ...HARDWARE_CATALOGUE,
  // --- watching itself
  engram_observe_rollup_duration_seconds: {
    kind: "histogram",
    unit: "seconds",
    help: "Time a collector took to sum up the lanes of its node, once a second",
    labels: {},
    otlp: "engram.observe.rollup.duration",
    source: "lane",
    shown: [-20, -4],
  },
  engram_observe_scrape_duration_seconds: {
    kind: "histogram",
    unit: "seconds",
    help: "Time it took to answer /metrics",
    labels: {},
    otlp: "engram.observe.scrape.duration",
    source: "lane",
    shown: [-14, 2],
  },
  engram_observe_recording_ratio: {
    kind: "gauge",
    unit: "ratio",
    help: "Share of one core that recording metrics took in the last second, estimated from what one record costs; low and high bound its 95 % interval",
    labels: { bound: ["low", "median", "high"] },
    otlp: "engram.observe.recording",
    source: "lane",
  },
  // --- alerts
  ...ALERT_CATALOGUE,
  // --- the mind
  ...MIND_CATALOGUE,
});

/** Series of a metric that every thread has of its own carry this label besides those declared. */
export const THREAD_LABEL: OpenLabel = THREADS;

export type MetricName = keyof typeof CATALOGUE;
export const METRIC_NAMES: readonly MetricName[] = Object.keys(CATALOGUE) as MetricName[];

/** What the catalogue says of a metric. */
export function declarationOf(name: MetricName): Declaration {
  return CATALOGUE[name];
}

/** The values that a label of a metric takes, as the compiler knows them. */
export type LabelsOf<N extends MetricName> = {
  readonly [L in keyof (typeof CATALOGUE)[N]["labels"]]: (typeof CATALOGUE)[N]["labels"][L] extends readonly (infer V)[]
    ? V
    : string;
};
