import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../src/base/clock.ts";
import { RequestError } from "../../src/base/errors.ts";
import { Random } from "../../src/base/random.ts";
import { OpenaiEmbedder, type OpenaiOptions } from "../../src/embedding/openai-embedder.ts";
import {
  answer,
  DIMENSIONS,
  encoded,
  FakeEmbeddingServer,
  failing,
  honest,
  vectorOf,
} from "./fake-embedding-server.ts";

class SteppedClock implements Clock {
  ms = 1_000;
  nowNs(): number {
    return this.ms * 1e6;
  }
  wallMs(): number {
    return this.ms;
  }
}

let server: FakeEmbeddingServer;
let directory: string;
const opened: OpenaiEmbedder[] = [];
const clock = new SteppedClock();

beforeEach(() => {
  server = new FakeEmbeddingServer();
  directory = mkdtempSync(join(tmpdir(), "embedding-"));
});
afterEach(async () => {
  for (const embedder of opened.splice(0)) embedder.close();
  await server.stop();
  rmSync(directory, { recursive: true });
});

function open(options: Partial<OpenaiOptions> = {}): OpenaiEmbedder {
  const embedder = new OpenaiEmbedder({
    url: server.url,
    model: "fake",
    dimensions: DIMENSIONS,
    keyFile: "",
    batchMax: 16,
    batchWaitMs: 1,
    timeoutMs: 2_000,
    retries: 0,
    clock,
    random: new Random(7),
    ...options,
  });
  opened.push(embedder);
  return embedder;
}

async function failureOf(promise: Promise<unknown>): Promise<RequestError> {
  try {
    await promise;
  } catch (error) {
    expect(error).toBeInstanceOf(RequestError);
    const failure = error as RequestError;
    expect(failure.code).toBe("embedder-unavailable");
    return failure;
  }
  throw new Error("nothing was thrown");
}

describe("answers", () => {
  test("OpenaiEmbedder embed gives each text its vector, in order", async () => {
    const texts = ["one", "two", "three"];
    expect(await open().embed(texts, "memory")).toEqual(texts.map((text) => vectorOf(text)));
    expect(server.asked).toHaveLength(1);
    expect(server.asked[0]).toMatchObject({
      model: "fake",
      encoding_format: "base64",
      dimensions: DIMENSIONS,
    });
  });

  test("OpenaiEmbedder embed sorts vectors that come in another order", async () => {
    server.always = async (asked, request) => {
      const reply = (await (await honest(asked, request)).json()) as { data: unknown[] };
      return answer(reply.data.reverse());
    };
    const texts = ["one", "two", "three"];
    expect(await open().embed(texts, "memory")).toEqual(texts.map((text) => vectorOf(text)));
  });

  test("OpenaiEmbedder embed takes numbers where base64 was asked for", async () => {
    server.always = (asked) =>
      answer(asked.input.map((text, index) => ({ index, embedding: encoded(vectorOf(text), "float") })));
    expect(await open().embed(["one"], "query")).toEqual([vectorOf("one")]);
  });

  test("OpenaiEmbedder embed leaves out what a server refuses, once and for all", async () => {
    server.always = (asked, request) => {
      if (asked.encoding_format === "base64")
        return failing(400, "encoding_format base64 is not supported")(asked, request);
      if (asked.dimensions !== undefined)
        return failing(400, "model does not support dimensions")(asked, request);
      return honest(asked, request);
    };
    const embedder = open();
    expect(await embedder.embed(["one"], "query")).toEqual([vectorOf("one")]);
    expect(server.asked).toHaveLength(3);
    await embedder.embed(["two"], "query");
    expect(server.asked).toHaveLength(4);
  });

  test.each([
    ["no JSON", () => new Response("<html>")],
    ["no list", () => Response.json({ data: "none" })],
    ["too few", () => answer([])],
    ["an item without a vector", () => answer([{ index: 0 }])],
    [
      "an index twice",
      () =>
        answer([
          { index: 0, embedding: [1] },
          { index: 0, embedding: [1] },
        ]),
    ],
    ["an index out of range", () => answer([{ index: 5, embedding: [...vectorOf("one")] }])],
    ["text among the numbers", () => answer([{ index: 0, embedding: [..."12345678"] }])],
    ["base64 of half a number", () => answer([{ index: 0, embedding: "AAAA" }])],
    ["all zero", () => answer([{ index: 0, embedding: new Array(DIMENSIONS).fill(0) }])],
    [
      "no number",
      () =>
        answer([{ index: 0, embedding: encoded(new Float32Array(DIMENSIONS).fill(Number.NaN), "base64") }]),
    ],
    ["null", () => Response.json(null)],
  ])("OpenaiEmbedder embed refuses an answer with %s", async (_what, reply) => {
    server.always = reply;
    const failure = await failureOf(open().embed(["one"], "query"));
    expect(failure.message).toStartWith("Cannot embed with openai/fake at http://127.0.0.1");
  });

  test("OpenaiEmbedder embed names both numbers when the dimensions differ", async () => {
    server.always = (asked) => answer(asked.input.map((text) => ({ embedding: [...vectorOf(text, 12)] })));
    const failure = await failureOf(open().embed(["one"], "query"));
    expect(failure.message).toContain("makes 12 dimensions, embedding.dimensions says 8");
  });
});

describe("batches", () => {
  test("OpenaiEmbedder embed sends concurrent texts together, at most batchMax in a request", async () => {
    const embedder = open({ batchMax: 4, batchWaitMs: 20 });
    const texts = Array.from({ length: 10 }, (_, i) => `text ${i}`);
    const vectors = await Promise.all(texts.map((text) => embedder.embed([text], "query")));
    expect(vectors).toEqual(texts.map((text) => [vectorOf(text)]));
    expect(server.asked.map((asked) => asked.input.length).sort()).toEqual([2, 4, 4]);
  });

  test("OpenaiEmbedder embed fails only the text that the server refuses", async () => {
    server.always = (asked, request) =>
      asked.input.includes("poison")
        ? failing(400, "input too long")(asked, request)
        : honest(asked, request);
    const embedder = open({ batchWaitMs: 20 });
    const texts = ["a", "b", "poison", "c", "d"];
    const results = await Promise.allSettled(texts.map((text) => embedder.embed([text], "memory")));
    expect(results.map((result) => result.status)).toEqual([
      "fulfilled",
      "fulfilled",
      "rejected",
      "fulfilled",
      "fulfilled",
    ]);
    expect(embedder.state().status).toBe("ok");
  });

  test("OpenaiEmbedder embed rejects a caller that calls off and serves the others", async () => {
    const embedder = open({ batchWaitMs: 30 });
    const calling = new AbortController();
    const first = embedder.embed(["first"], "query", { signal: calling.signal });
    const second = embedder.embed(["second"], "query");
    calling.abort(new Error("gone"));
    await expect(first).rejects.toThrow("gone");
    expect(await second).toEqual([vectorOf("second")]);
    expect(server.asked[0]!.input).toEqual(["second"]);
  });

  test("OpenaiEmbedder close fails what waits and what is under way", async () => {
    let release: (() => void) | undefined;
    server.always = async (asked, request) => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return honest(asked, request);
    };
    const embedder = open();
    const underway = failureOf(embedder.embed(["under way"], "query"));
    while (release === undefined) await Bun.sleep(1);
    embedder.close();
    expect((await underway).message).toContain("shutting down");
    expect((await failureOf(embedder.embed(["late"], "query"))).message).toContain("shutting down");
    release();
  });
});

describe("failures", () => {
  test("OpenaiEmbedder embed tries again after 500 and after 429", async () => {
    server.replies.push(failing(500, "oops"), failing(429, "slow down", { "retry-after": "0" }));
    const embedder = open({ retries: 2 });
    expect(await embedder.embed(["one"], "query")).toEqual([vectorOf("one")]);
    expect(embedder.state()).toMatchObject({ status: "ok", detail: { requests: 3, failed: 2, retried: 2 } });
  });

  test("OpenaiEmbedder embed passes a long Retry-After on instead of waiting for it", async () => {
    server.always = failing(429, "quota", { "retry-after": "120" });
    const failure = await failureOf(open({ retries: 5 }).embed(["one"], "query"));
    expect(failure.retryAfterSeconds).toBe(120);
    expect(server.asked).toHaveLength(1);
  });

  test("OpenaiEmbedder embed gives up on a server that is too slow", async () => {
    server.always = async (asked, request) => {
      await Bun.sleep(500);
      return honest(asked, request);
    };
    const failure = await failureOf(open({ timeoutMs: 100 }).embed(["one"], "query"));
    expect(failure.message).toContain("no answer within 100 ms");
  });

  test("OpenaiEmbedder embed says that nobody listens", async () => {
    const { url } = server;
    await server.stop();
    const failure = await failureOf(open({ url }).embed(["one"], "query"));
    expect(failure.message).toStartWith(`Cannot embed with openai/fake at ${url}/v1/embeddings: `);
  });

  test("OpenaiEmbedder stops asking after five failures, tries again after a pause, and recovers", async () => {
    server.always = failing(503, "loading");
    const embedder = open();
    for (let i = 0; i < 5; i++) await failureOf(embedder.embed(["one"], "query"));
    expect(embedder.state()).toMatchObject({ status: "failed", detail: { circuit: "open" } });
    expect((await failureOf(embedder.embed(["one"], "query"))).retryAfterSeconds).toBe(1);
    expect(server.asked).toHaveLength(5);

    clock.ms += 1_001; // the trial fails: the pause doubles
    await failureOf(embedder.embed(["one"], "query"));
    expect(server.asked).toHaveLength(6);
    clock.ms += 1_500;
    await failureOf(embedder.embed(["one"], "query"));
    expect(server.asked).toHaveLength(6);

    server.always = undefined;
    clock.ms += 501;
    expect(await embedder.embed(["one"], "query")).toEqual([vectorOf("one")]);
    expect(embedder.state().status).toBe("ok");
  });

  test("OpenaiEmbedder state says what is true before, during and after a failure", async () => {
    const embedder = open();
    expect(embedder.state()).toMatchObject({ status: "unavailable", reason: "the server was not asked yet" });
    server.replies.push(failing(500, "out of memory"));
    await failureOf(embedder.embed(["one"], "query"));
    expect(embedder.state()).toMatchObject({ status: "degraded", reason: "HTTP 500: out of memory" });
    await embedder.embed(["one"], "query");
    expect(embedder.state()).toMatchObject({
      status: "ok",
      detail: { lastError: "HTTP 500: out of memory" },
    });
  });
});

describe("the key", () => {
  test("OpenaiEmbedder reads the key again when it is refused", async () => {
    const keyFile = join(directory, "key");
    writeFileSync(keyFile, "old-key\n");
    const embedder = open({ keyFile });
    server.always = (asked, request) =>
      request.headers.get("authorization") === "Bearer new-key"
        ? honest(asked, request)
        : failing(401, "Incorrect API key provided")(asked, request);
    writeFileSync(keyFile, "new-key\n");
    expect(await embedder.embed(["one"], "query")).toEqual([vectorOf("one")]);
    expect(server.keys).toEqual(["Bearer old-key", "Bearer new-key"]);
  });

  test("OpenaiEmbedder never shows the key, even when the server does", async () => {
    const keyFile = join(directory, "key");
    const key = "sk-very-secret-0123456789";
    writeFileSync(keyFile, key);
    server.always = failing(401, `Incorrect API key provided: ${key}`);
    const embedder = open({ keyFile, url: server.url.replace("http://", `http://user:${key}@`) });
    const failure = await failureOf(embedder.embed(["one"], "query"));
    expect(failure.message).toContain("HTTP 401: Incorrect API key provided: [key]");
    expect(failure.message + JSON.stringify(embedder.state())).not.toContain("secret");
  });

  test("OpenaiEmbedder says that the key file can not be read", () => {
    const embedder = open({ keyFile: join(directory, "missing") });
    expect(embedder.state()).toMatchObject({ status: "degraded" });
    expect(embedder.state().reason).toContain("cannot read");
  });
});
