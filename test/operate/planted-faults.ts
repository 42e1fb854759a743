/**
 * Faults as they are planted in a running appliance: settings, an environment, what it holds, and who asks it.
 *
 * Every appliance but that of the fault is healthy, so what the tools name beside the fault is wrong.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Random } from "../../src/base/random.ts";
import { answer, encoded, FakeEmbeddingServer, vectorOf } from "../embedding/fake-embedding-server.ts";
import { answered } from "../support/appliance-client.ts";
import { type ApplianceProcess, eventually, type StartOptions } from "../support/appliance-process.ts";
import { RawClient } from "../support/raw-client.ts";
import { buildSlowSync, NO_SLOW_SYNC } from "../support/slow-sync.ts";
import type { Fault } from "./diagnosis.ts";

export type PlantedFault = {
  /** what the tools have to name; undefined where there is nothing to name */
  readonly fault: Fault | undefined;
  readonly about: string;
  /** why it can not be planted here */
  readonly skipped?: string | undefined;
  /** planted in the short form, too */
  readonly isCheap?: boolean;
  /** @param directory of this fault's own */
  readonly plant: (directory: string) => Planted;
};

export type Planted = Pick<StartOptions, "settings" | "environment"> & {
  /** before anybody measures */
  readonly prepare: (appliance: ApplianceProcess) => Promise<void>;
  /** what one of the callers does again and again until the load is over */
  readonly callers: (appliance: ApplianceProcess) => readonly (() => Promise<unknown>)[];
  readonly stop?: () => Promise<void>;
};

const DIMENSIONS = 64;
const MEMORIES = 6000;
const BATCH = 500;
const ORDINARY = {
  "embedding.dimensions": DIMENSIONS,
  "thread_pools.api_workers": 2,
  "numa.enabled": false,
  "consolidation.enabled": false,
} as const;

/** Recalls of a space with a graph, a few of them a second from each of some callers. */
const HEALTHY = (): Planted => ({
  settings: ORDINARY,
  prepare: (appliance) => fill(appliance),
  callers: ({ client }) => [
    ...times(3, (i) => paced(20, recalling(client, { seed: i }))),
    paced(50, remembering(client)),
  ],
});

export const PLANTED_FAULTS: readonly PlantedFault[] = [
  { fault: undefined, about: "a healthy appliance", isCheap: true, plant: HEALTHY },
  {
    fault: "slow_embedding",
    about: "an embedding server that takes 120 ms",
    isCheap: true,
    plant: () => remoteEmbedding({ delayMs: 120, textCount: Number.POSITIVE_INFINITY, cacheMb: 8 }),
  },
  {
    fault: "starved_cache",
    about: "a cache of embeddings that holds a tenth of the texts that come again and again",
    plant: () => remoteEmbedding({ delayMs: 40, textCount: 3000, cacheMb: 1 }),
  },
  {
    fault: "low_ef",
    about: "ef 8",
    isCheap: true,
    plant: () => ({ ...HEALTHY(), settings: { ...ORDINARY, "index.ef_search": 8 } }),
  },
  {
    fault: "high_ef",
    about: "ef 4096",
    plant: () => ({
      ...HEALTHY(),
      settings: { ...ORDINARY, "index.ef_search": 4096 },
      callers: ({ client }) => times(2, (i) => paced(40, recalling(client, { seed: i }))),
    }),
  },
  {
    fault: "slow_disk",
    about: "a disk that syncs in 120 ms",
    isCheap: true,
    skipped: NO_SLOW_SYNC,
    plant: (directory) => {
      const whileFile = join(directory, "slow");
      return {
        settings: ORDINARY,
        environment: {
          LD_PRELOAD: buildSlowSync(directory),
          ENGRAM_TEST_SLOW_WHILE: whileFile,
          ENGRAM_TEST_SLOW_MS: "120",
        },
        prepare: async (appliance) => {
          await fill(appliance);
          writeFileSync(whileFile, "");
        },
        callers: ({ client }) => [
          ...times(4, () => paced(10, remembering(client))),
          paced(50, recalling(client, { seed: 1 })),
        ],
      };
    },
  },
  {
    fault: "saturated_worker",
    about: "six connections that one of two workers has to serve, and none for the other",
    plant: () => {
      const connections: RawClient[] = [];
      return {
        settings: ORDINARY,
        prepare: async (appliance) => {
          await fill(appliance);
          connections.push(...(await connectionsOfOneWorker(appliance, 6)));
        },
        callers: () => {
          const random = new Random(3);
          return connections.map((connection) => () => {
            const words = times(40, () => random.below(MEMORIES)).join(" ");
            const body = { query: `note ${words}`, limit: 30 };
            return connection.request("POST", "/api/v1/memories/recall", body);
          });
        },
        stop: async () => {
          for (const each of connections) each.close();
        },
      };
    },
  },
  {
    fault: "tail_flood",
    about: "memories that come in faster than one indexer takes them in",
    plant: () => ({
      settings: { ...ORDINARY, "embedding.dimensions": 512, "index.ef_construction": 1024, "index.M": 64 },
      prepare: () => Promise.resolve(),
      callers: ({ client }) => [
        ...times(3, (i) => {
          const random = new Random(i);
          return () =>
            client.rememberBatch(
              Array.from({ length: 100 }, () => ({
                content: "a note",
                embedding: randomVector(random, 512),
                ack: "memory" as const,
              })),
            );
        }),
        paced(100, () => client.recall({ embedding: randomVector(new Random(9), 512), mode: "vector" })),
      ],
    }),
  },
  {
    fault: "no_huge_pages",
    about: "memory on small pages",
    plant: () => ({
      ...HEALTHY(),
      settings: { ...ORDINARY, "memory.huge_pages": "off" },
      prepare: async (appliance) => {
        await fill(appliance);
        await fillContents(appliance);
      },
    }),
  },
  {
    fault: "noisy_tenant",
    about: "one space of five that is asked for all the time",
    plant: () => ({
      settings: { ...ORDINARY, "thread_pools.api_workers": 1 },
      prepare: async (appliance) => {
        await fill(appliance, "noisy");
        for (const space of QUIET_SPACES) await fill(appliance, space, BATCH);
      },
      callers: ({ client }) => [
        ...times(6, (i) => recalling(client, { seed: i, space: "noisy", limit: 50 })),
        ...QUIET_SPACES.map((space, i) => paced(250, recalling(client, { seed: i, space }))),
      ],
    }),
  },
];

const QUIET_SPACES = ["quiet-1", "quiet-2", "quiet-3", "quiet-4"];

function remoteEmbedding(of: {
  readonly delayMs: number;
  readonly textCount: number;
  readonly cacheMb: number;
}): Planted {
  const dimensions = 768;
  const server = new FakeEmbeddingServer();
  let isSlow = false;
  server.always = async ({ input, encoding_format }) => {
    if (isSlow) await Bun.sleep(of.delayMs);
    return answer(
      input.map((text, index) => ({
        index,
        embedding: encoded(vectorOf(text, dimensions), encoding_format),
      })),
    );
  };
  const comesAgain = Number.isFinite(of.textCount);
  let asked = 0;
  return {
    settings: {
      ...ORDINARY,
      "embedding.provider": "openai",
      "embedding.dimensions": dimensions,
      "embedding.cache_mb": of.cacheMb,
      "embedding.openai.url": server.url,
      "embedding.openai.model": "fake",
    },
    prepare: async ({ client }) => {
      answered(await client.remember({ content: "green apples" }));
      // The cache is as full as it will be.
      if (comesAgain) await together(16, of.textCount, (i) => client.recall({ query: `apples ${i}` }));
      isSlow = true;
    },
    callers: ({ client }) =>
      times(8, () => () => {
        asked += 1;
        return client.recall({
          query: `apples ${comesAgain ? asked % of.textCount : asked}`,
        });
      }),
    stop: () => server.stop(),
  };
}

/** Runs every caller again and again, beside `measure`. */
export async function underLoad<T>(
  callers: readonly (() => Promise<unknown>)[],
  measure: () => Promise<T>,
): Promise<T> {
  let isOver = false;
  const running = callers.map(async (call) => {
    while (!isOver) await call();
  });
  try {
    return await measure();
  } finally {
    isOver = true;
    await Promise.allSettled(running);
  }
}

type Client = ApplianceProcess["client"];

function recalling(
  client: Client,
  { seed, space, limit }: { readonly seed: number; readonly space?: string; readonly limit?: number },
): () => Promise<unknown> {
  const random = new Random(100 + seed);
  return () => client.recall({ embedding: randomVector(random, DIMENSIONS), mode: "vector", limit }, space);
}

function remembering(client: Client): () => Promise<unknown> {
  return () => client.remember({ content: "Ada keeps bees" });
}

function paced(ms: number, call: () => Promise<unknown>): () => Promise<unknown> {
  return async () => {
    await call();
    await Bun.sleep(ms);
  };
}

async function fill({ client }: ApplianceProcess, space?: string, count = MEMORIES): Promise<void> {
  const random = new Random(7);
  for (let at = 0; at < count; at += BATCH) {
    const memories = Array.from({ length: BATCH }, (_, i) => ({
      content: `note ${at + i}`,
      embedding: randomVector(random, DIMENSIONS),
      ack: "memory" as const,
    }));
    answered(await client.rememberBatch(memories, {}, space));
  }
  await eventually(
    "all is in the graph",
    async () => (await client.spaces()).every(({ tail }) => tail < 1024),
    {
      withinMs: 60_000,
      everyMs: 200,
    },
  );
}

/** 100 MB of contents without a word. */
async function fillContents({ client }: ApplianceProcess): Promise<void> {
  const content = ".".repeat(200_000);
  const random = new Random(11);
  for (let at = 0; at < 500; at += 20) {
    const memories = Array.from({ length: 20 }, () => ({
      content,
      embedding: randomVector(random, DIMENSIONS),
      ack: "memory" as const,
    }));
    answered(await client.rememberBatch(memories));
  }
}

/** Connections that the kernel gave to one and the same API worker: seen by which one works when they are used. */
async function connectionsOfOneWorker(appliance: ApplianceProcess, count: number): Promise<RawClient[]> {
  const found: RawClient[] = [];
  for (let tries = 0; found.length < count && tries < 60; tries++) {
    const connection = await RawClient.connect(appliance.url);
    const before = workerTimes(appliance.pid);
    for (let i = 0; i < 20; i++) {
      await connection.request("POST", "/api/v1/memories/recall", { query: `note ${i}` });
    }
    const after = workerTimes(appliance.pid);
    const grown = [...after].map(([name, ns]) => [name, ns - (before.get(name) ?? ns)] as const);
    const [busiest] = grown.sort((a, b) => b[1] - a[1]);
    if (busiest?.[0] === "api-0") found.push(connection);
    else connection.close();
  }
  if (found.length < count) throw new Error(`only ${found.length} connections came to api-0`);
  return found;
}

/** Time on a core in ns, by API worker. */
function workerTimes(processId: number): Map<string, number> {
  const tasks = `/proc/${processId}/task`;
  return new Map(
    readdirSync(tasks).flatMap((task): [string, number][] => {
      const name = readFileSync(join(tasks, task, "comm"), "utf8").trim();
      if (!name.startsWith("api-")) return [];
      return [[name, Number(readFileSync(join(tasks, task, "schedstat"), "utf8").split(" ")[0])]];
    }),
  );
}

/** `count` calls, `width` of them at once. */
async function together(width: number, count: number, call: (i: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  await Promise.all(
    times(width, async () => {
      while (next < count) await call(next++);
    }),
  );
}

function times<T>(count: number, make: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

function randomVector(random: Random, dimensions: number): Float32Array {
  return Float32Array.from({ length: dimensions }, () => random.float() - 0.5);
}
