/**
 * Faults planted in a running appliance one at a time, each of which `profile` has to name first; and a healthy one, of
 * which it names none.
 *
 * The machine that runs the tests may give threads no cores: that is a bottleneck, too (`run_queue`), and is named
 * where it is there. It is no fault that was planted, and is passed over here; the rule for it has tests of its own.
 * The short form plants three of the faults.
 */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { Random } from "../../src/base/random.ts";
import type { Finding } from "../../src/operate/profile/finding.ts";
import type { Report } from "../../src/operate/profile/report.ts";
import { run } from "../cli/run-for-test.ts";
import { answer, encoded, FakeEmbeddingServer, vectorOf } from "../embedding/fake-embedding-server.ts";
import { answered } from "../support/appliance-client.ts";
import {
  ApplianceProcess,
  eventually,
  LONG,
  PROGRAM,
  ScratchDirectory,
} from "../support/appliance-process.ts";
import { buildSlowSync, NO_SLOW_SYNC } from "../support/slow-sync.ts";

const SECONDS = 6;
const TIMEOUT_MS = 120_000;
const DIMENSIONS = 64;
const QUIET = { "numa.enabled": false, "association.enabled": false } as const;
const random = new Random(11);

const vector = (dimensions = DIMENSIONS): Float32Array =>
  Float32Array.from({ length: dimensions }, () => random.float() - 0.5);

/** Asks again and again while the appliance is profiled. @returns what was named first, and all of it */
async function profileUnder(
  appliance: ApplianceProcess,
  out: string,
  load: (turn: number) => Promise<unknown>,
): Promise<{ first: Finding | undefined; report: Report }> {
  let isOver = false;
  const loading = (async () => {
    for (let turn = 0; !isOver; turn++) await load(turn);
  })();
  const ran = await run([
    "profile",
    "--url",
    appliance.url,
    "--duration",
    String(SECONDS),
    "--out",
    out,
    "--json",
  ]);
  isOver = true;
  await loading;
  expect([ran.exitCode, ran.err]).toEqual([0, expect.stringContaining("reading again")]);
  const report = JSON.parse(ran.out) as Report;
  return { first: report.findings.find(({ cause }) => cause !== "run_queue"), report };
}

async function store(
  appliance: ApplianceProcess,
  count: number,
  { space = "default", dimensions = DIMENSIONS, from = 0 } = {},
): Promise<void> {
  for (let at = 0; at < count; at += 500) {
    const memories = Array.from({ length: Math.min(500, count - at) }, (_, index) => ({
      id: `m-${from + at + index}`,
      content: "a note",
      embedding: vector(dimensions),
    }));
    expect(answered(await appliance.client.rememberBatch(memories, { ack: "memory" }, space)).failed).toBe(0);
  }
}

async function indexed(appliance: ApplianceProcess): Promise<void> {
  await eventually(
    "all is in the graph",
    async () => (await appliance.client.spaces()).every(({ tail }) => tail === 0),
    { withinMs: 60_000, everyMs: 100 },
  );
}

test(
  "a healthy appliance has no bottleneck",
  async () => {
    using scratch = new ScratchDirectory("profile-healthy");
    await using appliance = await ApplianceProcess.start({
      data: scratch.data,
      settings: { ...QUIET, "embedding.dimensions": DIMENSIONS },
    });
    await store(appliance, 2000);
    await indexed(appliance);
    const { first } = await profileUnder(appliance, join(scratch.path, "out"), async (turn) => {
      await Bun.sleep(20);
      if (turn % 5 === 0)
        answered(await appliance.client.remember({ content: `note ${turn}`, ack: "memory" }));
      answered(await appliance.client.recall({ embedding: vector() }));
    });
    expect(first).toBeUndefined();
  },
  TIMEOUT_MS,
);

test.skipIf(NO_SLOW_SYNC !== undefined)(
  `a slow disk is named first${NO_SLOW_SYNC ? ` (skipped: ${NO_SLOW_SYNC})` : ""}`,
  async () => {
    using scratch = new ScratchDirectory("profile-disk");
    await using appliance = await ApplianceProcess.start({
      data: scratch.data,
      settings: QUIET,
      environment: {
        LD_PRELOAD: buildSlowSync(scratch.path),
        ENGRAM_TEST_SLOW_WHILE: scratch.path,
        ENGRAM_TEST_SLOW_MS: "60",
      },
    });
    const { first } = await profileUnder(appliance, join(scratch.path, "out"), async (turn) => {
      answered(await appliance.client.remember({ content: `note ${turn}` }));
    });
    expect(first?.cause).toBe("slow_disk");
    expect(first?.evidence).toMatch(/a sync of the log took \d+ ms on average/);
  },
  TIMEOUT_MS,
);

/** An appliance that embeds at a server of the test, and that server. */
async function embedding(scratch: ScratchDirectory, dimensions: number, delayMs: number, cacheMb: number) {
  const server = new FakeEmbeddingServer();
  server.always = async (asked) => {
    await Bun.sleep(delayMs);
    return answer(
      asked.input.map((text, index) => ({
        index,
        embedding: encoded(vectorOf(text, dimensions), asked.encoding_format),
      })),
    );
  };
  const appliance = await ApplianceProcess.start({
    data: scratch.data,
    settings: {
      ...QUIET,
      "thread_pools.api_workers": 1,
      "embedding.provider": "openai",
      "embedding.dimensions": dimensions,
      "embedding.cache_mb": cacheMb,
      "embedding.openai.url": server.url,
      "embedding.openai.model": "fake",
    },
  });
  return { server, appliance };
}

test(
  "a slow embedding server is named first",
  async () => {
    using scratch = new ScratchDirectory("profile-embedding");
    const { server, appliance } = await embedding(scratch, 8, 90, 8);
    try {
      answered(await appliance.client.remember({ content: "green apples" }));
      const { first } = await profileUnder(appliance, join(scratch.path, "out"), async (turn) => {
        answered(await appliance.client.recall({ query: `apples of year ${turn}` }));
      });
      expect(first?.cause).toBe("slow_embedding");
    } finally {
      await appliance.kill();
      await server.stop();
    }
  },
  TIMEOUT_MS,
);

test.skipIf(!LONG)(
  "a starved cache of embeddings is named first",
  async () => {
    using scratch = new ScratchDirectory("profile-cache");
    const { server, appliance } = await embedding(scratch, 2048, 15, 1);
    try {
      answered(await appliance.client.remember({ content: "green apples" }));
      const ask = async (turn: number): Promise<void> => {
        const queries = Array.from({ length: 16 }, (_, each) => `apples of year ${(turn * 16 + each) % 320}`);
        await Promise.all(queries.map(async (query) => answered(await appliance.client.recall({ query }))));
      };
      // What is asked for comes again and again, and finds that it was pushed out.
      for (let turn = 0; turn < 20; turn++) await ask(turn);
      const { first } = await profileUnder(appliance, join(scratch.path, "out"), ask);
      expect(first?.cause).toBe("starved_cache");
    } finally {
      await appliance.kill();
      await server.stop();
    }
  },
  TIMEOUT_MS,
);

for (const [cause, ef] of [
  ["high_ef", 4096],
  ["low_ef", 8],
] as const) {
  test.skipIf(!LONG)(
    `an ef of ${ef} is named first`,
    async () => {
      using scratch = new ScratchDirectory("profile-ef");
      await using appliance = await ApplianceProcess.start({
        data: scratch.data,
        settings: { ...QUIET, "embedding.dimensions": DIMENSIONS, "index.ef_search": ef },
      });
      await store(appliance, 5000);
      await indexed(appliance);
      const { first } = await profileUnder(appliance, join(scratch.path, "out"), async () => {
        answered(await appliance.client.recall({ embedding: vector(), mode: "vector", limit: 1 }));
      });
      expect(first?.cause).toBe(cause);
    },
    TIMEOUT_MS,
  );
}

test.skipIf(!LONG)(
  "a flooded tail is named first",
  async () => {
    using scratch = new ScratchDirectory("profile-tail");
    await using appliance = await ApplianceProcess.start({
      data: scratch.data,
      settings: {
        ...QUIET,
        "embedding.dimensions": 256,
        "index.ef_construction": 4096,
        "index.M": 128,
        "index.tail_max": 8192,
        "memory.huge_pages": "try",
      },
    });
    await store(appliance, 6000, { dimensions: 256 });
    const { first } = await profileUnder(appliance, join(scratch.path, "out"), async () => {
      answered(await appliance.client.recall({ embedding: vector(256), mode: "vector" }));
    });
    expect(first?.cause).toBe("tail_flood");
  },
  TIMEOUT_MS,
);

test.skipIf(!LONG)(
  "memory without huge pages is named first",
  async () => {
    using scratch = new ScratchDirectory("profile-pages");
    await using appliance = await ApplianceProcess.start({
      data: scratch.data,
      settings: {
        ...QUIET,
        "embedding.dimensions": 768,
        "memory.huge_pages": "off",
        // What is in the graph matters little here; that it is there soon does.
        "index.ef_construction": 32,
        "index.M": 8,
      },
    });
    await store(appliance, 15_000, { dimensions: 768 });
    await indexed(appliance);
    const { first } = await profileUnder(appliance, join(scratch.path, "out"), async () => {
      await Bun.sleep(20);
      answered(await appliance.client.recall({ embedding: vector(768), mode: "vector" }));
    });
    expect(first?.cause).toBe("no_huge_pages");
    expect(first?.command).toContain("memory.huge_pages try");
  },
  300_000,
);

test.skipIf(!LONG)(
  "a noisy tenant is named first, with its name",
  async () => {
    using scratch = new ScratchDirectory("profile-tenant");
    await using appliance = await ApplianceProcess.start({
      data: scratch.data,
      settings: { ...QUIET, "thread_pools.api_workers": 1, "embedding.dimensions": DIMENSIONS },
    });
    for (const space of ["loud", "quiet", "calm"]) await store(appliance, 1500, { space });
    await indexed(appliance);
    const { first } = await profileUnder(appliance, join(scratch.path, "out"), async (turn) => {
      const loud = Array.from({ length: 24 }, () =>
        appliance.client.recall({ embedding: vector(), limit: 50 }, "loud"),
      );
      const others = turn % 4 === 0 ? ["quiet", "calm"] : [];
      const calm = others.map((space) => appliance.client.recall({ embedding: vector() }, space));
      for (const reply of await Promise.all([...loud, ...calm])) answered(reply);
    });
    expect(first?.cause).toBe("noisy_tenant");
    expect(first?.title).toContain('"loud"');
  },
  TIMEOUT_MS,
);

test.skipIf(PROGRAM.length === 1)(
  "one worker that is kept busy is named first, and the function that does it",
  async () => {
    using scratch = new ScratchDirectory("profile-worker");
    await using appliance = await ApplianceProcess.start({
      data: scratch.data,
      settings: { ...QUIET, "thread_pools.api_workers": 2, "embedding.dimensions": DIMENSIONS },
      environment: { BUN_OPTIONS: `--preload ${join(import.meta.dir, "../support/planted-loop.ts")}` },
    });
    await store(appliance, 10);
    const { report } = await profileUnder(appliance, join(scratch.path, "out"), async () => {
      await Bun.sleep(50);
      answered(await appliance.client.list());
    });
    const causes = report.findings.map(({ cause }) => cause).filter((cause) => cause !== "run_queue");
    expect(["hot_function", "saturated_worker"]).toContain(causes[0]!);
    const isSampled = report.measured.missing.every(({ what }) => what !== "native stacks");
    if (isSampled) expect(causes).toContain("hot_function");
  },
  TIMEOUT_MS,
);
