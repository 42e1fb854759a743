/** `label_replace` and `label_join`: one label made from others. */
import { isLabelName, type LabelPool, type Labels } from "./labels.ts";
import { type AnchoredRegex, compileRegex } from "./matcher.ts";
import { PromqlError } from "./promql-error.ts";

/** What a set of labels becomes. */
export type Relabel = (labels: Labels) => Labels;

/** @throws {PromqlError} `execution` */
export function labelReplace(
  pool: LabelPool,
  [target, replacement, source, pattern]: readonly [string, string, string, string],
): Relabel {
  if (!isLabelName(target)) {
    throw new PromqlError("execution", `invalid destination label name in label_replace(): ${target}`);
  }
  let regex: AnchoredRegex;
  try {
    regex = compileRegex(pattern);
  } catch {
    throw new PromqlError("execution", `invalid regular expression in label_replace(): ${pattern}`);
  }
  return (labels) => {
    const groups = regex.groups(labels.get(source));
    return groups === undefined
      ? labels
      : pool.with(labels, target, expand(replacement, groups, regex.groupNames));
  };
}

/** @throws {PromqlError} `execution` */
export function labelJoin(
  pool: LabelPool,
  target: string,
  separator: string,
  sources: readonly string[],
): Relabel {
  if (!isLabelName(target)) {
    throw new PromqlError("execution", `invalid destination label name in label_join(): ${target}`);
  }
  const wrong = sources.find((source) => !isLabelName(source));
  if (wrong !== undefined) {
    throw new PromqlError("execution", `invalid source label name in label_join(): ${wrong}`);
  }
  return (labels) => pool.with(labels, target, sources.map((source) => labels.get(source)).join(separator));
}

/** `$1`, `${1}`, `$name` and `$$`, as Go's Regexp.Expand: the longest name counts, an unknown one is empty. */
function expand(
  template: string,
  groups: readonly string[],
  names: Readonly<Record<string, number>>,
): string {
  return template.replace(/\$(?:(\$)|(\w+)|\{(\w+)\})/g, (_, dollar, plain, braced) => {
    if (dollar !== undefined) return "$";
    const name: string = plain ?? braced;
    const index = /^\d+$/.test(name) ? Number(name) : names[name];
    return index === undefined ? "" : (groups[index] ?? "");
  });
}
