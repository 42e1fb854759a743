/**
 * The sections of a frame: each a head and the lines below it, most important first, made for a width.
 *
 * A value that is not there is shown as "-": nothing was counted yet, or this machine does not tell it.
 */
import { formatSpan, formatValue } from "../../page/format.ts";
import type { Unit } from "../../page/panels.ts";
import { type Column, clean, columnsWithin, fit, flow, pad, row } from "./cells.ts";
import type { AlertFact, Sample, TopFacts } from "./facts.ts";
import type { Ink } from "./ink.ts";
import type { QueryName } from "./queries.ts";
import type { SectionName, Sort } from "./view.ts";

export type Section = {
  readonly head: string;
  readonly lines: readonly string[];
  /** below the head, that should be seen before any section has more */
  readonly linesMin: number;
};

type Build = (
  facts: TopFacts,
  how: { readonly width: number; readonly sort: Sort; readonly ink: Ink },
) => Section;

const TITLE_WIDTH = 12;
const NAME: Column = { head: "", width: TITLE_WIDTH };

export const SECTIONS: Readonly<Record<SectionName, Build>> = {
  alerts: (facts, { width, ink }) => {
    const firing = facts.alerts.filter(({ state }) => state === "firing").length;
    const pending = facts.alerts.length - firing;
    const counts = [
      firing === 0 ? `none of ${facts.rules.all} rules fires` : `${firing} firing`,
      ...(pending === 0 ? [] : [`${pending} pending`]),
      ...(facts.rules.unavailable === 0 ? [] : [`${facts.rules.unavailable} can not be judged yet`]),
    ].join(", ");
    const text = fit(counts, width - TITLE_WIDTH);
    const unwell = facts.unwell.map(({ name, status, reason }) => {
      const line = fit(clean(`${pad(status, 8)}  ${name}: ${reason}`), width);
      return status === "failed" ? ink.bad(line) : ink.warn(line);
    });
    const alerts = [...facts.alerts].sort(byWeight).map((alert) => {
      const line = fit(alertText(alert, facts.atMs), width);
      if (alert.state === "pending" || alert.isSilenced) return ink.dim(line);
      return alert.severity === "critical" ? ink.bad(line) : ink.warn(line);
    });
    const lines = [...unwell, ...alerts];
    return {
      head: ink.title(pad("ALERTS", Math.min(TITLE_WIDTH, width))) + (firing === 0 ? text : ink.bad(text)),
      lines,
      linesMin: Math.min(2, lines.length),
    };
  },

  operations: ({ samples }, { width, sort, ink }) => {
    const columns: Column[] = [NAME, ...["per second", "P50", "P99", "not done"].map(numberColumn)];
    const rows = tableOf(samples, "operation", [
      ["rate", "per second"],
      ["p50", "seconds"],
      ["p99", "seconds"],
      ["failed", "per second"],
    ]);
    const sorted = inOrder(rows, sort, { busy: 0, slow: 2 });
    return table("OPERATIONS", columns, sorted, { width, ink, badFrom: 3 });
  },

  workers: ({ samples }, { width, sort, ink }) => {
    const columns: Column[] = [NAME, ...["processor", "loop P99", "instr/cycle"].map(numberColumn)];
    const rows = tableOf(samples, "thread", [
      ["threadCpu", "percent"],
      ["loopDelay", "seconds"],
      ["ipc", "ratio"],
    ]);
    return table("WORKERS", columns, inOrder(rows, sort, { busy: 0, slow: 1 }), { width, ink });
  },

  memory: ({ samples }, { width, ink }) => {
    const tail = `tail ${one(samples, "tail", "count")}, longest ${one(samples, "tailLongest", "count")} of ${one(samples, "tailCapacity", "count")}`;
    const caches = samples.caches.map(
      (each) => `${name(each, "cache")} ${formatValue(each.value, "percent")}`,
    );
    const parts = [...samples.parts].sort((a, b) => b.value - a.value);
    return listed(
      "MEMORY",
      [
        `resident ${one(samples, "resident", "bytes")}`,
        `heaps ${one(samples, "heap", "bytes")}`,
        `stored ${one(samples, "stored", "bytes")}`,
        `disk free ${one(samples, "diskFree", "bytes")}`,
        tail,
        `cache hits ${caches.length === 0 ? "-" : caches.join(", ")}`,
        `graphs ${one(samples, "graphs", "bytes")}`,
        ...parts.map((each) => `${name(each, "part")} ${formatValue(each.value, "bytes")}`),
      ],
      { width, ink, linesMin: 1 },
    );
  },

  mind: ({ samples }, { width, ink }) => {
    const weight = (system: string): string => show(of(samples, "balance", "system", system), "percent");
    const bindings = [...samples.bindings].filter(({ value }) => value > 0).sort((a, b) => b.value - a.value);
    return listed(
      "MIND",
      [
        `fast ${weight("fast")}, slow ${weight("slow")}`,
        `concepts ${one(samples, "concepts", "count")}`,
        `false memories ${one(samples, "falseMemories", "percent")}`,
        `phases ${all(samples.phases, "phase", "count")}`,
        `bindings ${all(bindings, "kind", "count")}`,
        ...samples.velocity.map(
          (each) => `to ${name(each, "phase")} ${formatValue(each.value, "per second")}`,
        ),
      ],
      { width, ink, linesMin: 1 },
    );
  },

  nodes: ({ samples }, { width, ink }) => {
    const heads: readonly (readonly [string, number])[] = [
      ["used", 9],
      ["free", 9],
      ["ours", 9],
      ["local", 8],
      ["remote", 8],
    ];
    const columns: Column[] = [
      { head: "", width: 5 },
      ...heads.map(([head, cells]): Column => ({ head, width: cells, isNumber: true })),
    ];
    const rows = tableOf(samples, "node", [
      ["nodeUsed", "bytes"],
      ["nodeFree", "bytes"],
      ["nodeOurs", "bytes"],
      ["nodeLocal", "per second"],
      ["nodeRemote", "per second"],
    ]);
    return table("NODES", columns, inOrder(rows, "name", {}), { width, ink });
  },
};

/** The one value of a query; "-" where it has none. */
export function one(samples: TopFacts["samples"], query: QueryName, unit: Unit): string {
  return show(samples[query][0]?.value, unit);
}

function show(value: number | undefined, unit: Unit): string {
  return value === undefined || !Number.isFinite(value) ? "-" : formatValue(value, unit);
}

function of(
  samples: TopFacts["samples"],
  query: QueryName,
  label: string,
  value: string,
): number | undefined {
  return samples[query].find(({ labels }) => labels[label] === value)?.value;
}

function name({ labels }: Sample, label: string): string {
  return clean(labels[label] ?? "").replaceAll("_", " ");
}

function all(samples: readonly Sample[], label: string, unit: Unit): string {
  if (samples.length === 0) return "-";
  return samples.map((each) => `${name(each, label)} ${show(each.value, unit)}`).join(", ");
}

type Row = {
  readonly name: string;
  readonly values: readonly (number | undefined)[];
  readonly cells: string[];
};

/** A row for each value of `label`, a cell for each query. */
function tableOf(
  samples: TopFacts["samples"],
  label: string,
  queries: readonly (readonly [QueryName, Unit])[],
): Row[] {
  const names = new Set(
    queries.flatMap(([query]) => samples[query].map(({ labels }) => labels[label] ?? "")),
  );
  return [...names].map((each) => {
    const values = queries.map(([query]) => of(samples, query, label, each));
    return { name: each, values, cells: values.map((value, i) => show(value, queries[i]![1])) };
  });
}

/** @param by the column that an order goes by, largest first */
function inOrder(rows: readonly Row[], sort: Sort, by: Partial<Record<Sort, number>>): Row[] {
  const column = by[sort];
  const value = (each: Row): number => {
    const found = column === undefined ? 0 : (each.values[column] ?? Number.NaN);
    return Number.isFinite(found) ? found : Number.NEGATIVE_INFINITY;
  };
  const byName = (a: Row, b: Row): number => a.name.localeCompare(b.name, "en", { numeric: true });
  return [...rows].sort((a, b) => {
    const [left, right] = [value(a), value(b)];
    return left === right ? byName(a, b) : right - left;
  });
}

/** @param badFrom cells from this one on are bad news where there is something in them */
function table(
  title: string,
  columns: readonly Column[],
  rows: readonly Row[],
  { width, ink, badFrom }: { readonly width: number; readonly ink: Ink; readonly badFrom?: number },
): Section {
  const shown = columnsWithin(columns, width);
  const heads = shown.map(({ head }, i) => (i === 0 ? title : head));
  const isBad = ({ cells }: Row): boolean =>
    badFrom !== undefined && cells.slice(badFrom).some((cell) => cell !== "-");
  return {
    head: ink.title(row(shown, heads)),
    lines: rows.map((each) => {
      const line = row(shown, [clean(each.name).replaceAll("_", " "), ...each.cells]);
      return isBad(each) ? ink.warn(line) : line;
    }),
    linesMin: Math.min(2, rows.length),
  };
}

function listed(
  title: string,
  items: readonly string[],
  { width, ink, linesMin }: { readonly width: number; readonly ink: Ink; readonly linesMin: number },
): Section {
  const [first = "", ...rest] = flow(items, width - TITLE_WIDTH);
  const lines = rest.map((line) => " ".repeat(TITLE_WIDTH) + line);
  return {
    head: ink.title(pad(title, Math.min(TITLE_WIDTH, width))) + first,
    lines,
    linesMin: Math.min(linesMin, lines.length),
  };
}

function numberColumn(head: string): Column {
  return { head, width: Math.max(9, head.length), isNumber: true };
}

function byWeight(a: AlertFact, b: AlertFact): number {
  const weight = ({ state, isSilenced, severity }: AlertFact): number =>
    (state === "firing" ? 4 : 0) + (isSilenced ? 0 : 2) + (severity === "critical" ? 1 : 0);
  return weight(b) - weight(a) || a.sinceMs - b.sinceMs;
}

function alertText(
  { name: alert, severity, state, summary, sinceMs, isSilenced }: AlertFact,
  atMs: number,
): string {
  const since = Number.isFinite(sinceMs) ? formatSpan(Math.max(0, atMs - sinceMs) / 1000) : "-";
  return clean(
    `${pad(state, 8)}  ${severity} ${alert} for ${since}${isSilenced ? ", silenced" : ""}: ${summary}`,
  );
}
