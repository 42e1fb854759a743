import { expect, test } from "bun:test";
import { firstSentence, gistOf } from "../../src/cognition/gist.ts";

const words = (text: string) => text.split(" ").map((surface) => ({ surface, term: surface.toLowerCase() }));

test("gistOf names what the members share and the space seldom says, and quotes the most central one", () => {
  const members = ["Guitar lesson today", "guitar strings broke today", "new guitar lesson", "a cat"].map(
    words,
  );
  const idf = (term: string): number => (term === "today" ? 0.1 : 2);
  const { terms, text } = gistOf(members, "Guitar lesson today. It went well.", idf);
  expect(terms).toEqual(["guitar", "lesson", "today"]);
  expect(text).toBe("guitar, lesson, today: Guitar lesson today.");
});

test("gistOf makes do with the sentence where members share no word", () => {
  expect(gistOf([words("one"), words("two")], "One thing", () => 1).text).toBe("One thing");
});

test("firstSentence ends at the first full stop, or at a word where the sentence is long", () => {
  expect(firstSentence("  Hello\n there! More.")).toBe("Hello there!");
  expect(firstSentence("version 2.0 is out")).toBe("version 2.0 is out");
  const long = firstSentence("word ".repeat(100));
  expect(long.length).toBeLessThanOrEqual(201);
  expect(long).toEndWith("word…");
});
