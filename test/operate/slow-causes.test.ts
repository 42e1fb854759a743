/** Each cause is triggered by what shows it, and by nothing that does not. */
import { describe, expect, test } from "bun:test";
import type { SlowOperation } from "../../src/observe/slow-operation.ts";
import { type SlowCause, sharesOf } from "../../src/operate/slow-causes.ts";
import { adviceFor, slowReport } from "../../src/operate/slow-report.ts";
import { PLAIN, slowOperation } from "../observe/made-slow-operation.ts";

const REMOTE = { provider: "openai/m", is_local: false } as const;
const counts = (different: Partial<SlowOperation["counts"]>) => ({ ...PLAIN.counts, ...different });
const plan = (different: Partial<SlowOperation["plan"]>) => ({ ...PLAIN.plan, ...different });
const thread = (different: Partial<NonNullable<SlowOperation["thread"]>>) => ({
  ...PLAIN.thread!,
  ...different,
});

type Case = {
  readonly name: string;
  readonly shows: Partial<SlowOperation>;
  readonly ms: number;
  readonly evidence: RegExp;
  /** alike, and no case of it */
  readonly not: Partial<SlowOperation>;
};

const WRITE = {
  operation: "remember",
  plan: { ack: "fsync", memories: 1 },
  counts: { tail_vectors: 10 },
} as const;

const CASES: Readonly<Record<SlowCause, readonly Case[]>> = {
  embedding_provider: [
    {
      name: "the embedding server took the time",
      shows: { stages_ms: { embed: 140, vector: 5 }, embedder: REMOTE },
      ms: 140,
      evidence: /^140 ms were spent waiting for openai\/m$/,
      not: { stages_ms: { embed: 140, vector: 5 } },
    },
  ],
  cold_cache: [
    {
      name: "a full cache of embeddings answers little",
      shows: {
        stages_ms: { embed: 140 },
        embedder: {
          ...REMOTE,
          cache_requests: 1000,
          cache_hits: 100,
          cache_bytes: 990,
          cache_bytes_max: 1000,
        },
      },
      ms: 140,
      evidence: /answered 10 % of 1000 look-ups/,
      not: {
        stages_ms: { embed: 140 },
        embedder: {
          ...REMOTE,
          cache_requests: 1000,
          cache_hits: 100,
          cache_bytes: 100,
          cache_bytes_max: 1000,
        },
      },
    },
    {
      name: "distances take far longer than usual, on a core of its own",
      shows: { stages_ms: { vector: 140 }, usual: { ns_per_distance: 1500 } },
      ms: 137,
      evidence: /a distance took 70000 ns, where 1500 ns is usual/,
      not: { stages_ms: { vector: 140 }, usual: { ns_per_distance: 60_000 } },
    },
  ],
  unindexed_tail: [
    {
      name: "a recall goes over the tail",
      shows: {
        stages_ms: { vector: 100 },
        counts: counts({ distances_in_graph: 2000, distances_in_scan: 8000, tail_vectors: 8000 }),
      },
      ms: 80,
      evidence: /^8000 of 10000 distances were to vectors that no graph holds yet$/,
      not: { stages_ms: { vector: 100 }, counts: counts({ tail_vectors: 8000 }) },
    },
    {
      name: "a write waits for room in the tail",
      shows: { ...WRITE, stages_ms: { log: 1 }, waits_ms: { tail: 900, elsewhere: 0 }, took_ms: 910 },
      ms: 900,
      evidence: /^the write waited 900 ms for room in the tail/,
      not: { ...WRITE, stages_ms: { log: 1 }, took_ms: 910 },
    },
  ],
  high_ef: [
    {
      name: "the walk is wider than it need be",
      shows: { stages_ms: { vector: 128 }, plan: plan({ ef_asked: 2048, ef: 2048 }) },
      ms: 124,
      evidence: /^the walk kept 2048 candidates for 10 results/,
      not: { stages_ms: { vector: 128 }, plan: plan({ limit: 1000, ef: 1000 }) },
    },
  ],
  low_ef: [
    {
      name: "a filtered walk had to be finished by a scan",
      shows: {
        stages_ms: { vector: 100 },
        plan: plan({ ef: 8, search: "graph_then_scan", filters: { tags: 1 } }),
        counts: counts({ distances_in_graph: 1000, distances_in_scan: 9000, selectivity: 0.1 }),
      },
      ms: 90,
      evidence: /^the walk with ef 8 found too little, so 9000 vectors were gone over after it$/,
      not: { stages_ms: { vector: 100 }, plan: plan({ ef: 8, filters: { tags: 1 } }) },
    },
  ],
  narrow_filter: [
    {
      name: "the filters pass so little that a scan is cheaper",
      shows: {
        stages_ms: { vector: 100 },
        plan: plan({ search: "scan", filters: { tags: 1 } }),
        counts: counts({ distances_in_graph: 0, distances_in_scan: 9000, selectivity: 0.001 }),
      },
      ms: 100,
      evidence: /^the filters pass 0.1 % of the memories/,
      not: { stages_ms: { vector: 100 }, plan: plan({ filters: { tags: 1 } }) },
    },
  ],
  wide_fan_out: [
    {
      name: "very many memories hold a word of the query",
      shows: { stages_ms: { words: 120, vector: 2 }, counts: counts({ postings: 80_000 }) },
      ms: 120,
      evidence: /^80000 of 100000 memories hold a word of the query$/,
      not: { stages_ms: { words: 120, vector: 2 }, counts: counts({ postings: 900 }) },
    },
    {
      name: "very many candidates were scored",
      shows: { stages_ms: { fuse: 90, vector: 2 }, counts: counts({ candidates: 8000 }) },
      ms: 90,
      evidence: /^8000 candidates were scored$/,
      not: { stages_ms: { fuse: 90, vector: 2 } },
    },
    {
      name: "activation followed very many bindings",
      shows: { stages_ms: { spread: 90, vector: 2 }, counts: counts({ bindings: 15_000 }) },
      ms: 90,
      evidence: /^activation followed 15000 bindings$/,
      not: { stages_ms: { spread: 90, vector: 2 }, counts: counts({ bindings: 40 }) },
    },
  ],
  large_result: [
    {
      name: "many memories were written out",
      shows: { stages_ms: { fetch: 60, serialise: 70, vector: 2 }, counts: counts({ results: 900 }) },
      ms: 130,
      evidence: /^900 memories in 4 KiB were read and written out$/,
      not: { stages_ms: { fetch: 60, serialise: 70, vector: 2 } },
    },
  ],
  large_batch: [
    {
      name: "a batch held the worker",
      shows: {
        ...WRITE,
        plan: { ack: "fsync", memories: 1000 },
        stages_ms: { parse: 90, embed: 40, log: 1 },
      },
      ms: 130,
      evidence: /^1000 memories came in one batch/,
      not: { ...WRITE, stages_ms: { parse: 90, embed: 40, log: 1 } },
    },
  ],
  flush_waits: [
    {
      name: "syncs took the time",
      shows: {
        ...WRITE,
        counts: { syncs: 2, synced_records: 4, tail_vectors: 1 },
        stages_ms: { log: 148 },
        waits_ms: { sync: 144, elsewhere: 0 },
      },
      ms: 144,
      evidence: /^2 syncs of the log took 72 ms each, 0.3 ms is usual$/,
      not: { ...WRITE, stages_ms: { log: 148 }, waits_ms: { sync: 0, elsewhere: 0 } },
    },
  ],
  queueing: [
    {
      name: "the home writer was busy",
      shows: { ...WRITE, stages_ms: { log: 148 }, waits_ms: { sync: 8, ring: 40, elsewhere: 0 } },
      ms: 140,
      evidence: /^140 ms passed between the worker and the home writer beside syncs; 40 ms of it for room/,
      not: { ...WRITE, stages_ms: { log: 148 }, waits_ms: { sync: 148, elsewhere: 0 } },
    },
    {
      name: "the worker did something else",
      shows: {
        stages_ms: { vector: 5 },
        waits_ms: { elsewhere: 144 },
        thread: thread({ loop_delay_ms: 130 }),
      },
      ms: 144,
      evidence: /^144 ms passed while the worker did something else; a timer of it ran 130 ms late$/,
      not: { operation: "list", stages_ms: {}, waits_ms: { elsewhere: 150 } },
    },
  ],
  remote_node: [
    {
      name: "distances are slow, and the memory is another node's",
      shows: {
        stages_ms: { vector: 140 },
        usual: { ns_per_distance: 20_000 },
        nodes: { worker: 0, space: 1 },
      },
      ms: 100,
      evidence: /the worker is on node 0, the space on node 1$/,
      not: { stages_ms: { vector: 140 }, usual: { ns_per_distance: 20_000 }, nodes: { worker: 1, space: 1 } },
    },
  ],
  page_faults: [
    {
      name: "pages came from the disk",
      shows: {
        stages_ms: { vector: 140, fetch: 10 },
        usual: { ns_per_distance: 1500 },
        thread: thread({ major_faults: 40 }),
      },
      ms: 147,
      evidence: /^40 pages had to come from the disk or swap in 200 ms$/,
      not: { stages_ms: { vector: 140, fetch: 10 }, usual: { ns_per_distance: 1500 } },
    },
    {
      name: "very many pages were touched first",
      shows: { stages_ms: { fetch: 140 }, thread: thread({ minor_faults: 200_000 }) },
      ms: 75,
      evidence: /^200000 pages were touched for the first time/,
      // Most of the window was not the operation's.
      not: { took_ms: 0.3, stages_ms: { fetch: 0.3 }, thread: thread({ minor_faults: 200_000 }) },
    },
  ],
  processor_taken: [
    {
      name: "the thread lost its core again and again",
      shows: {
        stages_ms: { vector: 140 },
        usual: { ns_per_distance: 20_000 },
        thread: thread({ involuntary_switches: 40 }),
      },
      ms: 100,
      evidence: /the thread was taken off its core 40 times in 200 ms$/,
      not: { stages_ms: { vector: 140 }, usual: { ns_per_distance: 20_000 } },
    },
  ],
};

describe("sharesOf", () => {
  test("sharesOf lays nothing at the door of an operation that did an ordinary amount of ordinary work", () => {
    expect(sharesOf(PLAIN)).toEqual([]);
  });

  for (const [cause, cases] of Object.entries(CASES)) {
    for (const { name, shows, ms, evidence, not } of cases) {
      test(`sharesOf names ${cause} first where ${name}`, () => {
        const [first] = sharesOf(slowOperation(shows));
        expect(first).toMatchObject({ cause });
        expect(first!.ms).toBeCloseTo(ms, 0);
        expect(first!.evidence).toMatch(evidence);
      });

      test(`sharesOf does not name ${cause} where it only looks as if ${name}`, () => {
        expect(sharesOf(slowOperation(not)).map((share) => share.cause)).not.toContain(cause as SlowCause);
      });
    }
  }
});

describe("slowReport", () => {
  test("slowReport puts the cause that took most time first, with all it took", () => {
    const slow = (ms: number) =>
      slowOperation({ took_ms: ms + 10, stages_ms: { embed: ms }, embedder: REMOTE, space: "a" });
    const wide = slowOperation({
      took_ms: 500,
      stages_ms: { words: 450, embed: 40 },
      counts: counts({ postings: 90_000 }),
      embedder: REMOTE,
    });
    const report = slowReport([slow(100), slow(200), wide, PLAIN]);
    expect(report.groups.map(({ cause, count, lost_ms }) => [cause, count, lost_ms])).toEqual([
      ["wide_fan_out", 1, 450],
      ["embedding_provider", 2, 340],
    ]);
    expect(report.groups[1]).toMatchObject({
      spaces: ["a"],
      operations: ["recall"],
      worst: { took_ms: 210 },
    });
    expect(report.unexplained).toEqual({ count: 1, worst: PLAIN });
    expect(report.took_ms).toBe(110 + 210 + 500 + 150);
  });

  test("slowReport of nothing names nothing", () => {
    expect(slowReport([])).toMatchObject({ count: 0, groups: [], notes: [], unexplained: { count: 0 } });
  });

  test("slowReport notes searches that keep too few candidates, other nodes and failures", () => {
    const report = slowReport([
      slowOperation({ plan: plan({ ef: 12 }) }),
      slowOperation({ nodes: { worker: 0, space: 1 } }),
      slowOperation({ outcome: "unavailable", error: "embedder-unavailable" }),
    ]);
    expect(report.notes.join("\n")).toMatch(/low ef.*\n.*another NUMA node.*\n.*embedder-unavailable/);
    expect(slowReport([PLAIN]).notes).toEqual([]);
  });

  test("slowReport gives each cause a change that names a setting or a field that exists", async () => {
    const { SETTINGS } = await import("../../src/config/schema.ts");
    const paths = new Set(SETTINGS.map(({ path }) => path));
    for (const [cause, cases] of Object.entries(CASES)) {
      for (const { shows } of cases) {
        const advice = adviceFor(cause as SlowCause, slowOperation(shows));
        expect(advice.effect.length).toBeGreaterThan(20);
        for (const [name] of `${advice.change} ${advice.effect}`.matchAll(
          /\b[a-z_]+\.[a-z_]{3,}(\.[a-z_]+)?\b/g,
        )) {
          if (name.startsWith("vm.")) continue;
          expect([cause, name, paths.has(name)]).toEqual([cause, name, true]);
        }
      }
    }
  });
});
