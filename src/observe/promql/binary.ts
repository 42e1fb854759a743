/**
 * Binary operators between numbers, a number and a vector, and two vectors.
 *
 * Elements of two vectors belong together by a signature: the labels named in on(…), or all but the name and those in
 * ignoring(…). Signatures and the labels of results are made once a query for each set of labels, and remembered.
 */
import { type Binary, type BinaryOperator, isComparison } from "./expression.ts";
import { type LabelPool, type Labels, METRIC_NAME } from "./labels.ts";
import { PromqlError } from "./promql-error.ts";
import type { Sample, Vector } from "./values.ts";

/** An arithmetic operator's result; of a comparison 1 or 0. */
export function calculate(operator: BinaryOperator, left: number, right: number): number {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / right;
    case "%":
      return left % right;
    case "^":
      return power(left, right);
    case "atan2":
      return Math.atan2(left, right);
    case "==":
      return left === right ? 1 : 0;
    case "!=":
      return left !== right ? 1 : 0;
    case ">":
      return left > right ? 1 : 0;
    case "<":
      return left < right ? 1 : 0;
    case ">=":
      return left >= right ? 1 : 0;
    case "<=":
      return left <= right ? 1 : 0;
    default:
      throw new PromqlError("execution", `operator "${operator}" not allowed between numbers`);
  }
}

/** IEEE's, as Go has it: JavaScript makes 1 ^ NaN and (±1) ^ ±Inf NaN. */
function power(base: number, exponent: number): number {
  if (base === 1) return 1;
  if (base === -1 && !Number.isFinite(exponent) && !Number.isNaN(exponent)) return 1;
  return base ** exponent;
}

/** The working end of one binary expression between vectors or a vector and a number. */
export class BinaryOperation {
  readonly #expression: Binary;
  readonly #pool: LabelPool;
  readonly #signatures = new Map<Labels, Labels>();
  readonly #results = new Map<Labels, Map<Labels, Labels>>();

  constructor(expression: Binary, pool: LabelPool) {
    this.#expression = expression;
    this.#pool = pool;
  }

  /** @param isSwapped the number stands on the left */
  withNumber(vector: Vector, number: number, isSwapped: boolean): Sample[] {
    const { operator, bool } = this.#expression;
    const isFilter = isComparison(operator) && !bool;
    const out: Sample[] = [];
    for (const sample of vector) {
      const value = isSwapped
        ? calculate(operator, number, sample.value)
        : calculate(operator, sample.value, number);
      if (!isFilter) out.push({ labels: this.#pool.withoutName(sample.labels), value });
      else if (value === 1) out.push(sample);
    }
    return out;
  }

  between(left: Vector, right: Vector): Sample[] {
    switch (this.#expression.operator) {
      case "and":
        return this.#filter(left, right, true);
      case "unless":
        return this.#filter(left, right, false);
      case "or": {
        const taken = new Set(left.map((sample) => this.#signature(sample.labels)));
        return [...left, ...right.filter((sample) => !taken.has(this.#signature(sample.labels)))];
      }
      default:
        return this.#match(left, right);
    }
  }

  #filter(left: Vector, right: Vector, wanted: boolean): Sample[] {
    const signatures = new Set(right.map((sample) => this.#signature(sample.labels)));
    return left.filter((sample) => signatures.has(this.#signature(sample.labels)) === wanted);
  }

  #match(left: Vector, right: Vector): Sample[] {
    const { operator, bool, matching } = this.#expression;
    if (left.length === 0 || right.length === 0) return [];
    // The side that may have several elements for one is gone through; the other is looked up.
    const isSwapped = matching.many === "right";
    const [manySide, oneSide] = isSwapped ? [right, left] : [left, right];
    const ones = this.#bySignature(oneSide, isSwapped ? "left" : "right");
    const isFilter = isComparison(operator) && !bool;
    const seen = new Set<Labels>();
    const out: Sample[] = [];
    for (const many of manySide) {
      const signature = this.#signature(many.labels);
      const one = ones.get(signature);
      if (one === undefined) continue;
      const [leftValue, rightValue] = isSwapped ? [one.value, many.value] : [many.value, one.value];
      const value = calculate(operator, leftValue, rightValue);
      if (isFilter && value === 0) continue;
      const labels = this.#resultLabels(many.labels, one.labels);
      const mark = matching.many === "none" ? signature : labels;
      if (seen.has(mark)) {
        throw new PromqlError(
          "execution",
          matching.many === "none"
            ? "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
            : "multiple matches for labels: grouping labels must ensure unique matches",
        );
      }
      seen.add(mark);
      out.push({ labels, value: isFilter ? leftValue : value });
    }
    return out;
  }

  #bySignature(side: Vector, name: "left" | "right"): Map<Labels, Sample> {
    const found = new Map<Labels, Sample>();
    for (const sample of side) {
      const signature = this.#signature(sample.labels);
      const other = found.get(signature);
      if (other !== undefined) {
        const group = this.#matchLabels(sample.labels);
        throw new PromqlError(
          "execution",
          `found duplicate series for the match group ${group} on the ${name} hand-side of the operation: [${sample.labels}, ${other.labels}];many-to-many matching not allowed: matching labels must be unique on one side`,
        );
      }
      found.set(signature, sample);
    }
    return found;
  }

  #signature(labels: Labels): Labels {
    let signature = this.#signatures.get(labels);
    if (signature === undefined) {
      signature = this.#matchLabels(labels);
      this.#signatures.set(labels, signature);
    }
    return signature;
  }

  #matchLabels(labels: Labels): Labels {
    const { on, labels: names } = this.#expression.matching;
    return on ? this.#pool.only(labels, names) : this.#pool.without(labels, [METRIC_NAME, ...names]);
  }

  #resultLabels(many: Labels, one: Labels): Labels {
    let byOne = this.#results.get(many);
    if (byOne === undefined) {
      byOne = new Map();
      this.#results.set(many, byOne);
    }
    let result = byOne.get(one);
    if (result === undefined) {
      result = this.#makeResultLabels(many, one);
      byOne.set(one, result);
    }
    return result;
  }

  #makeResultLabels(many: Labels, one: Labels): Labels {
    const { operator, bool, matching } = this.#expression;
    const dropsName = !isComparison(operator) || bool;
    let labels = dropsName ? this.#pool.withoutName(many) : many;
    if (matching.many === "none") {
      labels = matching.on
        ? this.#pool.only(labels, matching.labels)
        : this.#pool.without(labels, matching.labels);
    }
    for (const name of matching.include) labels = this.#pool.with(labels, name, one.get(name));
    return labels;
  }
}
