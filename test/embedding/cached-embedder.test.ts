import { describe, expect, test } from "bun:test";
import { CachedEmbedder } from "../../src/embedding/cached-embedder.ts";
import type { EmbeddingProvider } from "../../src/embedding/embedder.ts";
import { VectorCache } from "../../src/embedding/vector-cache.ts";
import { vectorOf } from "./fake-embedding-server.ts";

class CountingEmbedder implements EmbeddingProvider {
  readonly id = "counting/1";
  readonly dimensions = 8;
  readonly family = "learned";
  readonly asked: string[] = [];
  fails = false;

  async embed(texts: readonly string[]): Promise<Float32Array[]> {
    this.asked.push(...texts);
    await Bun.sleep(1);
    if (this.fails) throw new Error("down");
    return texts.map((text) => vectorOf(text));
  }
  state() {
    return { status: "ok" as const, detail: { asked: this.asked.length } };
  }
  close(): void {}
}

describe("CachedEmbedder", () => {
  test("CachedEmbedder embed asks once for a text that was embedded already", async () => {
    const inner = new CountingEmbedder();
    const embedder = new CachedEmbedder(inner, 1 << 20);
    await embedder.embed(["a", "b"], "query");
    expect(await embedder.embed(["b", "c", "a"], "query")).toEqual(
      ["b", "c", "a"].map((text) => vectorOf(text)),
    );
    expect(inner.asked).toEqual(["a", "b", "c"]);
    expect(embedder.state().detail).toMatchObject({ asked: 3, cache: { hits: 2, misses: 3, entries: 3 } });
  });

  test("CachedEmbedder embed asks once for a text that many want at the same time", async () => {
    const inner = new CountingEmbedder();
    const embedder = new CachedEmbedder(inner, 1 << 20);
    await Promise.all(Array.from({ length: 20 }, () => embedder.embed(["same"], "query")));
    expect(inner.asked).toEqual(["same"]);
  });

  test("CachedEmbedder embed keeps queries and memories apart", async () => {
    const inner = new CountingEmbedder();
    const embedder = new CachedEmbedder(inner, 1 << 20);
    await embedder.embed(["a"], "query");
    await embedder.embed(["a"], "memory");
    expect(inner.asked).toEqual(["a", "a"]);
  });

  test("CachedEmbedder embed remembers no failure", async () => {
    const inner = new CountingEmbedder();
    const embedder = new CachedEmbedder(inner, 1 << 20);
    inner.fails = true;
    await expect(embedder.embed(["a", "b"], "query")).rejects.toThrow("down");
    inner.fails = false;
    expect(await embedder.embed(["a"], "query")).toEqual([vectorOf("a")]);
  });
});

describe("VectorCache", () => {
  test("VectorCache holds no more bytes than its bound and drops what was not asked for longest", () => {
    const cache = new VectorCache(1_000);
    for (const key of ["a", "b", "c", "d"]) cache.put(key, new Float32Array(16));
    expect(cache.get("a")).toBeDefined();
    cache.put("e", new Float32Array(16)); // 226 bytes each: four fit
    expect(cache.counts.bytes).toBeLessThanOrEqual(1_000);
    expect(cache.get("b")).toBeUndefined();
    expect(cache.get("a")).toBeDefined();
  });

  test("VectorCache keeps nothing that is larger than it", () => {
    const cache = new VectorCache(100);
    cache.put("a", new Float32Array(16));
    expect(cache.counts).toMatchObject({ entries: 0, bytes: 0 });
  });

  test("VectorCache counts the bytes of a key once however often it is put", () => {
    const cache = new VectorCache(10_000);
    cache.put("a", new Float32Array(16));
    const { bytes } = cache.counts;
    cache.put("a", new Float32Array(16));
    expect(cache.counts).toMatchObject({ entries: 1, bytes });
  });
});
