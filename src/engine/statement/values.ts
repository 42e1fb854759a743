/**
 * What the words of a statement mean: checks each value where it stands, and puts the statement together.
 *
 * Every refusal is a `RequestError` `statement-invalid` that names line and column, shows the line with a mark
 * under the place, and says what was expected there.
 */
import type { IToken } from "chevrotain";
import { RequestError } from "../../base/errors.ts";
import type { NodeKind } from "../../layout/node-header.ts";
import type { RecallMode } from "../engine.ts";
import { SEEDS_MAX } from "../recall/spreader.ts";
import type { Conditions, EpisodeField, Statement } from "./statement.ts";
import { NUMBER, PARAMETER, STRING } from "./tokens.ts";

/** A text, or a number, handed in for each `$name`. */
export type Parameters = Readonly<Record<string, string | number>>;

export type Condition = {
  readonly field: IToken;
  readonly operator: IToken;
  readonly values: readonly IToken[];
};

/** The clauses that were read; each holds the token of its value, `where` its conditions. */
export type Clauses = {
  where?: readonly Condition[];
  mode?: IToken;
  asOf?: IToken;
  limit?: IToken;
  hops?: IToken;
  decay?: IToken;
  threshold?: IToken;
  within?: IToken;
  explain?: IToken;
};

export const MODES: readonly RecallMode[] = ["hybrid", "vector", "words", "spreading"];
export const KINDS: readonly NodeKind[] = ["memory", "episode", "concept"];
export const EPISODE_FIELDS: readonly EpisodeField[] = ["what", "who", "where", "when", "why", "how"];
export const LIMIT_MAX = 1000;
export const HOPS_MAX = 6;
/** Cycles of consolidation that one statement may ask for. */
export const CYCLES_MAX = 1000;
/** Longest span in which something may be said to follow. */
const WITHIN_MS_MAX = 366 * 86_400_000;
const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/;
/** The fields of conditions, with the operators each takes. */
export const CONDITION_FIELDS: Readonly<
  Record<string, { readonly operators: string; readonly about: string }>
> = {
  tag: { operators: "=, IN", about: "carries the tag; IN: carries all of them" },
  kind: { operators: "=, IN", about: '"memory", "episode" or "concept"' },
  time: { operators: ">=, <=, BETWEEN", about: "when it happened" },
  confidence: { operators: ">=", about: "how sure the storer was, 0 to 1" },
  score: { operators: ">=", about: "how well it answers, 0 to 1" },
};

export class StatementBuilder {
  readonly #text: string;
  readonly #parameters: Parameters;
  readonly #used = new Set<string>();

  constructor(text: string, parameters: Parameters) {
    this.#text = text;
    this.#parameters = parameters;
  }

  recall(verb: IToken, text: IToken, clauses: Clauses): Statement {
    return {
      verb: "recall",
      text: this.#textOf(text, "what to look for", verb),
      where: this.#conditions(clauses.where),
      ...this.#option("mode", clauses.mode, (token) => this.#word(token, MODES)),
      ...this.#option("asOfMs", clauses.asOf, (token) => this.#time(token)),
      ...this.#limit(clauses),
      explain: clauses.explain !== undefined,
    };
  }

  spread(verb: IToken, ids: readonly IToken[], text: IToken | undefined, clauses: Clauses): Statement {
    const beyond = ids[SEEDS_MAX];
    if (beyond !== undefined) throw this.#refused(beyond, `at most ${SEEDS_MAX} memories to spread from`);
    return {
      verb: "spread",
      from:
        text === undefined
          ? { ids: ids.map((id) => this.#textOf(id, "the id of a memory", verb)) }
          : { text: this.#textOf(text, "a text", verb) },
      ...this.#option("hops", clauses.hops, (token) => this.#number(token, 1, HOPS_MAX, true)),
      ...this.#option("decay", clauses.decay, (token) => this.#number(token, 0, 1, false)),
      ...this.#option("threshold", clauses.threshold, (token) => this.#number(token, 0, 1, false)),
      ...this.#limit(clauses),
      explain: clauses.explain !== undefined,
    };
  }

  complete(verb: IToken, fields: readonly Condition[], clauses: Clauses): Statement {
    const fragment: Partial<Record<EpisodeField, string>> = {};
    for (const { field, values } of fields) {
      const name = field.image.toLowerCase() as EpisodeField;
      if (!EPISODE_FIELDS.includes(name)) throw this.#refused(field, oneOf(EPISODE_FIELDS));
      if (fragment[name] !== undefined) throw this.#refused(field, `${name} once`);
      fragment[name] = this.#textOf(values[0]!, `what is known of "${name}"`, verb);
    }
    return { verb: "complete", fragment, ...this.#limit(clauses) };
  }

  consolidate(clauses: Clauses): Statement {
    return {
      verb: "consolidate",
      ...this.#option("limit", clauses.limit, (token) => this.#number(token, 1, CYCLES_MAX, true)),
    };
  }

  imagine(verb: IToken, text: IToken, clauses: Clauses): Statement {
    return {
      verb: "imagine",
      text: this.#textOf(text, "what to imagine", verb),
      where: this.#conditions(clauses.where),
      ...this.#limit(clauses),
    };
  }

  predict(verb: IToken, after: IToken, isId: boolean, clauses: Clauses): Statement {
    const text = this.#textOf(after, isId ? "the id of a memory" : "a situation", verb);
    return {
      verb: "predict",
      after: isId ? { id: text } : { text },
      ...this.#option("withinMs", clauses.within, (token) => this.#span(token)),
      ...this.#limit(clauses),
    };
  }

  /** Keeps what a clause says. A second one of the same kind is refused. */
  clause<Name extends keyof Clauses>(
    clauses: Clauses,
    name: Name,
    keyword: IToken,
    value: NonNullable<Clauses[Name]>,
  ): void {
    if (clauses[name] !== undefined) throw this.#refused(keyword, `${keyword.image.toUpperCase()} once`);
    clauses[name] = value;
  }

  /** To be called behind the statement: a parameter that nothing names is a mistake of the caller. */
  finish(): void {
    const unused = Object.keys(this.#parameters).find((name) => !this.#used.has(name));
    if (unused === undefined) return;
    throw new RequestError({
      code: "statement-invalid",
      message: `The parameter "${unused}" is handed in, and the statement does not name $${unused}`,
      at: `parameters.${unused}`,
      expected: "a parameter that the statement names",
      received: unused,
    });
  }

  #conditions(conditions: readonly Condition[] | undefined): Conditions {
    const where: { -readonly [Key in keyof Conditions]: Conditions[Key] } = {};
    for (const { field, operator, values } of conditions ?? []) {
      const name = field.image.toLowerCase();
      const known = CONDITION_FIELDS[name];
      if (known === undefined) throw this.#refused(field, oneOf(Object.keys(CONDITION_FIELDS)));
      const sign = operator.image.toUpperCase();
      if (!known.operators.split(", ").includes(sign)) {
        throw this.#refused(operator, `${known.operators.replaceAll(", ", " or ")} behind ${name}`);
      }
      switch (name) {
        case "tag":
          where.tags = [...(where.tags ?? []), ...values.map((value) => this.#textOf(value, "a tag", field))];
          break;
        case "kind":
          if (where.kinds !== undefined) throw this.#refused(field, "kind once");
          where.kinds = values.map((value) => this.#word(value, KINDS));
          break;
        case "time":
          if (sign !== "<=") where.fromMs = Math.max(where.fromMs ?? -Infinity, this.#time(values[0]!));
          if (sign !== ">=") where.toMs = Math.min(where.toMs ?? Infinity, this.#time(values.at(-1)!));
          break;
        case "confidence":
          where.minConfidence = Math.max(where.minConfidence ?? 0, this.#number(values[0]!, 0, 1, false));
          break;
        default:
          where.minScore = Math.max(where.minScore ?? 0, this.#number(values[0]!, 0, 1, false));
      }
    }
    return where;
  }

  #limit(clauses: Clauses): { limit?: number } {
    return this.#option("limit", clauses.limit, (token) => this.#number(token, 1, LIMIT_MAX, true));
  }

  #option<Name extends string, Value>(
    name: Name,
    token: IToken | undefined,
    read: (token: IToken) => Value,
  ): { [Key in Name]?: Value } {
    return (token === undefined ? {} : { [name]: read(token) }) as { [Key in Name]?: Value };
  }

  #valueOf(token: IToken): string | number {
    if (token.tokenType === NUMBER) return Number(token.image);
    if (token.tokenType === STRING) return this.#unquoted(token);
    if (token.tokenType !== PARAMETER) return token.image;
    const name = token.image.slice(1);
    const value = Object.hasOwn(this.#parameters, name) ? this.#parameters[name] : undefined;
    if (value === undefined) throw this.#refused(token, `a parameter that is handed in: "${name}" is not`);
    this.#used.add(name);
    return value;
  }

  #unquoted(token: IToken): string {
    const inside = token.image.slice(1, -1);
    if (!inside.includes("\\")) return inside;
    // Escapes are those of JSON, and \' within single quotes.
    const json = inside.replace(/\\'/g, "'").replace(/\\.|"/gs, (found) => (found === '"' ? '\\"' : found));
    try {
      return JSON.parse(`"${json}"`) as string;
    } catch {
      throw this.#refused(token, "escapes as JSON has them");
    }
  }

  #textOf(token: IToken, what: string, verb: IToken): string {
    const value = this.#valueOf(token);
    const isText = token.tokenType === STRING || token.tokenType === PARAMETER;
    if (isText && typeof value === "string" && value.trim() !== "") return value;
    throw this.#refused(token, `a text in quotes, ${what}, behind ${verb.image.toUpperCase()}`);
  }

  #number(token: IToken, min: number, max: number, isWhole: boolean): number {
    const value = this.#valueOf(token);
    const fits = typeof value === "number" && value >= min && value <= max;
    if (fits && (!isWhole || Number.isInteger(value))) return value;
    throw this.#refused(token, `a ${isWhole ? "whole " : ""}number from ${min} to ${max}`);
  }

  #word<Word extends string>(token: IToken, words: readonly Word[]): Word {
    const value = String(this.#valueOf(token)).toLowerCase() as Word;
    if (words.includes(value)) return value;
    throw this.#refused(token, oneOf(words));
  }

  #time(token: IToken): number {
    const value = this.#valueOf(token);
    const ms = typeof value === "number" ? value : TIME.test(value) ? Date.parse(value) : Number.NaN;
    if (Number.isFinite(ms)) return ms;
    throw this.#refused(token, 'a time as "2026-01-31" or "2026-01-31T12:00:00Z", or ms since 1970');
  }

  #span(token: IToken): number {
    const value = this.#valueOf(token);
    const parts = /^(\d+(?:\.\d+)?)([smhdw])$/.exec(String(value));
    const ms = parts === null ? Number.NaN : Number(parts[1]) * UNIT_MS[parts[2]!]!;
    if (ms > 0 && ms <= WITHIN_MS_MAX) return ms;
    throw this.#refused(token, 'a span up to a year, as "90s", "30m", "12h", "7d" or "2w"');
  }

  #refused(token: IToken, expected: string): RequestError {
    return refusedAt(this.#text, token, expected);
  }
}

/** The refusal of a token, which names and shows the place. */
export function refusedAt(
  text: string,
  token: { readonly image: string; readonly startOffset: number },
  expected: string,
): RequestError {
  return refusedPlace(text, token.startOffset, expected, token.image === "" ? "the end" : token.image);
}

/** The refusal of a place in a statement. */
export function refusedPlace(text: string, at: number, expected: string, received: string): RequestError {
  const before = text.slice(0, at);
  const line = before.split("\n").length;
  const column = at - (before.lastIndexOf("\n") + 1) + 1;
  const shown = text.split("\n")[line - 1] ?? "";
  // A long line is shown around the place only.
  const from = Math.max(0, column - 61);
  const mark = `${shown.slice(from, from + 120)}\n${" ".repeat(column - 1 - from)}^`;
  return new RequestError({
    code: "statement-invalid",
    message: `Line ${line}, column ${column}: expected ${expected}\n${mark}`,
    at: `statement:${line}:${column}`,
    expected,
    received: received.slice(0, 64),
  });
}

function oneOf(words: readonly string[]): string {
  return `one of ${words.map((word) => JSON.stringify(word)).join(", ")}`;
}
