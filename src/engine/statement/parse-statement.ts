/**
 * A text of the query language made a statement, or refused with the place that is wrong.
 *
 * The parser is made at the first statement of a thread (some 10 ms), so that a start does not wait for it.
 */
import { EOF, type ILexingResult, type IRecognitionException, type IToken, Lexer } from "chevrotain";
import { RequestError } from "../../base/errors.ts";
import { StatementGrammar } from "./grammar.ts";
import type { Statement } from "./statement.ts";
import { KEYWORDS, OPEN_STRING, TOKENS } from "./tokens.ts";
import { type Parameters, refusedAt, refusedPlace, StatementBuilder } from "./values.ts";

export const STATEMENT_CHARS_MAX = 65_536;

type Tools = { readonly lexer: Lexer; readonly grammar: StatementGrammar };

let tools: Tools | undefined;

/**
 * @param parameters values for the `$names` of the text
 * @throws {RequestError} `statement-invalid`, with line, column and what was expected there
 */
export function parseStatement(text: string, parameters: Parameters = {}): Statement {
  if (text.length > STATEMENT_CHARS_MAX) {
    throw new RequestError({
      code: "statement-invalid",
      message: `The statement has ${text.length} characters`,
      expected: `at most ${STATEMENT_CHARS_MAX} characters`,
      received: `${text.length} characters`,
    });
  }
  tools ??= {
    lexer: new Lexer([...TOKENS], { positionTracking: "onlyOffset" }),
    grammar: new StatementGrammar(),
  };
  const { lexer, grammar } = tools;
  const builder = new StatementBuilder(text, parameters);
  const tokens = checkedTokens(text, lexer.tokenize(text));
  grammar.builder = builder;
  grammar.input = tokens;
  const statement = grammar.statement();
  const wrong = grammar.errors[0];
  if (wrong !== undefined) throw refusalOf(text, wrong);
  builder.finish();
  return statement;
}

function checkedTokens(text: string, { tokens, errors }: ILexingResult): IToken[] {
  const unclosed = tokens.find((token) => token.tokenType === OPEN_STRING);
  const unknown = errors[0];
  if (unclosed !== undefined && (unknown === undefined || unclosed.startOffset <= unknown.offset)) {
    throw refusedPlace(
      text,
      unclosed.startOffset,
      "a closing quote in this line",
      "a text that is not closed",
    );
  }
  if (unknown !== undefined) {
    throw refusedPlace(text, unknown.offset, "a word of the language", text.slice(unknown.offset)[0] ?? "");
  }
  return tokens;
}

function refusalOf(text: string, wrong: IRecognitionException): RequestError {
  const token = wrong.token.tokenType === EOF ? undefined : wrong.token;
  if (token === undefined) return refusedPlace(text, text.trimEnd().length, expectedOf(wrong), "the end");
  return refusedAt(text, token, expectedOf(wrong));
}

/** Chevrotain's own message lists token sequences one a line; a reader wants the words that could stand here. */
function expectedOf(wrong: IRecognitionException): string {
  if (wrong.name === "NotAllInputParsedException") return "the end of the statement, or a clause it takes";
  const words = [...wrong.message.matchAll(/\[([^\]]+)\]/g)].map((found) => found[1]!.split(",")[0]!.trim());
  if (words.length > 0)
    return `${words.length > 1 ? "one of " : ""}${[...new Set(words)].map(shown).join(", ")}`;
  const single = /type --> ([^<]+) <--/.exec(wrong.message);
  return single === null ? "something else" : shown(single[1]!);
}

function shown(name: string): string {
  return name in KEYWORDS ? name : name === "text" ? "a text in quotes" : `${article(name)}${name}`;
}

function article(name: string): string {
  return /^[a-z]/.test(name) ? "a " : "";
}
