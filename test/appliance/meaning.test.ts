/**
 * What a space learns of its words from its own text: a word is found by another that means the same, only where
 * that was learned and is used; and it is kept, repaired and given up with its space.
 */
import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ApplianceClient, answered, type RecallReply } from "../support/appliance-client.ts";
import { ApplianceProcess, eventually, ScratchDirectory } from "../support/appliance-process.ts";
import { synonymTexts } from "../support/synonym-texts.ts";

const TEXTS = 600;
const SETTINGS = { "thread_pools.api_workers": 1, "meaning.rest_s": 0 };

async function store(client: ApplianceClient, space?: string): Promise<void> {
  const reply = answered(await client.rememberBatch(synonymTexts(TEXTS), { ack: "fsync" }, space));
  expect(reply.failed).toBe(0);
}

async function learned(client: ApplianceClient, space = "default", version = 1) {
  await eventually(`version ${version} is learned`, async () => {
    const { meaning } = answered(await client.space(space));
    return meaning !== undefined && meaning.version >= version && meaning.covered >= TEXTS;
  });
  return answered(await client.space(space)).meaning!;
}

/** Of what was found for "doctor": the first ten that do not say it, and how many of them say "physician". */
async function foundForDoctor(client: ApplianceClient): Promise<{ reply: RecallReply; physicians: number }> {
  // Activation would bring the context of what says "doctor", with meaning or without.
  const asked = { query: "doctor", limit: 100, explain: true, activation_hops: 0 };
  const reply = answered(await client.recall(asked));
  const others = reply.memories.filter(({ content }) => !content.includes("doctor")).slice(0, 10);
  return { reply, physicians: others.filter(({ content }) => content.includes("physician")).length };
}

test("a word is recalled by another that means the same once that was learned, and not where it is switched off", async () => {
  using directory = new ScratchDirectory("meaning");
  {
    await using appliance = await ApplianceProcess.start({
      data: directory.data,
      settings: { ...SETTINGS, "meaning.enabled": false },
    });
    const { client } = appliance;
    await store(client);
    const { reply, physicians } = await foundForDoctor(client);
    expect(physicians).toBeLessThan(6);
    expect(reply.memories[0]!.why!.meaning).toBeUndefined();
    expect(reply.memories[0]!.why!.fusion!.meaning_weight).toBe(0);
    expect(answered(await client.space("default")).meaning).toBeUndefined();
    expect(await appliance.stop()).toBe(0);
  }
  await using appliance = await ApplianceProcess.start({ data: directory.data, settings: SETTINGS });
  const { client } = appliance;
  const meaning = await learned(client);
  expect(meaning).toMatchObject({ version: 1, learned_from: TEXTS });
  expect(meaning.terms).toBeGreaterThan(60);
  expect(meaning.context).toBeGreaterThan(0.5);

  const { reply, physicians } = await foundForDoctor(client);
  expect(physicians).toBeGreaterThan(8);
  const physician = reply.memories.find(({ content }) => content.includes("physician"))!;
  expect(physician.why!.meaning!.similarity).toBeGreaterThan(0.5);
  expect(physician.why!.words!.terms).toEqual([]);
  const { fusion } = physician.why!;
  expect(fusion!.meaning_weight).toBeGreaterThan(0.4);
  expect(fusion!.meaning_weight + fusion!.words_weight + fusion!.vector_weight).toBeCloseTo(1, 9);

  // What is stored after the learning has its meaning from the words it is made of, at once.
  answered(await client.remember({ id: "late", content: "physician nurse clinic surgery" }));
  const late = answered(await client.recall({ query: "doctor", limit: 100, activation_hops: 0 }));
  expect(late.memories.map(({ id }) => id)).toContain("late");

  // Asked not to, a recall leaves it out, though it is there.
  const without = answered(await client.recall({ query: "doctor", explain: true, meaning: false }));
  expect(without.memories[0]!.why!.fusion!.meaning_weight).toBe(0);

  // By words alone, meaning has no say.
  const words = answered(await client.recall({ query: "doctor", limit: 50, mode: "words" }));
  expect(words.memories.every(({ content }) => content.includes("doctor"))).toBe(true);
}, 60_000);

test("filters hold for what is found by its meaning", async () => {
  using directory = new ScratchDirectory("meaning");
  await using appliance = await ApplianceProcess.start({ data: directory.data, settings: SETTINGS });
  const { client } = appliance;
  await store(client);
  answered(await client.remember({ id: "tagged", content: "attorney witness verdict", tags: ["law"] }));
  await learned(client);
  const found = answered(await client.recall({ query: "lawyer trial", limit: 20, tags: ["law"] }));
  expect(found.memories.map(({ id }) => id)).toEqual(["tagged"]);
}, 60_000);

test("what was learned outlives a restart, a damaged file is learned anew, and a deleted space leaves none", async () => {
  using directory = new ScratchDirectory("meaning");
  const files = (): string[] => {
    const path = join(directory.data, "meaning");
    return existsSync(path) ? readdirSync(path) : [];
  };
  const start = { data: directory.data, settings: SETTINGS };
  let learnedAt: string;
  {
    await using appliance = await ApplianceProcess.start(start);
    await store(appliance.client);
    learnedAt = (await learned(appliance.client)).learned_at;
    await eventually("the file is there", () => files().length === 1);
    await appliance.kill();
  }
  {
    await using appliance = await ApplianceProcess.start(start);
    const { version, learned_at } = await learned(appliance.client);
    expect({ version, learned_at }).toEqual({ version: 1, learned_at: learnedAt });
    expect((await foundForDoctor(appliance.client)).physicians).toBeGreaterThan(8);
    await appliance.kill();
  }
  const file = join(directory.data, "meaning", files()[0]!);
  const bytes = readFileSync(file);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(file, bytes);
  await using appliance = await ApplianceProcess.start(start);
  const { client } = appliance;
  const anew = await learned(client);
  expect(Date.parse(anew.learned_at)).toBeGreaterThan(Date.parse(learnedAt));
  expect((await foundForDoctor(client)).physicians).toBeGreaterThan(8);
  expect(appliance.stderr).toContain("it is learned anew");

  await client.deleteSpace("default");
  await eventually("the file is gone", () => files().length === 0);
}, 90_000);

test("a space learns anew once it has grown, and its figures are among the metrics", async () => {
  using directory = new ScratchDirectory("meaning");
  await using appliance = await ApplianceProcess.start({ data: directory.data, settings: SETTINGS });
  const { client } = appliance;
  await store(client);
  expect((await learned(client)).version).toBe(1);
  const more = synonymTexts(TEXTS, 12).map(({ content }) => ({ content }));
  answered(await client.rememberBatch(more, { ack: "fsync" }));
  const again = await learned(client, "default", 2);
  expect(again.learned_from).toBe(2 * TEXTS);
  await eventually("the metrics say so", async () => {
    const metrics = await (await fetch(`${client.url}/metrics`)).text();
    const value = (name: string): number =>
      Number(new RegExp(`^${name}(?:{[^}]*})? (\\S+)$`, "m").exec(metrics)?.[1]);
    return (
      value("engram_meaning_spaces") === 1 &&
      value("engram_meaning_terms") === again.terms &&
      value("engram_meaning_memories") >= 2 * TEXTS &&
      value("engram_meaning_bytes") > 0 &&
      value("engram_meaning_learning_duration_seconds_count") >= 2
    );
  });
}, 60_000);

test("a space whose callers bring their embeddings learns nothing", async () => {
  using directory = new ScratchDirectory("meaning");
  await using appliance = await ApplianceProcess.start({ data: directory.data, settings: SETTINGS });
  const { client } = appliance;
  answered(await client.createSpace({ name: "brought", dimensions: 4, embedder: "none" }));
  const memories = synonymTexts(TEXTS).map(({ content }, i) => ({
    content,
    embedding: Float32Array.of(1, i % 5, i % 7, i % 3),
  }));
  answered(await client.rememberBatch(memories, { ack: "fsync" }, "brought"));
  await store(client);
  // By the time that the other space has learned, this one would have, too.
  await learned(client);
  expect(answered(await client.space("brought")).meaning).toBeUndefined();
}, 60_000);
