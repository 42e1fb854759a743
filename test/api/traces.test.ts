import { afterEach, expect, test } from "bun:test";
import type { RequestLogFields } from "../../src/api/request-watch.ts";
import { OperatorError } from "../../src/base/errors.ts";
import { NaiveEngine } from "../engine/naive-engine.ts";
import { localWatch } from "../observe/local-watch.ts";
import { ApiUnderTest, DIMENSIONS } from "./api-under-test.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = "00f067aa0ba902b7";
let api: ApiUnderTest | undefined;
afterEach(() => api?.close());

test("every answer names its trace, the caller's where it sent one", async () => {
  api = new ApiUnderTest();
  const { headers } = await api.get("/api/v1/spaces", { traceparent: `00-${TRACE}-${PARENT}-01` });
  const own = new RegExp(`^00-${TRACE}-([0-9a-f]{16})-01$`).exec(headers.get("traceparent")!);
  expect(own).not.toBeNull();
  expect(own![1]).not.toBe(PARENT);
  const first = (await api.get("/api/v1/spaces")).headers.get("traceparent")!;
  const second = (await api.get("/api/v1/spaces")).headers.get("traceparent")!;
  expect(first).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  expect(first.slice(3, 35)).not.toBe(second.slice(3, 35));
  const wrong = await api.get("/api/v1/spaces", { traceparent: `00-${"0".repeat(32)}-${PARENT}-01` });
  expect(wrong.headers.get("traceparent")).toMatch(/^00-(?!0{32})[0-9a-f]{32}-/);
});

test("a problem says under which trace the log knows it, whatever refused the request", async () => {
  api = new ApiUnderTest();
  const traceparent = `00-${TRACE}-${PARENT}-00`;
  const refusals = [
    await api.call("POST", "/api/v1/memories/recall", {}, { traceparent }),
    await api.get("/api/v1/memories/none", { traceparent }),
    await api.get("/api/v1/nowhere", { traceparent }),
    await api.call("DELETE", "/metrics", undefined, { traceparent }),
    await api.get("/api/v1/spaces", { traceparent, "x-memory-space": "a b" }),
  ];
  for (const { status, json, headers } of refusals.slice(0, 4)) {
    expect(status).toBeGreaterThanOrEqual(400);
    expect(json.trace_id, json.code).toBe(TRACE);
    expect(headers.get("traceparent")).toStartWith(`00-${TRACE}-`);
  }
});

test("the log line of an error that is not the caller's carries the request's trace, name, space and time", async () => {
  class Broken extends NaiveEngine {
    override get(): never {
      throw new OperatorError({ code: "memory-refused", message: "no memory", remedy: "add some" });
    }
  }
  const told: (RequestLogFields | undefined)[] = [];
  api = new ApiUnderTest({
    engine: new Broken({ dimensions: DIMENSIONS }),
    onOperatorError: (_, fields) => told.push(fields),
  });
  const { json } = await api.get("/api/v1/memories/a", {
    traceparent: `00-${TRACE}-${PARENT}-01`,
    "x-memory-space": "default",
  });
  expect(json.trace_id).toBe(TRACE);
  expect(told).toEqual([
    {
      request: "GET /api/v1/memories/a",
      trace_id: TRACE,
      span_id: expect.stringMatching(/^[0-9a-f]{16}$/),
      space: "default",
      duration_ms: expect.any(Number),
    },
  ]);
});

test("requests are logged where that is asked for, without their query", async () => {
  const lines: [string, RequestLogFields][] = [];
  api = new ApiUnderTest({
    watch: { ...localWatch(), log: (text, fields) => lines.push([text, fields]) },
  });
  await api.get("/api/v1/memories/recall?query=secret", { traceparent: `00-${TRACE}-${PARENT}-01` });
  expect(lines).toHaveLength(1);
  const [text, fields] = lines[0]!;
  expect(text).toMatch(/^GET \/api\/v1\/memories\/recall 404 in [\d.]+ ms$/);
  expect(fields).toMatchObject({ trace_id: TRACE, status: 404, space: "default" });
  expect(JSON.stringify(lines)).not.toContain("secret");
});
