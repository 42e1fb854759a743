import { describe, expect, test } from "bun:test";
import { known, unavailable } from "../../src/base/fact.ts";
import { findSetting, type SettingValue } from "../../src/config/schema.ts";
import type { WorkFacts } from "../../src/operate/analyze/facts.ts";
import type { Comparison, Verdict } from "../../src/operate/bench/verdict.ts";
import { decideTuning } from "../../src/operate/tune/decide.ts";
import { type Change, type HostFacts, type Profile, planTuning } from "../../src/operate/tune/plan.ts";
import { tuneWorkload } from "../../src/operate/tune/tune-workload.ts";
import { GIB, HEALTHY, MIB, settingsWith, withStage } from "./made-work-facts.ts";

const HOST: HostFacts = {
  cores: 16,
  memoryBytes: known(64 * GIB),
  memoryAvailableBytes: known(40 * GIB),
  numaNodes: known(1),
  vectorInstructions: known(["avx2"]),
  diskTurns: known(false),
  syncMedianMs: known(0.5),
};

const planned = (
  facts: Partial<WorkFacts>,
  host: Partial<HostFacts> = {},
  wanted: Profile | "auto" = "auto",
) => planTuning({ ...HEALTHY, ...facts }, { ...HOST, ...host }, wanted);
const values = (
  facts: Partial<WorkFacts>,
  host: Partial<HostFacts> = {},
  wanted: Profile | "auto" = "auto",
) => planned(facts, host, wanted).changes.map(({ path, to }) => [path, to] as const);

const FLOOD = { now: 6000, longest: 9000, perSecond: 20, capacity: 100_000 };
const SLOW_LINKS = { vectors: 5000, insert: { count: 30_000, totalSeconds: 240, p99Seconds: 0.02 } };

/** Badly set appliances at work, and what has to be changed in each. */
const MISSET: readonly (readonly [
  string,
  Partial<WorkFacts>,
  readonly (readonly [string, SettingValue])[],
])[] = [
  [
    "a search far too wide",
    {
      settings: settingsWith({ "index.ef_search": 4096 }),
      stages: withStage("recall", "vector", 9),
      recall: { ...HEALTHY.recall, graphDistances: 200_000_000 },
    },
    [["index.ef_search", 64]],
  ],
  ["a search too narrow", { settings: settingsWith({ "index.ef_search": 8 }) }, [["index.ef_search", 64]]],
  [
    "far too many candidates",
    { settings: settingsWith({ "recall.candidates": 10_000 }), stages: withStage("recall", "fuse", 6) },
    [["recall.candidates", 100]],
  ],
  [
    "activation without bounds",
    {
      settings: settingsWith({
        "activation.visits": 20_000,
        "activation.hops": 6,
        "activation.time_ms": 1000,
      }),
      stages: withStage("recall", "spread", 3),
    },
    [
      ["activation.visits", 1000],
      ["activation.hops", 3],
      ["activation.time_ms", 2],
    ],
  ],
  [
    "a log that syncs once a second",
    {
      settings: settingsWith({ "wal.sync_mode": "batch", "wal.flush_interval_ms": 1000 }),
      stages: withStage("remember", "log", 520),
    },
    [["wal.sync_mode", "immediate"]],
  ],
  [
    "a checkpoint every second",
    {
      settings: settingsWith({ "checkpoint.interval_s": 1 }),
      checkpoints: { count: 290, totalSeconds: 90, bytes: 900 * MIB },
    },
    [["checkpoint.interval_s", 300]],
  ],
  [
    "a graph built with far too much effort",
    { settings: settingsWith({ "index.ef_construction": 1000 }), index: SLOW_LINKS },
    [["index.ef_construction", 128]],
  ],
  [
    "a tail without bounds",
    { settings: settingsWith({ "index.tail_max": 100_000 }), tail: FLOOD },
    [["index.tail_max", 8192]],
  ],
  [
    "no cache before a slow embedding server",
    {
      settings: settingsWith({ "embedding.provider": "openai", "embedding.cache_mb": 0 }),
      stages: withStage("recall", "embed", 80),
    },
    [["embedding.cache_mb", 64]],
  ],
];

describe("planTuning", () => {
  for (const [name, facts, expected] of MISSET) {
    test(`planTuning corrects ${name}, and nothing else`, () => {
      expect(values(facts)).toEqual([...expected]);
      for (const { from, evidence, reason, isLive, path } of planned(facts).changes) {
        expect("value" in facts.settings! && facts.settings.value[path]).toBe(from);
        expect(evidence).toMatch(/\d/);
        expect(reason.length).toBeGreaterThan(10);
        expect(isLive).toBe(findSetting(path)!.facts.live === true);
      }
    });
  }

  test("planTuning leaves a good configuration alone, under every profile but the one that asks for memory", () => {
    for (const profile of ["auto", "read-heavy", "write-heavy", "balanced", "memory-constrained"] as const) {
      expect([profile, values({}, {}, profile)]).toEqual([profile, []]);
    }
  });

  test("planTuning finds the profile from the work and the machine, and says why", () => {
    expect(planned({})).toMatchObject({
      profile: "read-heavy",
      profileReason: "83 % of the calls were recalls",
    });
    const writing = {
      operations: {
        remember: { count: 900, totalSeconds: 1, p99Seconds: 0 },
        recall: { count: 100, totalSeconds: 1, p99Seconds: 0 },
      },
    };
    expect(planned(writing).profile).toBe("write-heavy");
    expect(planned({ operations: {} })).toMatchObject({ profile: "balanced" });
    expect(planned({}, { memoryAvailableBytes: known(GIB) })).toMatchObject({
      profile: "memory-constrained",
      profileReason: "2 % of the memory is left",
    });
    expect(planned({}, { memoryAvailableBytes: unavailable("hidden") }).profile).toBe("read-heavy");
  });

  test("planTuning fits threads and caches to the machine", () => {
    const crowded = {
      settings: settingsWith({ "thread_pools.api_workers": 64, "thread_pools.index_workers": 32 }),
    };
    expect(values(crowded)).toEqual([
      ["thread_pools.api_workers", 8],
      ["thread_pools.index_workers", 4],
    ]);
    const [first, ...others] = HEALTHY.threads;
    const busy = {
      settings: settingsWith({ "thread_pools.api_workers": 1 }),
      threads: [{ ...first!, cpuShare: 0.99 }, ...others.slice(1)],
    };
    expect(values(busy)).toEqual([["thread_pools.api_workers", 8]]);
    expect(values(busy, { cores: 1 })).toEqual([]);
    const scarce = { settings: settingsWith({ "embedding.cache_mb": 512 }) };
    expect(values(scarce, { memoryAvailableBytes: known(GIB) })).toEqual([["embedding.cache_mb", 8]]);
    expect(values({ settings: settingsWith({ "numa.enabled": false }) }, { numaNodes: known(2) })).toEqual([
      ["numa.enabled", true],
    ]);
    const several = { tail: FLOOD, memories: { ...HEALTHY.memories, spaces: 6 } };
    expect(values(several, {}, "write-heavy")).toEqual([["thread_pools.index_workers", 2]]);
  });

  test("planTuning proposes nothing where the settings may not be read", () => {
    expect(values({ ...MISSET[0]![1], settings: unavailable("no right") })).toEqual([]);
  });
});

const change = (aim: Change["aim"]): Change => ({
  path: "index.ef_search",
  from: 8,
  to: 64,
  isLive: true,
  aim,
  reason: "",
  evidence: "",
});
const verdict = (figure: string, outcome: Verdict["outcome"]): Verdict => ({
  figure,
  unit: "ms",
  before: 10,
  now: outcome === "better" ? 5 : 20,
  ratio: 1,
  outcome,
});
const comparison = (...verdicts: Verdict[]): Comparison => ({
  isSameMachine: true,
  coreRatio: 1,
  verdicts,
  missing: [],
});
const decided = (aim: Change["aim"], verdicts: Verdict[], before?: number, after?: number) =>
  decideTuning({
    changes: [change(aim)],
    comparison: comparison(...verdicts),
    recallBefore: before,
    recallAfter: after,
  });

describe("decideTuning", () => {
  test("decideTuning keeps what is better and in nothing worse, beyond noise", () => {
    expect(decided("speed", [verdict("p99", "better"), verdict("p50", "pass")])).toEqual({
      isKept: true,
      reason: "better beyond noise: p99 10 -> 5 ms",
    });
    expect(decided("speed", [verdict("p99", "better"), verdict("p50", "fail")])).toEqual({
      isKept: false,
      reason: "worse beyond noise: p50 10 -> 20 ms",
      isDoubtful: true,
    });
    expect(decided("speed", [verdict("p99", "pass")]).isKept).toBe(false);
    expect(decided("speed", []).isKept).toBe(false);
  });

  test("decideTuning keeps what makes recalls find more though it takes longer, and nothing that makes them find less", () => {
    expect(decided("accuracy", [verdict("p99", "fail")], 0.7, 0.99)).toMatchObject({ isKept: true });
    expect(decided("accuracy", [verdict("p99", "better")], 0.9, 0.91)).toMatchObject({ isKept: false });
    expect(decided("speed", [verdict("p99", "better")], 1, 0.9)).toMatchObject({
      isKept: false,
      reason: "recalls find less: recall@10 1.00 before, 0.90 after",
    });
    expect(decided("speed", [verdict("p99", "better")], 1, 0.98)).toMatchObject({ isKept: true });
  });

  test("decideTuning keeps what takes less memory if nothing became worse", () => {
    expect(decided("memory", [verdict("p99", "pass")]).isKept).toBe(true);
    expect(decided("memory", [verdict("p99", "fail")]).isKept).toBe(false);
  });
});

test("tuneWorkload asks what was really asked, within what a short run can fill", () => {
  const { phases, memoriesEach, spaces } = tuneWorkload(HEALTHY);
  expect(phases.map(({ mix }) => mix)).toEqual([
    { recallShare: 0.83, tenants: "all", limit: 10 },
    { recallShare: 0.83, tenants: "all", limit: 10 },
  ]);
  expect([spaces, memoriesEach]).toEqual([3, 1667]);
  const idle = tuneWorkload({
    ...HEALTHY,
    operations: {},
    memories: { count: 0, spaces: 0, largestSpace: 0 },
  });
  expect([idle.spaces, idle.memoriesEach, idle.phases[0]!.mix.recallShare]).toEqual([1, 1500, 0.7]);
});
