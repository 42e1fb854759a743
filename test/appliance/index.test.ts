/**
 * The vector index of the whole appliance: after a bulk load every vector finds itself, through the graph; while
 * the index is built anew, reading and writing go on; after a restart the graph is there, and not built again.
 */
import { expect, test } from "bun:test";
import { Random } from "../../src/base/random.ts";
import { type ApplianceClient, answered } from "../support/appliance-client.ts";
import {
  ApplianceProcess,
  eventually,
  LONG,
  PROGRAM,
  ScratchDirectory,
} from "../support/appliance-process.ts";
import { gaussians } from "./made-memory.ts";

const VECTORS = LONG ? 20_000 : 3_000;
const DIMENSIONS = 768;
const BATCH = 250;
const SPACE = "bulk";
const SEARCHERS = 8;
/** Vectors searched for themselves; all of them once, a part of them at the other times. */
const SAMPLE = LONG ? 5_000 : 500;
/** Stores new vectors, and has them looked for from then on. */
type Store = (client: ApplianceClient, count: number) => Promise<void>;
const REBUILT = { M: 32, efConstruction: 400 };

/** Concepts are indexed like memories, and these tests count what is indexed. */
const NO_CONCEPTS = { "consolidation.enabled": false };

test(
  `the index finds each of ${VECTORS} vectors by itself, after loading, rebuilding and restarting`,
  async () => {
    using directory = new ScratchDirectory("index");
    const start = { data: directory.data, settings: { ...NO_CONCEPTS, "thread_pools.api_workers": 2 } };
    const vectors = new Map<string, Float32Array>();
    const random = new Random(20260401);
    let idCount = 0;
    /** vectors, and the places that forgotten ones took */
    let slots = 0;
    // Those that are looked for are those acknowledged.
    const store: Store = async (client, count) => {
      const made = Array.from({ length: count }, () => {
        const id = `v${idCount++}`;
        return { id, content: id, embedding: gaussians(random, DIMENSIONS) };
      });
      expect(answered(await client.rememberBatch(made, {}, SPACE)).failed).toBe(0);
      for (const { id, embedding } of made) vectors.set(id, embedding);
    };

    {
      await using appliance = await ApplianceProcess.start(start);
      const { client } = appliance;
      answered(await client.createSpace({ name: SPACE, dimensions: DIMENSIONS, embedder: "none" }));
      for (let stored = 0; stored < VECTORS; stored += BATCH) {
        await store(client, Math.min(BATCH, VECTORS - stored));
      }
      // From the tail, from the graph, and from both.
      expect(await strangers(client, vectors, SAMPLE, random)).toEqual([]);
      await indexed(client, vectors.size);
      expect(await strangers(client, vectors, vectors.size, random)).toEqual([]);
      expect(await appliance.stop()).toBe(0);
    }
    {
      await using appliance = await ApplianceProcess.start(start);
      const { client } = appliance;
      expect(answered(await client.index(SPACE))).toMatchObject({ indexed: vectors.size, tail: 0, M: 16 });
      expect(await strangers(client, vectors, SAMPLE, random)).toEqual([]);

      await rebuildWhileServing(appliance, vectors, store, random);
      slots = answered(await client.index(SPACE)).indexed;
      expect(await strangers(client, vectors, vectors.size, random)).toEqual([]);
      expect(await appliance.stop()).toBe(0);
    }
    {
      await using appliance = await ApplianceProcess.start(start);
      const { client } = appliance;
      const whole = { indexed: slots, tail: 0, M: REBUILT.M, ef_construction: REBUILT.efConstruction };
      expect(answered(await client.index(SPACE))).toMatchObject(whole);
      expect(await strangers(client, vectors, SAMPLE, random)).toEqual([]);
    }
  },
  LONG ? 1_800_000 : 180_000,
);

test("a rebuilt index outlives a restart, though nothing was written since the last checkpoint", async () => {
  using directory = new ScratchDirectory("rebuilt");
  const start = { data: directory.data, settings: { ...NO_CONCEPTS, "thread_pools.api_workers": 1 } };
  const random = new Random(20260402);
  const count = 1500;
  const dimensions = 16;
  const memories = Array.from({ length: count }, (_, i) => ({
    id: `v${i}`,
    content: "x",
    embedding: gaussians(random, dimensions),
  }));
  {
    await using appliance = await ApplianceProcess.start(start);
    const { client } = appliance;
    answered(await client.createSpace({ name: SPACE, dimensions, embedder: "none" }));
    for (let at = 0; at < count; at += 500)
      answered(await client.rememberBatch(memories.slice(at, at + 500), {}, SPACE));
    await indexed(client, count);
    expect(await appliance.stop()).toBe(0);
  }
  {
    await using appliance = await ApplianceProcess.start(start);
    const { client } = appliance;
    answered(await client.rebuildIndex({ M: 24, ef_construction: 200 }, SPACE));
    await rebuilt(client);
    expect(await appliance.stop()).toBe(0);
  }
  await using appliance = await ApplianceProcess.start(start);
  const index = answered(await appliance.client.index(SPACE));
  expect(index).toMatchObject({ indexed: count, tail: 0, M: 24, ef_construction: 200 });
}, 60_000);

/** Rebuilds through the command, while vectors are stored, forgotten and searched for. */
async function rebuildWhileServing(
  appliance: ApplianceProcess,
  vectors: Map<string, Float32Array>,
  store: Store,
  random: Random,
): Promise<void> {
  const { client } = appliance;
  const command = Bun.spawn(
    [
      ...PROGRAM,
      ...["index", "rebuild", "--space", SPACE, "--url", appliance.url, "--json"],
      ...["--M", String(REBUILT.M), "--ef-construction", String(REBUILT.efConstruction)],
    ],
    { stdout: "pipe", stderr: "inherit" },
  );
  expect(await command.exited).toBe(0);
  const asked = JSON.parse(await new Response(command.stdout).text());
  expect(asked.rebuild).toMatchObject({ M: REBUILT.M, ef_construction: REBUILT.efConstruction });

  let isRebuilding = true;
  let turns = 0;
  const write = async (): Promise<void> => {
    while (isRebuilding) {
      await store(client, 5);
      answered(
        await client.remember(
          { id: "passing", content: "x", embedding: gaussians(random, DIMENSIONS) },
          SPACE,
        ),
      );
      answered(await client.forget("passing", "fsync", SPACE));
      await Bun.sleep(20);
    }
  };
  const read = async (): Promise<void> => {
    while (isRebuilding) {
      expect(await strangers(client, new Map(vectors), 20, random)).toEqual([]);
      turns += 1;
    }
  };
  const serving = Promise.all([write(), read()]);
  await rebuilt(client);
  isRebuilding = false;
  await serving;
  expect(turns).toBeGreaterThan(0);
  // Every "passing" took a slot, too.
  await indexed(client);
}

async function indexed(client: ApplianceClient, count?: number): Promise<void> {
  await eventually(
    "every vector is in the graph",
    async () => {
      const info = answered(await client.space(SPACE));
      return info.tail === 0 && (count === undefined || info.indexed === count);
    },
    { withinMs: 600_000, everyMs: 50 },
  );
}

async function rebuilt(client: ApplianceClient): Promise<void> {
  const isDone = async () => answered(await client.index(SPACE)).rebuild === undefined;
  await eventually("the index is rebuilt", isDone, { withinMs: 600_000, everyMs: 50 });
}

/** Those of `count` vectors that do not find themselves first. */
async function strangers(
  client: ApplianceClient,
  vectors: ReadonlyMap<string, Float32Array>,
  count: number,
  random: Random,
): Promise<string[]> {
  const entries = [...vectors];
  const lost: string[] = [];
  let searched = 0;
  const search = async (): Promise<void> => {
    while (searched < count) {
      const at = count >= entries.length ? searched : random.below(entries.length);
      searched += 1;
      const [id, embedding] = entries[at]!;
      const { memories } = answered(await client.recall({ embedding, mode: "vector", limit: 1 }, SPACE));
      if (memories[0]?.id !== id) lost.push(`${id} finds ${memories[0]?.id} (${memories[0]?.score})`);
    }
  };
  await Promise.all(Array.from({ length: SEARCHERS }, search));
  return lost.slice(0, 5);
}
