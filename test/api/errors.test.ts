/** Whatever goes wrong is answered as problem+json with a code, what was expected, what came, and what to do. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { connect } from "node:net";
import { problemReply } from "../../src/api/remember.contract.ts";
import { BugError, OperatorError } from "../../src/base/errors.ts";
import { NaiveEngine } from "../engine/naive-engine.ts";
import { ApiUnderTest, DIMENSIONS, type Reply } from "./api-under-test.ts";

// Nothing here waits for time; a busy machine is only slow.
setDefaultTimeout(60_000);

let api: ApiUnderTest;
const engine = new NaiveEngine({ dimensions: DIMENSIONS });
beforeAll(() => {
  api = new ApiUnderTest({
    engine,
    settings: (standard) => ({
      ...standard,
      limits: {
        ...standard.limits,
        bodyBytesMax: 64 * 1024,
        headerBytesMax: 2048,
        jsonDepthMax: 8,
        batchCountMax: 3,
        contentBytesMax: 1000,
        metadataBytesMax: 500,
        tagCountMax: 2,
      },
    }),
  });
});
afterAll(() => api.close());

const REMEMBER = "/api/v1/memories/remember";
const BATCH = `${REMEMBER}/batch`;

function expectProblem(reply: Reply, status: number, code: string): void {
  expect([reply.status, reply.json?.code, reply.type]).toEqual([status, code, "application/problem+json"]);
  const problem = problemReply.parse(reply.json);
  expect(problem.status).toBe(status);
  expect(problem.remedy.length).toBeGreaterThan(0);
  expect(reply.text).not.toMatch(/ at .+:\d+:\d+|node_modules/);
}

test("a path that does not exist is answered 404, a method that it does not take 405 with Allow", async () => {
  for (const path of [
    "/api",
    "/api/v1/memory",
    "/api/v1/memories/",
    "/api/v1/memories/a/b",
    "/api/v1/docs/x",
  ]) {
    expectProblem(await api.get(path), 404, "route-not-found");
  }
  const wrong = await api.call("PUT", "/api/v1/spaces");
  expectProblem(wrong, 405, "method-not-allowed");
  expect(wrong.headers.get("allow")).toBe("GET, POST");
  expectProblem(await api.post("/livez", {}), 405, "method-not-allowed");
  expect((await api.call("OPTIONS", REMEMBER)).headers.get("access-control-allow-origin")).toBeNull();
});

test("another media type is answered 415 with the one to send", async () => {
  for (const type of [
    "text/plain",
    "application/x-www-form-urlencoded",
    "application/jsonx",
    "multipart/form-data",
  ]) {
    const reply = await api.post(REMEMBER, '{"content":"x"}', { "content-type": type });
    expectProblem(reply, 415, "media-type-unsupported");
    expect(reply.json.remedy).toContain("application/json");
  }
  expectProblem(
    await api.post(REMEMBER, "{}", { "content-type": "application/x-ndjson" }),
    415,
    "media-type-unsupported",
  );
  expectProblem(await api.post(BATCH, "{}", { "content-type": "text/csv" }), 415, "media-type-unsupported");
  const withCharset = { "content-type": "Application/JSON; charset=utf-8" };
  expect((await api.post(REMEMBER, '{"content":"x"}', withCharset)).status).toBe(201);
});

test("a body that is no JSON is answered 400 with what it begins with", async () => {
  for (const body of [
    "{",
    "nonsense",
    '{"content":"x"',
    "{'content':'x'}",
    '{"content":NaN}',
    " ",
    "\u0000",
  ]) {
    expectProblem(await api.post(REMEMBER, body), 400, "json-invalid");
  }
  expect((await api.post(REMEMBER, "nonsense")).json.received).toContain("nonsense");
  expect((await api.post(REMEMBER, "")).json.detail).toBe("The body is empty");
});

test("a body that is no UTF-8 is refused, a byte order mark is not", async () => {
  const send = async (bytes: number[]) => {
    const headers = { "content-type": "application/json" };
    return fetch(api.url + REMEMBER, { method: "POST", headers, body: new Uint8Array(bytes) });
  };
  const json = [...new TextEncoder().encode('{"content":"x"}')];
  expect((await send([...json.slice(0, 12), 0xff, ...json.slice(12)])).status).toBe(400);
  expect((await send([0xef, 0xbb, 0xbf, ...json])).status).toBe(201);
});

test("a body of another shape names each field, what was expected and what came", async () => {
  const reply = await api.remember({ content: 5, confidence: 2, tags: ["a", 7], colour: "red" });
  expectProblem(reply, 400, "request-invalid");
  const found = reply.json.mismatches.map((m: { at: string; received: string }) => [m.at, m.received]);
  expect(found).toContainEqual(["content", "number 5"]);
  expect(found).toContainEqual(["confidence", "number 2"]);
  expect(found).toContainEqual(["tags[1]", "number 7"]);
  expect(found).toContainEqual(["colour", '"red"']);
  for (const body of [
    "[]",
    "null",
    "5",
    '"text"',
    '{"content":"x","__proto__":1}',
    '{"content":"x","constructor":1}',
  ]) {
    expectProblem(await api.post(REMEMBER, body), 400, "request-invalid");
  }
});

test("a body over the limit is answered 413, declared or in chunks", async () => {
  const large = JSON.stringify({ content: "x", metadata: { large: "y".repeat(70_000) } });
  expectProblem(await api.post(REMEMBER, large), 413, "body-too-large");
  const chunks = new ReadableStream({
    start(controller) {
      for (let at = 0; at < large.length; at += 10_000) {
        controller.enqueue(new TextEncoder().encode(large.slice(at, at + 10_000)));
      }
      controller.close();
    },
  });
  const headers = { "content-type": "application/json" };
  const chunked = await fetch(api.url + REMEMBER, { method: "POST", headers, body: chunks });
  expect([chunked.status, ((await chunked.json()) as { code: string }).code]).toEqual([
    413,
    "body-too-large",
  ]);
});

test("content, metadata, tags and batches over their limits are refused by their own codes", async () => {
  expectProblem(await api.remember({ content: "ü".repeat(501) }), 413, "content-too-large");
  expect((await api.remember({ content: "ü".repeat(500) })).status).toBe(201);
  expectProblem(
    await api.remember({ content: "x", metadata: { a: "y".repeat(600) } }),
    413,
    "metadata-too-large",
  );
  expectProblem(await api.remember({ content: "x", tags: ["a", "b", "c"] }), 400, "request-invalid");
  const memories = Array(4).fill({ content: "x" });
  expectProblem(await api.post(BATCH, { memories }), 413, "batch-too-large");
  const lines = memories.map((memory) => JSON.stringify(memory)).join("\n");
  expectProblem(
    await api.post(BATCH, lines, { "content-type": "application/x-ndjson" }),
    413,
    "batch-too-large",
  );
});

test("JSON deeper than the limit is refused before it is parsed; brackets in strings do not count", async () => {
  const nested = (depth: number) =>
    `{"content":"x","metadata":{"a":${"[".repeat(depth)}${"]".repeat(depth)}}}`;
  expect((await api.post(REMEMBER, nested(6))).status).toBe(201);
  expectProblem(await api.post(REMEMBER, nested(7)), 400, "json-too-deep");
  expectProblem(await api.post(REMEMBER, "[".repeat(60_000)), 400, "json-too-deep");
  expect((await api.remember({ content: '[[[[[[[[[["\\"[[[[[[{{{{{{{' })).status).toBe(201);
  const line = await api.post(BATCH, `${nested(7)}\n${nested(1)}`, {
    "content-type": "application/x-ndjson",
  });
  expect(line.json.results.map(({ status }: { status: number }) => status)).toEqual([400, 201]);
});

test("headers over the limit are answered 431", async () => {
  expectProblem(await api.get("/api/v1/spaces", { "x-large": "a".repeat(3000) }), 431, "headers-too-large");
});

test("a connection that ends inside a body leaves no bug behind", async () => {
  const socket = connect(api.server.port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(
    `POST ${REMEMBER} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"con`,
  );
  await Bun.sleep(50);
  socket.destroy();
  const deadline = performance.now() + 30_000;
  while (api.server.inFlight() > 0 && performance.now() < deadline) await Bun.sleep(5);
  expect(api.server.inFlight()).toBe(0);
  expect(api.bugs).toEqual([]);
});

test("an operator's error is answered 500 with its code, and its message only goes to the operator", async () => {
  const recall = engine.recall.bind(engine);
  engine.recall = async () => {
    throw new OperatorError({ code: "log-write-failed", message: "secret place", remedy: "look there" });
  };
  try {
    const reply = await api.post("/api/v1/memories/recall", { query: "x" });
    expectProblem(reply, 500, "log-write-failed");
    expect(reply.text).not.toContain("secret");
    expect(api.operatorErrors.at(-1)?.message).toBe("secret place");
  } finally {
    engine.recall = recall;
  }
});

test("our own bug is answered 500 internal, without its stack, and told to the worker", async () => {
  const get = engine.get.bind(engine);
  engine.get = () => {
    throw new BugError("a rule was broken");
  };
  try {
    const reply = await api.get("/api/v1/memories/x");
    expectProblem(reply, 500, "internal");
    expect(reply.text).not.toContain("rule was broken");
    expect(api.bugs.length).toBe(1);
  } finally {
    engine.get = get;
  }
});
