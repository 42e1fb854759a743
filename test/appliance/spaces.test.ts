/** Memory spaces know nothing of each other: same ids, limits, deletion; and a mismatch is refused with both named. */
import { expect, test } from "bun:test";
import { answered } from "../support/appliance-client.ts";
import { ApplianceProcess, ScratchDirectory } from "../support/appliance-process.ts";
import { asInput, differenceOf, makeMemory } from "./made-memory.ts";

const WORKERS = { "thread_pools.api_workers": 2 };

test("spaces hold the same ids without touching each other, through deletion and a restart", async () => {
  using directory = new ScratchDirectory("isolation");
  const start = { data: directory.data, settings: WORKERS };
  const ids = Array.from({ length: 20 }, (_, i) => `m${i}`);
  const made = (space: string, id: string, version: number) => makeMemory(space, id, version, 16);
  {
    await using appliance = await ApplianceProcess.start(start);
    const { client } = appliance;
    for (const name of ["north", "south"]) {
      answered(await client.createSpace({ name, dimensions: 16, embedder: "none" }));
      const batch = ids.map((id) => asInput(made(name, id, 1)));
      expect(answered(await client.rememberBatch(batch, {}, name)).stored).toBe(ids.length);
    }
    // What one does is not seen in the other.
    answered(await client.remember({ ...asInput(made("north", "m3", 2)), if_exists: "replace" }, "north"));
    answered(await client.forget("m4", "fsync", "north"));
    expect((await client.get("m4", "north")).status).toBe(404);
    expect(differenceOf(made("south", "m3", 1), answered(await client.get("m3", "south")))).toBeUndefined();
    expect(differenceOf(made("south", "m4", 1), answered(await client.get("m4", "south")))).toBeUndefined();
    const { word, embedding } = made("south", "m7", 1);
    const elsewhere = answered(await client.recall({ query: word, mode: "words" }, "north"));
    expect(elsewhere.memories).toEqual([]);
    const nearest = answered(await client.recall({ embedding, mode: "vector", limit: 20 }, "north"));
    expect(nearest.memories.every(({ score }) => score < 0.999)).toBe(true);

    // Deleted and made again, a space is empty, whatever readers of the old one kept.
    answered(await client.deleteSpace("north"));
    expect(await client.get("m3", "north")).toMatchObject({ status: 404, body: { code: "space-not-found" } });
    answered(await client.createSpace({ name: "north", dimensions: 16, embedder: "none" }));
    for (let turn = 0; turn < 4; turn++) {
      expect(await client.listAll("north")).toEqual([]);
      expect(await client.get("m3", "north")).toMatchObject({
        status: 404,
        body: { code: "memory-not-found" },
      });
      const old = made("north", "m3", 2);
      expect(answered(await client.recall({ query: old.word, mode: "words" }, "north")).memories).toEqual([]);
    }
    answered(await client.remember(asInput(made("north", "m3", 3)), "north"));
    await appliance.kill();
  }
  await using appliance = await ApplianceProcess.start(start);
  const { client } = appliance;
  expect(differenceOf(made("north", "m3", 3), answered(await client.get("m3", "north")))).toBeUndefined();
  expect(await client.listAll("north")).toHaveLength(1);
  const south = await client.listAll("south");
  expect(south.map(({ id }) => id)).toEqual(ids);
  for (const memory of south) expect(differenceOf(made("south", memory.id, 1), memory)).toBeUndefined();
}, 60_000);

test("limits count for each space, and for the number of spaces", async () => {
  using directory = new ScratchDirectory("limits");
  await using appliance = await ApplianceProcess.start({
    data: directory.data,
    settings: { ...WORKERS, "spaces.max": 2, "spaces.max_memories": 5 },
  });
  const { client } = appliance;
  const texts = Array.from({ length: 8 }, (_, i) => ({ id: `m${i}`, content: `text ${i}` }));
  const { results, stored } = answered(await client.rememberBatch(texts, {}, "one"));
  expect(stored).toBe(5);
  expect(results.slice(5).map((each) => ("error" in each ? each.error.code : each.status))).toEqual(
    new Array(3).fill("space-full"),
  );
  expect(await client.remember({ content: "another" }, "one")).toMatchObject({
    status: 507,
    body: { code: "space-full" },
  });
  expect(answered(await client.rememberBatch(texts.slice(0, 5), {}, "two")).stored).toBe(5);
  expect(await client.remember({ content: "a third space" }, "three")).toMatchObject({
    status: 409,
    body: { code: "space-limit-reached" },
  });
  // Room comes back with what is forgotten and deleted.
  answered(await client.forget("m0", "fsync", "one"));
  answered(await client.remember({ content: "another" }, "one"));
  answered(await client.deleteSpace("two"));
  answered(await client.remember({ content: "a third space" }, "three"));
}, 30_000);

test("a mismatch of dimensions or embedder is refused with both named", async () => {
  using directory = new ScratchDirectory("mismatch");
  const start = { data: directory.data, settings: WORKERS };
  {
    await using appliance = await ApplianceProcess.start(start);
    const { client } = appliance;
    answered(await client.createSpace({ name: "small", dimensions: 16, embedder: "none" }));
    const wrong = new Float32Array(17).fill(1);
    for (const reply of [
      await client.remember({ content: "x", embedding: wrong }, "small"),
      await client.recall({ embedding: wrong, mode: "vector" }, "small"),
    ]) {
      expect(reply).toMatchObject({ status: 422, body: { code: "dimensions-mismatch" } });
      expect(JSON.stringify(reply.body)).toMatch(/17.*16|16.*17/);
    }
    expect(await client.remember({ content: "text alone" }, "small")).toMatchObject({
      status: 422,
      body: { code: "embedding-required" },
    });
    expect(await client.createSpace({ name: "odd", dimensions: 17 })).toMatchObject({
      status: 422,
      body: { code: "dimensions-mismatch" },
    });
    const foreign = await client.createSpace({ name: "odd", embedder: "openai/other" });
    expect(foreign).toMatchObject({ status: 422, body: { code: "embedder-mismatch" } });
    expect(JSON.stringify(foreign.body)).toMatch(/hash\/\d+/);
    expect(JSON.stringify(foreign.body)).toContain("openai/other");
    answered(await client.remember({ id: "a", content: "the first words" }, "hashed"));
    expect(await appliance.stop()).toBe(0);
  }
  const openai = { "embedding.provider": "openai", "embedding.openai.url": "http://127.0.0.1:9" };
  await using appliance = await ApplianceProcess.start({
    ...start,
    settings: { ...WORKERS, ...openai, "embedding.openai.model": "newer" },
  });
  const { client } = appliance;
  for (const reply of [
    await client.remember({ content: "more words" }, "hashed"),
    await client.recall({ query: "words", mode: "vector" }, "hashed"),
  ]) {
    expect(reply).toMatchObject({ status: 422, body: { code: "embedder-mismatch" } });
    expect(JSON.stringify(reply.body)).toMatch(/hash\/\d+/);
    expect(JSON.stringify(reply.body)).toContain("openai/newer");
  }
  // Words need no embedder.
  const found = answered(await client.recall({ query: "words", mode: "words" }, "hashed"));
  expect(found.memories.map(({ id }) => id)).toEqual(["a"]);
}, 30_000);

test("with auto_create off a write does not make its space", async () => {
  using directory = new ScratchDirectory("auto-create");
  await using appliance = await ApplianceProcess.start({
    data: directory.data,
    settings: { ...WORKERS, "spaces.auto_create": false },
  });
  const { client } = appliance;
  expect(await client.remember({ content: "x" }, "mistyped")).toMatchObject({
    status: 404,
    body: { code: "space-not-found" },
  });
  expect(await client.spaces()).toEqual([]);
  answered(await client.createSpace({ name: "mistyped" }));
  expect(answered(await client.remember({ content: "x" }, "mistyped"))).toMatchObject({ space: "mistyped" });
}, 30_000);
