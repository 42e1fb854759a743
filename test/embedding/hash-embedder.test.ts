import { describe, expect, test } from "bun:test";
import { HashEmbedder } from "../../src/embedding/hash-embedder.ts";
import { hashTerm } from "../../src/language/term-hash.ts";

const embedder = new HashEmbedder();

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
const memory = (text: string): Float32Array => embedder.embedMemory(text, "english");
const query = (text: string): Float32Array => embedder.embedQuery(text, "english");

describe("HashEmbedder", () => {
  test("HashEmbedder gives a text the same vector whenever and wherever it is embedded", () => {
    const text = "Maria volunteered at the homeless shelter";
    const first = memory(text);
    memory("something else in between");
    expect(memory(text)).toEqual(first);
    expect(new HashEmbedder().embedMemory(text, "english")).toEqual(first);
    // Vectors on disk were made so; a change needs a new id.
    expect(Bun.hash.crc32(new Uint8Array(first.buffer)).toString(16)).toMatchInlineSnapshot(`"96ee532"`);
  });

  test.each([
    "a",
    "",
    "   ",
    "🎉",
    "!!!",
    "the of and",
    "x".repeat(100_000),
    "word ".repeat(20_000),
    "東",
    "\ud800",
  ])("HashEmbedder gives a unit vector for %p, as memory and as query", (text) => {
    for (const vector of [memory(text.slice()), query(text)]) {
      expect(vector).toHaveLength(768);
      expect(Math.abs(dot(vector, vector) - 1)).toBeLessThan(1e-5);
    }
  });

  test.each([1, 2, 11, 12, 13, 64, 1_536, 4_096])(
    "HashEmbedder makes unit vectors of %i dimensions",
    (dimensions) => {
      const small = new HashEmbedder(dimensions);
      for (const vector of small.embedSync(["a quick brown fox", "", "🎉"], "memory")) {
        expect(vector).toHaveLength(dimensions);
        expect(Math.abs(dot(vector, vector) - 1)).toBeLessThan(1e-5);
      }
    },
  );

  test("HashEmbedder puts texts that share words or parts of words nearer than others", () => {
    const shelter = memory("I volunteered at the homeless shelter yesterday");
    const guitar = memory("My new guitar sounds great");
    const asked = query("Who does volunteering in shelters?");
    expect(dot(asked, shelter)).toBeGreaterThan(dot(asked, guitar) + 0.2);
    expect(dot(query("photograph"), memory("photographers"))).toBeGreaterThan(
      dot(query("photograph"), guitar) + 0.1,
    );
    expect(Math.abs(dot(shelter, guitar))).toBeLessThan(0.15);
  });

  test("HashEmbedder finds an emoji by itself, and a phrase of stop words by itself", () => {
    expect(dot(query("🎉"), memory("🎉"))).toBeGreaterThan(dot(query("🎉"), memory("🚀")) + 0.2);
    expect(dot(query("to be"), memory("to be"))).toBeGreaterThan(
      dot(query("to be"), memory("of all")) + 0.02,
    );
  });

  test("HashEmbedder lets what the space knows about rarity decide between two words", () => {
    const common = { ...hashTerm("coffe") };
    const idf = (lo: number, hi: number): number => (lo === common.lo && hi === common.hi ? 0.1 : 5);
    const asked = embedder.embedQuery("coffee telescope", "english", idf);
    expect(dot(asked, memory("looking through the telescope"))).toBeGreaterThan(
      dot(asked, memory("drinking coffee")) + 0.2,
    );
  });

  test("HashEmbedder embed and embedSync agree", async () => {
    const texts = ["one text", "another text"];
    expect(await embedder.embed(texts, "query", { language: "german" })).toEqual(
      embedder.embedSync(texts, "query", { language: "german" }),
    );
  });

  test("HashEmbedder state counts the texts it embedded", () => {
    const fresh = new HashEmbedder();
    fresh.embedSync(["a", "b"], "memory");
    expect(fresh.state()).toMatchObject({ status: "ok", detail: { provider: "hash/1", texts: 2 } });
  });
});
