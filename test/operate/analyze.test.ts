import { describe, expect, test } from "bun:test";
import { unavailable } from "../../src/base/fact.ts";
import { analyze } from "../../src/operate/analyze/analyze.ts";
import type { WorkFacts } from "../../src/operate/analyze/facts.ts";
import { TOPICS, type Topic } from "../../src/operate/analyze/judgement.ts";
import { GIB, HEALTHY, MIB, settingsWith, threadsWith, withStage } from "./made-work-facts.ts";

const REMOTE = { "embedding.provider": "openai" };
const [first, ...others] = HEALTHY.threads;

/** For every matter: facts in which it is wrong, and what the advice has to name. */
const PLANTED: Readonly<Record<Topic, { readonly facts: Partial<WorkFacts>; readonly says: RegExp }>> = {
  slow_embedder: {
    facts: { settings: settingsWith(REMOTE), stages: withStage("recall", "embed", 80) },
    says: /embedding took 67 ms on average, \d+ %/,
  },
  embedding_cache: {
    facts: {
      settings: settingsWith(REMOTE),
      stages: withStage("recall", "embed", 80),
      caches: { ...HEALTHY.caches, embedding: { requests: 12_000, hits: 2400, bytes: 8 * MIB } },
    },
    says: /answered 20 % of 12000 look-ups and is full/,
  },
  key_cache: {
    facts: { caches: { keys: { requests: 500, hits: 250, bytes: 0 } } },
    says: /50 % of 500 keys were known/,
  },
  wide_search: {
    facts: {
      settings: settingsWith({ "index.ef_search": 4096 }),
      stages: withStage("recall", "vector", 9),
      recall: { ...HEALTHY.recall, graphDistances: 200_000_000 },
    },
    says: /20000 distances in the graph.*index\.ef_search is 4096/,
  },
  narrow_search: {
    facts: { settings: settingsWith({ "index.ef_search": 8 }) },
    says: /index\.ef_search is 8/,
  },
  wide_candidates: {
    facts: {
      settings: settingsWith({ "recall.candidates": 10_000 }),
      stages: withStage("recall", "fuse", 6),
    },
    says: /recall\.candidates is 10000/,
  },
  wide_activation: {
    facts: {
      settings: settingsWith({ "activation.visits": 20_000, "activation.hops": 6 }),
      stages: withStage("recall", "spread", 3),
    },
    says: /spreading took 3 ms on average.*activation\.visits is 20000/,
  },
  large_results: {
    facts: {
      recall: { ...HEALTHY.recall, results: 5_000_000 },
      stages: withStage("recall", "fetch", 8),
    },
    says: /a recall returned 500 memories/,
  },
  slow_disk: {
    facts: {
      log: { ...HEALTHY.log, flush: { count: 500, totalSeconds: 10, p99Seconds: 0.05 } },
      stages: withStage("remember", "log", 25),
    },
    says: /a sync of the log took 20 ms on average, P99 50 ms/,
  },
  sync_interval: {
    facts: {
      settings: settingsWith({ "wal.sync_mode": "batch", "wal.flush_interval_ms": 1000 }),
      stages: withStage("remember", "log", 520),
    },
    says: /wal\.flush_interval_ms 1000; a store waited 520 ms/,
  },
  group_commit: {
    facts: {
      log: { ...HEALTHY.log, flush: { count: 2000, totalSeconds: 280, p99Seconds: 0.2 }, records: 2000 },
    },
    says: /made 1 records durable; syncs took 93 % of the time/,
  },
  writer_waits: {
    facts: { stages: withStage("remember", "log", 30) },
    says: /a store waited 30 ms for home writer and log, where a sync takes 1 ms/,
  },
  write_amplification: {
    facts: { checkpoints: { count: 290, totalSeconds: 90, bytes: 900 * MIB } },
    says: /900 MiB of checkpoints were written for 20 MiB that came in: 46 times/,
  },
  tail_growth: {
    facts: { tail: { now: 6000, longest: 6000, perSecond: 20, capacity: 8192 } },
    says: /6000 vectors wait for the graph.*growing by 20 a second/,
  },
  slow_indexing: {
    facts: {
      settings: settingsWith({ "index.ef_construction": 1000 }),
      index: { vectors: 5000, insert: { count: 30_000, totalSeconds: 240, p99Seconds: 0.02 } },
    },
    says: /took 8 ms on average; index\.ef_construction is 1000/,
  },
  busy_thread: {
    facts: { threads: [{ ...first!, cpuShare: 0.99 }, ...others] },
    says: /api-0 used 99 % of a core/,
  },
  event_loop_delay: {
    facts: { threads: [{ ...first!, loopDelayP99Seconds: 0.4 }, ...others] },
    says: /timers of api-0 ran up to 400 ms late \(P99\), while it used 30 % of a core/,
  },
  huge_pages: {
    facts: {
      memory: { ...HEALTHY.memory, hugeBytes: 0 },
      settings: settingsWith({ "memory.huge_pages": "off" }),
    },
    says: /0 B of 400 MiB in regions lie on huge pages.*memory\.huge_pages is "off"/,
  },
  cache_misses: {
    facts: { threads: threadsWith({ llc_misses: 1.2e8, cycles: 9e9 }) },
    says: /20 misses of the last-level cache for 1,000 instructions, 0\.67 instructions a cycle/,
  },
  memory_bandwidth: {
    facts: { memoryTraffic: { value: 60 * GIB } },
    says: /60 GiB a second came from memory, 75 % of the 80 GiB/,
  },
  remote_accesses: {
    facts: { threads: threadsWith({ remote_loads: 4e6 }) },
    says: /40 % of the loads that went to memory went to another node/,
  },
  simd_share: {
    facts: {
      threads: HEALTHY.threads.map((each) => ({ ...each, simdRatio: 0.1 })),
      stages: withStage("recall", "vector", 3),
    },
    says: /10 % of the floating-point arithmetic was packed.* a distance took \d/,
  },
  false_sharing: {
    facts: { threads: threadsWith({ llc_references: 2e8, llc_misses: 2e6, cycles: 1e10 }) },
    says: /33 looks past the first caches for 1,000 instructions, 1 % of them went on to memory/,
  },
};

describe("analyze", () => {
  test("a healthy appliance gets no advice, and every matter is told", () => {
    const judged = analyze(HEALTHY);
    expect(judged.filter(({ verdict }) => verdict !== "fine")).toEqual([]);
    expect(judged.map(({ topic }) => topic).sort()).toEqual([...TOPICS].sort());
  });

  for (const topic of TOPICS) {
    test(`${topic} is named first where it is planted, with its figures`, () => {
      const { facts, says } = PLANTED[topic];
      const [judged] = analyze({ ...HEALTHY, ...facts });
      expect([judged!.topic, judged!.verdict]).toEqual([topic, "advice"]);
      if (judged!.verdict !== "advice") throw new Error("there is no advice");
      expect(judged!.evidence).toMatch(says);
      expect(["measured", "estimated"]).toContain(judged!.basis);
      expect(judged!.change.length).toBeGreaterThan(10);
      expect(judged!.effect.length).toBeGreaterThan(10);
    });
  }

  test("what the processor does not count is unavailable with the reason, and never fine", () => {
    const reason = "this processor, or the virtual machine, shows no such counter";
    const counters = [
      "task_clock",
      "instructions",
      "llc_misses",
      "llc_references",
      "remote_loads",
      "fp_packed",
    ];
    const judged = analyze({
      ...HEALTHY,
      threads: HEALTHY.threads.map(({ name }) => ({
        name,
        cpuShare: undefined,
        loopDelayP99Seconds: undefined,
        simdRatio: undefined,
        hardware: {},
      })),
      refusedCounters: Object.fromEntries(counters.map((counter) => [counter, reason])),
      memoryTraffic: unavailable(reason),
      otherNodeShare: unavailable("the kernel shows no numastat"),
    });
    const unknown = new Map(
      judged.flatMap((each) => (each.verdict === "unavailable" ? [[each.topic, each.reason] as const] : [])),
    );
    for (const topic of [
      "cache_misses",
      "false_sharing",
      "simd_share",
      "remote_accesses",
      "busy_thread",
    ] as const) {
      expect([topic, unknown.get(topic)]).toEqual([topic, expect.stringContaining(reason)]);
    }
    expect(unknown.get("memory_bandwidth")).toBe(reason);
    expect(unknown.get("event_loop_delay")).toContain("how late");
  });

  test("many small spaces lie on small pages by design, which is no matter unless huge ones are off", () => {
    const small = {
      memory: { ...HEALTHY.memory, hugeBytes: 0 },
      memories: { ...HEALTHY.memories, spaces: 12 },
    };
    const verdict = (facts: Partial<WorkFacts>): string | undefined =>
      analyze({ ...HEALTHY, ...small, ...facts }).find(({ topic }) => topic === "huge_pages")?.verdict;
    expect(verdict({})).toBe("fine");
    expect(verdict({ memories: { ...HEALTHY.memories, spaces: 2 } })).toBe("advice");
    expect(verdict({ settings: settingsWith({ "memory.huge_pages": "off" }) })).toBe("advice");
  });

  test("an appliance that did nothing gets no advice from nothing", () => {
    const none = { count: 0, totalSeconds: 0, p99Seconds: 0 };
    const judged = analyze({
      ...HEALTHY,
      operations: {},
      stages: [],
      recall: { results: 0, graphDistances: 0, scanDistances: 0 },
      log: { flush: none, records: 0, bytes: 0 },
      checkpoints: { count: 0, totalSeconds: 0, bytes: 0 },
      index: { vectors: 0, insert: none },
      caches: {},
      threads: [],
    });
    expect(judged.filter(({ verdict }) => verdict === "advice")).toEqual([]);
    const text = JSON.stringify(judged);
    expect(text).not.toMatch(/NaN|Infinity|null/);
  });

  test("a caller who may not read the settings is told so, and gets what counters say", () => {
    const judged = analyze({
      ...HEALTHY,
      settings: unavailable("the running settings are not shown to this caller"),
      log: { ...HEALTHY.log, flush: { count: 500, totalSeconds: 10, p99Seconds: 0.05 } },
      stages: withStage("remember", "log", 25),
    });
    expect(judged[0]).toMatchObject({ topic: "slow_disk", verdict: "advice" });
    expect(judged.find(({ topic }) => topic === "sync_interval")).toMatchObject({
      verdict: "unavailable",
      reason: "the running settings are not shown to this caller",
    });
  });
});
