/**
 * A query's text as a checked tree.
 *
 * `@prometheus-io/lezer-promql`, the grammar of Prometheus's own editor, finds the parts; this file gives them their
 * meaning and refuses what Prometheus would refuse. What the grammar knows and the evaluator does not (native
 * histograms, experimental functions and modifiers) is refused by name.
 */
import type { SyntaxNode } from "@lezer/common";
import { parser } from "@prometheus-io/lezer-promql";
import { checkBinary, checkCall, checkType, checkUnary } from "./check.ts";
import type {
  AggregateOperator,
  At,
  BinaryOperator,
  Expression,
  Matching,
  VectorSelector,
} from "./expression.ts";
import { FUNCTIONS, typeOf } from "./functions.ts";
import { numberValue } from "./literals.ts";
import { labelNamesIn, stringIn, vectorSelector } from "./parse-selector.ts";
import { combine, type Token } from "./precedence.ts";
import { parseError, unsupported } from "./promql-error.ts";

const DEPTH_MAX = 200;
const LENGTH_MAX = 64 * 1024;

/** @throws {PromqlError} `bad_data` */
export function parsePromql(source: string): Expression {
  if (source.trim() === "") throw parseError(source, 0, "no expression found in input");
  if (source.length > LENGTH_MAX) {
    throw parseError(source, 0, `a query may have ${LENGTH_MAX} characters, this one has ${source.length}`);
  }
  const tree = parser.parse(source);
  tree.iterate({
    enter: (node) => {
      if (node.type.isError) throw syntaxError(source, node.from, node.to);
    },
  });
  const top = tree.topNode.firstChild;
  if (top === null) throw parseError(source, 0, "no expression found in input");
  return new Builder(source).expression(top, 0);
}

function syntaxError(source: string, from: number, to: number): Error {
  const found = source.slice(from, Math.max(to, from + 1)).trim();
  if (source.slice(from).trim() === "") return parseError(source, from, "unexpected end of input");
  const shown = found === "" ? source.slice(from).trim().slice(0, 20) : found.slice(0, 60);
  return parseError(source, from, `unexpected ${JSON.stringify(shown)}`);
}

/** Postfix parts of a selector: what `offset`, `@` and `[…]` make of an operand. */
type Postfix = (operand: Expression) => Expression;

class Builder {
  readonly #source: string;

  constructor(source: string) {
    this.#source = source;
  }

  expression(node: SyntaxNode, depth: number): Expression {
    if (depth > DEPTH_MAX) throw parseError(this.#source, node.from, "the query is nested too deeply");
    const tokens = this.#tokens(node, depth);
    const only = tokens[0]!;
    if (tokens.length === 1 && only.type === "operand") return only.expression;
    return combine(tokens, {
      binary: (infix, left, right) => checkBinary(this.#source, infix, left, right),
      unary: (inner) => checkUnary(this.#source, node.from, inner),
    });
  }

  /** A chain of operators and operands, whatever the grammar grouped it into. */
  #tokens(node: SyntaxNode, depth: number): Token[] {
    if (depth > DEPTH_MAX) throw parseError(this.#source, node.from, "the query is nested too deeply");
    switch (node.name) {
      case "BinaryExpr": {
        const [left, right] = expressionsIn(node);
        return [...this.#tokens(left!, depth + 1), this.#infix(node), ...this.#tokens(right!, depth + 1)];
      }
      case "UnaryExpr": {
        const operator = this.#text(node.getChild("UnaryOp")!) as "+" | "-";
        return [{ type: "prefix", operator }, ...this.#tokens(expressionsIn(node)[0]!, depth + 1)];
      }
      case "NumberDurationLiteral": {
        const text = this.#text(node);
        const sign = text[0] === "-" || text[0] === "+" ? text[0] : undefined;
        const value = numberValue(sign === undefined ? text : text.slice(1).trim());
        if (value === undefined)
          throw parseError(this.#source, node.from, `bad number or duration syntax: "${text}"`);
        const operand: Token = { type: "operand", expression: { kind: "number", value } };
        return sign === undefined ? [operand] : [{ type: "prefix", operator: sign }, operand];
      }
      case "OffsetExpr":
        return this.#postfix(node, depth, this.#offset(node));
      case "StepInvariantExpr":
        return this.#postfix(node, depth, this.#at(node));
      case "MatrixSelector":
        return this.#postfix(node, depth, this.#range(node));
      case "SubqueryExpr":
        return this.#postfix(node, depth, this.#subquery(node));
      default:
        return [{ type: "operand", expression: this.#primary(node, depth) }];
    }
  }

  /** What follows an operand belongs to the last one of the chain. */
  #postfix(node: SyntaxNode, depth: number, apply: Postfix): Token[] {
    const tokens = this.#tokens(expressionsIn(node)[0]!, depth + 1);
    const last = tokens.at(-1)!;
    if (last.type === "operand") last.expression = apply(last.expression);
    return tokens;
  }

  #primary(node: SyntaxNode, depth: number): Expression {
    switch (node.name) {
      case "ParenExpr":
        return { kind: "paren", inner: this.expression(expressionsIn(node)[0]!, depth + 1) };
      case "StringLiteral":
        return { kind: "string", value: stringIn(this.#source, node) };
      case "VectorSelector":
        return vectorSelector(this.#source, node);
      case "FunctionCall":
        return this.#call(node, depth);
      case "AggregateExpr":
        return this.#aggregate(node, depth);
      case "AnchoredExpr":
        throw unsupported(this.#source, node.from, 'the modifier "anchored"');
      case "SmoothedExpr":
        throw unsupported(this.#source, node.from, 'the modifier "smoothed"');
      default:
        throw unsupported(this.#source, node.from, `"${this.#text(node).slice(0, 60)}"`);
    }
  }

  #call(node: SyntaxNode, depth: number): Expression {
    const name = this.#text(node.getChild("FunctionIdentifier")!);
    if (!FUNCTIONS.has(name)) throw unsupported(this.#source, node.from, `the function "${name}"`);
    const nodes = expressionsIn(node.getChild("FunctionCallBody")!);
    const call: Expression = {
      kind: "call",
      name,
      args: nodes.map((arg) => this.expression(arg, depth + 1)),
    };
    checkCall(this.#source, call, { position: node.from, args: nodes.map(({ from }) => from) });
    return call;
  }

  #aggregate(node: SyntaxNode, depth: number): Expression {
    const operator = this.#text(node.getChild("AggregateOp")!).toLowerCase();
    if (operator === "limitk" || operator === "limit_ratio") {
      throw unsupported(this.#source, node.from, `the aggregation "${operator}"`);
    }
    const args = expressionsIn(node.getChild("FunctionCallBody")!).map((arg) =>
      this.expression(arg, depth + 1),
    );
    const parameterType = PARAMETER_TYPES[operator as AggregateOperator];
    const wanted = parameterType === undefined ? 1 : 2;
    if (args.length !== wanted) {
      throw parseError(
        this.#source,
        node.from,
        `wrong number of arguments for aggregate expression provided, expected ${wanted}, got ${args.length}`,
      );
    }
    const parameter = wanted === 2 ? args[0]! : undefined;
    if (parameter !== undefined && parameterType !== undefined) {
      checkType(this.#source, node.from, parameter, parameterType, "aggregation parameter");
    }
    const inner = args[wanted - 1]!;
    checkType(this.#source, node.from, inner, "instant vector", "aggregation expression");
    const modifier = node.getChild("AggregateModifier");
    const labels = modifier?.getChild("GroupingLabels");
    return {
      kind: "aggregate",
      operator: operator as AggregateOperator,
      inner,
      parameter,
      labels: labels === null || labels === undefined ? [] : labelNamesIn(this.#source, labels),
      without: modifier?.getChild("Without") != null,
    };
  }

  #infix(node: SyntaxNode): Token {
    const [left, right] = expressionsIn(node);
    let operator = "";
    for (
      let child = left!.nextSibling;
      child !== null && child.from < right!.from;
      child = child.nextSibling
    ) {
      if (OPERATOR_NODES.has(child.name)) operator = this.#text(child).toLowerCase();
      if (child.name === "TrimUpper" || child.name === "TrimLower") {
        throw unsupported(this.#source, child.from, `the operator "${this.#text(child)}"`);
      }
      if (child.name === "FillModifier") throw unsupported(this.#source, child.from, 'the modifier "fill"');
    }
    return {
      type: "infix",
      operator: operator as BinaryOperator,
      bool: node.getChild("BoolModifier") !== null,
      matching: this.#matching(node.getChild("MatchingModifierClause")),
      position: left!.to,
    };
  }

  #matching(node: SyntaxNode | null): Matching {
    if (node === null) return { on: false, labels: [], many: "none", include: [] };
    const lists = node.getChildren("GroupingLabels").map((list) => labelNamesIn(this.#source, list));
    const left = node.getChild("GroupLeft") !== null;
    const right = node.getChild("GroupRight") !== null;
    return {
      on: node.getChild("On") !== null,
      labels: lists[0] ?? [],
      many: left ? "left" : right ? "right" : "none",
      include: lists[1] ?? [],
    };
  }

  #offset(node: SyntaxNode): Postfix {
    const offsetMs = this.#duration(node.getChild("OffsetDurationExpr")!, true);
    return (operand) => {
      if (operand.kind === "vector-selector" || operand.kind === "subquery") {
        if (operand.offsetMs !== 0)
          throw parseError(this.#source, node.from, "offset may not be set multiple times");
        return { ...operand, offsetMs };
      }
      if (operand.kind === "matrix-selector") {
        if (operand.selector.offsetMs !== 0) {
          throw parseError(this.#source, node.from, "offset may not be set multiple times");
        }
        return { ...operand, selector: { ...operand.selector, offsetMs } };
      }
      throw parseError(
        this.#source,
        node.from,
        `offset modifier must be preceded by an instant vector selector or range vector selector or a subquery`,
      );
    };
  }

  #at(node: SyntaxNode): Postfix {
    const at = this.#atTime(node);
    return (operand) => {
      const again = (): Error =>
        parseError(this.#source, node.from, "@ <timestamp> may not be set multiple times");
      if (operand.kind === "vector-selector" || operand.kind === "subquery") {
        if (operand.at !== undefined) throw again();
        return { ...operand, at };
      }
      if (operand.kind === "matrix-selector") {
        if (operand.selector.at !== undefined) throw again();
        return { ...operand, selector: { ...operand.selector, at } };
      }
      throw parseError(
        this.#source,
        node.from,
        "@ modifier must be preceded by an instant vector selector or range vector selector or a subquery",
      );
    };
  }

  #atTime(node: SyntaxNode): At {
    const edge = node.getChild("AtModifierPreprocessors");
    if (edge !== null) return edge.getChild("AtStart") === null ? "end" : "start";
    const literal = expressionsIn(node).at(-1)!;
    const text = this.#text(literal).trim();
    const isNegative = text.startsWith("-");
    const seconds = numberValue(text.replace(/^[+-]/, "").trim());
    if (seconds === undefined || !Number.isFinite(seconds)) {
      throw parseError(this.#source, literal.from, `timestamp out of bounds for @ modifier: ${text}`);
    }
    return Math.round(seconds * 1000) * (isNegative ? -1 : 1);
  }

  #range(node: SyntaxNode): Postfix {
    const rangeMs = this.#duration(node.getChild("DurationExpr")!, false);
    return (operand) => {
      if (operand.kind !== "vector-selector") {
        throw parseError(this.#source, node.from, "ranges only allowed for vector selectors");
      }
      if (operand.offsetMs !== 0)
        throw parseError(this.#source, node.from, "no offset modifiers allowed before range");
      if (operand.at !== undefined)
        throw parseError(this.#source, node.from, "no @ modifiers allowed before range");
      return { kind: "matrix-selector", selector: operand satisfies VectorSelector, rangeMs };
    };
  }

  #subquery(node: SyntaxNode): Postfix {
    const [range, step] = node.getChildren("DurationExpr");
    const rangeMs = this.#duration(range!, false);
    const stepMs = step === undefined ? undefined : this.#duration(step, false);
    return (operand) => {
      const type = typeOf(operand);
      if (type !== "instant vector") {
        throw parseError(
          this.#source,
          node.from,
          `subquery is only allowed on instant vector, got ${type} instead`,
        );
      }
      return { kind: "subquery", inner: operand, rangeMs, stepMs, offsetMs: 0, at: undefined };
    };
  }

  /** A duration in ms, written as such or as seconds; an offset's may be negative. */
  #duration(node: SyntaxNode, isSigned: boolean): number {
    const text = this.#text(node).trim();
    const isNegative = text.startsWith("-");
    const seconds = numberValue(isSigned ? text.replace(/^[+-]\s*/, "") : text);
    if (seconds === undefined || !Number.isFinite(seconds)) {
      throw unsupported(this.#source, node.from, `the duration expression "${text.slice(0, 60)}"`);
    }
    const ms = Math.round(seconds * 1000);
    if (isSigned) return isNegative ? -ms : ms;
    if (ms <= 0) throw parseError(this.#source, node.from, "duration must be greater than 0");
    return ms;
  }

  #text(node: SyntaxNode): string {
    return this.#source.slice(node.from, node.to);
  }
}

/** What an aggregation takes before the vector. */
const PARAMETER_TYPES: Partial<Record<AggregateOperator, "scalar" | "string">> = {
  topk: "scalar",
  bottomk: "scalar",
  quantile: "scalar",
  count_values: "string",
};

const OPERATOR_NODES: ReadonlySet<string> = new Set(
  "Pow Mul Div Mod Atan2 Add Sub Eql Gte Gtr Lte Lss Neq And Unless Or".split(" "),
);

function expressionsIn(node: SyntaxNode): SyntaxNode[] {
  return node.getChildren("Expr");
}
