/** Two profiles side by side: what changed between them, and which bottlenecks came and went. A pure function. */
import { bytesText, duration, percent } from "./finding.ts";
import type { Compared } from "./report.ts";

export type Change = {
  readonly what: string;
  readonly before: string;
  readonly after: string;
  /** after by before; null where one of them is not there or 0 */
  readonly ratio: number | null;
};

export type Comparison = {
  readonly gone: readonly string[];
  readonly come: readonly string[];
  readonly stayed: readonly string[];
  readonly settings: readonly Change[];
  readonly changes: readonly Change[];
};

/** A figure that differs by less is the same: buckets of histograms double. */
const RATIO_MIN = 1.2;

export function compareReports(before: Compared, after: Compared): Comparison {
  const titles = ({ findings }: Compared) => new Map(findings.map(({ cause, title }) => [cause, title]));
  const [from, to] = [titles(before), titles(after)];
  return {
    gone: [...from].filter(([cause]) => !to.has(cause)).map(([, title]) => title),
    come: [...to].filter(([cause]) => !from.has(cause)).map(([, title]) => title),
    stayed: [...to].filter(([cause]) => from.has(cause)).map(([, title]) => title),
    settings: settingsBetween(before, after),
    changes: figuresOf(before, after).filter(
      ({ ratio, before: a, after: b }) =>
        a !== b && (ratio === null || ratio >= RATIO_MIN || ratio <= 1 / RATIO_MIN),
    ),
  };
}

function settingsBetween(before: Compared, after: Compared): Change[] {
  const [from, to] = [before.measured.settings ?? {}, after.measured.settings ?? {}];
  return Object.keys({ ...from, ...to })
    .filter((name) => from[name] !== to[name])
    .map((what) => ({ what, before: String(from[what]), after: String(to[what]), ratio: null }));
}

function figuresOf({ measured: a }: Compared, { measured: b }: Compared): Change[] {
  const figure = (
    what: string,
    from: number | null | undefined,
    to: number | null | undefined,
    text: (value: number) => string,
  ): Change[] => {
    if (from == null && to == null) return [];
    const ratio = from == null || to == null || from === 0 || to === 0 ? null : to / from;
    const say = (value: number | null | undefined): string => (value == null ? "none" : text(value));
    return [{ what, before: say(from), after: say(to), ratio }];
  };
  const perSecond = (value: number): string => `${Number(value.toPrecision(3))} a second`;
  const whole = (value: number): string => String(Math.round(value));
  const keys = <T>(listA: readonly T[], listB: readonly T[], keyOf: (item: T) => string): string[] => [
    ...new Set([...listA, ...listB].map(keyOf)),
  ];
  const operation = (list: typeof a.operations, name: string) => list.find((each) => each.operation === name);
  const stageKey = (each: (typeof a.stages)[number]): string => `${each.operation}: ${each.stage}`;
  const stage = (list: typeof a.stages, key: string) => list.find((each) => stageKey(each) === key);
  const thread = (list: typeof a.threads, name: string) => list.find((each) => each.name === name);
  return [
    ...keys(a.operations, b.operations, (each) => each.operation).flatMap((name) => {
      const [from, to] = [operation(a.operations, name), operation(b.operations, name)];
      return [
        ...figure(`${name}: rate`, from?.per_s, to?.per_s, perSecond),
        ...figure(`${name}: mean`, from?.latency.mean_s, to?.latency.mean_s, duration),
        ...figure(`${name}: P50`, from?.latency.p50_s, to?.latency.p50_s, duration),
        ...figure(`${name}: P99`, from?.latency.p99_s, to?.latency.p99_s, duration),
      ];
    }),
    ...keys(a.stages, b.stages, stageKey).flatMap((key) => {
      const [from, to] = [stage(a.stages, key), stage(b.stages, key)];
      return figure(`${key}: mean`, from?.latency.mean_s, to?.latency.mean_s, duration);
    }),
    ...figure("sync: mean", a.flush?.mean_s, b.flush?.mean_s, duration),
    ...figure(
      "distances in the graph for a recall",
      a.recall.graph_distances,
      b.recall.graph_distances,
      whole,
    ),
    ...figure("distances in scans for a recall", a.recall.scan_distances, b.recall.scan_distances, whole),
    ...figure("longest tail", a.tail.longest, b.tail.longest, whole),
    ...keys(a.threads, b.threads, (each) => each.name)
      .filter((name) => (thread(a.threads, name) ?? thread(b.threads, name))?.role !== "runtime")
      .flatMap((name) => {
        const [from, to] = [thread(a.threads, name), thread(b.threads, name)];
        return [
          ...figure(`${name}: ran`, from?.running, to?.running, percent),
          ...figure(`${name}: waited for a core`, from?.queued, to?.queued, percent),
        ];
      }),
    ...figure("resident memory", a.memory.resident_bytes, b.memory.resident_bytes, bytesText),
    ...figure("transparent huge pages", a.memory.transparent_bytes, b.memory.transparent_bytes, bytesText),
  ];
}

export function comparisonText(
  comparison: Comparison,
  table: (head: string[], rows: string[][]) => string,
): string {
  const { gone, come, stayed, settings, changes } = comparison;
  const rows = [...settings, ...changes].map(({ what, before, after, ratio }) => [
    what,
    before,
    after,
    ratio === null ? "" : `x ${Number(ratio.toPrecision(2))}`,
  ]);
  return [
    ...gone.map((title) => `Gone:  ${title}`),
    ...come.map((title) => `New:   ${title}`),
    ...stayed.map((title) => `Still: ${title}`),
    ...(gone.length + come.length + stayed.length === 0 ? ["Neither profile names a bottleneck"] : []),
    "",
    rows.length === 0
      ? `No figure differs by more than ${Math.round((RATIO_MIN - 1) * 100)} %`
      : table(["", "before", "after", ""], rows).trimEnd(),
  ].join("\n");
}
