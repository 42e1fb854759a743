/**
 * Tokens of the query language.
 *
 * Keywords are read in any case, and each is a word as well: a field may be called `where`. Texts stand in quotes,
 * so that no keyword can be mistaken for one. Comments run from `--` to the end of the line.
 */
import { createToken, Lexer, type TokenType } from "chevrotain";

/** A word, so that `RECALLED` is not read as `RECALL` and a rest. */
const WORD = createToken({ name: "name", pattern: /[A-Za-z_][A-Za-z0-9_]*/ });

function keyword(word: string): TokenType {
  return createToken({
    name: word,
    pattern: new RegExp(word, "i"),
    longer_alt: WORD,
    categories: WORD,
  });
}

export const KEYWORDS = {
  RECALL: keyword("RECALL"),
  SPREAD: keyword("SPREAD"),
  COMPLETE: keyword("COMPLETE"),
  CONSOLIDATE: keyword("CONSOLIDATE"),
  IMAGINE: keyword("IMAGINE"),
  PREDICT: keyword("PREDICT"),
  FROM: keyword("FROM"),
  AFTER: keyword("AFTER"),
  MEMORY: keyword("MEMORY"),
  WHERE: keyword("WHERE"),
  AND: keyword("AND"),
  BETWEEN: keyword("BETWEEN"),
  IN: keyword("IN"),
  MODE: keyword("MODE"),
  AS: keyword("AS"),
  OF: keyword("OF"),
  LIMIT: keyword("LIMIT"),
  HOPS: keyword("HOPS"),
  DECAY: keyword("DECAY"),
  THRESHOLD: keyword("THRESHOLD"),
  WITHIN: keyword("WITHIN"),
  EXPLAIN: keyword("EXPLAIN"),
} as const;

export const STRING: TokenType = createToken({
  name: "text",
  // As in JSON, and with single quotes as well.
  pattern: /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/,
});
export const PARAMETER: TokenType = createToken({ name: "parameter", pattern: /\$[A-Za-z_][A-Za-z0-9_]*/ });
export const NUMBER: TokenType = createToken({ name: "number", pattern: /\d+(?:\.\d+)?/ });
export const AT_LEAST: TokenType = createToken({ name: ">=", pattern: />=/ });
export const AT_MOST: TokenType = createToken({ name: "<=", pattern: /<=/ });
export const EQUALS: TokenType = createToken({ name: "=", pattern: /=/ });
export const COMMA: TokenType = createToken({ name: ",", pattern: /,/ });
export const OPEN: TokenType = createToken({ name: "(", pattern: /\(/ });
export const CLOSE: TokenType = createToken({ name: ")", pattern: /\)/ });
export const SEMICOLON: TokenType = createToken({ name: ";", pattern: /;/ });
/** A quote that is never closed, told apart from an unknown character for the message. */
export const OPEN_STRING: TokenType = createToken({ name: "a text that is not closed", pattern: /["'].*/ });

const SPACE = createToken({ name: "space", pattern: /\s+/, group: Lexer.SKIPPED, line_breaks: true });
const COMMENT = createToken({ name: "comment", pattern: /--[^\n]*/, group: Lexer.SKIPPED });

/** A name: of a field, or of a mode or kind. */
export const NAME: TokenType = WORD;

export const TOKENS: readonly TokenType[] = [
  SPACE,
  COMMENT,
  STRING,
  OPEN_STRING,
  PARAMETER,
  NUMBER,
  AT_LEAST,
  AT_MOST,
  EQUALS,
  COMMA,
  OPEN,
  CLOSE,
  SEMICOLON,
  ...Object.values(KEYWORDS),
  WORD,
];
