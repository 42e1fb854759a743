/**
 * Every alert rule, once. The evaluator runs on this table; `docs/alerts/` (for a Prometheus server) and
 * `docs/reference/alerts.md` are made from it. A rule that names a metric or a label value that the catalogue has not
 * fails a test.
 *
 * A rule of the mind says what the number means for the memory. A value that can not be had is no value: the rule is
 * unavailable and says why, and it is not "ok".
 */
import type { AlertRule } from "./rule.ts";

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** The same hour of the day before, half an hour to either side. */
const YESTERDAY = "[2h] offset 23h";

const WEIGHT = "engram_recall_memory_system_weight";
const weightOf = (system: "fast" | "slow"): string =>
  `sum(rate(${WEIGHT}_sum{system="${system}"}[10m])) / sum(rate(${WEIGHT}_count{system="${system}"}[10m])) and on () (sum(engram_concepts) > 0)`;

const COMPLETED = "engram_completion_plausibility_count";
const OPERATIONS = "engram_memory_operation_duration_seconds";
const TIMED = 'operation=~"remember|recall", outcome="ok"';
const p99 = (range: string): string =>
  `histogram_quantile(0.99, sum by (operation, le) (rate(${OPERATIONS}_bucket{${TIMED}}${range})))`;

const REMOTE = 'sum(rate(engram_hardware_events_total{event="remote_loads"}[5m]))';
const MISSES = 'sum(rate(engram_hardware_events_total{event="llc_misses"}[5m]))';
const pagesOf = (event: string): string => `sum(rate(engram_numa_pages_total{event="${event}"}[5m]))`;

const MAPPED = 'sum(engram_memory_bytes{part!~"metrics|history"}) + (sum(engram_index_bytes) or vector(0))';
const DISK_FREE = 'engram_disk_bytes{state="free"}';

const hitRate = (hits: string, requests: string, by: string): string =>
  `sum by (${by}) (rate(${hits}[10m])) / sum by (${by}) (rate(${requests}[10m])) and on (${by}) (sum by (${by}) (increase(${requests}[10m])) > 100)`;

export const ALERT_RULES: readonly AlertRule[] = [
  // --- the mind
  {
    name: "EngramConsolidationStalled",
    severity: "warning",
    about: "mind",
    value:
      'sum(increase(engram_consolidation_promotions_total[1h])) and on () (sum(engram_memories_by_phase{phase="recent"}) > 100) and on () (sum(engram_memories_by_phase{phase="recent"} offset 1h) > 100)',
    unit: "count",
    labels: [],
    side: "below",
    raise: 1,
    clear: 10,
    forS: 15 * MINUTE,
    keepFiringS: 5 * MINUTE,
    isSlow: true,
    summary: "Consolidation has stalled: nothing was promoted for an hour while recent memories wait",
    meaning:
      "New memories are not becoming stable knowledge: they stay single episodes, form no concepts, and fade as episodes do",
    action:
      "See whether cycles run and how they end (engram_consolidation_cycle_duration_seconds); give them time at night with POST /api/v1/consolidate, or threads that are less busy",
    quiet: "fewer than 100 recent memories have waited for an hour",
  },
  {
    name: "EngramFalseMemoryRateLow",
    severity: "warning",
    about: "mind",
    value: "max(engram_false_memory_rate)",
    unit: "ratio",
    labels: [],
    side: "below",
    raise: 0.2,
    clear: 0.25,
    forS: 10 * MINUTE,
    keepFiringS: 5 * MINUTE,
    summary: "Fewer than one lure in five is recognised",
    meaning:
      "Memory does not generalise: it knows what it was told word by word, and does not see what the words have in common",
    action:
      "See whether concepts form (engram_concepts) and whether activation spreads; run engram-appliance drm for the whole picture",
    quiet: "the canary has not run yet",
  },
  {
    name: "EngramFalseMemoryRateHigh",
    severity: "warning",
    about: "mind",
    value: "max(engram_false_memory_rate)",
    unit: "ratio",
    labels: [],
    side: "above",
    raise: 0.8,
    clear: 0.75,
    forS: 10 * MINUTE,
    keepFiringS: 5 * MINUTE,
    summary: "More than four lures in five are recognised as studied",
    meaning:
      "Memory no longer discriminates: what only resembles an experience is taken for one, so its answers can not be trusted",
    action:
      "Let activation spread less far or with a higher threshold, and look at the coherence of concepts (engram_concept_coherence)",
    quiet: "the canary has not run yet",
  },
  {
    name: "EngramFastMemoryDominates",
    severity: "info",
    about: "mind",
    value: weightOf("fast"),
    unit: "ratio",
    labels: [],
    side: "above",
    raise: 0.7,
    clear: 0.65,
    forS: 15 * MINUTE,
    keepFiringS: 5 * MINUTE,
    summary: "Recalls rest on fast memory (episodes) by more than 70 %",
    meaning:
      "Answers come from single experiences, and what memory learned from many of them hardly counts: it repeats instead of knowing",
    action: "See whether consolidation keeps up (engram_memories_by_phase) and whether concepts cohere",
    quiet: "there are no concepts yet, or nothing was recalled in ten minutes",
  },
  {
    name: "EngramSlowMemoryDominates",
    severity: "info",
    about: "mind",
    value: weightOf("slow"),
    unit: "ratio",
    labels: [],
    side: "above",
    raise: 0.7,
    clear: 0.65,
    forS: 15 * MINUTE,
    keepFiringS: 5 * MINUTE,
    summary: "Recalls rest on slow memory (concepts) by more than 70 %",
    meaning:
      "Answers come from what is general, and what happened lately or only once hardly counts: memory knows and no longer remembers",
    action:
      "See how many memories are recent (engram_memories_by_phase), and whether episodes are forgotten too soon",
    quiet: "there are no concepts yet, or nothing was recalled in ten minutes",
  },
  {
    name: "EngramCompletionBreakingDown",
    severity: "warning",
    about: "mind",
    value: `(sum(rate(${COMPLETED}{correct="yes"}[1h])) or vector(0)) / sum(rate(${COMPLETED}[1h])) and on () (sum(increase(${COMPLETED}[1h])) >= 10)`,
    unit: "ratio",
    labels: [],
    side: "below",
    raise: 0.5,
    clear: 0.6,
    forS: 10 * MINUTE,
    keepFiringS: 5 * MINUTE,
    isSlow: true,
    summary: "Fewer than half of the completions proved right",
    meaning:
      "Pattern completion is breaking down: fragments call up the wrong episodes, so what memory fills in is more often invented than remembered",
    action:
      "Ask for more evidence before completing, and see whether bindings were lost or have grown too many (engram_graph_edges_per_node)",
    quiet: "fewer than ten completions were judged in an hour",
  },
  // --- the machine
  {
    name: "EngramLatencyOverBaseline",
    severity: "warning",
    about: "machine",
    value: `${p99("[10m]")} / ${p99(YESTERDAY)} and on (operation) (sum by (operation) (increase(${OPERATIONS}_count{${TIMED}}[10m])) > 100)`,
    unit: "ratio",
    labels: ["operation"],
    side: "above",
    raise: 1.2,
    clear: 1.1,
    forS: 10 * MINUTE,
    keepFiringS: 5 * MINUTE,
    isSlow: true,
    summary: "The P99 of an operation is 20 % above that of the same hour of the day before",
    meaning: "Callers wait longer than they are used to",
    action:
      "Compare the stages (engram_operation_stage_duration_seconds) with yesterday's, and look at the tail of the index and at flushes",
    quiet: "there is no baseline of the day before, or there were fewer than 100 operations in ten minutes",
  },
  {
    name: "EngramThroughputUnderBaseline",
    severity: "info",
    about: "machine",
    value: `(sum(rate(engram_operations_total[10m])) or vector(0)) / sum(rate(engram_operations_total${YESTERDAY})) and on () (sum(rate(engram_operations_total${YESTERDAY})) > 1)`,
    unit: "ratio",
    labels: [],
    side: "below",
    raise: 0.85,
    clear: 0.9,
    forS: 15 * MINUTE,
    keepFiringS: 5 * MINUTE,
    isSlow: true,
    summary: "Throughput is 15 % below that of the same hour of the day before",
    meaning: "Either callers ask for less, or they get less than they ask for",
    action:
      "If latency has risen as well, it is the appliance: see EngramLatencyOverBaseline. If not, look at the callers",
    quiet: "there is no baseline of the day before, or it was below one operation a second",
  },
  {
    name: "EngramCacheHitRateLow",
    severity: "info",
    about: "machine",
    value: hitRate("engram_cache_hits_total", "engram_cache_requests_total", "cache"),
    unit: "ratio",
    labels: ["cache"],
    side: "below",
    raise: 0.7,
    clear: 0.75,
    forS: 15 * MINUTE,
    keepFiringS: 5 * MINUTE,
    summary: "A cache answers fewer than 70 % of its look-ups",
    meaning: "Work is done again that was done before; with an embedding server each miss is a request to it",
    action:
      "Make the cache larger (embedding.cache_mb) if its size (engram_cache_bytes) has reached it; texts that never repeat are no fault",
    quiet: "there were fewer than 100 look-ups in ten minutes",
  },
  {
    name: "EngramActivationCacheHitRateLow",
    severity: "info",
    about: "machine",
    value: hitRate("engram_activation_cache_hits_total", "engram_activation_cache_requests_total", ""),
    unit: "ratio",
    labels: [],
    side: "below",
    raise: 0.7,
    clear: 0.75,
    forS: 15 * MINUTE,
    keepFiringS: 5 * MINUTE,
    summary: "The cache of activations answers fewer than 70 % of its look-ups",
    meaning: "Activation is spread anew for seeds it was spread from before, and recalls take longer",
    action: "See whether memories change faster than they are recalled; each change makes activations stale",
    quiet: "there were fewer than 100 look-ups in ten minutes",
  },
  {
    name: "EngramMemoryOverTwiceData",
    severity: "warning",
    about: "machine",
    value: `(${MAPPED}) / sum(engram_data_bytes) and on () ((${MAPPED}) > 1073741824)`,
    unit: "ratio",
    labels: [],
    side: "above",
    raise: 2,
    clear: 1.9,
    forS: 15 * MINUTE,
    keepFiringS: 5 * MINUTE,
    summary: "The appliance maps more than twice the bytes of what it stores",
    meaning: "Memory is held that nothing is kept in: the machine is full sooner than its data",
    action:
      "See which part holds it (engram_memory_bytes by part): many small spaces, forgotten memories that wait for compaction, or graphs with a large M",
    quiet: "less than 1 GiB is mapped",
  },
  {
    name: "EngramWalFlushSlow",
    severity: "warning",
    about: "machine",
    value: "histogram_quantile(0.99, sum by (le) (rate(engram_wal_flush_duration_seconds_bucket[2m])))",
    unit: "seconds",
    labels: [],
    side: "above",
    raise: 0.005,
    clear: 0.004,
    forS: 5 * MINUTE,
    keepFiringS: 2 * MINUTE,
    summary: "The P99 of a sync of the log is above 5 ms",
    meaning: "Every write that asks for ack=fsync waits for such a sync",
    action:
      "See what else writes to the disk (iostat -x 1), put the log on a disk of its own, or one whose cache is protected against loss of power",
    quiet: "nothing was written in two minutes",
  },
  {
    name: "EngramRemoteAccesses",
    severity: "warning",
    about: "machine",
    value: `${REMOTE} / (${MISSES} - ${REMOTE}) or ${pagesOf("other_node")} / ${pagesOf("local_node")} and on () (${pagesOf("local_node")} > 100)`,
    unit: "ratio",
    labels: [],
    side: "above",
    raise: 0.1,
    clear: 0.08,
    forS: 10 * MINUTE,
    keepFiringS: 5 * MINUTE,
    summary: "More than one access to memory in ten of the local ones goes to another NUMA node",
    meaning: "Recalls wait for memory that lies on another socket, at half the speed or less",
    action:
      "See where threads and memory lie (engram-appliance doctor), and whether numa.enabled is on and other programs crowd the nodes",
    quiet: "the processor counts no remote loads, and nodes hand out fewer than 100 pages a second",
  },
  {
    name: "EngramDiskAlmostFull",
    severity: "critical",
    about: "machine",
    value: `sum(${DISK_FREE}) / sum(engram_disk_bytes)`,
    unit: "ratio",
    labels: [],
    side: "below",
    raise: 0.1,
    clear: 0.12,
    forS: 2 * MINUTE,
    keepFiringS: MINUTE,
    summary: "Less than a tenth of the disk of the data directory is free",
    meaning: "When it is full, writes are refused; what is stored stays, and is still recalled",
    action:
      "Free room on the disk or move the data directory; engram-appliance doctor says what the log and checkpoints take",
    quiet: "the file system does not tell its size",
  },
  {
    name: "EngramDiskFilling",
    severity: "warning",
    about: "machine",
    value: `sum(predict_linear(${DISK_FREE}[6h], 86400)) / sum(engram_disk_bytes) and on () (sum(${DISK_FREE}) / sum(engram_disk_bytes) < 0.5) and on () (sum(${DISK_FREE} offset 1h) > 0)`,
    unit: "ratio",
    labels: [],
    side: "below",
    raise: 0,
    clear: 0.05,
    forS: 30 * MINUTE,
    keepFiringS: 10 * MINUTE,
    isSlow: true,
    summary: "At the pace of the last six hours the disk of the data directory is full within a day",
    meaning: "When it is full, writes are refused; what is stored stays, and is still recalled",
    action:
      "See what grows (engram_wal_disk_bytes, or another program's files), and make room before it is needed",
    quiet: "more than half of the disk is free, or there is less than an hour of history",
  },
  {
    name: "EngramWatchingCostly",
    severity: "info",
    about: "machine",
    value: 'sum(avg_over_time(engram_observe_recording_ratio{bound="median"}[5m]))',
    unit: "ratio",
    labels: [],
    side: "above",
    raise: 0.003,
    clear: 0.0025,
    forS: 10 * MINUTE,
    keepFiringS: 5 * MINUTE,
    summary: "Recording metrics takes more than 0.3 % of a core",
    meaning:
      "Watching is no longer free: the load is far above what it was measured at, or the clock is slow",
    action:
      "See how many operations run (engram_operations_total) and whether the processor's counter can be used as a clock (engram-appliance doctor)",
    quiet: "the cost was not measured yet",
  },
];

/** How long resolved alerts are shown, as Prometheus does it. */
export const RESOLVED_SHOWN_S: number = HOUR / 4;
