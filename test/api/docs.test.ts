/** The OpenAPI document is valid and complete, its examples are true, and its page needs no internet. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import SwaggerParser from "@apidevtools/swagger-parser";
import { ERROR_CODES } from "../../src/base/error-codes.ts";
import { ApiUnderTest, type Json } from "./api-under-test.ts";

// Nothing here waits for time; a busy machine is only slow.
setDefaultTimeout(60_000);

let api: ApiUnderTest;
let document: Json;
beforeAll(async () => {
  api = new ApiUnderTest();
  document = (await api.get("/api/v1/docs/json")).json;
});
afterAll(() => api.close());

const operations = (): [string, Json][] =>
  Object.entries(document.paths as Json).flatMap(([path, methods]: [string, Json]) =>
    Object.entries(methods).map(([method, operation]): [string, Json] => [`${method} ${path}`, operation]),
  );

test("the document passes an OpenAPI validator", async () => {
  const validated = await SwaggerParser.validate(structuredClone(document));
  expect(validated.info.title).toBe("engram-appliance");
});

test("the document describes every call but the docs and the page", () => {
  const described = operations().map(([name]) => name.replace(/^\w+/, (method) => method.toUpperCase()));
  const calls = api.calls
    .filter((call) => !call.includes("/docs") && call !== "GET /")
    .map((call) => call.replace(/:(\w+)/, "{$1}"));
  expect(described.toSorted()).toEqual(calls.toSorted());
});

test("every call has a summary, an id of its own, examples and errors with remedies", () => {
  const ids = new Set<string>();
  for (const [name, operation] of operations()) {
    expect([name, typeof operation.summary, operation.tags.length]).toEqual([name, "string", 1]);
    ids.add(operation.operationId);
    for (const [status, response] of Object.entries(operation.responses as Json) as [string, Json][]) {
      const [content] = Object.values(response.content) as Json[];
      const isOk = Number(status) < 400;
      if (isOk) expect([name, content.example]).not.toEqual([name, undefined]);
      else if (status !== "500" && content.examples !== undefined) {
        for (const example of Object.values(content.examples) as Json[]) {
          expect(example.value.status).toBe(Number(status));
          expect(example.value.remedy.length).toBeGreaterThan(0);
        }
      }
    }
  }
  expect(ids.size).toBe(operations().length);
});

test("no schema shows zod's insides", () => {
  const text = JSON.stringify(document);
  expect(text).not.toMatch(/"~standard"|_zod|"def":/);
  expect(text).not.toContain('"$schema"');
});

test("the request examples are accepted as they stand", async () => {
  for (const [name, operation] of operations()) {
    const content = operation.requestBody?.content;
    if (content === undefined) continue;
    const [method = "", path = ""] = name.split(" ");
    const space = { "X-Memory-Space": `example-${operation.operationId}` };
    await api.post("/api/v1/spaces", { name: space["X-Memory-Space"] });
    if (name.endsWith("/links") || name.includes("/episodes/")) {
      // What the examples link to is there.
      for (const id of ["ada/moves/1", "ada/moves/2"]) await api.remember({ id, content: id }, space);
    }
    if (name.endsWith("/complete")) {
      // What the example asks for was told.
      const told = { what: "Ada signed the contract.", who: ["Ada"], where: "Lisbon" };
      await api.post("/api/v1/episodes/remember", told, space);
    }
    for (const { value } of Object.values(content["application/json"].examples) as Json[]) {
      const filled = path.replace("{name}", space["X-Memory-Space"]);
      const reply = await api.call(method.toUpperCase(), filled, value, space);
      expect([name, value, reply.status < 300]).toEqual([name, value, true]);
    }
    const lines = content["application/x-ndjson"]?.example;
    if (lines === undefined) continue;
    const reply = await api.post(path, lines, { ...space, "content-type": "application/x-ndjson" });
    expect([name, reply.status]).toEqual([name, 201]);
  }
});

test("every error code that a request can be answered with is described somewhere", () => {
  const text = JSON.stringify(document.paths);
  const atEveryPath = new Set(["route-not-found", "method-not-allowed"]);
  const missing = Object.entries(ERROR_CODES)
    .filter(([code, { kind }]) => kind === "request" && !atEveryPath.has(code))
    .map(([code]) => code)
    .filter((code) => !text.includes(`"${code}"`));
  expect(missing).toEqual([]);
});

test("the page loads nothing from elsewhere, and is not allowed to", async () => {
  const page = await api.get("/api/v1/docs");
  expect([page.status, page.type]).toEqual([200, "text/html; charset=utf-8"]);
  const loaded = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1]!);
  expect(loaded.toSorted()).toEqual(["/api/v1/docs/swagger-ui.css", "/api/v1/docs/swagger-ui.js"]);
  for (const path of loaded) {
    const asset = await api.get(path);
    expect([path, asset.status, asset.text.length > 100_000]).toEqual([path, 200, true]);
  }
  const policy = page.headers.get("content-security-policy") ?? "";
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/https?:|script-src[^;]*'unsafe/);
  expect(page.text).toContain('"url":"/api/v1/docs/json"');
});
