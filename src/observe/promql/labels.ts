/**
 * Sets of labels, and the pool in which equal sets are one object.
 *
 * Within a pool identity is equality, so grouping and matching work by reference: a set is put together, sorted
 * and written as a key once, and every later step of a query finds it in a `Map`. `__name__` is a label like
 * others. A label with an empty value is the same as none.
 */
export const METRIC_NAME = "__name__";
export const BUCKET_LABEL = "le";

export type Label = readonly [name: string, value: string];

/** Labels sorted by name, none of them empty. */
export class Labels {
  readonly pairs: readonly Label[];
  /** equal for equal sets, of whatever pool */
  readonly key: string;
  /** the last look for duplicates that met it (`areDistinct`) */
  metAt = 0;

  constructor(pairs: readonly Label[]) {
    const kept = pairs.filter(([, value]) => value !== "");
    kept.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
    this.pairs = kept;
    this.key = JSON.stringify(kept);
  }

  /** The value of a label; empty where it is not there. */
  get(name: string): string {
    for (const pair of this.pairs) if (pair[0] === name) return pair[1];
    return "";
  }

  get name(): string {
    return this.get(METRIC_NAME);
  }

  /** As PromQL writes it: `up{job="a"}`. */
  toString(): string {
    const inner = this.pairs
      .filter(([name]) => name !== METRIC_NAME)
      .map(([name, value]) => `${name}=${JSON.stringify(value)}`);
    const name = this.name;
    return inner.length === 0 && name !== "" ? name : `${name}{${inner.join(", ")}}`;
  }

  toJSON(): Record<string, string> {
    return Object.fromEntries(this.pairs);
  }
}

let looks = 0;

/**
 * Whether the labels of elements, all of one pool, are all different. It leaves a mark on each, which costs a tenth of
 * a set that holds them, and is asked at every step of a range.
 */
export function areDistinct(elements: readonly { readonly labels: Labels }[]): boolean {
  looks += 1;
  for (let i = 0; i < elements.length; i++) {
    const { labels } = elements[i]!;
    if (labels.metAt === looks) return false;
    labels.metAt = looks;
  }
  return true;
}

/** Prometheus's order: by names and values, pair after pair, then the shorter one. */
export function compareLabels(a: Labels, b: Labels): number {
  const count = Math.min(a.pairs.length, b.pairs.length);
  for (let i = 0; i < count; i++) {
    const left = a.pairs[i]!;
    const right = b.pairs[i]!;
    if (left[0] !== right[0]) return left[0] < right[0] ? -1 : 1;
    if (left[1] !== right[1]) return left[1] < right[1] ? -1 : 1;
  }
  return a.pairs.length - b.pairs.length;
}

export function isLabelName(name: string): boolean {
  return /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name);
}

/** Makes equal sets one object. One pool lives as long as a query. */
export class LabelPool {
  readonly #byKey = new Map<string, Labels>();
  readonly #withoutName = new Map<Labels, Labels>();
  readonly empty: Labels = this.adopt(new Labels([]));

  /** The pool's object for a set that was made elsewhere. */
  adopt(labels: Labels): Labels {
    const known = this.#byKey.get(labels.key);
    if (known !== undefined) return known;
    this.#byKey.set(labels.key, labels);
    return labels;
  }

  of(pairs: readonly Label[]): Labels {
    return this.adopt(new Labels(pairs));
  }

  withoutName(labels: Labels): Labels {
    let without = this.#withoutName.get(labels);
    if (without === undefined) {
      without = this.without(labels, [METRIC_NAME]);
      this.#withoutName.set(labels, without);
    }
    return without;
  }

  without(labels: Labels, names: readonly string[]): Labels {
    return this.of(labels.pairs.filter(([name]) => !names.includes(name)));
  }

  only(labels: Labels, names: readonly string[]): Labels {
    return this.of(labels.pairs.filter(([name]) => names.includes(name)));
  }

  /** With one label set; an empty value takes it away. */
  with(labels: Labels, name: string, value: string): Labels {
    return this.of([...labels.pairs.filter((pair) => pair[0] !== name), [name, value]]);
  }
}
