/** The embedding provider goes away and comes back: what remember does is what was set, and words go on working. */
import { expect, test } from "bun:test";
import { DIMENSIONS, FakeEmbeddingServer, failing, vectorOf } from "../embedding/fake-embedding-server.ts";
import { answered } from "../support/appliance-client.ts";
import { ApplianceProcess, eventually, ScratchDirectory } from "../support/appliance-process.ts";

const DOWN = failing(503, "down for the test");

function settings(server: FakeEmbeddingServer, whenUnavailable: "fail" | "store") {
  return {
    "thread_pools.api_workers": 1,
    "embedding.provider": "openai",
    "embedding.dimensions": DIMENSIONS,
    "embedding.when_unavailable": whenUnavailable,
    "embedding.openai.url": server.url,
    "embedding.openai.model": "fake",
    "embedding.openai.retries": 0,
    "embedding.openai.timeout_ms": 1000,
  };
}

test("when_unavailable=fail refuses what needs the provider, and nothing else", async () => {
  using directory = new ScratchDirectory("provider-fail");
  const server = new FakeEmbeddingServer();
  try {
    await using appliance = await ApplianceProcess.start({
      data: directory.data,
      settings: settings(server, "fail"),
    });
    const { client } = appliance;
    expect(answered(await client.remember({ id: "a", content: "green apples" })).embedded).toBe(true);
    server.always = DOWN;
    expect(await client.remember({ id: "b", content: "red apples" })).toMatchObject({
      status: 503,
      body: { code: "embedder-unavailable" },
    });
    expect((await client.get("b")).status).toBe(404);
    const brought = { id: "c", content: "blue plums", embedding: vectorOf("blue plums") };
    expect(answered(await client.remember(brought)).embedded).toBe(true);
    const words = answered(await client.recall({ query: "apples", mode: "words" }));
    expect(words.memories.map(({ id }) => id)).toEqual(["a"]);
    const hybrid = answered(await client.recall({ query: "plums of any colour" }));
    expect(hybrid).toMatchObject({ mode: "words", degraded: expect.any(String) });
    expect(hybrid.memories[0]!.id).toBe("c");
    expect(await client.recall({ query: "pears of any colour", mode: "vector" })).toMatchObject({
      status: 503,
    });
    expect((await client.health()).parts["embedding"]!.status).not.toBe("ok");

    server.always = undefined;
    const isBack = async () => (await client.remember({ id: "b", content: "red apples" })).ok;
    await eventually("the provider is used again", isBack, { everyMs: 200 });
    const vector = answered(await client.recall({ query: "red apples", mode: "vector" }));
    expect(vector.memories[0]!.id).toBe("b");
  } finally {
    await server.stop();
  }
}, 60_000);

test("when_unavailable=store keeps memories for words, and embeds them once the provider is back", async () => {
  using directory = new ScratchDirectory("provider-store");
  const server = new FakeEmbeddingServer();
  try {
    const start = { data: directory.data, settings: settings(server, "store") };
    server.always = DOWN;
    {
      await using appliance = await ApplianceProcess.start(start);
      const { client } = appliance;
      for (const [id, content] of Object.entries({ a: "green apples", b: "red pears", c: "blue plums" })) {
        const stored = answered(await client.remember({ id, content, tags: [id], metadata: { of: id } }));
        expect(stored).toMatchObject({ embedded: false, outcome: "stored", ack: "fsync" });
      }
      const words = answered(await client.recall({ query: "pears", mode: "words" }));
      expect(words.memories.map(({ id }) => id)).toEqual(["b"]);
      expect(answered(await client.space("default")).pending_embedding).toBe(3);
      // One is changed, and one forgotten, before they could be embedded.
      const changed = { id: "b", content: "yellow pears", if_exists: "replace" } as const;
      expect(answered(await client.remember(changed)).outcome).toBe("replaced");
      answered(await client.forget("c"));
      const episode = { id: "d", what: "the cat ate fish", who: ["cat"], valence: 0.5, importance: 0.75 };
      answered(await client.call("POST", "/api/v1/episodes/remember", episode));
      answered(await client.call("POST", "/api/v1/links", { source: "a", destination: "d" }));
      await appliance.kill();
    }
    await using appliance = await ApplianceProcess.start(start);
    const { client } = appliance;
    expect(answered(await client.space("default")).pending_embedding).toBe(3);
    server.always = undefined;
    await eventually(
      "everything is embedded",
      async () => answered(await client.space("default")).pending_embedding === 0,
      { withinMs: 40_000, everyMs: 100 },
    );
    for (const [id, content] of Object.entries({ a: "green apples", b: "yellow pears" })) {
      const { memories } = answered(await client.recall({ query: content, mode: "vector" }));
      expect(memories[0]).toMatchObject({ id, content });
      expect(memories[0]!.score).toBeCloseTo(1, 4);
      const byWords = answered(await client.recall({ query: content, mode: "words" }));
      expect(byWords.memories.map((memory) => memory.id)).toEqual([id]);
    }
    expect(answered(await client.get("a"))).toMatchObject({ tags: ["a"], metadata: { of: "a" } });
    // Its vector came later: what else it is, it stayed.
    expect(answered(await client.get("d"))).toMatchObject({
      kind: "episode",
      valence: 0.5,
      importance: 0.75,
      episode: { who: ["cat"] },
    });
    const linked = await client.call("GET", "/api/v1/links?id=d&kind=link");
    expect(answered(linked)).toMatchObject({ links: [{ id: "a", direction: "in" }] });
    expect((await client.listAll()).map(({ id }) => id).sort()).toEqual(["a", "b", "d"]);
    expect(await appliance.stop()).toBe(0);
  } finally {
    await server.stop();
  }
}, 90_000);
