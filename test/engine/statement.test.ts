import { describe, expect, test } from "bun:test";
import { RequestError } from "../../src/base/errors.ts";
import { Random } from "../../src/base/random.ts";
import { STATEMENT_EXAMPLES } from "../../src/build/grammar-reference.ts";
import { parseStatement } from "../../src/engine/statement/parse-statement.ts";

function refusal(text: string, parameters = {}): RequestError {
  try {
    parseStatement(text, parameters);
  } catch (error) {
    if (error instanceof RequestError) return error;
    throw error;
  }
  throw new Error(`was read: ${text}`);
}

describe("parseStatement", () => {
  test("parseStatement reads every verb with every clause", () => {
    expect(
      parseStatement(
        'RECALL "bees" WHERE tag = "ada" AND kind IN (memory, "episode") AND time BETWEEN "2026-01-01" AND ' +
          '"2026-01-02" AND confidence >= 0.5 AND score >= 0.2 MODE vector LIMIT 5 AS OF "2026-02-01" EXPLAIN;',
      ),
    ).toEqual({
      verb: "recall",
      text: "bees",
      where: {
        tags: ["ada"],
        kinds: ["memory", "episode"],
        fromMs: Date.UTC(2026, 0, 1),
        toMs: Date.UTC(2026, 0, 2),
        minConfidence: 0.5,
        minScore: 0.2,
      },
      mode: "vector",
      limit: 5,
      asOfMs: Date.UTC(2026, 1, 1),
      explain: true,
    });
    expect(parseStatement('spread from memory "a", "b" threshold 0.1 decay 0.5 hops 3 limit 7')).toEqual({
      verb: "spread",
      from: { ids: ["a", "b"] },
      hops: 3,
      decay: 0.5,
      threshold: 0.1,
      limit: 7,
      explain: false,
    });
    expect(parseStatement("COMPLETE where = 'the mill', when=\"May\" -- a comment")).toEqual({
      verb: "complete",
      fragment: { where: "the mill", when: "May" },
    });
    expect(parseStatement("CONSOLIDATE")).toEqual({ verb: "consolidate" });
    expect(parseStatement('PREDICT AFTER MEMORY "x" WITHIN "2h"')).toEqual({
      verb: "predict",
      after: { id: "x" },
      withinMs: 7_200_000,
    });
    expect(parseStatement('IMAGINE "a day" WHERE time <= "2026-01-01"')).toEqual({
      verb: "imagine",
      text: "a day",
      where: { toMs: Date.UTC(2026, 0, 1) },
    });
  });

  test("parseStatement reads the examples of the documentation", () => {
    for (const [statement] of STATEMENT_EXAMPLES) {
      const parameters: Record<string, string> = statement.includes("$question") ? { question: "who" } : {};
      expect(parseStatement(statement, parameters)).toHaveProperty("verb");
    }
  });

  test("parseStatement takes texts from parameters, whatever they hold", () => {
    const evil = '" LIMIT 1 -- \\';
    expect(parseStatement("RECALL $q LIMIT $n", { q: evil, n: 3 })).toMatchObject({ text: evil, limit: 3 });
    expect(refusal("RECALL $q").message).toContain('"q" is not');
    expect(refusal('RECALL "a"', { q: "b" }).at).toBe("parameters.q");
    expect(refusal("RECALL $constructor").message).toContain("handed in");
  });

  test("parseStatement reads escapes as JSON has them, in either quote", () => {
    expect(parseStatement(String.raw`RECALL "say \"hi\"\n\u00e9"`)).toMatchObject({ text: 'say "hi"\né' });
    expect(parseStatement(String.raw`RECALL 'it\'s "so"'`)).toMatchObject({ text: `it's "so"` });
    expect(refusal(String.raw`RECALL "\x"`).message).toContain("escapes as JSON has them");
  });

  test.each([
    ['RECAL "x"', 1, 1, "RECALL"],
    ["RECALL", 1, 7, "a text in quotes"],
    ['RECALL "x', 1, 8, "closing quote"],
    ['RECALL "x" %', 1, 12, "a word of the language"],
    ['RECALL "x"\n  WHERE colour = "red"', 2, 9, '"tag"'],
    ['RECALL "x" WHERE tag >= "y"', 1, 22, "= or IN"],
    ['RECALL "x" LIMIT 0', 1, 18, "1 to 1000"],
    ['RECALL "x" LIMIT 2.5', 1, 18, "whole number"],
    ['RECALL "x" LIMIT 1 LIMIT 2', 1, 20, "LIMIT once"],
    ['RECALL "x" HOPS 2', 1, 12, "end of the statement"],
    ['RECALL "x" MODE telepathy', 1, 17, '"hybrid"'],
    ['RECALL "x" AS OF "soon"', 1, 18, "a time"],
    ['RECALL "x" WHERE time >= "2026-13-45"', 1, 26, "a time"],
    ['RECALL ""', 1, 8, "a text in quotes"],
    ['SPREAD "x"', 1, 8, "FROM"],
    ['COMPLETE colour = "red"', 1, 10, '"what"'],
    ['COMPLETE who = "a", who = "b"', 1, 21, "who once"],
    ['PREDICT AFTER "x" WITHIN "2 hours"', 1, 26, "a span"],
    ["", 1, 1, "RECALL"],
  ])("parseStatement refuses %j at line %d, column %d", (text, line, column, expected) => {
    const error = refusal(text);
    expect(error.code).toBe("statement-invalid");
    expect(error.at).toBe(`statement:${line}:${column}`);
    expect(error.message).toContain(expected);
    // The mark stands under the place.
    expect(error.message.split("\n").at(-1)).toBe(`${" ".repeat(column - 1)}^`);
  });

  test("parseStatement reads or refuses any text, and throws nothing else", () => {
    const random = new Random(20261125);
    const pieces = [
      ...[
        "RECALL",
        "SPREAD",
        "FROM",
        "MEMORY",
        "WHERE",
        "AND",
        "IN",
        "LIMIT",
        "AS",
        "OF",
        "MODE",
        "COMPLETE",
      ],
      ...['"a"', "'b'", "$p", "1", "2.5", "=", ">=", "<=", ",", "(", ")", ";", "tag", "kind", "time", "x"],
      ...[
        "BETWEEN",
        "HOPS",
        "DECAY",
        "PREDICT",
        "AFTER",
        "IMAGINE",
        "EXPLAIN",
        "--",
        "\n",
        '"',
        "\\",
        "é",
        "\0",
      ],
    ];
    let read = 0;
    for (let round = 0; round < 3000; round++) {
      const text = Array.from({ length: random.below(12) }, () => pieces[random.below(pieces.length)]).join(
        " ",
      );
      try {
        parseStatement(text, {});
        read += 1;
      } catch (error) {
        if (!(error instanceof RequestError))
          throw new Error(`seed 20261125, ${JSON.stringify(text)}: ${error}`);
      }
    }
    expect(read).toBeLessThan(3000);
  });

  test("parseStatement takes as many memories to spread from as activation has room for", () => {
    const ids = (count: number) => Array.from({ length: count }, (_, at) => `"${at}"`).join(", ");
    expect(parseStatement(`SPREAD FROM MEMORY ${ids(64)}`)).toHaveProperty("from.ids.length", 64);
    expect(refusal(`SPREAD FROM MEMORY ${ids(65)}`).message).toContain("at most 64 memories");
  });

  test("parseStatement refuses a statement that is too long", () => {
    expect(refusal(`RECALL "${"x".repeat(70_000)}"`).message).toContain("characters");
  });
});
