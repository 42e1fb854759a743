/** The parts of a query that name series: selectors, matchers, label lists, quoted texts. */
import type { SyntaxNode } from "@lezer/common";
import type { VectorSelector } from "./expression.ts";
import { METRIC_NAME } from "./labels.ts";
import { stringValue } from "./literals.ts";
import { type Matcher, type MatchOperator, makeMatcher } from "./matcher.ts";
import { parseError } from "./promql-error.ts";

/** @throws {PromqlError} when two names are given, or everything would be selected */
export function vectorSelector(source: string, node: SyntaxNode): VectorSelector {
  const matchers: Matcher[] = [];
  const identifier = node.getChild("Identifier");
  if (identifier !== null)
    matchers.push(makeMatcher(METRIC_NAME, "=", source.slice(identifier.from, identifier.to)));
  let hasName = identifier !== null;
  const list = node.getChild("LabelMatchers");
  for (let child = list?.firstChild ?? null; child !== null; child = child.nextSibling) {
    if (child.name === "QuotedLabelName") {
      if (hasName) throw parseError(source, child.from, "metric name must not be set twice");
      hasName = true;
      matchers.push(makeMatcher(METRIC_NAME, "=", stringIn(source, child)));
    } else if (child.name === "UnquotedLabelMatcher" || child.name === "QuotedLabelMatcher") {
      const matcher = matcherIn(source, child);
      if (identifier !== null && matcher.name === METRIC_NAME && matcher.operator === "=") {
        throw parseError(source, child.from, "metric name must not be set twice");
      }
      matchers.push(matcher);
    }
  }
  if (!matchers.some((matcher) => !matcher.matches(""))) {
    throw parseError(source, node.from, "vector selector must contain at least one non-empty matcher");
  }
  return { kind: "vector-selector", matchers, offsetMs: 0, at: undefined };
}

function matcherIn(source: string, node: SyntaxNode): Matcher {
  const quoted = node.getChild("QuotedLabelName");
  const plain = node.getChild("LabelName");
  const name = quoted === null ? source.slice(plain!.from, plain!.to) : stringIn(source, quoted);
  const operator = node.getChild("MatchOp")!;
  const value = node.getChildren("StringLiteral").at(-1)!;
  try {
    return makeMatcher(
      name,
      source.slice(operator.from, operator.to) as MatchOperator,
      stringIn(source, value),
    );
  } catch (error) {
    if (error instanceof Error && error.name === "PromqlError") throw error;
    throw parseError(
      source,
      value.from,
      `error parsing regexp: ${error instanceof Error ? error.message : error}`,
    );
  }
}

/** The names in `(a, b)`. */
export function labelNamesIn(source: string, node: SyntaxNode): string[] {
  const names: string[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    if (child.name === "LabelName") names.push(source.slice(child.from, child.to));
    else if (child.name === "QuotedLabelName") names.push(stringIn(source, child));
  }
  return names;
}

/** @throws {PromqlError} when the quotes or an escape are wrong */
export function stringIn(source: string, node: SyntaxNode): string {
  const text = source.slice(node.from, node.to);
  const value = stringValue(text);
  if (value === undefined) throw parseError(source, node.from, `invalid quoted string ${text.slice(0, 60)}`);
  return value;
}
