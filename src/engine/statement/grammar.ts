/**
 * The grammar of the query language, as a chevrotain parser that makes statements while it reads.
 *
 *   statement    one verb, what it works on, and clauses in any order, each at most once
 *   value        a text in quotes, a number, or `$name`, which the caller hands in beside the statement
 *   word         a value, or a bare word where only a few words are allowed
 *
 * The parser knows words and their order; whether a value makes sense (a time, a range, a known mode) is checked in
 * `values.ts` with the place it stands at. `docs/reference/query-language.md` is generated from these rules.
 */
import { EmbeddedActionsParser, type IToken, type TokenType } from "chevrotain";
import type { Statement } from "./statement.ts";
import {
  AT_LEAST,
  AT_MOST,
  CLOSE,
  COMMA,
  EQUALS,
  KEYWORDS,
  NAME,
  NUMBER,
  OPEN,
  PARAMETER,
  SEMICOLON,
  STRING,
  TOKENS,
} from "./tokens.ts";
import { type Clauses, type Condition, StatementBuilder } from "./values.ts";

const K = KEYWORDS;

export class StatementGrammar extends EmbeddedActionsParser {
  /** what the statement is made with; set before each parse */
  builder = new StatementBuilder("", {});

  constructor() {
    super([...TOKENS], { recoveryEnabled: false, maxLookahead: 2 });
    this.performSelfAnalysis();
  }

  readonly statement = this.RULE("statement", (): Statement => {
    const statement = this.OR([
      { ALT: () => this.SUBRULE(this.recall) },
      { ALT: () => this.SUBRULE(this.spread) },
      { ALT: () => this.SUBRULE(this.complete) },
      { ALT: () => this.SUBRULE(this.consolidate) },
      { ALT: () => this.SUBRULE(this.imagine) },
      { ALT: () => this.SUBRULE(this.predict) },
    ]);
    this.OPTION(() => this.CONSUME(SEMICOLON));
    return statement;
  });

  readonly recall = this.RULE("recall", (): Statement => {
    const verb = this.CONSUME(K.RECALL);
    const text = this.SUBRULE(this.value);
    const clauses: Clauses = {};
    this.MANY(() => {
      this.OR([
        { ALT: () => this.SUBRULE(this.where, { ARGS: [clauses] }) },
        { ALT: () => this.SUBRULE(this.mode, { ARGS: [clauses] }) },
        { ALT: () => this.SUBRULE(this.asOf, { ARGS: [clauses] }) },
        { ALT: () => this.SUBRULE(this.limit, { ARGS: [clauses] }) },
        { ALT: () => this.SUBRULE(this.explain, { ARGS: [clauses] }) },
      ]);
    });
    return this.ACTION(() => this.builder.recall(verb, text, clauses));
  });

  readonly spread = this.RULE("spread", (): Statement => {
    const verb = this.CONSUME(K.SPREAD);
    this.CONSUME(K.FROM);
    const ids: IToken[] = [];
    let text: IToken | undefined;
    this.OR([
      {
        ALT: () => {
          this.CONSUME(K.MEMORY);
          this.AT_LEAST_ONE_SEP({ SEP: COMMA, DEF: () => void ids.push(this.SUBRULE(this.value)) });
        },
      },
      {
        ALT: () => {
          text = this.SUBRULE2(this.value);
        },
      },
    ]);
    const clauses: Clauses = {};
    this.MANY(() => {
      this.OR1([
        { ALT: () => this.SUBRULE(this.hops, { ARGS: [clauses] }) },
        { ALT: () => this.SUBRULE(this.decay, { ARGS: [clauses] }) },
        { ALT: () => this.SUBRULE(this.threshold, { ARGS: [clauses] }) },
        { ALT: () => this.SUBRULE(this.limit, { ARGS: [clauses] }) },
        { ALT: () => this.SUBRULE(this.explain, { ARGS: [clauses] }) },
      ]);
    });
    return this.ACTION(() => this.builder.spread(verb, ids, text, clauses));
  });

  readonly complete = this.RULE("complete", (): Statement => {
    const verb = this.CONSUME(K.COMPLETE);
    const fields: Condition[] = [];
    this.AT_LEAST_ONE_SEP({
      SEP: COMMA,
      DEF: () => {
        const field = this.CONSUME(NAME);
        const operator = this.CONSUME(EQUALS);
        const value = this.SUBRULE(this.value);
        fields.push({ field, operator, values: [value] });
      },
    });
    const clauses: Clauses = {};
    this.OPTION(() => this.SUBRULE(this.limit, { ARGS: [clauses] }));
    return this.ACTION(() => this.builder.complete(verb, fields, clauses));
  });

  readonly consolidate = this.RULE("consolidate", (): Statement => {
    this.CONSUME(K.CONSOLIDATE);
    const clauses: Clauses = {};
    this.OPTION(() => this.SUBRULE(this.limit, { ARGS: [clauses] }));
    return this.ACTION(() => this.builder.consolidate(clauses));
  });

  readonly imagine = this.RULE("imagine", (): Statement => {
    const verb = this.CONSUME(K.IMAGINE);
    const text = this.SUBRULE(this.value);
    const clauses: Clauses = {};
    this.MANY(() => {
      this.OR([
        { ALT: () => this.SUBRULE(this.where, { ARGS: [clauses] }) },
        { ALT: () => this.SUBRULE(this.limit, { ARGS: [clauses] }) },
      ]);
    });
    return this.ACTION(() => this.builder.imagine(verb, text, clauses));
  });

  readonly predict = this.RULE("predict", (): Statement => {
    const verb = this.CONSUME(K.PREDICT);
    this.CONSUME(K.AFTER);
    const isId = this.OPTION(() => this.CONSUME(K.MEMORY)) !== undefined;
    const after = this.SUBRULE(this.value);
    const clauses: Clauses = {};
    this.MANY(() => {
      this.OR([
        { ALT: () => this.SUBRULE(this.within, { ARGS: [clauses] }) },
        { ALT: () => this.SUBRULE(this.limit, { ARGS: [clauses] }) },
      ]);
    });
    return this.ACTION(() => this.builder.predict(verb, after, isId, clauses));
  });

  readonly where = this.RULE("where", (clauses: Clauses): void => {
    const keyword = this.CONSUME(K.WHERE);
    const conditions: Condition[] = [];
    this.AT_LEAST_ONE_SEP({
      SEP: K.AND,
      DEF: () => void conditions.push(this.SUBRULE(this.condition)),
    });
    this.ACTION(() => this.builder.clause(clauses, "where", keyword, conditions));
  });

  readonly condition = this.RULE("condition", (): Condition => {
    const field = this.CONSUME(NAME);
    return this.OR([
      {
        ALT: () => {
          const operator = this.OR1([
            { ALT: () => this.CONSUME(EQUALS) },
            { ALT: () => this.CONSUME(AT_LEAST) },
            { ALT: () => this.CONSUME(AT_MOST) },
          ]);
          return { field, operator, values: [this.SUBRULE(this.word)] };
        },
      },
      {
        ALT: () => {
          const operator = this.CONSUME(K.BETWEEN);
          const from = this.SUBRULE1(this.value);
          this.CONSUME(K.AND);
          return { field, operator, values: [from, this.SUBRULE2(this.value)] };
        },
      },
      {
        ALT: () => {
          const operator = this.CONSUME(K.IN);
          const values: IToken[] = [];
          this.CONSUME(OPEN);
          this.AT_LEAST_ONE_SEP({
            SEP: COMMA,
            DEF: () => void values.push(this.SUBRULE1(this.word)),
          });
          this.CONSUME(CLOSE);
          return { field, operator, values };
        },
      },
    ]);
  });

  readonly mode = this.RULE("mode", (clauses: Clauses): void => {
    const keyword = this.CONSUME(K.MODE);
    const value = this.SUBRULE(this.word);
    this.ACTION(() => this.builder.clause(clauses, "mode", keyword, value));
  });

  readonly limit = this.clauseRule("limit", K.LIMIT);
  readonly hops = this.clauseRule("hops", K.HOPS);
  readonly decay = this.clauseRule("decay", K.DECAY);
  readonly threshold = this.clauseRule("threshold", K.THRESHOLD);
  readonly within = this.clauseRule("within", K.WITHIN);

  readonly asOf = this.RULE("asOf", (clauses: Clauses): void => {
    const keyword = this.CONSUME(K.AS);
    this.CONSUME(K.OF);
    const value = this.SUBRULE(this.value);
    this.ACTION(() => this.builder.clause(clauses, "asOf", keyword, value));
  });

  readonly explain = this.RULE("explain", (clauses: Clauses): void => {
    const keyword = this.CONSUME(K.EXPLAIN);
    this.ACTION(() => this.builder.clause(clauses, "explain", keyword, keyword));
  });

  readonly value = this.RULE(
    "value",
    (): IToken =>
      this.OR([
        { ALT: () => this.CONSUME(STRING) },
        { ALT: () => this.CONSUME(NUMBER) },
        { ALT: () => this.CONSUME(PARAMETER) },
      ]),
  );

  /** A value, or one of a few words, which need no quotes. */
  readonly word = this.RULE(
    "word",
    (): IToken => this.OR([{ ALT: () => this.SUBRULE(this.value) }, { ALT: () => this.CONSUME(NAME) }]),
  );

  /** A clause that is one keyword and one value. */
  private clauseRule(name: "limit" | "hops" | "decay" | "threshold" | "within", keyword: TokenType) {
    return this.RULE(name, (clauses: Clauses): void => {
      const token = this.CONSUME(keyword);
      const value = this.SUBRULE(this.value);
      this.ACTION(() => this.builder.clause(clauses, name, token, value));
    });
  }
}
