/**
 * Puts operands and operators together by Prometheus's precedence.
 *
 * The grammar that Prometheus's editor uses leaves open how tightly `offset`, `@` and `[…]` bind, and reads `-2 ^ 2` as
 * (-2) ^ 2; for an editor that colours text it makes no difference. So a chain of binary operators is taken apart
 * into its operands, to which those belong, and put together again here.
 */
import { assert } from "../../base/assert.ts";
import type { BinaryOperator, Expression, Matching } from "./expression.ts";

export type Infix = {
  readonly type: "infix";
  readonly operator: BinaryOperator;
  readonly bool: boolean;
  readonly matching: Matching;
  /** where it stands in the query */
  readonly position: number;
};
export type Token =
  | { readonly type: "prefix"; readonly operator: "+" | "-" }
  | { type: "operand"; expression: Expression }
  | Infix;

const LEVELS: Readonly<Record<BinaryOperator, number>> = {
  or: 1,
  and: 2,
  unless: 2,
  "==": 3,
  "!=": 3,
  "<": 3,
  "<=": 3,
  ">": 3,
  ">=": 3,
  "+": 4,
  "-": 4,
  "*": 5,
  "/": 5,
  "%": 5,
  atan2: 5,
  "^": 6,
};
const POWER = LEVELS["^"];

/** Look at each expression as it is made, and throw where it is wrong. */
export type Checks = {
  readonly binary: (infix: Infix, left: Expression, right: Expression) => void;
  readonly unary: (inner: Expression) => void;
};

export function combine(tokens: readonly Token[], checks: Checks): Expression {
  let next = 0;

  const operand = (): Expression => {
    const token = tokens[next++];
    assert(token !== undefined && token.type !== "infix", "an operand follows an operator");
    if (token.type === "operand") return token.expression;
    // A sign binds as multiplication does, so that -a ^ b is -(a ^ b).
    const inner = climb(POWER);
    checks.unary(inner);
    return { kind: "unary", operator: token.operator, inner };
  };
  const climb = (levelMin: number): Expression => {
    let left = operand();
    for (;;) {
      const token = tokens[next];
      if (token === undefined) return left;
      assert(token.type === "infix", "an operator follows an operand");
      const level = LEVELS[token.operator];
      if (level < levelMin) return left;
      next += 1;
      // Only powers group from the right.
      const right = climb(level === POWER ? level : level + 1);
      checks.binary(token, left, right);
      left = {
        kind: "binary",
        operator: token.operator,
        left,
        right,
        bool: token.bool,
        matching: token.matching,
      };
    }
  };
  const whole = climb(1);
  assert(next === tokens.length, "every operand and operator is used");
  return whole;
}
