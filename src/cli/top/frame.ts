/**
 * One picture of the appliance as lines of text: a pure function of what is known, what is looked at, and the room.
 *
 *   head     who, how it is, since when
 *   figures  what matters most, in one line
 *   sections alerts first; beside each other where there are WIDE_FROM columns
 *   foot     the keys
 *
 * No line is wider than the columns, and no more lines come than there are rows. Where the rows do not suffice, every
 * section keeps its head and its first lines as long as that is possible; then the last sections go.
 */
import { formatSpan } from "../../page/format.ts";
import { clean, fit, flow, pad } from "./cells.ts";
import type { TopFacts } from "./facts.ts";
import { type Ink, PLAIN } from "./ink.ts";
import { one, SECTIONS, type Section } from "./sections.ts";
import { FIRST_VIEW, KEYS, SECTION_NAMES, type SectionName, type TopView } from "./view.ts";

/** `rows` is Infinity where everything is to be seen. */
export type Room = { readonly columns: number; readonly rows: number };

const WIDE_FROM = 120;
const GAP = 3;
const LEFT: readonly SectionName[] = ["operations", "workers"];
const RIGHT: readonly SectionName[] = ["memory", "mind", "nodes"];

export function frame(
  facts: TopFacts,
  room: Room,
  { view = FIRST_VIEW, ink = PLAIN }: { readonly view?: TopView; readonly ink?: Ink } = {},
): string[] {
  const { columns, rows } = room;
  const head = headLines(facts, view, { columns, ink });
  // A frame that nobody can press keys at has no foot.
  const foot = Number.isFinite(rows) && rows > head.length ? [footLine(view, { columns, ink })] : [];
  const left = Math.max(0, rows - head.length - foot.length);
  const body = bodyLines(facts, view, { room: { columns, rows: left }, ink });
  const blank = Number.isFinite(left) ? left - body.length : 0;
  return [...head, ...body, ...Array<string>(blank).fill(""), ...foot].slice(0, rows);
}

type Look = { readonly columns: number; readonly ink: Ink };

function headLines(facts: TopFacts, view: TopView, { columns, ink }: Look): string[] {
  const { samples, status, lost } = facts;
  const time = new Date(facts.atMs).toISOString().slice(11, 19);
  const tail = `  ${status}, up ${formatSpan(facts.uptimeSeconds)}  ${time} UTC${view.isPaused ? "  PAUSED" : ""}`;
  const title = fit(clean(`engram ${facts.version} at ${facts.url}`), Math.max(0, columns - tail.length));
  const state = fit(tail, columns - Bun.stringWidth(title));
  const [figures = ""] = flow(
    [
      `memories ${one(samples, "memories", "count")}`,
      `cores ${one(samples, "cores", "count")}`,
      `resident ${one(samples, "resident", "bytes")}`,
      `sync P99 ${one(samples, "sync", "seconds")}`,
      `writes queued ${one(samples, "queue", "count")}`,
      `insertion P99 ${one(samples, "insertion", "seconds")}`,
      `spaces ${one(samples, "spaces", "count")}`,
    ],
    columns,
  );
  const lines = [ink.title(title) + (status === "ok" ? ink.good(state) : ink.bad(state)), figures];
  if (lost === undefined) return lines;
  const since = new Date(lost.sinceMs).toISOString().slice(11, 19);
  return [
    ...lines,
    ink.bad(fit(clean(`No answer since ${since} UTC, trying again: ${lost.reason}`), columns)),
  ];
}

function footLine({ section, sort, isPaused }: TopView, { columns, ink }: Look): string {
  const keys = ["q leave", "? help", `Tab ${section}`, `s sort: ${sort}`, isPaused ? "p go on" : "p pause"];
  return ink.dim(flow(keys, columns)[0] ?? "");
}

function bodyLines(
  facts: TopFacts,
  view: TopView,
  { room, ink }: { readonly room: Room; readonly ink: Ink },
): string[] {
  const { columns, rows } = room;
  if (view.isHelpShown) {
    return KEYS.map(([keys, about]) => fit(`${pad(keys, 18)}  ${about}`, columns)).slice(0, rows);
  }
  const build = (name: SectionName, width: number): Section =>
    SECTIONS[name](facts, { width, sort: view.sort, ink });
  if (view.section !== "all") {
    const { head, lines } = build(view.section, columns);
    const room = Math.max(0, rows - 1);
    const from = Math.min(view.scrolled, Math.max(0, lines.length - room));
    return [head, ...lines.slice(from, from + room)].slice(0, rows);
  }
  if (columns < WIDE_FROM)
    return shared(
      SECTION_NAMES.map((name) => build(name, columns)),
      rows,
    );
  const alerts = shared([build("alerts", columns)], Math.max(1, Math.floor(Math.min(rows, 1000) / 3)));
  const width = Math.floor((columns - GAP) / 2);
  const below = rows - alerts.length;
  const left = shared(
    LEFT.map((name) => build(name, width)),
    below,
  );
  const right = shared(
    RIGHT.map((name) => build(name, width)),
    below,
  );
  return [...alerts, ...besides(left, right, width)].slice(0, Math.min(rows, Number.MAX_SAFE_INTEGER));
}

/** Sections one below the other in `rows` rows: first each one's head and least lines, then more in turn. */
function shared(sections: readonly Section[], rows: number): string[] {
  let left = rows;
  const granted = sections.map(() => 0);
  const grant = (i: number, lines: number): void => {
    const given = Math.min(lines, left);
    granted[i]! += given;
    left -= given;
  };
  for (const i of sections.keys()) grant(i, 1);
  for (const [i, { linesMin }] of sections.entries()) grant(i, linesMin);
  const isShort = (i: number): boolean => granted[i]! < sections[i]!.lines.length + 1;
  while (left > 0 && [...sections.keys()].some(isShort)) {
    for (const i of sections.keys()) if (isShort(i)) grant(i, 1);
  }
  const gaps = left >= sections.length - 1;
  return sections.flatMap(({ head, lines }, i) => {
    if (granted[i] === 0) return [];
    return [...(gaps && i > 0 ? [""] : []), head, ...lines.slice(0, granted[i]! - 1)];
  });
}

function besides(left: readonly string[], right: readonly string[], width: number): string[] {
  return Array.from({ length: Math.max(left.length, right.length) }, (_, i) => {
    const first = left[i] ?? "";
    const blank = " ".repeat(width + GAP - Bun.stringWidth(first));
    return `${first}${blank}${right[i] ?? ""}`.trimEnd();
  });
}
