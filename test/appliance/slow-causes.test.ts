/** Faults planted in a running appliance, each of which `slow-queries` has to name first, and a healthy one. */
import { afterAll, expect, test } from "bun:test";
import { join } from "node:path";
import { Random } from "../../src/base/random.ts";
import type { SlowReport } from "../../src/operate/slow-report.ts";
import { run } from "../cli/run-for-test.ts";
import { DIMENSIONS, FakeEmbeddingServer, honest } from "../embedding/fake-embedding-server.ts";
import { answered } from "../support/appliance-client.ts";
import { ApplianceProcess, eventually, ScratchDirectory } from "../support/appliance-process.ts";

const SETTINGS = { "thread_pools.api_workers": 1, "numa.enabled": false };

async function reportOf(appliance: ApplianceProcess, ...words: string[]): Promise<SlowReport> {
  const { exitCode, out } = await run(["slow-queries", ...words, "--json", "--url", appliance.url]);
  expect(exitCode).toBe(0);
  return JSON.parse(out) as SlowReport;
}

function vectors(count: number, dimensions: number): Float32Array[] {
  const random = new Random(7);
  return Array.from({ length: count }, () =>
    Float32Array.from({ length: dimensions }, () => random.float() - 0.5),
  );
}

async function store(appliance: ApplianceProcess, given: readonly Float32Array[]): Promise<void> {
  for (let at = 0; at < given.length; at += 500) {
    const memories = given.slice(at, at + 500).map((embedding, index) => ({
      id: `m-${at + index}`,
      content: "a note",
      embedding,
      ack: "memory" as const,
    }));
    expect(answered(await appliance.client.rememberBatch(memories)).failed).toBe(0);
  }
}

test("a slow embedding server is named, by what its answers took", async () => {
  using scratch = new ScratchDirectory("slow-embedding");
  const server = new FakeEmbeddingServer();
  try {
    await using appliance = await ApplianceProcess.start({
      data: scratch.data,
      settings: {
        ...SETTINGS,
        "embedding.provider": "openai",
        "embedding.dimensions": DIMENSIONS,
        "embedding.openai.url": server.url,
        "embedding.openai.model": "fake",
      },
    });
    answered(await appliance.client.remember({ content: "green apples" }));
    server.always = async (asked, request) => {
      await Bun.sleep(180);
      return honest(asked, request);
    };
    for (let i = 0; i < 4; i++) answered(await appliance.client.recall({ query: `apples ${i}` }));
    const { groups, unexplained } = await reportOf(appliance, "150ms");
    expect(groups[0]).toMatchObject({ cause: "embedding_provider", count: 4, operations: ["recall"] });
    expect(groups[0]!.lost_ms).toBeGreaterThan(4 * 175);
    expect(unexplained.count).toBe(0);
  } finally {
    await server.stop();
  }
}, 60_000);

test("searches far wider than they need be are named, and ordinary ones are not slow", async () => {
  using scratch = new ScratchDirectory("slow-ef");
  await using appliance = await ApplianceProcess.start({
    data: scratch.data,
    settings: { ...SETTINGS, "embedding.dimensions": 64, "monitoring.slow_query_threshold_ms": 0 },
  });
  const given = vectors(6000, 64);
  await store(appliance, given);
  const { client } = appliance;
  await eventually("all is in the graph", async () => {
    const [space] = await client.spaces();
    return space?.tail === 0;
  });
  for (let i = 0; i < 20; i++) answered(await client.recall({ embedding: given[i]!, mode: "vector" }));
  const healthy = await reportOf(appliance, "100ms", "1h", "summary", "--operation", "recall");
  expect(healthy).toMatchObject({ count: 0, groups: [] });
  for (let i = 0; i < 20; i++)
    answered(await client.recall({ embedding: given[i]!, mode: "vector", ef: 4096 }));
  const { groups } = await reportOf(appliance, "1ms", "1h", "summary", "--operation", "recall");
  expect(groups[0]).toMatchObject({ cause: "high_ef", operations: ["recall"] });
  expect(groups[0]!.count).toBeGreaterThan(10);
  expect(groups[0]!.change).toContain("4096");
}, 60_000);

test("a tail that no indexer works off is named, by what recalls go over", async () => {
  using scratch = new ScratchDirectory("slow-tail");
  await using appliance = await ApplianceProcess.start({
    data: scratch.data,
    settings: {
      ...SETTINGS,
      "embedding.dimensions": 512,
      "index.ef_construction": 4096,
      "index.M": 128,
      "index.tail_max": 100_000,
      "monitoring.slow_query_threshold_ms": 0,
    },
  });
  const given = vectors(4000, 512);
  await store(appliance, given);
  // Beside others that take the cores, a recall that waited for one may weigh more than the first ten tails.
  await eventually("the tail is what costs most", async () => {
    for (let i = 0; i < 10; i++) {
      answered(await appliance.client.recall({ embedding: given[i]!, mode: "vector" }));
    }
    const { groups } = await reportOf(appliance, "0ms", "1h", "summary", "--operation", "recall");
    return groups[0]?.cause === "unindexed_tail";
  });
}, 60_000);

const built = new ScratchDirectory("delayed-sync");
afterAll(() => built[Symbol.dispose]());
const library = join(built.path, "delayed-sync.so");
const compiler = Bun.which("cc") ?? Bun.which("gcc") ?? Bun.which("clang");
const compiled =
  compiler !== null &&
  Bun.spawnSync([
    compiler,
    "-shared",
    "-fPIC",
    "-o",
    library,
    join(import.meta.dir, "delayed-sync.c"),
    "-ldl",
  ]).exitCode === 0;

test.skipIf(!compiled)(
  `a slow disk is named, by what its syncs took${compiled ? "" : " (skipped: there is no C compiler)"}`,
  async () => {
    using scratch = new ScratchDirectory("slow-disk");
    await using appliance = await ApplianceProcess.start({
      data: scratch.data,
      settings: SETTINGS,
      environment: {
        LD_PRELOAD: library,
        ENGRAM_TEST_SYNC_DELAY_MS: "150",
        ENGRAM_TEST_SYNC_DELAY_PATH: "/log/",
      },
    });
    for (let i = 0; i < 4; i++)
      answered(await appliance.client.remember({ content: `note ${i}`, id: `${i}` }));
    answered(await appliance.client.forget("2"));
    const { groups } = await reportOf(appliance);
    expect(groups[0]).toMatchObject({ cause: "flush_waits", basis: "measured" });
    expect([...groups[0]!.operations].sort()).toContain("remember");
    expect(groups[0]!.evidence).toMatch(/syncs of the log took 1[5-9]\d ms each/);
  },
  60_000,
);
