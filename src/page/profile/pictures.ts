/** Pictures of figures: bars made of elements, with the figures as text beside them. */
import { make, makeTable } from "../dom.ts";
import { formatSeconds, formatValue } from "../format.ts";
import type { Latency, Measured, Part } from "./data.ts";

const QUANTILES = ["p50_s", "p90_s", "p99_s", "p999_s"] as const;
const QUANTILE_NAMES = { p50_s: "P50", p90_s: "P90", p99_s: "P99", p999_s: "P99.9" } as const;

/** Latencies on one logarithmic scale: a dot for each percentile, so that all fit and a tail is seen as a line. */
export function latencyPicture({ operations, stages, flush }: Measured): HTMLElement {
  const rows: { name: string; latency: Latency; note: string }[] = [
    ...operations.map(({ operation, per_s, latency }) => ({
      name: operation,
      latency,
      note: formatValue(per_s, "per second"),
    })),
    ...stages.map(({ operation, stage, share, latency }) => ({
      name: `${operation}: ${stage}`,
      latency,
      note: `${percent(share)} of all time`,
    })),
    ...(flush === null ? [] : [{ name: "sync of the log", latency: flush, note: `${flush.count} syncs` }]),
  ];
  const values = rows
    .flatMap(({ latency }) => QUANTILES.map((name) => latency[name]))
    .filter((value) => value > 0);
  if (values.length === 0) return make("p", { class: "dim" }, "Nothing was asked of the appliance.");
  const low = Math.log(Math.min(...values));
  const span = Math.max(1e-9, Math.log(Math.max(...values)) - low);
  const at = (seconds: number): number => (seconds <= 0 ? 0 : ((Math.log(seconds) - low) / span) * 100);
  return makeTable(
    "Latency by operation and stage",
    ["", "", "logarithmic scale", "P50", "P90", "P99", "P99.9"],
    rows.map(({ name, latency, note }) => [
      name,
      note,
      make(
        "div",
        { class: "range", "aria-hidden": "true" },
        make("span", {
          class: "whisker",
          style: `left:${at(latency.p50_s)}%;width:${Math.max(0.5, at(latency.p999_s) - at(latency.p50_s))}%`,
        }),
        ...QUANTILES.map((quantile) =>
          make("span", {
            class: `dot ${quantile}`,
            style: `left:${at(latency[quantile])}%`,
            title: `${QUANTILE_NAMES[quantile]} ${formatSeconds(latency[quantile])}`,
          }),
        ),
      ),
      ...QUANTILES.map((quantile) => formatSeconds(latency[quantile])),
    ]),
  );
}

/** What each thread did with the time: ran, waited for a core, slept. */
export function threadPicture({ threads }: Measured): HTMLElement {
  return makeTable(
    "Threads",
    [
      "thread",
      "ran, waited for a core, slept",
      "ran",
      "waited",
      "on a doorbell",
      "timers late (P99)",
      "heap",
      "counters",
    ],
    threads.map((thread) => [
      thread.name,
      bar([
        { share: thread.running ?? 0, kind: "ran", text: `ran ${percent(thread.running ?? 0)}` },
        {
          share: thread.queued ?? 0,
          kind: "queued",
          text: `waited for a core ${percent(thread.queued ?? 0)}`,
        },
      ]),
      optional(thread.running, percent),
      optional(thread.queued, percent),
      optional(thread.doorbell, percent),
      optional(thread.loop_delay_p99_s, formatSeconds),
      optional(thread.heap_bytes, (bytes) => formatValue(bytes, "bytes")),
      Object.entries(thread.hardware)
        .map(([event, count]) => `${event} ${formatValue(count, "count")}`)
        .join(", "),
    ]),
  );
}

/** Regions by what they hold, as long as they are large, coloured by the kind of page. */
export function memoryPicture({ memory }: Measured): HTMLElement {
  const largest = Math.max(1, ...memory.parts.map(({ mapped_bytes }) => mapped_bytes));
  const base = (part: Part): number =>
    Math.max(0, part.resident_bytes - part.transparent_bytes - part.reserved_bytes);
  const bytes = (value: number): string => formatValue(value, "bytes");
  return makeTable(
    "Memory by what it holds",
    ["", "reserved, transparent and base pages in memory", "mapped", "in memory", "huge", "nodes"],
    memory.parts.map((part) => [
      part.part,
      bar([
        {
          share: part.reserved_bytes / largest,
          kind: "reserved",
          text: `reserved ${bytes(part.reserved_bytes)}`,
        },
        {
          share: part.transparent_bytes / largest,
          kind: "transparent",
          text: `transparent ${bytes(part.transparent_bytes)}`,
        },
        { share: base(part) / largest, kind: "base", text: `base ${bytes(base(part))}` },
      ]),
      bytes(part.mapped_bytes),
      bytes(part.resident_bytes),
      bytes(part.transparent_bytes + part.reserved_bytes),
      Object.entries(part.pages_by_node)
        .map(([node, pages]) => `node ${node}: ${pages} of the pages sampled`)
        .join(", "),
    ]),
  );
}

export function spacePicture({ spaces }: Measured): HTMLElement {
  const busy = Math.max(1e-9, ...spaces.map(({ busy_s }) => busy_s));
  return makeTable(
    "Time of operations by space",
    ["space", "", "operations", "time"],
    spaces
      .slice(0, 20)
      .map(({ space, operations, busy_s }) => [
        space,
        bar([{ share: busy_s / busy, kind: "ran", text: formatSeconds(busy_s) }]),
        String(operations),
        formatSeconds(busy_s),
      ]),
  );
}

type Piece = { readonly share: number; readonly kind: string; readonly text: string };

function bar(pieces: readonly Piece[]): HTMLElement {
  const whole = Math.max(
    1,
    pieces.reduce((sum, { share }) => sum + share, 0),
  );
  return make(
    "div",
    { class: "bar", "aria-hidden": "true" },
    ...pieces
      .filter(({ share }) => share > 0)
      .map(({ share, kind, text }) =>
        make("span", { class: kind, title: text, style: `width:${(share / whole) * 100}%` }),
      ),
  );
}

export function percent(share: number): string {
  return `${Number((share * 100).toPrecision(2))} %`;
}

function optional(value: number | null, text: (value: number) => string): string {
  return value === null ? "" : text(value);
}
