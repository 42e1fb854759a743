import { expect, test } from "bun:test";
import { slowQueriesReply } from "../../src/api/slow-queries.contract.ts";
import { createKey } from "../../src/storage/key-store.ts";
import { ApplianceProcess, eventually, ScratchDirectory } from "../support/appliance-process.ts";

const SETTINGS = {
  "thread_pools.api_workers": 2,
  "monitoring.slow_query_threshold_ms": 0,
  "numa.enabled": false,
};

async function slow(url: string, query = "", headers: Record<string, string> = {}) {
  const response = await fetch(`${url}/api/v1/slow-queries?${query}`, { headers });
  expect([query, response.status]).toEqual([query, 200]);
  return slowQueriesReply.parse(await response.json());
}

async function post(url: string, path: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(url + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  await response.text();
  return response.status;
}

test("slow operations are kept with their stages, are read by those who may, and survive kill -9", async () => {
  using scratch = new ScratchDirectory("slow");
  await using first = await ApplianceProcess.start({ data: scratch.data, settings: SETTINGS });
  const at = first.url;
  const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  expect(await post(at, "/api/v1/memories/remember", { content: "the gate is green", id: "gate" })).toBe(201);
  expect(
    await post(at, "/api/v1/memories/remember/batch", { memories: [{ content: "a" }, { content: "b" }] }),
  ).toBe(201);
  expect(
    await post(
      at,
      "/api/v1/memories/recall",
      { query: "gate", tags: ["x"], ef: 99, limit: 3 },
      { traceparent },
    ),
  ).toBe(200);
  expect(await post(at, "/api/v1/memories/recall", { query: "other" }, { "x-memory-space": "none" })).toBe(
    404,
  );
  expect(await post(at, "/api/v1/memories/remember", { content: "z" }, { "x-memory-space": "blue" })).toBe(
    201,
  );
  expect((await fetch(`${at}/api/v1/memories/gate`, { method: "DELETE" })).status).toBe(200);
  expect((await fetch(`${at}/api/v1/memories`)).status).toBe(200);

  const { threshold_ms, operations } = await slow(at);
  expect(threshold_ms).toBe(0);
  const named = (operation: string, space = "default") =>
    operations.filter((each) => each.operation === operation && each.space === space);
  const [recall] = named("recall");
  expect(recall).toMatchObject({
    outcome: "ok",
    trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
    plan: { mode: "hybrid", limit: 3, ef_asked: 99, filters: { tags: 1 } },
    counts: { space_memories: 3, tail_vectors: expect.any(Number), results: 0 },
    embedder: { provider: "hash/1", is_local: true },
  });
  for (const stage of ["parse", "embed", "vector", "words", "fuse", "fetch"] as const) {
    expect([stage, recall!.stages_ms[stage]! > 0]).toEqual([stage, true]);
  }
  const known = Object.values(recall!.stages_ms).reduce((sum, ms) => sum + ms!, recall!.waits_ms.elsewhere);
  expect(Math.abs(known - recall!.took_ms)).toBeLessThan(0.02);
  expect(
    named("remember")
      .map(({ plan }) => plan.memories)
      .sort(),
  ).toEqual([1, 2]);
  expect(named("remember")[0]).toMatchObject({
    plan: { ack: "fsync" },
    counts: { syncs: expect.any(Number) },
  });
  expect(named("recall", "none")).toMatchObject([{ outcome: "refused", error: "space-not-found" }]);
  expect(named("forget")).toMatchObject([{ plan: { ack: "fsync" } }]);
  expect(named("list").length).toBe(1);
  expect(JSON.stringify(operations)).not.toContain("gate");

  expect((await slow(at, "operation=forget")).operations.length).toBe(1);
  expect((await slow(at, "space=blue")).operations.map(({ operation }) => operation)).toContain("remember");
  expect((await slow(at, "threshold=60000")).operations).toEqual([]);
  expect((await slow(at, `since=${Date.now() + 60_000}`)).operations).toEqual([]);
  expect((await slow(at, "limit=2")).operations).toEqual(operations.slice(0, 2));
  for (const wrong of ["threshold=-1", "operation=dream", "limit=0", "since=yesterday", "space=.", "x=1"]) {
    const refused = await fetch(`${at}/api/v1/slow-queries?${wrong}`);
    expect([wrong, refused.status]).toEqual([wrong, 400]);
  }

  await first.kill();
  // As a power cut can leave it: half a record at the end.
  const file = Bun.file(`${scratch.data}/slow-operations/0.log`);
  const bytes = new Uint8Array(await file.arrayBuffer());
  await Bun.write(file, new Uint8Array([...bytes, 200, 0, 0, 0, 1, 2, 3]));
  await using second = await ApplianceProcess.start({
    data: scratch.data,
    settings: { ...SETTINGS, "monitoring.slow_query_threshold_ms": 60_000 },
  });
  const after = await slow(second.url);
  expect(after).toEqual({ threshold_ms: 60_000, operations });

  const { key } = await createKey(
    scratch.data,
    { name: "b", rights: ["read"], spaces: ["blue"] },
    Date.now(),
  );
  const writer = await createKey(scratch.data, { name: "w", rights: ["write"], spaces: ["*"] }, Date.now());
  const as = (text: string) => ({ authorization: `Bearer ${text}` });
  await eventually(
    "keys are needed",
    async () => (await fetch(`${second.url}/api/v1/slow-queries`)).status === 401,
  );
  const seen = await slow(second.url, "", as(key));
  expect(new Set(seen.operations.map(({ space }) => space))).toEqual(new Set(["blue"]));
  const refused = await fetch(`${second.url}/api/v1/slow-queries`, { headers: as(writer.key) });
  expect(refused.status).toBe(403);
}, 60_000);

test("with monitoring off nothing is recorded, and the appliance serves", async () => {
  using scratch = new ScratchDirectory("unwatched");
  await using appliance = await ApplianceProcess.start({
    data: scratch.data,
    settings: { ...SETTINGS, "monitoring.enabled": false },
  });
  const at = appliance.url;
  expect(await post(at, "/api/v1/memories/remember", { content: "the gate is green" })).toBe(201);
  expect(await post(at, "/api/v1/memories/recall", { query: "gate" })).toBe(200);
  expect(await slow(at)).toEqual({ threshold_ms: null, operations: [] });
  const health = async () => (await (await fetch(`${at}/api/v1/system/health`)).json()) as { status: string };
  await eventually("every thread has started", async () => (await health()).status === "ok");
  await Bun.sleep(1500);
  const metrics = await (await fetch(`${at}/metrics`)).text();
  expect(metrics).toContain('engram_memories{space_class="small"} 1\n');
  const counted = metrics
    .split("\n")
    .filter((line) => /_(total|count)\b/.test(line) && !line.startsWith("#"));
  // What the kernel counts of the process, and what is held; no lane was written.
  expect(
    counted.filter(
      (line) => /^engram_(operations|recall|store|http|wal_appended)/.test(line) && !/ 0$/.test(line),
    ),
  ).toEqual([]);
  const history = await (await fetch(`${at}/api/v1/query?query=engram_ready`)).json();
  expect(history).toMatchObject({ status: "success", data: { result: [] } });
  expect(await appliance.stop()).toBe(0);
}, 60_000);
