/**
 * What the page draws: each panel with the PromQL that fills it. One expression serves for the history when the page
 * is opened and for every refresh after.
 *
 * Pure data, so that a test can hold every expression against the catalogue and our own parser.
 */

export type Unit = "count" | "per second" | "seconds" | "bytes" | "ratio" | "percent";

export type PanelSeries = {
  readonly expr: string;
  /** how a series is called: `{label}` is replaced by the value of that label */
  readonly legend: string;
};

export type Panel = {
  readonly id: string;
  readonly section: SectionId;
  readonly title: string;
  /** one sentence under the title */
  readonly about: string;
  readonly unit: Unit;
  readonly series: readonly PanelSeries[];
  /** areas on top of each other, for parts of a whole */
  readonly isStacked?: boolean;
  /** said where no series has a value yet */
  readonly whenEmpty: string;
};

export type SectionId = "operations" | "memory" | "machine" | "hardware" | "mind";

export const OPERATION_TIMES = "engram_memory_operation_duration_seconds_bucket";
/** Time that a share of all took, at most, by label. */
export const quantile = (share: number, by: string, selector: string): string =>
  `histogram_quantile(${share}, sum by (${by}) (rate(${selector}[1m])))`;

export const PANELS: readonly Panel[] = [
  {
    id: "rates",
    section: "operations",
    title: "Operations",
    about: "ended, by kind",
    unit: "per second",
    series: [{ expr: "sum by (operation) (rate(engram_operations_total[1m])) > 0", legend: "{operation}" }],
    whenEmpty: "Nothing was asked in the last minute.",
  },
  {
    id: "latency",
    section: "operations",
    title: "Latency",
    about: "half and 99 of 100 took no longer",
    unit: "seconds",
    series: [
      {
        expr: quantile(0.5, "operation, le", `${OPERATION_TIMES}{operation=~"recall|remember"}`),
        legend: "{operation} P50",
      },
      {
        expr: quantile(0.99, "operation, le", `${OPERATION_TIMES}{operation=~"recall|remember"}`),
        legend: "{operation} P99",
      },
    ],
    whenEmpty: "No recall and no remember in the last minute.",
  },
  {
    id: "stages",
    section: "operations",
    title: "Stages of a recall",
    about: "mean time of each",
    unit: "seconds",
    isStacked: true,
    series: [
      {
        expr: 'sum by (stage) (rate(engram_operation_stage_duration_seconds_sum{operation="recall"}[1m])) / on () group_left () sum(rate(engram_operations_total{operation="recall"}[1m]))',
        legend: "{stage}",
      },
    ],
    whenEmpty: "No recall in the last minute.",
  },
  {
    id: "flush",
    section: "operations",
    title: "Log",
    about: "time of a sync, and of an insertion into the index",
    unit: "seconds",
    series: [
      { expr: quantile(0.99, "le", "engram_wal_flush_duration_seconds_bucket"), legend: "sync P99" },
      { expr: quantile(0.99, "le", "engram_index_insert_duration_seconds_bucket"), legend: "insertion P99" },
    ],
    whenEmpty: "Nothing was written in the last minute.",
  },
  {
    id: "memory",
    section: "memory",
    title: "Memory by what it holds",
    about: "mapped in regions, and the graphs",
    unit: "bytes",
    isStacked: true,
    series: [
      { expr: "sum by (part) (engram_memory_bytes)", legend: "{part}" },
      { expr: "sum(engram_index_bytes)", legend: "graphs" },
    ],
    whenEmpty: "Not measured yet.",
  },
  {
    id: "tiers",
    section: "memory",
    title: "Memories by tier",
    about: "live ones, and vectors that wait for the index",
    unit: "count",
    series: [
      { expr: "sum by (tier) (engram_storage_tier_memories_count)", legend: "{tier}" },
      { expr: "sum(engram_index_tail_vectors)", legend: "not indexed yet" },
    ],
    whenEmpty: "Not measured yet.",
  },
  {
    id: "caches",
    section: "memory",
    title: "Caches",
    about: "look-ups that found what they looked for",
    unit: "percent",
    series: [
      {
        expr: "100 * sum by (cache) (rate(engram_cache_hits_total[5m])) / (sum by (cache) (rate(engram_cache_requests_total[5m])) > 0)",
        legend: "{cache}",
      },
    ],
    whenEmpty: "No cache was asked in the last five minutes.",
  },
  {
    id: "loops",
    section: "machine",
    title: "Event loops",
    about: "how late a timer ran, 99 of 100",
    unit: "seconds",
    series: [
      { expr: quantile(0.99, "thread, le", "engram_event_loop_delay_seconds_bucket"), legend: "{thread}" },
    ],
    whenEmpty: "Not measured yet.",
  },
  {
    id: "cpu",
    section: "machine",
    title: "Processor",
    about: "cores in use by the process",
    unit: "count",
    series: [{ expr: "rate(process_cpu_seconds_total[1m])", legend: "cores" }],
    whenEmpty: "Not measured yet.",
  },
  {
    id: "watching",
    section: "machine",
    title: "Cost of watching",
    about: "share of a core that recording takes, and the bounds of its interval",
    unit: "percent",
    series: [{ expr: "100 * sum by (bound) (engram_observe_recording_ratio)", legend: "{bound}" }],
    whenEmpty: "Not measured yet.",
  },
  {
    id: "ipc",
    section: "hardware",
    title: "Instructions per cycle",
    about: "by thread",
    unit: "ratio",
    series: [{ expr: "engram_hardware_instructions_per_cycle", legend: "{thread}" }],
    whenEmpty: "This machine lets nobody count instructions; the table says why.",
  },
  {
    id: "misses",
    section: "hardware",
    title: "Cache misses",
    about: "of the last level, by thread",
    unit: "per second",
    series: [
      {
        expr: 'sum by (thread) (rate(engram_hardware_events_total{event="llc_misses"}[1m]))',
        legend: "{thread}",
      },
    ],
    whenEmpty: "This machine lets nobody count cache misses; the table says why.",
  },
  {
    id: "switches",
    section: "hardware",
    title: "Threads",
    about: "share of a core each one uses",
    unit: "percent",
    series: [
      { expr: "100 * sum by (thread) (rate(engram_thread_cpu_seconds_total[1m]))", legend: "{thread}" },
    ],
    whenEmpty: "The kernel does not tell the time of threads here.",
  },
  {
    id: "balance",
    section: "mind",
    title: "Fast and slow memory",
    about: "weight of episodes and of concepts in recalls",
    unit: "percent",
    isStacked: true,
    series: [
      {
        expr: "100 * sum by (system) (rate(engram_recall_memory_system_weight_sum[5m])) / (sum by (system) (rate(engram_recall_memory_system_weight_count[5m])) > 0)",
        legend: "{system}",
      },
    ],
    whenEmpty: "No recall weighed both kinds of memory in the last five minutes.",
  },
  {
    id: "phases",
    section: "mind",
    title: "Consolidation",
    about: "memories by how far they are consolidated",
    unit: "count",
    isStacked: true,
    series: [{ expr: "sum by (phase) (engram_memories_by_phase)", legend: "{phase}" }],
    whenEmpty: "Nothing was consolidated yet.",
  },
  {
    id: "velocity",
    section: "mind",
    title: "Velocity of consolidation",
    about: "memories brought into a phase",
    unit: "per second",
    series: [
      { expr: "sum by (phase) (rate(engram_consolidation_promotions_total[5m]))", legend: "to {phase}" },
    ],
    whenEmpty: "Nothing was promoted yet.",
  },
  {
    id: "concepts",
    section: "mind",
    title: "Concepts and bindings",
    about: "what was distilled, and what ties memories together",
    unit: "count",
    series: [
      { expr: "sum(engram_concepts)", legend: "concepts" },
      { expr: "sum by (kind) (engram_bindings)", legend: "{kind} bindings" },
    ],
    whenEmpty: "There are no concepts and no bindings yet.",
  },
  {
    id: "false-memory",
    section: "mind",
    title: "False memories",
    about: "how surely prototypes that were never met are taken for memories",
    unit: "percent",
    series: [{ expr: "100 * max(engram_false_memory_rate)", legend: "prototypes" }],
    whenEmpty: "The canary has not run yet.",
  },
];

export const SECTION_TITLES: Readonly<Record<SectionId, string>> = {
  operations: "Operations",
  memory: "Memory and tiers",
  machine: "Machine",
  hardware: "Hardware counters",
  mind: "Mind",
};

/** Single figures of the head. */
export const FIGURES: readonly {
  readonly id: string;
  readonly title: string;
  readonly unit: Unit;
  readonly expr: string;
}[] = [
  { id: "memories", title: "memories", unit: "count", expr: "sum(engram_memories)" },
  { id: "spaces", title: "spaces", unit: "count", expr: "sum(engram_spaces)" },
  {
    id: "operations",
    title: "operations",
    unit: "per second",
    expr: "sum(rate(engram_operations_total[1m]))",
  },
  {
    id: "recall-p99",
    title: "recall P99",
    unit: "seconds",
    expr: quantile(0.99, "le", `${OPERATION_TIMES}{operation="recall"}`),
  },
  { id: "resident", title: "in memory", unit: "bytes", expr: "process_resident_memory_bytes" },
];

/** What the map of NUMA nodes shows, by node. */
export const NODE_QUERIES = {
  used: 'engram_numa_memory_bytes{state="used"}',
  free: 'engram_numa_memory_bytes{state="free"}',
  ours: "engram_memory_node_bytes",
  hit: 'rate(engram_numa_pages_total{event="numa_hit"}[1m])',
  miss: 'rate(engram_numa_pages_total{event="numa_miss"}[1m])',
  foreign: 'rate(engram_numa_pages_total{event="numa_foreign"}[1m])',
} as const;

/** Threads by what became of each hardware counter. */
export const COUNTER_STATES = "sum by (counter, state) (engram_hardware_event_threads) > 0";

export const SECTIONS = Object.keys(SECTION_TITLES) as readonly SectionId[];
