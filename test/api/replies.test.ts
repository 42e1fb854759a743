/** Replies as their callers see them, one after another, in a golden file: every byte of a body, and the status. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { NaiveEngine } from "../engine/naive-engine.ts";
import { expectGolden } from "../support/golden.ts";
import { ApiUnderTest, DIMENSIONS, replyOf } from "./api-under-test.ts";

// Nothing here waits for time; a busy machine is only slow.
setDefaultTimeout(60_000);

const NOW_MS = Date.UTC(2026, 0, 31, 12, 0, 0, 250);

type Asked = {
  readonly call: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
};

const M = "/api/v1/memories";
const CALLS: readonly Asked[] = [
  { call: "GET /livez" },
  { call: "GET /readyz" },
  { call: `POST ${M}/remember`, body: { content: "Ada prefers tea." } },
  {
    call: `POST ${M}/remember`,
    body: {
      id: "ada/moves/1",
      content: 'Ada "moved" to Lisbon. ☕\n',
      confidence: 0.9,
      timestamp: "2026-01-31",
      tags: ["ada", "places"],
      metadata: { turn: 17, from: { chat: [1, null, "x"] } },
      ack: "wal",
    },
  },
  { call: `POST ${M}/remember`, body: { id: "ada/moves/1", content: "again" } },
  { call: `POST ${M}/remember`, body: { id: "ada/moves/1", content: "again", if_exists: "keep" } },
  { call: `POST ${M}/remember`, body: { content: 5, colour: "red" } },
  { call: `POST ${M}/remember`, body: { content: "x", embedding: [1, 2] } },
  { call: `POST ${M}/remember`, body: "{" },
  { call: `POST ${M}/remember`, body: "x", headers: { "content-type": "text/plain" } },
  {
    call: `POST ${M}/remember/batch`,
    body: { memories: [{ content: "one" }, { content: "" }], ack: "memory" },
  },
  { call: `POST ${M}/recall`, body: { query: "Lisbon", limit: 1, mode: "words", explain: true } },
  { call: `GET ${M}/recall?query=tea&limit=1` },
  { call: `GET ${M}/recall` },
  { call: `GET ${M}/ada%2Fmoves%2F1` },
  { call: `GET ${M}?limit=1` },
  {
    call: "POST /api/v1/episodes/remember",
    body: {
      id: "signed",
      what: "Ada signed.",
      when: "2026-01-31T12:00:00Z",
      who: ["Ada"],
      valence: 0.5,
      caused_by: ["ada/moves/1"],
    },
  },
  { call: "POST /api/v1/episodes/remember", body: { what: "x", valence: 2 } },
  { call: "GET /api/v1/episodes/replay?who=Ada" },
  { call: "GET /api/v1/episodes/replay?cursor=x" },
  { call: "POST /api/v1/links", body: { source: "signed", destination: "made-1" } },
  { call: "POST /api/v1/links", body: { source: "signed", destination: "nobody" } },
  { call: "GET /api/v1/links?id=signed" },
  { call: "DELETE /api/v1/links?source=signed&destination=made-1" },
  { call: "DELETE /api/v1/links?source=signed&destination=made-1" },
  { call: `POST ${M}/signed/reinforce?ack=wal` },
  { call: `DELETE ${M}/ada%2Fmoves%2F1` },
  { call: `GET ${M}/ada%2Fmoves%2F1` },
  { call: `GET ${M}`, headers: { "X-Memory-Space": "nowhere" } },
  { call: `GET ${M}`, headers: { "X-Memory-Space": "../etc" } },
  { call: "POST /api/v1/spaces", body: { name: "images", dimensions: 512, embedder: "none" } },
  {
    call: "PATCH /api/v1/spaces/images",
    body: { forgetting: { curve: "two-component", stability_hours: 24 } },
  },
  { call: "PATCH /api/v1/spaces/images", body: { forgetting: { curve: "straight" } } },
  { call: "GET /api/v1/spaces" },
  { call: "DELETE /api/v1/spaces/images" },
  { call: "GET /api/v1/index" },
  { call: "POST /api/v1/index/rebuild", body: { M: 32 } },
  { call: "GET /api/v1/system/health" },
  { call: "GET /api/v1/nothing" },
  { call: "PUT /api/v1/spaces" },
  { call: "GET /api/v1/spaces", headers: { host: "evil.example" } },
  { call: "GET /api/v1/spaces", headers: { origin: "https://evil.example" } },
];

test("the replies of the API read as they did", async () => {
  let made = 0;
  const engine = new NaiveEngine({
    dimensions: DIMENSIONS,
    nowMs: () => NOW_MS,
    makeId: () => `made-${++made}`,
  });
  const api = new ApiUnderTest({ engine });
  let transcript = "";
  for (const { call, body, headers } of CALLS) {
    const [method = "", path = ""] = call.split(" ");
    const text = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
    const response = await fetch(api.url + path, {
      method,
      headers: {
        // Problems name their trace, which would be another one each time.
        traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
        ...(text === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(text === undefined ? {} : { body: text }),
    });
    const reply = await replyOf(response);
    const asked = [call, ...Object.entries(headers ?? {}).map(([name, value]) => `${name}: ${value}`), text];
    transcript += `> ${asked.filter((line) => line !== undefined).join("\n> ")}\n`;
    transcript += `${reply.status} ${reply.type}\n${reply.text}\n\n`;
  }
  await api.close();
  expect(api.bugs).toEqual([]);
  expectGolden(join(import.meta.dir, "golden/replies.txt"), transcript);
});
