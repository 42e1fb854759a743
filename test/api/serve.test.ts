/** The server around the API: draining, its bound of requests under way, and ports that can not be had. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { OperatorError } from "../../src/base/errors.ts";
import type { Recalled } from "../../src/engine/engine.ts";
import { createKey } from "../../src/storage/key-store.ts";
import { NaiveEngine } from "../engine/naive-engine.ts";
import { ApiUnderTest, DIMENSIONS } from "./api-under-test.ts";

// Nothing here waits for time; a busy machine is only slow.
setDefaultTimeout(60_000);

const RECALL = "/api/v1/memories/recall";
const NOTHING: Recalled = { memories: [], space: "default", mode: "words", tookMs: 0 };

/** An engine whose recalls wait until they are let go. */
class HeldEngine extends NaiveEngine {
  waiting: (() => void)[] = [];

  override recall(): Promise<Recalled> {
    return new Promise((resolve) => this.waiting.push(() => resolve(NOTHING)));
  }

  letGo(): void {
    for (const answer of this.waiting.splice(0)) answer();
  }
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error("the condition did not come true within 30 s");
    await Bun.sleep(2);
  }
}

test("stop lets requests under way finish, and refuses new ones", async () => {
  const engine = new HeldEngine({ dimensions: DIMENSIONS });
  const api = new ApiUnderTest({ engine });
  // A connection of its own that stays open, so that a request comes after the listening socket is closed.
  expect((await api.get("/livez")).status).toBe(200);
  const underWay = api.post(RECALL, { query: "x" });
  await until(() => engine.waiting.length === 1);
  const stopped = api.server.stop(30_000);
  const late = await api.get("/api/v1/spaces").catch(() => undefined);
  if (late !== undefined) {
    expect([late.status, late.json.code]).toEqual([503, "shutting-down"]);
    expect(late.headers.get("connection")).toBe("close");
  }
  engine.letGo();
  expect((await underWay).status).toBe(200);
  expect(await stopped).toBe("drained");
  expect(
    await fetch(`${api.url}/livez`).then(
      () => "answered",
      () => "refused",
    ),
  ).toBe("refused");
  await api.close();
});

test("stop cuts what is still under way at the timeout, and says so", async () => {
  const engine = new HeldEngine({ dimensions: DIMENSIONS });
  const api = new ApiUnderTest({ engine });
  const underWay = api.post(RECALL, { query: "x" }).then(
    () => "answered",
    () => "cut",
  );
  await until(() => engine.waiting.length === 1);
  const startedAtMs = performance.now();
  expect(await api.server.stop(50)).toBe("cut");
  expect(performance.now() - startedAtMs).toBeLessThan(20_000);
  expect(await underWay).toBe("cut");
  await api.close();
});

test("more requests under way than the limit are answered 503 with Retry-After", async () => {
  const engine = new HeldEngine({ dimensions: DIMENSIONS });
  const api = new ApiUnderTest({ engine, settings: (standard) => ({ ...standard, inFlightMax: 3 }) });
  const held = Array.from({ length: 3 }, () => api.post(RECALL, { query: "x" }));
  await until(() => engine.waiting.length === 3);
  const over = await api.get("/api/v1/spaces");
  expect([over.status, over.json.code, over.headers.get("retry-after")]).toEqual([503, "overloaded", "1"]);
  engine.letGo();
  expect((await Promise.all(held)).map(({ status }) => status)).toEqual([200, 200, 200]);
  expect((await api.get("/api/v1/spaces")).status).toBe(200);
  await api.close();
});

test("1,000 clients connected at once are all answered", async () => {
  const api = new ApiUnderTest();
  const replies = await Promise.all(
    Array.from({ length: 1000 }, (_, i) => api.remember({ content: `of ${i}` })),
  );
  expect(replies.every(({ status }) => status === 201)).toBe(true);
  await api.close();
});

test("a host of a few characters is a host like any other", async () => {
  const api = new ApiUnderTest();
  const { key } = await createKey(
    api.dataDir,
    { name: "short", rights: ["read"], spaces: ["*"] },
    Date.now(),
  );
  api.passASecond();
  for (const host of ["x", "db", "m:1", "host"]) {
    const headers = { host, authorization: `Bearer ${key}` };
    expect((await api.get("/livez", headers)).status).toBe(200);
    expect((await api.get("/api/v1/spaces?limit=1", headers)).status).toBe(200);
    expect((await api.get("/api/v1/nothing", headers)).json.code).toBe("route-not-found");
  }
  await api.close();
});

test("a port that is taken and an address of another machine are named, with what helps", async () => {
  const api = new ApiUnderTest();
  const failure = (host: string, port: number): OperatorError => {
    try {
      new ApiUnderTest({ settings: (standard) => ({ ...standard, host, port }) });
    } catch (error) {
      if (error instanceof OperatorError) return error;
      throw error;
    }
    throw new Error("it listens");
  };
  const taken = failure("127.0.0.1", api.server.port);
  expect([taken.code, taken.message]).toEqual([
    "listen-failed",
    `Cannot listen on 127.0.0.1:${api.server.port}: the port is taken`,
  ]);
  expect(failure("203.0.113.77", 0).code).toBe("listen-failed");
  await api.close();
});
