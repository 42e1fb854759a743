import { describe, expect, test } from "bun:test";
import { decide } from "../../../src/operate/profile/decide.ts";
import { BOTTLENECKS, type Bottleneck } from "../../../src/operate/profile/finding.ts";
import type { Measured } from "../../../src/operate/profile/measured.ts";
import { slowReport } from "../../../src/operate/slow-report.ts";
import { slowOperation } from "../../observe/made-slow-operation.ts";
import { latency, measured, stage, thread } from "./made-measured.ts";

const MIB = 1024 * 1024;
const healthy = measured();
const remote = { ...healthy.settings, "embedding.provider": "openai" };
const part = healthy.memory.parts[0]!;
const slowDisk = { stages: [stage("remember", "log", 0.7, 0.05)], flush: latency(500, 0.03) };
const wide = Array.from({ length: 300 }, () =>
  slowOperation({
    took_ms: 400,
    stages_ms: { vector: 380 },
    plan: { mode: "hybrid", limit: 10, ef_asked: 4096, ef: 4096, search: "graph" },
  }),
);

/** For each cause: what plants it, and the same a step below what would be ill. */
const CASES: Readonly<Record<Bottleneck, { ill: Partial<Measured>; well: Partial<Measured> }>> = {
  slow_embedding: {
    ill: { settings: remote, stages: [stage("recall", "embed", 0.8, 0.09)] },
    well: { stages: [stage("recall", "embed", 0.8, 0.0005)] },
  },
  starved_cache: {
    ill: {
      settings: { ...remote, "embedding.cache_mb": 1 },
      stages: [stage("recall", "embed", 0.6, 0.03)],
      embedding_cache: { requests: 9000, hits: 900, bytes: MIB },
    },
    well: {
      settings: { ...remote, "embedding.cache_mb": 1 },
      stages: [stage("recall", "embed", 0.1, 0.03)],
      embedding_cache: { requests: 9000, hits: 900, bytes: MIB },
    },
  },
  slow_disk: { ill: slowDisk, well: { ...slowDisk, flush: latency(5000, 0.001) } },
  tail_flood: {
    ill: {
      tail: { longest: 7900, capacity: 8192 },
      recall: { count: 100, graph_distances: 900, scan_distances: 7000 },
    },
    well: { tail: { longest: 900, capacity: 8192 } },
  },
  high_ef: {
    ill: {
      settings: { ...healthy.settings, "index.ef_search": 2048 },
      recall: { count: 9000, graph_distances: 21_000, scan_distances: 0 },
      stages: [stage("recall", "vector", 0.9, 0.01)],
    },
    well: {
      settings: { ...healthy.settings, "index.ef_search": 128 },
      recall: { count: 9000, graph_distances: 1900, scan_distances: 0 },
      stages: [stage("recall", "vector", 0.9, 0.001)],
    },
  },
  low_ef: {
    ill: {
      settings: { ...healthy.settings, "index.ef_search": 2 },
      recall: { count: 9000, graph_distances: 70, scan_distances: 0 },
    },
    well: {
      settings: { ...healthy.settings, "index.ef_search": 2 },
      recall: { count: 0, graph_distances: 0, scan_distances: 0 },
    },
  },
  saturated_worker: {
    ill: { threads: [thread("api-0", { running: 0.97 }), thread("api-1", { running: 0.05 })] },
    well: { threads: [thread("api-0", { running: 0.7 }), thread("api-1", { running: 0.05 })] },
  },
  run_queue: {
    ill: {
      threads: [
        thread("api-0", { running: 0.3, queued: 0.6 }),
        thread("api-1", { running: 0.3, queued: 0.5 }),
      ],
    },
    well: { threads: [thread("api-0", { running: 0.6, queued: 0.05 })] },
  },
  no_huge_pages: {
    ill: { memory: { ...healthy.memory, parts: [{ ...part, transparent_bytes: 0 }] } },
    well: {
      memory: { ...healthy.memory, parts: [{ ...part, resident_bytes: 8 * MIB, transparent_bytes: 0 }] },
    },
  },
  remote_memory: {
    ill: { memory: { ...healthy.memory, parts: [{ ...part, pages_placed: 200, pages_misplaced: 300 }] } },
    well: { memory: { ...healthy.memory, parts: [{ ...part, pages_placed: 0, pages_misplaced: 3 }] } },
  },
  noisy_tenant: {
    ill: {
      threads: [thread("api-0", { running: 0.85 })],
      spaces: [
        { space: "loud", operations: 90_000, busy_s: 50 },
        { space: "quiet", operations: 900, busy_s: 1 },
        { space: "small", operations: 900, busy_s: 1 },
      ],
    },
    well: {
      threads: [thread("api-0", { running: 0.85 })],
      spaces: [{ space: "only", operations: 90_000, busy_s: 50 }],
    },
  },
  gc_pressure: {
    ill: {
      threads: [
        thread("api-0"),
        thread("HeapHelper", { running: 0.6 }),
        thread("ollector Thread", { running: 0.1 }),
      ],
    },
    well: { threads: [thread("api-0"), thread("HeapHelper", { running: 0.1 })] },
  },
  hot_function: {
    ill: {
      threads: [thread("api-0", { running: 0.85 })],
      hot_functions: [{ thread: "api-0", name: "burn", file: "burn.ts", self: 0.9, is_certain: true }],
    },
    well: {
      threads: [thread("api-0", { running: 0.85 })],
      hot_functions: [{ thread: "api-0", name: "search", file: "vector.ts", self: 0.9, is_certain: false }],
    },
  },
  slow_operations: {
    ill: {
      slow: slowReport(
        Array.from({ length: 200 }, () =>
          slowOperation({
            took_ms: 150,
            stages_ms: { fetch: 60, serialise: 80 },
            counts: { results: 900, reply_bytes: 4e6 },
          }),
        ),
      ),
    },
    well: {
      slow: slowReport([
        slowOperation({ took_ms: 150, stages_ms: { fetch: 140 }, counts: { results: 900 } }),
      ]),
    },
  },
};

describe("decide", () => {
  test("decide names no bottleneck on a healthy appliance", () => {
    expect(decide(healthy)).toEqual([]);
  });

  test("decide names no bottleneck on an appliance of which nothing is asked", () => {
    const idle = measured({ operations: [], stages: [], flush: null, slow: null, spaces: [] });
    expect(decide(idle)).toEqual([]);
  });

  test.each(BOTTLENECKS.map((cause) => [cause]))("decide names %s first where it is planted", (cause) => {
    const [first] = decide(measured(CASES[cause].ill));
    expect(first?.cause).toBe(cause);
    for (const text of [first!.title, first!.evidence, first!.likely, first!.command]) {
      expect(text).not.toMatch(/NaN|undefined|Infinity|null/);
      expect(text.length).toBeGreaterThan(10);
    }
    expect(first!.weight).toBeGreaterThan(0);
    expect(first!.weight).toBeLessThanOrEqual(1);
  });

  test.each(BOTTLENECKS.map((cause) => [cause]))("decide does not name %s a step below", (cause) => {
    expect(decide(measured(CASES[cause].well)).map((finding) => finding.cause)).not.toContain(cause);
  });

  test("decide finds nothing wrong with workers that are busy and let nobody wait", () => {
    const busy = [thread("api-0", { running: 0.97 }), thread("api-1", { running: 0.95 })];
    expect(decide(measured({ threads: busy }))).toEqual([]);
    const late = busy.map((each) => ({ ...each, loop_delay_p99_s: 0.3 }));
    expect(decide(measured({ threads: late })).map(({ cause }) => cause)).toEqual(["saturated_worker"]);
  });

  test("decide names what operations wait for before a machine that is short of cores", () => {
    const threads = [
      thread("api-0", { running: 0.1, queued: 0.3 }),
      thread("writer-0", { running: 0.1, queued: 0.2 }),
    ];
    const operations = [{ operation: "remember", per_s: 20, latency: latency(1200, 0.06) }];
    const found = decide(measured({ ...slowDisk, threads, operations }));
    expect(found.map(({ cause }) => cause)).toEqual(["slow_disk", "run_queue"]);
  });

  test("decide names at most three, heaviest first", () => {
    const threads = [thread("api-0", { running: 0.3, queued: 0.6 }), thread("HeapHelper", { running: 0.5 })];
    const found = decide(
      measured({
        ...slowDisk,
        threads,
        ...CASES.no_huge_pages.ill,
        ...CASES.noisy_tenant.ill,
        ...CASES.low_ef.ill,
      }),
    );
    expect(found).toHaveLength(3);
    const weights = found.map(({ weight }) => weight);
    expect(weights).toEqual([...weights].sort((a, b) => b - a));
  });

  test("decide goes by slow operations where a wide search came from callers", () => {
    const [first] = decide(measured({ slow: slowReport(wide) }));
    expect(first?.cause).toBe("high_ef");
    expect(first?.evidence).toContain("the walk kept 4096 candidates");
  });

  test("decide measures misses of addresses where the processor counts them", () => {
    const hardware = { dtlb_load_misses: 30_000, l1d_loads: 1_000_000 };
    const [first] = decide(
      measured({ ...CASES.no_huge_pages.ill, threads: [thread("api-0", { hardware })] }),
    );
    expect(first).toMatchObject({ cause: "no_huge_pages", basis: "measured" });
    expect(first!.evidence).toContain("3 % of the loads missed");
  });
});
