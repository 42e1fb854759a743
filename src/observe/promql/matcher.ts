/**
 * Label matchers, and the regular expressions of PromQL.
 *
 * These are RE2's, matched in linear time: an expression that a caller sends must not be able to hold up a worker,
 * as JavaScript's own can with one of twenty characters. They always match a whole value.
 */
import { RE2JS } from "re2js";
import type { Labels } from "./labels.ts";

export type MatchOperator = "=" | "!=" | "=~" | "!~";

export type Matcher = {
  readonly name: string;
  readonly operator: MatchOperator;
  readonly value: string;
  /** whether a label's value passes; an absent label is the empty value */
  readonly matches: (value: string) => boolean;
};

/** A whole value against an expression, with what its groups caught. */
export type AnchoredRegex = {
  readonly test: (value: string) => boolean;
  /** the groups, the whole match first; undefined when it does not match */
  readonly groups: (value: string) => readonly string[] | undefined;
  readonly groupNames: Readonly<Record<string, number>>;
};

/** @throws what the library says of an expression that is none */
export function compileRegex(source: string): AnchoredRegex {
  const regex = RE2JS.compile(`^(?:${source})$`);
  return {
    test: (value) => regex.matches(value),
    groups: (value) => {
      const matcher = regex.matcher(value);
      if (!matcher.matches()) return undefined;
      return Array.from({ length: matcher.groupCount() + 1 }, (_, index) => matcher.group(index) ?? "");
    },
    groupNames: regex.namedGroups(),
  };
}

/** @throws what the library says of an expression that is none */
export function makeMatcher(name: string, operator: MatchOperator, value: string): Matcher {
  return { name, operator, value, matches: predicate(operator, value) };
}

function predicate(operator: MatchOperator, value: string): (given: string) => boolean {
  if (operator === "=") return (given) => given === value;
  if (operator === "!=") return (given) => given !== value;
  const { test } = compileRegex(value);
  // The same few values come again and again, series after series.
  const known = new Map<string, boolean>();
  const wanted = operator === "=~";
  return (given) => {
    let answer = known.get(given);
    if (answer === undefined) {
      answer = test(given) === wanted;
      known.set(given, answer);
    }
    return answer;
  };
}

export function allMatch(matchers: readonly Matcher[], labels: Labels): boolean {
  for (const matcher of matchers) if (!matcher.matches(labels.get(matcher.name))) return false;
  return true;
}
