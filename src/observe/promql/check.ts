/** The types of a query, checked while its tree is built, with Prometheus's words for what is wrong. */
import { type Call, type Expression, isComparison, isSetOperator, type ValueType } from "./expression.ts";
import { FUNCTIONS, typeOf } from "./functions.ts";
import type { Infix } from "./precedence.ts";
import { parseError } from "./promql-error.ts";

/** @param place "aggregation expression", or how the message names it otherwise */
export function checkType(
  source: string,
  position: number,
  expression: Expression,
  wanted: ValueType,
  place: string,
): void {
  const got = typeOf(expression);
  if (got !== wanted) throw parseError(source, position, `expected type ${wanted} in ${place}, got ${got}`);
}

/** @param positions of the call, and of each argument */
export function checkCall(
  source: string,
  call: Call,
  { position, args: argPositions }: { readonly position: number; readonly args: readonly number[] },
): void {
  const { args, optional } = FUNCTIONS.get(call.name)!;
  const countMin = optional === "many" ? args.length - 1 : args.length - optional;
  const countMax = optional === "many" ? Number.POSITIVE_INFINITY : args.length;
  const count = call.args.length;
  if (count < countMin || count > countMax) {
    const bound = countMin === countMax ? "" : count < countMin ? "at least " : "at most ";
    const wanted = count < countMin ? countMin : countMax;
    throw parseError(
      source,
      position,
      `expected ${bound}${wanted} argument(s) in call to "${call.name}", got ${count}`,
    );
  }
  for (const [index, arg] of call.args.entries()) {
    const wanted = args[Math.min(index, args.length - 1)]!;
    checkType(source, argPositions[index]!, arg, wanted, `call to function "${call.name}"`);
  }
}

export function checkBinary(source: string, infix: Infix, left: Expression, right: Expression): void {
  const { operator, bool, matching } = infix;
  const fail = (message: string): never => {
    throw parseError(source, infix.position, message);
  };
  for (const side of [left, right]) {
    const type = typeOf(side);
    if (type !== "scalar" && type !== "instant vector") {
      fail("binary expression must contain only scalar and instant vector types");
    }
  }
  const areScalars = typeOf(left) === "scalar" && typeOf(right) === "scalar";
  const areVectors = typeOf(left) === "instant vector" && typeOf(right) === "instant vector";
  if (bool && !isComparison(operator)) fail("bool modifier can only be used on comparison operators");
  if (isComparison(operator) && !bool && areScalars)
    fail("comparisons between scalars must use BOOL modifier");
  if (isSetOperator(operator)) {
    if (!areVectors) fail(`set operator "${operator}" not allowed in binary scalar expression`);
    if (matching.many !== "none") fail(`no grouping allowed for "${operator}" operation`);
  }
  const both = matching.on ? matching.include.find((label) => matching.labels.includes(label)) : undefined;
  if (both !== undefined) fail(`label "${both}" must not occur in ON and GROUP clause at once`);
  if (!areVectors && (matching.labels.length > 0 || matching.on || matching.many !== "none")) {
    fail("vector matching only allowed between instant vectors");
  }
}

export function checkUnary(source: string, position: number, inner: Expression): void {
  const type = typeOf(inner);
  if (type === "scalar" || type === "instant vector") return;
  throw parseError(
    source,
    position,
    `unary expression only allowed on expressions of type scalar or instant vector, got "${type}"`,
  );
}
