/** Facts of an appliance that is well and measures everything, for tests to change one of. */
import { known } from "../../src/base/fact.ts";
import type { SettingValues, StageFacts, WorkFacts } from "../../src/operate/analyze/facts.ts";

export const GIB = 1024 ** 3;
export const MIB = 1024 ** 2;

export const SETTINGS: SettingValues = {
  "embedding.provider": "hash",
  "embedding.cache_mb": 8,
  "index.ef_search": 64,
  "index.ef_construction": 128,
  "index.tail_max": 8192,
  "recall.candidates": 100,
  "activation.visits": 1000,
  "activation.hops": 3,
  "activation.time_ms": 2,
  "wal.sync_mode": "immediate",
  "wal.flush_interval_ms": 10,
  "checkpoint.interval_s": 300,
  "checkpoint.log_mb": 512,
  "thread_pools.api_workers": 4,
  "thread_pools.index_workers": 1,
  "memory.huge_pages": "try",
  "numa.strategy": "local",
};

const stage = (operation: string, name: string, count: number, meanMs: number): StageFacts => ({
  operation,
  stage: name,
  count,
  totalSeconds: (count * meanMs) / 1000,
});

/** 10,000 recalls and 2,000 stores in 5 minutes. */
export const STAGES: readonly StageFacts[] = [
  stage("recall", "parse", 10_000, 0.05),
  stage("recall", "embed", 10_000, 0.1),
  stage("recall", "vector", 10_000, 0.4),
  stage("recall", "words", 10_000, 0.15),
  stage("recall", "fuse", 10_000, 0.1),
  stage("recall", "spread", 10_000, 0.2),
  stage("recall", "fetch", 10_000, 0.1),
  stage("recall", "serialise", 10_000, 0.05),
  stage("remember", "embed", 2000, 0.2),
  stage("remember", "log", 2000, 1.5),
];

export function withStage(operation: string, name: string, meanMs: number): readonly StageFacts[] {
  return STAGES.map((each) =>
    each.operation === operation && each.stage === name ? stage(operation, name, each.count, meanMs) : each,
  );
}

const thread = (name: string, cpuShare: number): WorkFacts["threads"][number] => ({
  name,
  cpuShare,
  loopDelayP99Seconds: 0.002,
  simdRatio: 0.95,
  hardware: {
    cycles: 4e9,
    instructions: 6e9,
    l1d_loads: 2e9,
    dtlb_load_misses: 1e6,
    llc_references: 3e7,
    llc_misses: 1e7,
    remote_loads: 1e5,
  },
});

export const HEALTHY: WorkFacts = {
  windowSeconds: 300,
  operations: {
    recall: { count: 10_000, totalSeconds: 11.5, p99Seconds: 0.004 },
    remember: { count: 2000, totalSeconds: 3.4, p99Seconds: 0.006 },
  },
  stages: STAGES,
  recall: { results: 100_000, graphDistances: 9_000_000, scanDistances: 500_000 },
  log: {
    flush: { count: 1200, totalSeconds: 1.2, p99Seconds: 0.003 },
    records: 2000,
    bytes: 20 * MIB,
  },
  checkpoints: { count: 1, totalSeconds: 1, bytes: 25 * MIB },
  data: { bytes: 200 * MIB, grownBytes: 18 * MIB },
  tail: { now: 40, longest: 300, perSecond: 0.01, capacity: 8192 },
  index: { vectors: 50_000, insert: { count: 2000, totalSeconds: 0.8, p99Seconds: 0.001 } },
  memories: { count: 50_000, spaces: 3, largestSpace: 30_000 },
  caches: {
    embedding: { requests: 12_000, hits: 6000, bytes: 4 * MIB },
    keys: { requests: 12_000, hits: 11_990, bytes: 1000 },
  },
  threads: [thread("api-0", 0.3), thread("api-1", 0.25), thread("writer-0", 0.1), thread("indexer-0", 0.05)],
  refusedCounters: {},
  memory: { mappedBytes: 400 * MIB, hugeBytes: 380 * MIB, residentBytes: 700 * MIB },
  numaNodes: 2,
  otherNodeShare: known(0.01),
  memoryTraffic: known(2 * GIB),
  memoryBandwidth: known(80 * GIB),
  settings: known(SETTINGS),
};

/** The settings that run, some of them changed. */
export function settingsWith(changed: SettingValues): WorkFacts["settings"] {
  return known({ ...SETTINGS, ...changed });
}

/** Every thread, with something else counted. */
export function threadsWith(hardware: Readonly<Record<string, number>>): WorkFacts["threads"] {
  return HEALTHY.threads.map((each) => ({ ...each, hardware: { ...each.hardware, ...hardware } }));
}
