/** Remembering over HTTP: single and in batches, as JSON and as NDJSON. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { batchReply, rememberedReply } from "../../src/api/remember.contract.ts";
import { ApiUnderTest, axis, base64Of } from "./api-under-test.ts";

// Nothing here waits for time; a busy machine is only slow.
setDefaultTimeout(60_000);

let api: ApiUnderTest;
beforeAll(() => {
  api = new ApiUnderTest();
});
afterAll(() => api.close());

const BATCH = "/api/v1/memories/remember/batch";

test("remember answers 201 with what its contract says, and the memory can be read", async () => {
  const given = {
    content: "Ada moved to Lisbon.",
    id: "ada/moves/1",
    embedding: axis(0),
    confidence: 0.9,
    timestamp: "2026-01-31T13:00:00+01:00",
    tags: ["ada", "places"],
    metadata: { source: "chat", turn: 17, nested: { deep: [1, "zwei", null] } },
    ack: "wal",
  };
  const reply = await api.remember(given);
  expect(reply.status).toBe(201);
  expect(rememberedReply.parse(reply.json)).toMatchObject({
    id: "ada/moves/1",
    space: "default",
    ack: "wal",
    outcome: "stored",
    embedded: true,
  });
  const memory = await api.get("/api/v1/memories/ada%2Fmoves%2F1");
  expect(memory.json).toMatchObject({
    id: given.id,
    content: given.content,
    confidence: 0.9,
    timestamp: "2026-01-31T12:00:00.000Z",
    tags: given.tags,
    metadata: given.metadata,
  });
});

test("remember fills in an id, the time, the confidence and the strongest durability", async () => {
  const before = Date.now();
  const { json } = await api.remember({ content: "plain" });
  expect(json.ack).toBe("fsync");
  expect(json.id).toMatch(/^[0-9a-f-]{36}$/);
  const memory = (await api.get(`/api/v1/memories/${json.id}`)).json;
  expect(memory.confidence).toBe(0.7);
  expect(Date.parse(memory.timestamp)).toBeGreaterThanOrEqual(before);
  expect(memory.metadata).toEqual({});
  expect(memory.tags).toEqual([]);
});

test("remember takes an embedding as numbers, base64 and base64url alike", async () => {
  const numbers = axis(3).map((component, i) => (i % 2 === 0 ? component : -component));
  const base64 = base64Of(numbers);
  const url = base64.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  for (const [id, embedding] of Object.entries({ numbers, base64, url })) {
    expect((await api.remember({ id, content: "x", embedding }, { "X-Memory-Space": "forms" })).status).toBe(
      201,
    );
  }
  const found = await api.post(
    "/api/v1/memories/recall",
    { embedding: numbers, mode: "vector" },
    { "X-Memory-Space": "forms" },
  );
  const scores = found.json.memories.map((memory: { score: number }) => memory.score);
  expect(scores).toEqual([scores[0], scores[0], scores[0]]);
});

test("remember replaces, keeps or refuses an id that exists", async () => {
  await api.remember({ id: "twice", content: "one" });
  const refused = await api.remember({ id: "twice", content: "two" });
  expect([refused.status, refused.json.code]).toEqual([409, "memory-exists"]);
  expect((await api.remember({ id: "twice", content: "two", if_exists: "keep" })).json.outcome).toBe("kept");
  expect((await api.get("/api/v1/memories/twice")).json.content).toBe("one");
  expect((await api.remember({ id: "twice", content: "two", if_exists: "replace" })).json.outcome).toBe(
    "replaced",
  );
  expect((await api.get("/api/v1/memories/twice")).json.content).toBe("two");
});

test("remember keeps texts of every script, and refuses half of a surrogate pair", async () => {
  for (const text of [
    "naïve café",
    "記憶の装置",
    "🧠👩‍🔬",
    "line\nbreak\ttab\u0000nul",
    '"quoted\\"',
    "\u2028\ufeff",
  ]) {
    const { json } = await api.remember({ content: text, id: text, metadata: { [text]: text } });
    const memory = (await api.get(`/api/v1/memories/${encodeURIComponent(text)}`)).json;
    expect([json.id, memory.content, memory.metadata]).toEqual([text, text, { [text]: text }]);
  }
  const half = await api.remember('{"content":"\\ud83d"}');
  expect([half.status, half.json.at]).toEqual([400, "content"]);
});

test("remember puts memories into the space that X-Memory-Space names", async () => {
  await api.remember({ id: "mine", content: "x" }, { "X-Memory-Space": "agent-7" });
  expect((await api.get("/api/v1/memories/mine", { "X-Memory-Space": "agent-7" })).status).toBe(200);
  expect((await api.get("/api/v1/memories/mine")).json.code).toBe("memory-not-found");
  const wrong = await api.remember({ content: "x" }, { "X-Memory-Space": "../etc" });
  expect([wrong.status, wrong.json.at]).toEqual([400, "X-Memory-Space"]);
});

test("remember/batch answers for each memory, and stores those that can be stored", async () => {
  const reply = await api.post(BATCH, {
    memories: [
      { content: "first", id: "b1" },
      { content: "" },
      { content: "again", id: "b1" },
      { content: "short", embedding: [1, 2] },
      { content: "odd", embedding: [1, "2"] },
      { content: "last", id: "b2" },
    ],
  });
  expect(reply.status).toBe(207);
  const { results, stored, failed } = batchReply.parse(reply.json);
  expect(results.map(({ status }) => status)).toEqual([201, 400, 409, 422, 422, 201]);
  expect([stored, failed]).toEqual([2, 4]);
  expect(reply.json.results[1].error.at).toBe("memories[1].content");
  expect(reply.json.results[2].error.at).toBe("memories[2].id");
  expect(reply.json.results[3].error.code).toBe("dimensions-mismatch");
  expect(reply.json.results[4].error.at).toBe("memories[4].embedding[1]");
});

test("remember/batch answers 201 when all are stored, with the strongest durability asked for", async () => {
  const mixed = {
    memories: [
      { content: "a", ack: "memory" },
      { content: "b", ack: "wal" },
    ],
  };
  const reply = await api.post(BATCH, mixed);
  expect(reply.status).toBe(201);
  expect(reply.json.results.map(({ ack }: { ack: string }) => ack)).toEqual(["wal", "wal"]);
  const defaults = await api.post(BATCH, { ack: "memory", memories: [{ content: "c" }] });
  expect(defaults.json.results[0].ack).toBe("memory");
  const oneDefault = await api.post(BATCH, { memories: [{ content: "d", ack: "memory" }, { content: "e" }] });
  expect(oneDefault.json.results[0].ack).toBe("fsync");
});

test("remember/batch reads NDJSON line by line, and a broken line fails alone", async () => {
  const lines = ['{"content":"n1","id":"n1"}', "", '{"content":', '{"content":"n3","id":"n3"}\r', "[1]"].join(
    "\n",
  );
  const reply = await api.post(`${BATCH}?ack=wal&if_exists=replace`, lines, {
    "content-type": "application/x-ndjson",
  });
  expect(reply.status).toBe(207);
  expect(reply.json.results.map(({ status }: { status: number }) => status)).toEqual([201, 400, 201, 400]);
  expect(reply.json.results[1].error).toMatchObject({ code: "json-invalid", at: "line[2]" });
  expect(reply.json.results[0].ack).toBe("wal");
  const again = await api.post(`${BATCH}?if_exists=keep`, '{"content":"n1","id":"n1"}', {
    "content-type": "application/x-ndjson",
  });
  expect(again.json.results[0].outcome).toBe("kept");
});

test("remember/batch refuses an empty batch and a query that it does not know", async () => {
  expect((await api.post(BATCH, { memories: [] })).json.code).toBe("request-invalid");
  const ndjson = { "content-type": "application/x-ndjson" };
  expect((await api.post(BATCH, "\n\n", ndjson)).json.code).toBe("request-invalid");
  expect((await api.post(`${BATCH}?acks=wal`, "{}", ndjson)).json.at).toBe("acks");
});
