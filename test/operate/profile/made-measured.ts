/** A healthy appliance as a profile measures it, for tests that make one thing ill. */
import type {
  Measured,
  OperationFigures,
  StageFigures,
  ThreadFigures,
} from "../../../src/operate/profile/measured.ts";
import type { Latency } from "../../../src/operate/profile/metric-delta.ts";

export function latency(count: number, mean_s: number): Latency {
  return {
    count,
    total_s: count * mean_s,
    mean_s,
    p50_s: mean_s * 0.8,
    p90_s: mean_s * 1.5,
    p99_s: mean_s * 3,
    p999_s: mean_s * 5,
  };
}

export function thread(name: string, figures: Partial<ThreadFigures> = {}): ThreadFigures {
  return {
    name,
    role: /^\w+-\d+$/.test(name) ? name.split("-")[0]! : "runtime",
    running: 0.3,
    queued: 0.01,
    state: "S",
    switches_per_s: { voluntary: 800, involuntary: 5 },
    doorbell: null,
    loop_delay_p99_s: 0.002,
    heap_bytes: 30_000_000,
    collections_per_s: 0.5,
    hardware: {},
    ...figures,
  };
}

const recall: OperationFigures = { operation: "recall", per_s: 400, latency: latency(24_000, 0.0008) };
const remember: OperationFigures = { operation: "remember", per_s: 100, latency: latency(6000, 0.002) };

export const TOTAL_S: number = recall.latency.total_s + remember.latency.total_s;

export function stage(operation: string, name: string, share: number, mean_s = 0.001): StageFigures {
  return { operation, stage: name, share, latency: latency((share * TOTAL_S) / mean_s, mean_s) };
}

export function measured(changes: Partial<Measured> = {}): Measured {
  return {
    seconds: 60,
    cores: 8,
    operations: [recall, remember],
    stages: [
      stage("recall", "vector", 0.25, 0.0003),
      stage("recall", "words", 0.1, 0.0001),
      stage("remember", "log", 0.25, 0.001),
      stage("remember", "embed", 0.05, 0.0002),
    ],
    flush: latency(5000, 0.0004),
    recall: { count: 24_000, graph_distances: 1100, scan_distances: 60 },
    settings: {
      "index.ef_search": 64,
      "embedding.provider": "hash",
      "embedding.cache_mb": 64,
      "memory.huge_pages": "try",
    },
    embedding_cache: { requests: 30_000, hits: 20_000, bytes: 1_000_000 },
    tail: { longest: 200, capacity: 8192 },
    threads: [
      thread("api-0"),
      thread("api-1", { running: 0.25 }),
      thread("writer-0", { running: 0.1 }),
      thread("indexer-0", { running: 0.2 }),
      thread("HeapHelper", { running: 0.02, collections_per_s: null, heap_bytes: null }),
    ],
    memory: {
      resident_bytes: 2_000_000_000,
      swapped_bytes: 0,
      transparent_bytes: 1_500_000_000,
      hugetlb_bytes: 0,
      parts: [
        {
          part: "vectors",
          mapped_bytes: 1_600_000_000,
          resident_bytes: 1_500_000_000,
          transparent_bytes: 1_400_000_000,
          reserved_bytes: 0,
          swapped_bytes: 0,
          pages_placed: 500,
          pages_misplaced: 2,
          pages_by_node: { "0": 502 },
        },
      ],
    },
    nodes: [{ node: 0, cpus: 8, total_bytes: 16e9, free_bytes: 8e9, distances: [10] }],
    numa_other_node_per_s: 0,
    disk: {
      read_per_s: 0,
      written_per_s: 400_000,
      log_per_s: 300_000,
      checkpoint_per_s: 20_000,
      checkpoints: 1,
      checkpoint_s: 0.2,
    },
    pressure: { cpu: 0.02, io: 0.01, memory: 0 },
    spaces: [
      { space: "a", operations: 8000, busy_s: 8 },
      { space: "b", operations: 7000, busy_s: 7 },
      { space: "c", operations: 7000, busy_s: 7 },
    ],
    hot_functions: [{ thread: "api-0", name: "analyse", file: "analyse.ts", self: 0.12, is_certain: true }],
    slow: { count: 0, took_ms: 0, groups: [] },
    missing: [],
    ...changes,
  };
}
