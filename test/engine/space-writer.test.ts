import { describe, expect, test } from "bun:test";
import { Random } from "../../src/base/random.ts";
import { encodeLengthByte, inverseDocumentFrequency, LENGTH_OF_BYTE } from "../../src/index/bm25.ts";
import { analyseWords } from "../../src/language/analyse.ts";
import { DIMENSIONS, SpaceUnderTest } from "./space-under-test.ts";

const WORDS = "river stone cloud maple winter harbour lantern violin copper meadow falcon ember".split(" ");

function sentence(random: Random): string {
  return Array.from({ length: 1 + random.below(9) }, () => WORDS[random.below(WORDS.length)]).join(" ");
}

describe("SpaceWriter", () => {
  test("SpaceWriter reads back every field that was stored, bytes of all kinds included", () => {
    const space = new SpaceUnderTest();
    const id = "ключ \u0000 with nul and 🦉";
    space.remember({ id, content: "\uFEFFbyte order mark", tags: ["a", "ä b"], metadataJson: '{"n":1}' });
    expect(space.get(id)).toEqual({
      id,
      content: "\uFEFFbyte order mark",
      tags: ["a", "ä b"],
      metadataJson: '{"n":1}',
      timestampMs: 5,
      storedAtMs: 6,
      confidence: 0.7,
      kind: "memory",
      importance: 0.5,
      valence: 0,
      detailsJson: undefined,
    });
  });

  test("SpaceWriter agrees with a map under random remembers, replaces and forgets, over table growth", () => {
    const seed = 20_261;
    const random = new Random(seed);
    const space = new SpaceUnderTest();
    const model = new Map<string, string>();
    for (let step = 0; step < 6000; step++) {
      const id = `id-${random.below(2500)}`;
      if (random.below(4) === 0) {
        expect(space.forget(id)).toBe(model.delete(id));
      } else {
        const content = sentence(random);
        space.remember({ id, content });
        model.set(id, content);
      }
    }
    expect(space.space.root.load("liveCount")).toBe(model.size);
    for (let i = 0; i < 2500; i++) expect(space.get(`id-${i}`)?.content).toBe(model.get(`id-${i}`));
  });

  test("WordIndexReader scores every live memory as BM25 computed plainly, after replaces and forgets", () => {
    const random = new Random(7);
    const space = new SpaceUnderTest();
    const contents = new Map<string, { slot: number; content: string }>();
    for (let step = 0; step < 2000; step++) {
      const id = `m${random.below(700)}`;
      if (random.below(5) === 0) {
        space.forget(id);
        contents.delete(id);
      } else {
        const content = sentence(random);
        contents.set(id, { slot: space.remember({ id, content }), content });
      }
    }
    const documents = [...contents.values()].map(({ slot, content }) => ({
      slot,
      terms: analyseWords(content, "english").map((word) => word.term!),
    }));
    const average = documents.reduce((sum, { terms }) => sum + terms.length, 0) / documents.length;
    for (const query of ["river", "stone maple", "violin violin ember harbour"]) {
      const expected = new Map<number, number>();
      for (const term of analyseWords(query, "english").map((word) => word.term!)) {
        const holding = documents.filter(({ terms }) => terms.includes(term));
        const weight = inverseDocumentFrequency({
          memoryCount: documents.length,
          withTermCount: holding.length,
        });
        for (const { slot, terms } of holding) {
          const frequency = terms.filter((each) => each === term).length;
          const length = LENGTH_OF_BYTE[encodeLengthByte(terms.length)]!;
          const norm = 1.2 * (1 - 0.75 + (0.75 * length) / average);
          expected.set(slot, (expected.get(slot) ?? 0) + (weight * 2.2 * frequency) / (frequency + norm));
        }
      }
      const found = space.scores(query);
      expect([...found.keys()].sort()).toEqual([...expected.keys()].sort());
      for (const [slot, score] of expected) expect(found.get(slot)!).toBeCloseTo(score, 3);
    }
  });

  test("SpaceWriter keeps the counts of live, forgotten and vectorless memories", () => {
    const space = new SpaceUnderTest();
    const { root } = space.space;
    space.remember({ id: "a", content: "one" });
    space.remember({ id: "b", content: "two", vector: new Float32Array(DIMENSIONS).fill(1) });
    expect([root.load("liveCount"), root.load("forgottenCount"), root.load("pendingCount")]).toEqual([
      2, 0, 1,
    ]);
    space.remember({ id: "a", content: "one again", vector: new Float32Array(DIMENSIONS).fill(2) });
    expect([root.load("liveCount"), root.load("forgottenCount"), root.load("pendingCount")]).toEqual([
      2, 1, 0,
    ]);
    expect(space.forget("a")).toBe(true);
    expect(space.forget("a")).toBe(false);
    expect([root.load("liveCount"), root.load("forgottenCount"), root.number("tokensTotal")]).toEqual([
      1, 2, 1,
    ]);
  });

  test("SpaceKeeper frees a deleted space only after every reader has left it", () => {
    const space = new SpaceUnderTest();
    space.remember({ id: "a", content: "one" });
    space.epoch.enter();
    space.keeper.delete(space.space);
    expect(space.table.find("test")).toBeUndefined();
    expect(space.reader.isCurrent).toBe(false);
    space.keeper.collectRetired();
    expect(space.get("a")?.content).toBe("one");
    space.epoch.exit();
    space.keeper.collectRetired();
    expect(space.space.root.load("state")).toBe(0);
  });
});
