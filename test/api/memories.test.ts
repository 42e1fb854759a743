/** Reading, listing and forgetting over HTTP, and the calls on spaces, indexes and the appliance. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { forgottenReply, listReply } from "../../src/api/memories.contract.ts";
import { memoryReply } from "../../src/api/recall.contract.ts";
import { spaceReply, spacesReply } from "../../src/api/spaces.contract.ts";
import { healthReply, liveReply, readyReply, versionReply } from "../../src/api/system.contract.ts";
import { indexReply } from "../../src/api/vector-index.contract.ts";
import { NaiveEngine } from "../engine/naive-engine.ts";
import { ApiUnderTest, DIMENSIONS } from "./api-under-test.ts";

// Nothing here waits for time; a busy machine is only slow.
setDefaultTimeout(60_000);

let api: ApiUnderTest;
const engine = new NaiveEngine({ dimensions: DIMENSIONS });
beforeAll(() => {
  api = new ApiUnderTest({ engine });
});
afterAll(() => api.close());

test("memories are read and forgotten by any id, whatever characters it has", async () => {
  const ids = [
    "plain",
    "a/b",
    "a%2Fb",
    "?x=1&y=2",
    "#hash",
    "with space",
    "ü".repeat(128),
    "recall",
    "fading",
    ".",
    "..",
    "+",
  ];
  for (const id of ids) expect((await api.remember({ id, content: `of ${id}` })).status).toBe(201);
  for (const id of ids) {
    // A path can not carry these: "." and ".." are steps, and "recall" and "fading" are calls of their own.
    const byQuery = ["recall", "fading", ".", ".."].includes(id);
    const encoded = encodeURIComponent(id);
    const path = byQuery ? `/api/v1/memories?id=${encoded}` : `/api/v1/memories/${encoded}`;
    const read = await api.get(path);
    const memory = memoryReply.parse(byQuery ? listReply.parse(read.json).memories[0] : read.json);
    expect(memory.content).toBe(`of ${id}`);
    const forgotten = await api.call("DELETE", path);
    expect(forgottenReply.parse(forgotten.json)).toEqual({
      id,
      space: "default",
      ack: "fsync",
      forgotten: true,
    });
    expect((await api.get(path)).json.code).toBe("memory-not-found");
    expect((await api.call("DELETE", path)).json.code).toBe("memory-not-found");
  }
});

test("an id longer than 256 bytes is refused by every call", async () => {
  const id = `${"ü".repeat(128)}x`;
  expect((await api.remember({ id, content: "x" })).json.at).toBe("id");
  expect((await api.get(`/api/v1/memories/${encodeURIComponent(id)}`)).json.code).toBe("request-invalid");
  expect((await api.get("/api/v1/memories/%FF")).json.at).toBe("path");
});

test("forgetting answers with the durability that was asked for", async () => {
  await api.remember({ id: "weak", content: "x" });
  expect((await api.call("DELETE", "/api/v1/memories/weak?ack=memory")).json.ack).toBe("memory");
  expect((await api.call("DELETE", "/api/v1/memories/weak?ack=soon")).json.at).toBe("ack");
  expect((await api.call("DELETE", "/api/v1/memories")).json.at).toBe("id");
});

test("the list pages through all memories in the order of storing", async () => {
  const space = { "X-Memory-Space": "paged" };
  for (let i = 0; i < 7; i++) await api.remember({ id: `p${i}`, content: "x" }, space);
  await api.call("DELETE", "/api/v1/memories/p6", undefined, space);
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const page = await api.get(
      `/api/v1/memories?limit=2${cursor === null ? "" : `&cursor=${cursor}`}`,
      space,
    );
    const { memories, next_cursor } = listReply.parse(page.json);
    seen.push(...memories.map(({ id }) => id));
    cursor = next_cursor;
  } while (cursor !== null);
  expect(seen).toEqual(["p0", "p1", "p2", "p3", "p4", "p5"]);
  expect((await api.get("/api/v1/memories?limit=0", space)).json.at).toBe("limit");
  expect((await api.get("/api/v1/memories?cursor=nonsense", space)).json.at).toBe("cursor");
});

test("spaces are made, shown, listed and deleted", async () => {
  const made = await api.post("/api/v1/spaces", {
    name: "images",
    dimensions: 4,
    embedder: "none",
    language: "none",
  });
  expect(made.status).toBe(201);
  expect(spaceReply.parse(made.json)).toMatchObject({
    name: "images",
    dimensions: 4,
    embedder: "none",
    memories: 0,
  });
  expect((await api.post("/api/v1/spaces", { name: "images" })).json.code).toBe("space-exists");
  expect((await api.get("/api/v1/spaces/images")).json.name).toBe("images");
  const names = spacesReply.parse((await api.get("/api/v1/spaces")).json).spaces.map(({ name }) => name);
  expect(names).toContain("images");
  const without = await api.remember({ content: "x" }, { "X-Memory-Space": "images" });
  expect([without.status, without.json.code]).toEqual([422, "embedding-required"]);
  const deleted = await api.call("DELETE", "/api/v1/spaces/images");
  expect(deleted.json).toEqual({ name: "images", deleted: true });
  expect((await api.get("/api/v1/spaces/images")).json.code).toBe("space-not-found");
  expect((await api.call("DELETE", "/api/v1/spaces/images")).json.code).toBe("space-not-found");
});

test("spaces refuse names and figures that are not allowed", async () => {
  for (const name of ["", ".hidden", "a/b", "a b", "x".repeat(65), 5]) {
    expect((await api.post("/api/v1/spaces", { name })).json.at).toBe("name");
  }
  expect((await api.post("/api/v1/spaces", { name: "ok", dimensions: 0 })).json.at).toBe("dimensions");
  expect((await api.post("/api/v1/spaces", { name: "ok", colour: 1 })).json.at).toBe("colour");
  expect((await api.get("/api/v1/spaces/a%2Fb")).json.at).toBe("name");
});

test("the index is shown and rebuilt, its space named by header or query", async () => {
  await api.remember({ content: "x" }, { "X-Memory-Space": "indexed" });
  for (const reply of [
    await api.get("/api/v1/index", { "X-Memory-Space": "indexed" }),
    await api.get("/api/v1/index?space=indexed"),
  ]) {
    expect(indexReply.parse(reply.json)).toMatchObject({ space: "indexed", M: 16, tail: 1 });
  }
  const rebuilt = await api.post("/api/v1/index/rebuild?space=indexed", { M: 32, ef_construction: 400 });
  expect(rebuilt.status).toBe(202);
  expect(indexReply.parse(rebuilt.json)).toMatchObject({ M: 32, ef_construction: 400 });
  expect((await api.post("/api/v1/index/rebuild", { M: 1 })).json.at).toBe("M");
  expect((await api.get("/api/v1/index?spaces=indexed")).json.at).toBe("spaces");
  expect((await api.get("/api/v1/index?space=a/b")).json.at).toBe("space");
});

test("livez, readyz, health and version say what the engine says", async () => {
  expect(liveReply.parse((await api.get("/livez")).json)).toEqual({ status: "live" });
  expect(readyReply.parse((await api.get("/readyz")).json)).toEqual({ status: "ready" });
  const health = await api.get("/api/v1/system/health");
  expect([health.status, healthReply.parse(health.json).status]).toEqual([200, "ok"]);
  expect(versionReply.parse((await api.get("/api/v1/system/version")).json).version).toBe("0.0.0-test");
  engine.state = { status: "failed", ready: false };
  try {
    const ready = await api.get("/readyz");
    expect([ready.status, readyReply.parse(ready.json).reason]).toEqual([503, "engine is failed"]);
    const failed = await api.get("/api/v1/system/health");
    expect([failed.status, healthReply.parse(failed.json).ready]).toEqual([503, false]);
  } finally {
    engine.state = { status: "ok", ready: true };
  }
});

test("HEAD answers as GET does, without a body", async () => {
  const reply = await api.call("HEAD", "/readyz");
  expect([reply.status, reply.text]).toEqual([200, ""]);
});
