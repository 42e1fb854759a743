/** Concepts, as a client sees them: they form, are found, cite, follow what is forgotten, and survive a restart. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { Random } from "../../src/base/random.ts";
import { ApplianceProcess, eventually, ScratchDirectory } from "../support/appliance-process.ts";

setDefaultTimeout(120_000);

const DIMENSIONS = 32;
const SPACE = "topics";
const HEADERS = { "content-type": "application/json", "x-memory-space": SPACE };
const TOPICS = ["guitar", "garden", "sailing", "pottery", "weaving"];
/** Nothing by itself: tests ask for each run. */
const SETTINGS = { "consolidation.enabled": false, "thread_pools.api_workers": 1 };

// biome-ignore lint/suspicious/noExplicitAny: replies of every shape
type Json = any;

async function call(
  appliance: ApplianceProcess,
  method: string,
  path: string,
  body?: unknown,
): Promise<Json> {
  const response = await fetch(appliance.url + path, {
    method,
    headers: HEADERS,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const json = await response.json();
  expect(response.status, JSON.stringify(json)).toBeLessThan(300);
  return json;
}

/** A direction of its own for each topic, and a little of one for each memory. */
function embedding(topic: number, member: number, lean = 0.35): number[] {
  const random = new Random(1000 * topic + member);
  const own = Array.from({ length: DIMENSIONS }, () => random.gaussian() / Math.sqrt(DIMENSIONS));
  return own.map((value, d) => lean * value + (d === topic ? 1 : 0));
}

function memories(topics: readonly number[], from: number, to: number, timestamp?: number) {
  return topics.flatMap((topic) =>
    Array.from({ length: to - from }, (_, i) => ({
      id: `${TOPICS[topic]}-${from + i}`,
      content: `My ${TOPICS[topic]} lesson number ${from + i} was good. Then day ${topic}-${from + i} was over.`,
      embedding: embedding(topic, from + i),
      ...(timestamp === undefined ? {} : { timestamp }),
    })),
  );
}

async function makeSpace(appliance: ApplianceProcess): Promise<void> {
  await call(appliance, "POST", "/api/v1/spaces", { name: SPACE, dimensions: DIMENSIONS, embedder: "none" });
}

const consolidate = (appliance: ApplianceProcess): Promise<Json> =>
  call(appliance, "POST", "/api/v1/consolidate", { wait_ms: 20_000 });
const conceptsOf = async (appliance: ApplianceProcess): Promise<Json[]> =>
  (await call(appliance, "GET", "/api/v1/concepts?members=100")).concepts;
const topicOf = (id: string): string => id.split("-")[0]!;

test("episodes of one kind become a concept that cites them, and grows", async () => {
  using directory = new ScratchDirectory("concepts");
  await using appliance = await ApplianceProcess.start({ data: directory.data, settings: SETTINGS });
  await makeSpace(appliance);
  await call(appliance, "POST", "/api/v1/memories/remember/batch", {
    memories: memories([0, 1, 2, 3], 0, 6),
  });
  const before = await call(appliance, "GET", `/api/v1/spaces/${SPACE}`);
  expect(before).toMatchObject({ memories: 24, concepts: 0, unconsolidated: 24 });

  const run = await consolidate(appliance);
  expect(run).toMatchObject({ state: "done", space: SPACE, requested: true, unconsolidated: 0 });
  expect(run.concepts.formed).toBe(4);
  expect(run.promoted.consolidating).toBe(24);
  const concepts = await conceptsOf(appliance);
  expect(concepts.map((concept) => concept.member_count)).toEqual([6, 6, 6, 6]);
  for (const concept of concepts) {
    const topics = new Set(concept.members.map(({ id }: Json) => topicOf(id)));
    expect(topics.size).toBe(1);
    const [topic] = [...topics] as string[];
    expect(concept.concept.terms).toContain(topic!);
    expect(concept.gist).toContain(`My ${topic} lesson number`);
    expect(concept.gist).toEndWith("was good.");
    expect(concept.coherence).toBeGreaterThan(0.85);
    expect(concept.members[0].likeness).toBeGreaterThanOrEqual(concept.members.at(-1).likeness);
  }

  await call(appliance, "POST", "/api/v1/memories/remember/batch", { memories: memories([2], 6, 9) });
  const second = await consolidate(appliance);
  expect(second.concepts).toMatchObject({ formed: 0, grown: 1 });
  const sailing = (await conceptsOf(appliance)).find(({ gist }) => gist.includes("sailing"));
  expect(sailing.member_count).toBe(9);
  expect(sailing.id).toBe(concepts.find(({ gist }) => gist.includes("sailing")).id);
  // A run without anything new changes nothing.
  const third = await consolidate(appliance);
  expect({ ...third.concepts, ...third.promoted }).toEqual({
    ...{ formed: 0, grown: 0, merged: 0, split: 0, retired: 0 },
    ...{ consolidating: 0, remote: 0 },
  });
  const { consolidations } = await call(appliance, "GET", "/api/v1/consolidations");
  expect(consolidations.map(({ id }: Json) => id)).toEqual([third.id, second.id, run.id]);
  expect(await call(appliance, "GET", `/api/v1/spaces/${SPACE}`)).toMatchObject({
    memories: 27,
    concepts: 4,
    unconsolidated: 0,
  });
});

test("concepts answer a recall beside memories, and never in their place", async () => {
  using directory = new ScratchDirectory("concepts");
  await using appliance = await ApplianceProcess.start({ data: directory.data, settings: SETTINGS });
  await makeSpace(appliance);
  await call(appliance, "POST", "/api/v1/memories/remember/batch", {
    memories: memories([0, 1, 2, 3], 0, 6),
  });
  const asked = { embedding: embedding(1, 77), mode: "vector", limit: 10 };
  const without = await call(appliance, "POST", "/api/v1/memories/recall", asked);
  expect(without.concepts).toBeUndefined();
  expect(without.memory_systems).toBeUndefined();
  await consolidate(appliance);

  const recalled = await call(appliance, "POST", "/api/v1/memories/recall", asked);
  expect(recalled.memories.map(({ id }: Json) => id)).toEqual(without.memories.map(({ id }: Json) => id));
  expect(recalled.concepts[0].gist).toContain("garden");
  expect(recalled.concepts[0].members.every(({ id }: Json) => topicOf(id) === "garden")).toBe(true);
  expect(recalled.concepts[0].score).toBeGreaterThan(recalled.concepts[1].score);
  const { fast, slow } = recalled.memory_systems;
  expect(fast + slow).toBeCloseTo(1, 5);
  expect(slow).toBeGreaterThan(0);
  const none = await call(appliance, "POST", "/api/v1/memories/recall", { ...asked, concepts: 0 });
  expect(none.concepts).toBeUndefined();

  const byWords = { query: "pottery", mode: "words", limit: 3 };
  const words = await call(appliance, "POST", "/api/v1/memories/recall", byWords);
  expect(words.memories.map(({ id }: Json) => topicOf(id))).toEqual(["pottery", "pottery", "pottery"]);
  expect(words.concepts[0].gist).toContain("pottery");

  const only = await call(appliance, "POST", "/api/v1/memories/recall", { ...asked, kinds: ["concept"] });
  expect(only.memories.map(({ kind }: Json) => kind)).toEqual(new Array(4).fill("concept"));
  expect(only.memories[0].concept.terms).toContain("garden");
  const listed = await call(appliance, "GET", "/api/v1/memories?limit=100");
  expect(listed.memories.length).toBe(24);
});

test("a concept follows what is forgotten, what says something else now, and ends with its members", async () => {
  using directory = new ScratchDirectory("concepts");
  await using appliance = await ApplianceProcess.start({ data: directory.data, settings: SETTINGS });
  await makeSpace(appliance);
  await call(appliance, "POST", "/api/v1/memories/remember/batch", { memories: memories([0, 1, 2], 0, 6) });
  await consolidate(appliance);
  for (const id of ["guitar-0", "guitar-1"]) await call(appliance, "DELETE", `/api/v1/memories/${id}`);
  for (const i of [0, 1, 2, 3]) await call(appliance, "DELETE", `/api/v1/memories/garden-${i}`);
  // This one is about the garden from now on.
  await call(appliance, "POST", "/api/v1/memories/remember", {
    ...memories([1], 9, 10)[0],
    id: "sailing-5",
    if_exists: "replace",
  });
  const run = await consolidate(appliance);
  expect(run.concepts).toMatchObject({ formed: 1, retired: 1 });
  const members = (await conceptsOf(appliance)).map((concept) => {
    expect(concept.members.length).toBe(concept.member_count);
    return concept.members.map(({ id }: Json) => id).toSorted();
  });
  expect(members.toSorted()).toEqual([
    // What the garden had left is two memories, and one that came over.
    ["garden-4", "garden-5", "sailing-5"],
    ["guitar-2", "guitar-3", "guitar-4", "guitar-5"],
    ["sailing-0", "sailing-1", "sailing-2", "sailing-3", "sailing-4"],
  ]);
});

test("members of a concept become remote when they are old, and slow memory then weighs more", async () => {
  using directory = new ScratchDirectory("concepts");
  await using appliance = await ApplianceProcess.start({ data: directory.data, settings: SETTINGS });
  await makeSpace(appliance);
  const yearsAgo = Date.now() - 3 * 365 * 86_400_000;
  await call(appliance, "POST", "/api/v1/memories/remember/batch", {
    memories: [...memories([0], 0, 6, yearsAgo), ...memories([1], 0, 6)],
  });
  const run = await consolidate(appliance);
  expect(run.promoted).toEqual({ consolidating: 6, remote: 6 });
  const recall = (topic: number): Promise<Json> =>
    call(appliance, "POST", "/api/v1/memories/recall", {
      embedding: embedding(topic, 50),
      mode: "vector",
      limit: 5,
      concepts: 1,
    });
  const old = await recall(0);
  const fresh = await recall(1);
  expect(old.memory_systems.slow).toBeGreaterThan(fresh.memory_systems.slow + 0.3);
  // The lanes are summed once a second.
  await eventually("the run and both recalls in the metrics", async () => {
    const metrics = await (await fetch(`${appliance.url}/metrics`)).text();
    return [
      /^engram_memories_by_phase\{phase="remote"\} 6$/m,
      /^engram_concepts\{space_class="small"\} 2$/m,
      /^engram_consolidation_promotions_total\{phase="consolidating"\} 6$/m,
      /^engram_consolidation_promotions_total\{phase="remote"\} 6$/m,
      /^engram_concept_coherence 0\.\d+$/m,
      /^engram_recall_memory_system_weight_count\{system="slow"\} 2$/m,
    ].every((line) => line.test(metrics));
  });
});

test("consolidation goes on by itself, and concepts and progress survive kill -9 and a checkpoint", async () => {
  using directory = new ScratchDirectory("concepts");
  const settings = { "consolidation.delay_s": 0.2, "consolidation.rest_s": 0.5, "checkpoint.interval_s": 1 };
  let kept: Json[] = [];
  {
    await using appliance = await ApplianceProcess.start({ data: directory.data, settings });
    await makeSpace(appliance);
    await call(appliance, "POST", "/api/v1/memories/remember/batch", {
      memories: memories([0, 1, 2, 3], 0, 8),
    });
    await eventually("four concepts", async () => (await conceptsOf(appliance)).length === 4);
    await appliance.says(/checkpoint of stream/);
    await call(appliance, "POST", "/api/v1/memories/remember/batch", { memories: memories([0], 8, 12) });
    await eventually("one has grown", async () =>
      (await conceptsOf(appliance)).some((concept) => concept.member_count === 12),
    );
    kept = await conceptsOf(appliance);
    // What is read may be ahead of the log by a few milliseconds: a write acknowledged after it lies behind it there.
    const [single] = memories([4], 0, 1);
    await call(appliance, "POST", "/api/v1/memories/remember", { ...single, ack: "fsync" });
    await appliance.kill();
  }
  await using appliance = await ApplianceProcess.start({ data: directory.data, settings: SETTINGS });
  expect(await conceptsOf(appliance)).toEqual(kept);
  const run = await consolidate(appliance);
  expect(run.concepts).toEqual({ formed: 0, grown: 0, merged: 0, split: 0, retired: 0 });
});
