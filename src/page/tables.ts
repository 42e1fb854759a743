/** What the page shows as lists and tables: alerts, slow operations, NUMA nodes, hardware counters, events. */
import { query, read, type Sample, type StreamEvent } from "./api.ts";
import { make, makeTable } from "./dom.ts";
import { formatSeconds, formatTime, formatValue } from "./format.ts";
import { COUNTER_STATES, NODE_QUERIES } from "./panels.ts";

type Alert = {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: string;
  readonly activeAt: string;
  readonly silenced_by: readonly string[];
};
type AlertsReply = {
  readonly data: {
    readonly alerts: readonly Alert[];
    readonly resolved: readonly Alert[];
    readonly rules: readonly { readonly name: string; readonly state: string; readonly reason?: string }[];
  };
};

export async function showAlerts(place: HTMLElement, badge: HTMLElement): Promise<void> {
  const { data } = await read<AlertsReply>("/api/v1/alerts");
  const firing = data.alerts.filter(({ state }) => state === "firing");
  badge.textContent = firing.length === 0 ? "no alert" : `${firing.length} firing`;
  badge.className = `pill ${firing.length === 0 ? "ok" : "bad"}`;
  const unavailable = data.rules.filter(({ state }) => state === "unavailable");
  const pending = data.alerts.filter(({ state }) => state === "pending");
  const rows = [...firing, ...pending, ...data.resolved];
  place.replaceChildren(
    rows.length === 0
      ? make("p", { class: "empty" }, `None of ${data.rules.length} rules has anything to say.`)
      : make("ul", { class: "alerts" }, ...rows.map(alertItem)),
    unavailable.length === 0
      ? ""
      : make(
          "details",
          {},
          make("summary", {}, `${unavailable.length} rules can not be judged yet`),
          makeTable(
            "Rules that can not be judged",
            ["rule", "why"],
            unavailable.map(({ name, reason }) => [name, reason ?? ""]),
          ),
        ),
  );
}

function alertItem({ labels, annotations, state, activeAt, silenced_by }: Alert): HTMLElement {
  const severity = labels["severity"] ?? "";
  return make(
    "li",
    { class: `alert ${state} ${severity}` },
    make("strong", {}, annotations["summary"] ?? labels["alertname"] ?? ""),
    make("p", {}, annotations["meaning"] ?? annotations["description"] ?? ""),
    make("p", { class: "dim" }, annotations["action"] ?? ""),
    make(
      "p",
      { class: "dim" },
      `${labels["alertname"] ?? ""}, ${severity}, ${state} since ${formatTime(activeAt)}${silenced_by.length > 0 ? ", silenced" : ""}`,
    ),
  );
}

type SlowOperation = {
  readonly ended_at: string;
  readonly took_ms: number;
  readonly operation: string;
  readonly space: string;
  readonly outcome: string;
  readonly stages_ms: Readonly<Record<string, number>>;
  readonly waits_ms: Readonly<Record<string, number>>;
};

export async function showSlowOperations(place: HTMLElement): Promise<void> {
  type Reply = { readonly threshold_ms: number | null; readonly operations: readonly SlowOperation[] };
  const { threshold_ms, operations } = await read<Reply>("/api/v1/slow-queries?limit=20");
  if (operations.length === 0) {
    const bound = threshold_ms === null ? "" : ` Slow is what takes ${threshold_ms} ms or longer.`;
    place.replaceChildren(make("p", { class: "empty" }, `No operation was slow.${bound}`));
    return;
  }
  place.replaceChildren(
    makeTable(
      "Slow operations, newest first",
      ["ended", "operation", "space", "took", "where the time went", "outcome"],
      operations.map((each) => [
        formatTime(each.ended_at),
        each.operation,
        each.space,
        formatSeconds(each.took_ms / 1000),
        longest({ ...each.stages_ms, ...each.waits_ms }),
        each.outcome,
      ]),
    ),
  );
}

/** The three parts that took longest. */
function longest(parts: Readonly<Record<string, number>>): string {
  return Object.entries(parts)
    .filter(([, ms]) => ms > 0)
    .sort(([, a], [, b]) => b - a)
    .slice(0, 3)
    .map(([name, ms]) => `${name} ${formatSeconds(ms / 1000)}`)
    .join(", ");
}

export async function showNodes(place: HTMLElement): Promise<void> {
  const names = Object.keys(NODE_QUERIES) as (keyof typeof NODE_QUERIES)[];
  const found = await Promise.all(names.map((name) => query(NODE_QUERIES[name])));
  const of = (name: keyof typeof NODE_QUERIES, node: string): number =>
    found[names.indexOf(name)]!.find(({ labels }) => labels["node"] === node)?.value ?? Number.NaN;
  const nodes = [...new Set(found.flat().map(({ labels }) => labels["node"] ?? ""))].sort(
    (a, b) => Number(a) - Number(b),
  );
  if (nodes.length === 0) {
    place.replaceChildren(
      make(
        "p",
        { class: "empty" },
        "This machine tells nothing of NUMA nodes: it has one, or libnuma is missing.",
      ),
    );
    return;
  }
  place.replaceChildren(...nodes.map((node) => nodeCard(node, (name) => of(name, node))));
}

function nodeCard(node: string, of: (name: keyof typeof NODE_QUERIES) => number): HTMLElement {
  const used = of("used");
  const total = used + of("free");
  const ours = of("ours");
  const meter = make("meter", {
    min: "0",
    max: String(total),
    value: String(used),
    "aria-label": `memory of node ${node} in use`,
  });
  return make(
    "article",
    { class: "card node" },
    make("h3", {}, `Node ${node}`),
    Number.isFinite(total) ? meter : undefined,
    make(
      "dl",
      {},
      ...facts([
        ["in use", `${formatValue(used, "bytes")} of ${formatValue(total, "bytes")}`],
        ["bound to it", formatValue(ours, "bytes")],
        ["pages from here", formatValue(of("hit"), "per second")],
        ["pages meant for another", formatValue(of("miss"), "per second")],
        ["pages that went elsewhere", formatValue(of("foreign"), "per second")],
      ]),
    ),
  );
}

function facts(pairs: readonly (readonly [string, string])[]): HTMLElement[] {
  return pairs.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]);
}

export async function showCounters(place: HTMLElement): Promise<void> {
  const states = await query(COUNTER_STATES);
  const byCounter = new Map<string, Sample[]>();
  for (const sample of states) {
    const counter = sample.labels["counter"] ?? "";
    byCounter.set(counter, [...(byCounter.get(counter) ?? []), sample]);
  }
  place.replaceChildren(
    byCounter.size === 0
      ? make("p", { class: "empty" }, "The collectors have not asked for counters yet.")
      : makeTable(
          "Hardware counters and whether they can be had",
          ["counter", "threads"],
          [...byCounter].map(([counter, samples]) => [
            counter.replaceAll("_", " "),
            samples
              .map(({ labels, value }) => `${value} ${(labels["state"] ?? "").replaceAll("_", " ")}`)
              .join(", "),
          ]),
        ),
  );
}

const EVENTS_SHOWN = 30;

/** Puts an event on top of the list. */
export function showEvent(list: HTMLElement, { name, data }: StreamEvent): void {
  const time = typeof data["time"] === "string" ? formatTime(data["time"]) : "";
  const where = [data["space"], data["id"]].filter((each) => typeof each === "string").join(" / ");
  const text = typeof data["message"] === "string" ? data["message"] : where;
  list.prepend(make("li", { class: `event ${name}` }, make("time", {}, time), make("b", {}, name), text));
  while (list.childElementCount > EVENTS_SHOWN) list.lastElementChild!.remove();
}
