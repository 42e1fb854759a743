import { describe, expect, test } from "bun:test";
import { main as association } from "../../bench/retrieval/association.ts";
import { missingConversations, parseSessionTime } from "../../bench/retrieval/conversations.ts";
import { main as learnMeaning } from "../../bench/retrieval/meaning.ts";
import { measureQuestion, rankingOf } from "../../bench/retrieval/measures.ts";
import { main } from "../../bench/retrieval/offline.ts";
import { missingPerlMessages } from "../../bench/retrieval/perl-messages.ts";
import { PlainBm25 } from "../../bench/retrieval/plain-bm25.ts";

const missing = missingConversations();
const allMissing = missing === undefined ? undefined : missingPerlMessages();

describe("retrieval bench", () => {
  test.skipIf(missing !== undefined)(
    `offline, small size: fusion is not below the better of words and vectors, but for noise${missing === undefined ? "" : ` (skipped: ${missing})`}`,
    () => {
      const found = new Map(main(true).map(({ name, all }) => [name, all.r10]));
      const words = found.get("words")!;
      const vectors = found.get("hashed vectors, idf of the space")!;
      expect(found.get("fused, times left out")!).toBeGreaterThan(Math.max(words, vectors) - 0.03);
      expect(found.get("hybrid: fused, with times")!).toBeGreaterThan(
        found.get("independent BM25, stemmed, stop words")! - 0.03,
      );
    },
  );

  test.skipIf(allMissing !== undefined)(
    `meaning, small size: what was learned from the texts finds more than words and hashed vectors${allMissing === undefined ? "" : ` (skipped: ${missing}; ${allMissing})`}`,
    () => {
      const found = new Map(learnMeaning(true).map(({ name, all }) => [name, all.r10]));
      expect(found.get("words, hashed vectors and meaning")!).toBeGreaterThan(
        found.get("words and hashed vectors")!,
      );
    },
  );

  test.skipIf(missing !== undefined)(
    `association, small size: activation finds more than fusion by itself${missing === undefined ? "" : ` (skipped: ${missing})`}`,
    () => {
      const [off, on] = association(true);
      expect(on!.all.r10).toBeGreaterThan(off!.all.r10 + 0.03);
    },
  );

  test("measureQuestion counts the part of the evidence among the first k, and the first hit", () => {
    expect(measureQuestion([3, 9], [1, 3, 2, 4, 5, 6, 9])).toEqual({
      r5: 0.5,
      r10: 1,
      r20: 1,
      mrr: 0.5,
      count: 1,
    });
    expect(measureQuestion([7], [])).toMatchObject({ r20: 0, mrr: 0 });
  });

  test("rankingOf leaves out what scored nothing", () => {
    expect(rankingOf([0, 2, 1, 2], 3)).toEqual([1, 3, 2]);
  });

  test("PlainBm25 finds the text with the rarer word first", () => {
    const index = new PlainBm25(["a dog and a cat", "a dog and a dog", "a bird"], { isStemmed: true });
    expect(rankingOf(index.scores("Which dogs chase cats?"), 3)).toEqual([0, 1]);
  });

  test("parseSessionTime reads the times of sessions", () => {
    expect(new Date(parseSessionTime("12:05 am on 7 July, 2023")).toISOString()).toBe(
      "2023-07-07T00:05:00.000Z",
    );
    expect(new Date(parseSessionTime("1:56 pm on 8 May, 2023")).toISOString()).toBe(
      "2023-05-08T13:56:00.000Z",
    );
    expect(() => parseSessionTime("soon")).toThrow("Cannot read");
  });
});
