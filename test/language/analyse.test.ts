import { describe, expect, test } from "bun:test";
import { Random } from "../../src/base/random.ts";
import { analyse, analyseWords, foldDiacritics } from "../../src/language/analyse.ts";
import { LANGUAGES, type Language } from "../../src/language/languages.ts";
import { segment, WordSpans, wordAt } from "../../src/language/segment.ts";
import { TermBuffer } from "../../src/language/term-buffer.ts";
import { hashTerm } from "../../src/language/term-hash.ts";

function wordsOf(text: string): string[] {
  const spans = new WordSpans(1);
  segment(text, spans);
  return Array.from({ length: spans.count }, (_, index) => wordAt(spans, index));
}

function termsOf(text: string, language: Language = "english"): string[] {
  return analyseWords(text, language).flatMap((word) => word.term ?? []);
}

describe("segment", () => {
  test.each([
    ["Hello, World!", ["hello", "world"]],
    ["don't can’t o'clock 'quoted' dogs'", ["don't", "can't", "o'clock", "quoted", "dogs"]],
    ["MP3-Player v2.0 10,000", ["mp3", "player", "v2", "0", "10", "000"]],
    ["snake_case and/or e-mail@x.org", ["snake", "case", "and", "or", "e", "mail", "x", "org"]],
    ["Straße ÉCOLE Ёлка", ["straße", "école", "ёлка"]],
    ["ΟΔΥΣΣΕΥΣ Οδυσσεύς", ["οδυσσευσ", "οδυσσεύσ"]],
    ["cafe\u0301 ＡＢＣ ﬁne", ["café", "abc", "fine"]],
    ["東京タワーに行く", ["東京", "京タ", "タワ", "ワー", "ーに", "に行", "行く"]],
    ["我 love 你们好", ["我", "love", "你们", "们好"]],
    ["한국어 텍스트", ["한국", "국어", "텍스", "스트"]],
    ["𠮷野家 𝐛𝐨𝐥𝐝", ["𠮷野", "野家", "bold"]],
    ["🎉 — … \u0000\t\n", []],
    ["हिन्दी पाठ", ["हिन्दी", "पाठ"]],
    ["سلام عليكم", ["سلام", "عليكم"]],
    ["", []],
  ])("segment cuts %p", (text, words) => {
    expect(wordsOf(text)).toEqual(words);
  });

  test("segment hashes a word as hashTerm hashes its lower-cased form", () => {
    const spans = new WordSpans();
    segment("The Café's ＡＢＣ 東京 don’t", spans);
    for (let index = 0; index < spans.count; index++) {
      const { lo, hi } = hashTerm(wordAt(spans, index));
      expect([spans.los[index], spans.his[index]]).toEqual([lo, hi]);
    }
  });

  test("segment looks at the first 64 units of a blob and goes on behind it", () => {
    const blob = "x".repeat(1_000);
    expect(wordsOf(`${blob} after`)).toEqual(["x".repeat(64), "after"]);
  });

  test("segment takes any text: random code units, lone surrogates and marks included", () => {
    const random = new Random(20_260_101);
    const spans = new WordSpans(1);
    const alphabet = [
      0x41, 0x7a, 0x20, 0x27, 0x2019, 0x301, 0xd83d, 0xde00, 0xd800, 0xdc00, 0x4e00, 0xe01, 0xfb01, 0xac00,
    ];
    for (let round = 0; round < 2_000; round++) {
      let text = "";
      for (let i = random.below(40); i > 0; i--) {
        text += String.fromCharCode(random.below(3) === 0 ? random.below(65_536) : random.pick(alphabet));
      }
      segment(text, spans);
      let behind = 0;
      for (let index = 0; index < spans.count; index++) {
        expect(spans.starts[index]!).toBeLessThan(spans.ends[index]!);
        expect(spans.ends[index]!).toBeGreaterThanOrEqual(behind);
        behind = spans.ends[index]!;
      }
      expect(behind).toBeLessThanOrEqual(spans.text.length);
    }
  });
});

describe("analyse", () => {
  test.each<[Language, string, string[]]>([
    ["english", "I don't think Maria's dogs were running", ["think", "maria", "dog", "run"]],
    ["english", "She bought it; buying and buy", ["buy", "buy", "buy"]],
    ["english", "naïve cafés résumé", ["naiv", "cafe", "resum"]],
    ["english", "ill well wed", ["ill", "well", "wed"]],
    ["french", "L'homme et les chevaux qu'elle aime", ["homm", "cheval", "aim"]],
    ["italian", "Dell'arte e l'amicizia", ["arte", "amiciz"]],
    ["german", "Die Häuser an der Straße", ["haus", "strass"]],
    ["spanish", "Las canciones rápidamente", ["cancion", "rapid"]],
    ["russian", "Возможности и книги", ["возможн", "книг"]],
    ["none", "The Running Dogs' café", ["the", "running", "dogs", "cafe"]],
  ])("analyseWords in %s gives the terms of %p", (language, text, terms) => {
    expect(termsOf(text, language)).toEqual(terms);
  });

  test("analyse counts the terms that analyseWords names, in every language", () => {
    const text = "Maria's friends went to l'opéra in München; Maria bought 東京 tickets, tickets!";
    const buffer = new TermBuffer(1);
    for (const language of LANGUAGES) {
      for (let round = 0; round < 2; round++) {
        analyse(text, language, buffer); // the second time from the cache
        const counts = new Map<string, number>();
        for (const word of analyseWords(text, language)) {
          if (word.term === undefined) continue;
          const key = `${word.lo},${word.hi}`;
          counts.set(key, (counts.get(key) ?? 0) + 1);
        }
        const seen = Array.from({ length: buffer.count }, (_, i): [string, number] => [
          `${buffer.los[i]},${buffer.his[i]}`,
          buffer.frequencies[i]!,
        ]);
        expect(seen).toEqual([...counts]);
        expect(buffer.tokenCount).toBe([...counts.values()].reduce((sum, count) => sum + count, 0));
      }
    }
  });

  test("analyse gives the same terms when words crowd each other out of the cache", () => {
    const buffer = new TermBuffer();
    const text = Array.from({ length: 60_000 }, (_, i) => `word${i}`).join(" ");
    analyse(text, "english", buffer);
    expect(buffer.count).toBe(60_000);
    const first = buffer.los.slice(0, buffer.count);
    analyse(text, "english", buffer);
    expect(buffer.los.slice(0, buffer.count)).toEqual(first);
  });

  test("foldDiacritics leaves letters without their marks", () => {
    expect(["é", "ß", "ø", "ł", "ё", "ñ", "plain", "東京", "ガ"].map(foldDiacritics)).toEqual([
      "e",
      "ss",
      "o",
      "l",
      "е",
      "n",
      "plain",
      "東京",
      "ガ",
    ]);
  });
});

describe("hashTerm", () => {
  test("hashTerm stays what stored data was written with", () => {
    // Values on disk depend on these; a change needs a new ANALYSER_VERSION.
    expect({ ...hashTerm("memory") }).toMatchInlineSnapshot(`
      {
        "hi": 387041007,
        "lo": 4047303703,
      }
    `);
    expect({ ...hashTerm("") }).toMatchInlineSnapshot(`
      {
        "hi": 1931363835,
        "lo": 1305085039,
      }
    `);
    expect({ ...hashTerm("東京") }).toMatchInlineSnapshot(`
      {
        "hi": 2360227017,
        "lo": 2232956133,
      }
    `);
  });

  test("hashTerm gives half a million terms as many hashes, and every bit is used alike", () => {
    const seen = new Set<bigint>();
    const ones = new Uint32Array(64);
    const count = 500_000;
    for (let i = 0; i < count; i++) {
      const { lo, hi } = hashTerm(i % 2 === 0 ? `t${i}` : i.toString(36));
      seen.add((BigInt(hi) << 32n) | BigInt(lo));
      for (let bit = 0; bit < 32; bit++) {
        ones[bit]! += (lo >>> bit) & 1;
        ones[32 + bit]! += (hi >>> bit) & 1;
      }
    }
    expect(seen.size).toBe(count);
    for (const one of ones) expect(Math.abs(one / count - 0.5)).toBeLessThan(0.005);
  });
});

describe("TermBuffer", () => {
  test("TermBuffer counts like a map, through growth and reuse", () => {
    const random = new Random(42);
    const buffer = new TermBuffer(4);
    for (let round = 0; round < 20; round++) {
      buffer.clear();
      const model = new Map<number, number>();
      for (let i = random.below(3_000); i > 0; i--) {
        const lo = 1 + random.below(500);
        buffer.add(lo, lo % 7);
        model.set(lo, (model.get(lo) ?? 0) + 1);
      }
      expect(buffer.count).toBe(model.size);
      for (let i = 0; i < buffer.count; i++) expect(buffer.frequencies[i]).toBe(model.get(buffer.los[i]!)!);
      expect(buffer.tokenCount).toBe([...model.values()].reduce((sum, count) => sum + count, 0));
    }
  });
});
