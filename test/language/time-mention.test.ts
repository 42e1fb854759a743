import { describe, expect, test } from "bun:test";
import type { Language } from "../../src/language/languages.ts";
import { closeness, timesMentioned } from "../../src/language/time-mention.ts";

function spansOf(text: string, language: Language = "english"): string[] {
  const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
  return timesMentioned(text, language).map(
    (span) => `${day(span.fromMs)}..${day(span.toMs - 1)}${span.yearly ? " yearly" : ""}`,
  );
}

describe("timesMentioned", () => {
  test.each([
    ["What did Ann do in December 2023?", ["2023-12-01..2023-12-31"]],
    ["dinner on May 3, 2023", ["2023-05-03..2023-05-03"]],
    ["the 3rd of June, 2023", ["2023-06-03..2023-06-03"]],
    ["on 16 June 2023 and Aug. 4th 2022", ["2023-06-16..2023-06-16", "2022-08-04..2022-08-04"]],
    ["due 2024-02-29, not 2023-02-30", ["2024-02-29..2024-02-29"]],
    ["in 2023-05 or during 2021", ["2023-05-01..2023-05-31", "2021-01-01..2021-12-31"]],
    ["since October", ["2000-10-01..2000-10-31 yearly"]],
    ["on 29 February", ["2000-02-29..2000-02-29 yearly"]],
    ["in May", ["2000-05-01..2000-05-31 yearly"]],
    ["You may march with me", []],
    ["may I?", []],
    ["Maybe 12 apples cost 2000.50 or 1,999", []],
    ["call 555-2023-11 or 12345", []],
    ["31 February 2023", ["2023-02-01..2023-02-28"]],
    ["nothing at all", []],
    ["", []],
  ])("timesMentioned finds the times in %p", (text, spans) => {
    expect(spansOf(text)).toEqual(spans);
  });

  test.each<[Language, string, string[]]>([
    ["german", "am 3. März 2023 im Oktober", ["2023-03-03..2023-03-03", "2000-10-01..2000-10-31 yearly"]],
    ["french", "le 1er août 2022", ["2022-08-01..2022-08-01"]],
    ["spanish", "el 5 de mayo de 2021", ["2021-05-05..2021-05-05"]],
    ["portuguese", "em março de 2020", ["2020-03-01..2020-03-31"]],
    ["italian", "il 2 giugno 2019", ["2019-06-02..2019-06-02"]],
    ["russian", "3 января 2023", ["2023-01-03..2023-01-03"]],
    ["swedish", "den 6 juni 2018", ["2018-06-06..2018-06-06"]],
    ["dutch", "op 5 december 2017", ["2017-12-05..2017-12-05"]],
  ])("timesMentioned in %s finds the times in %p", (language, text, spans) => {
    expect(spansOf(text, language)).toEqual(spans);
  });

  test("timesMentioned gives up on a text full of dates after eight", () => {
    const text = Array.from(
      { length: 100 },
      (_, i) => `2023-01-${String((i % 28) + 1).padStart(2, "0")}`,
    ).join(" ");
    expect(timesMentioned(text, "english")).toHaveLength(8);
  });
});

describe("closeness", () => {
  test("closeness is 1 inside a span and falls by e for every week away", () => {
    const spans = timesMentioned("on 3 June 2023", "english");
    expect(closeness(spans, Date.UTC(2023, 5, 3, 12))).toBe(1);
    expect(closeness(spans, Date.UTC(2023, 5, 11))).toBeCloseTo(Math.exp(-1), 5);
    expect(closeness(spans, Date.UTC(2022, 5, 3))).toBeLessThan(1e-20);
  });

  test("closeness to a span that comes back is that of the nearest year", () => {
    const spans = timesMentioned("in January", "english");
    expect(closeness(spans, Date.UTC(1999, 0, 15))).toBe(1);
    expect(closeness(spans, Date.UTC(2025, 11, 31))).toBeCloseTo(Math.exp(-1 / 7), 5);
    expect(closeness(spans, Date.UTC(2025, 6, 1))).toBeLessThan(1e-8);
  });
});
