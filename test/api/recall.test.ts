/** Recalling over HTTP, by body and by query string. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { recallReply } from "../../src/api/recall.contract.ts";
import { ApiUnderTest, axis, base64Of } from "./api-under-test.ts";

// Nothing here waits for time; a busy machine is only slow.
setDefaultTimeout(60_000);

const RECALL = "/api/v1/memories/recall";
let api: ApiUnderTest;
beforeAll(async () => {
  api = new ApiUnderTest();
  const memories = Array.from({ length: 20 }, (_, i) => ({
    id: `m${i}`,
    content: `memory number ${i} about ${i % 2 === 0 ? "tea" : "coffee"}`,
    embedding: axis(i % 8, i / 100),
    timestamp: Date.UTC(2026, 0, 1 + i),
    confidence: (i + 1) / 20,
    tags: [i % 2 === 0 ? "even" : "odd", `tag, ${i % 5}`],
    metadata: { i },
  }));
  expect((await api.post("/api/v1/memories/remember/batch", { memories })).status).toBe(201);
});
afterAll(() => api.close());

const idsOf = (reply: { json: { memories: { id: string }[] } }) => reply.json.memories.map(({ id }) => id);

test("recall answers what its contract says, best first, ten where no limit is given", async () => {
  const reply = await api.post(RECALL, { query: "tea", explain: true });
  expect(reply.status).toBe(200);
  const { memories, mode, space } = recallReply.parse(reply.json);
  expect([memories.length, mode, space]).toEqual([10, "hybrid", "default"]);
  const scores = memories.map(({ score }) => score);
  expect(scores).toEqual(scores.toSorted((a, b) => b - a));
  expect(memories[0]?.why?.words?.terms).toEqual(["tea"]);
  expect((await api.post(RECALL, { query: "tea" })).json.memories[0].why).toBeUndefined();
});

test("recall by body and by query string answer the same", async () => {
  const body = {
    query: "coffee",
    embedding: base64Of(axis(1)),
    limit: 3,
    mode: "hybrid",
    tags: ["odd", "tag, 1"],
    from: "2026-01-02",
    to: Date.UTC(2026, 0, 19),
    min_confidence: 0.2,
    threshold: 0.1,
    explain: true,
    ef: 64,
  };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(body)) {
    for (const each of Array.isArray(value) ? value : [value]) query.append(name, String(each));
  }
  const posted = await api.post(RECALL, body);
  const got = await api.get(`${RECALL}?${query}`);
  expect(got.status).toBe(200);
  expect(got.json.memories).toEqual(posted.json.memories);
  expect(idsOf(got).length).toBeGreaterThan(0);
});

test("recall filters by tags, time and confidence", async () => {
  const filtered = await api.post(RECALL, {
    query: "memory",
    tags: ["even"],
    from: Date.UTC(2026, 0, 5),
    to: "2026-01-11T00:00:00Z",
    min_confidence: 0.35,
    limit: 100,
  });
  expect(idsOf(filtered).toSorted()).toEqual(["m10", "m6", "m8"]);
});

test("recall with an embedding alone works in vector mode and hybrid mode, not in words mode", async () => {
  const nearest = await api.post(RECALL, { embedding: axis(2, 0.02), mode: "vector", limit: 1 });
  expect(idsOf(nearest)).toEqual(["m2"]);
  expect((await api.post(RECALL, { embedding: axis(2) })).status).toBe(200);
  const words = await api.post(RECALL, { embedding: axis(2), mode: "words" });
  expect([words.status, words.json.at]).toEqual([400, "query"]);
  expect((await api.post(RECALL, {})).json.at).toBe("query");
});

test("recall refuses what does not match its contract, and says where", async () => {
  const cases: readonly [Record<string, unknown>, number, string][] = [
    [{ query: "x", limit: 0 }, 400, "limit"],
    [{ query: "x", limit: 1001 }, 400, "limit"],
    [{ query: "x", limit: 1.5 }, 400, "limit"],
    [{ query: "x", mode: "telepathy" }, 400, "mode"],
    [{ query: "x", from: "yesterday" }, 400, "from"],
    [{ query: "x", from: "2026-02-30" }, 400, "from"],
    [{ query: "x", to: "2026-01-01T25:00:00Z" }, 400, "to"],
    [{ query: "x", from: "2026-01-01T00:00:00" }, 400, "from"],
    [{ query: "x", min_confidence: 2 }, 400, "min_confidence"],
    [{ query: "x", tags: "even" }, 400, "tags"],
    [{ query: "x", tags: [""] }, 400, "tags[0]"],
    [{ query: "x", explain: "yes" }, 400, "explain"],
    [{ query: "x", filter: {} }, 400, "filter"],
    [{ query: "" }, 400, "query"],
    [{ embedding: [1, 2, 3] }, 422, "embedding"],
    [{ embedding: [] }, 422, "embedding"],
    [{ embedding: Array(8).fill(0) }, 422, "embedding"],
    [{ embedding: "no base64!" }, 422, "embedding"],
    [{ embedding: "AAAA" }, 422, "embedding"],
    [{ embedding: [1e39, 1, 1, 1, 1, 1, 1, 1] }, 422, "embedding"],
    [{ embedding: { x: 1 } }, 422, "embedding"],
  ];
  for (const [body, status, at] of cases) {
    const reply = await api.post(RECALL, body);
    expect([JSON.stringify(body), reply.status, reply.json.at]).toEqual([JSON.stringify(body), status, at]);
    expect(reply.json.expected).toBeString();
  }
});

test("recall by query string refuses repeated, unknown and malformed fields", async () => {
  for (const [query, at] of [
    ["query=a&query=b", "query"],
    ["query=a&limit=ten", "limit"],
    ["query=a&limit=0x10", "limit"],
    ["query=a&explain=maybe", "explain"],
    ["query=a&colour=red", "colour"],
    ["query=a&__proto__=1", "__proto__"],
  ]) {
    const reply = await api.get(`${RECALL}?${query}`);
    expect([query, reply.status, reply.json.at]).toEqual([query, 400, at]);
  }
});

test("recall in a space that does not exist names the space", async () => {
  const reply = await api.post(RECALL, { query: "x" }, { "X-Memory-Space": "nowhere" });
  expect([reply.status, reply.json.code]).toEqual([404, "space-not-found"]);
});
