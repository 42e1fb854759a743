/**
 * Grafana dashboards from the catalogue of metrics and the table of alert rules: `docs/grafana/*.json`.
 *
 * What a panel asks follows from how its metric is declared: counters as rates, gauges as they are, histograms as
 * quantiles, shares as means; by the labels that stay few. Every metric has a panel: one that no row claims is on the
 * overview. The data source is a variable, so that the same file works with a Prometheus server and with the appliance
 * itself, which answers as one.
 */
import { type AlertRule, runbookOf } from "../observe/alerts/rule.ts";
import { ALERT_RULES } from "../observe/alerts/rules.ts";
import { declarationOf, METRIC_NAMES, type MetricName } from "../observe/catalogue.ts";
import type { Declaration, Unit } from "../observe/declaration.ts";

type Row = { readonly title: string; readonly holds: RegExp };
type Board = { readonly file: string; readonly title: string; readonly rows: readonly Row[] };

/** The first row that a name matches has its panel; `engram_` at its beginning is left out. */
const BOARDS: readonly Board[] = [
  {
    file: "memory-and-mind",
    title: "Memory and mind",
    rows: [
      {
        title: "Fast and slow memory",
        holds: /^recall_memory_system_|^false_memory_|^completion_/,
      },
      { title: "Consolidation", holds: /^consolidation_|^memories_by_phase$|^concept/ },
      { title: "Association", holds: /^bindings|^graph_|^activation_|^spread/ },
      {
        title: "What is held",
        holds: /^memories|^spaces$|^space_|^storage_tier_/,
      },
    ],
  },
  {
    file: "machine",
    title: "Machine: threads, NUMA, processor",
    rows: [
      {
        title: "Memory",
        holds: /^memory_bytes$|^memory_node_|^data_bytes$|^process_resident_/,
      },
      { title: "NUMA nodes", holds: /^numa_/ },
      { title: "Processor", holds: /^hardware_/ },
      { title: "Threads", holds: /^thread_|^event_loop_|^js_heap_/ },
      { title: "Process and disk", holds: /^process_|^disk_/ },
      { title: "Watching itself", holds: /^observe_|^alert_|^events?_|^stream/ },
    ],
  },
  {
    file: "log-and-index",
    title: "Log and index",
    rows: [
      { title: "Log", holds: /^wal_/ },
      { title: "Checkpoints and recovery", holds: /^checkpoint_|^recovery_/ },
      { title: "Index", holds: /^index_|^vector_/ },
      { title: "Caches", holds: /^cache_/ },
    ],
  },
  {
    file: "overview",
    title: "Overview",
    rows: [
      { title: "State", holds: /^ready$|^alerts_firing$|^build_info$/ },
      { title: "Operations", holds: /operation|^http_/ },
      { title: "Recall and remember", holds: /^recall_|^store_|^memories_remembered/ },
      { title: "Everything else", holds: /./ },
    ],
  },
];

const COLUMNS = 24;
const PANEL_WIDTH = 8;
const PANEL_HEIGHT = 8;
const RATE = "[1m]";
const DATASOURCE = { type: "prometheus", uid: `\${datasource}` } as const;

export type Target = { readonly refId: string; readonly expr: string; readonly legendFormat: string };
type Panel = Record<string, unknown>;

/** The text of each file, by its path from the repository root. */
export function dashboardFiles(): [path: string, text: string][] {
  const claimed = new Map<Row, MetricName[]>();
  const rows = BOARDS.flatMap((board) => board.rows);
  for (const name of METRIC_NAMES) {
    const row = rows.find(({ holds }) => holds.test(name.replace("engram_", "")))!;
    claimed.set(row, [...(claimed.get(row) ?? []), name]);
  }
  const boards = BOARDS.map(({ file, title, rows: own }) => {
    const parts = own.map((row): [string, Panel[]] => [row.title, (claimed.get(row) ?? []).map(metricPanel)]);
    return dashboard(file, title, parts);
  });
  const alerts = dashboard("alerts", "Alerts: what each rule watches", [
    ["How memory works", ALERT_RULES.filter(({ about }) => about === "mind").map(rulePanel)],
    ["How the machine does", ALERT_RULES.filter(({ about }) => about === "machine").map(rulePanel)],
  ]);
  return [...boards, alerts];
}

function dashboard(
  file: string,
  title: string,
  parts: readonly [string, readonly Panel[]][],
): [string, string] {
  const panels: Panel[] = [];
  let y = 0;
  for (const [rowTitle, own] of parts) {
    if (own.length === 0) continue;
    panels.push({
      type: "row",
      id: panels.length + 1,
      title: rowTitle,
      collapsed: false,
      gridPos: { h: 1, w: COLUMNS, x: 0, y },
      panels: [],
    });
    y += 1;
    for (const [index, panel] of own.entries()) {
      const perLine = COLUMNS / PANEL_WIDTH;
      const x = (index % perLine) * PANEL_WIDTH;
      const line = Math.floor(index / perLine);
      const gridPos = { h: PANEL_HEIGHT, w: PANEL_WIDTH, x, y: y + line * PANEL_HEIGHT };
      panels.push({ id: panels.length + 1, gridPos, ...panel });
    }
    y += Math.ceil(own.length / (COLUMNS / PANEL_WIDTH)) * PANEL_HEIGHT;
  }
  const model = {
    uid: `engram-${file}`,
    title: `Engram: ${title}`,
    description: "Made by `npm run docs:reference` from the catalogue of metrics",
    tags: ["engram"],
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: "10s",
    time: { from: "now-1h", to: "now" },
    timezone: "browser",
    links: [{ type: "dashboards", title: "Engram", tags: ["engram"], asDropdown: true, keepTime: true }],
    annotations: { list: [] },
    templating: {
      list: [
        {
          name: "datasource",
          label: "Data source",
          type: "datasource",
          query: "prometheus",
          current: {},
          hide: 0,
        },
      ],
    },
    panels,
  };
  return [`docs/grafana/${file}.json`, `${JSON.stringify(model, null, 1)}\n`];
}

function metricPanel(name: MetricName): Panel {
  const declaration = declarationOf(name);
  const { help, kind, unit } = declaration;
  const isTime = isTimestamp(name, declaration);
  return timeSeries({
    title: titleOf(isTime ? `Since: ${help}` : help),
    description: `${help} (${name})`,
    unit: isTime ? "s" : kind === "counter" ? RATE_UNIT[unit] : UNIT[unit],
    targets: targetsOf(name, declaration),
  });
}

function rulePanel(rule: AlertRule): Panel {
  const color = { info: "blue", warning: "orange", critical: "red" }[rule.severity];
  const panel = timeSeries({
    title: rule.name,
    description: `${rule.summary}. ${rule.meaning}. To do: ${rule.action} (${runbookOf(rule)})`,
    unit: UNIT[rule.unit],
    targets: [{ refId: "A", expr: rule.value, legendFormat: legendOf(rule.labels, "value") }],
  });
  const steps =
    rule.side === "above"
      ? [
          { color: "green", value: null },
          { color, value: rule.raise },
        ]
      : [
          { color, value: null },
          { color: "green", value: rule.raise },
        ];
  const { defaults } = panel["fieldConfig"] as { defaults: Record<string, unknown> };
  const custom = { ...(defaults["custom"] as object), thresholdsStyle: { mode: "line" } };
  const thresholds = { mode: "absolute", steps };
  return { ...panel, fieldConfig: { defaults: { ...defaults, custom, thresholds }, overrides: [] } };
}

function timeSeries(of: {
  title: string;
  description: string;
  unit: string;
  targets: readonly Target[];
}): Panel {
  return {
    type: "timeseries",
    title: of.title,
    description: of.description,
    datasource: DATASOURCE,
    targets: of.targets.map((target) => ({ ...target, datasource: DATASOURCE, range: true })),
    fieldConfig: {
      defaults: {
        unit: of.unit,
        min: 0,
        custom: { drawStyle: "line", lineWidth: 1, fillOpacity: 10, showPoints: "never" },
      },
      overrides: [],
    },
    options: {
      legend: { displayMode: "list", placement: "bottom", showLegend: true },
      tooltip: { mode: "multi", sort: "desc" },
    },
  };
}

const UNIT: Readonly<Record<Unit, string>> = {
  seconds: "s",
  bytes: "bytes",
  ratio: "percentunit",
  count: "short",
};
/** Seconds a second are a share of a core. */
const RATE_UNIT: Readonly<Record<Unit, string>> = {
  seconds: "percentunit",
  bytes: "Bps",
  ratio: "short",
  count: "cps",
};

function targetsOf(name: MetricName, declaration: Declaration): Target[] {
  const { kind, unit } = declaration;
  const labels = labelsShown(declaration);
  const by = labels.length === 0 ? "" : ` by (${labels.join(", ")})`;
  if (kind === "counter") {
    return [{ refId: "A", expr: `sum${by} (rate(${name}${RATE}))`, legendFormat: legendOf(labels, "rate") }];
  }
  if (kind === "gauge") {
    const value = `sum${by} (${name})`;
    const expr = isTimestamp(name, declaration) ? `time() - ${value}` : value;
    return [{ refId: "A", expr, legendFormat: legendOf(labels, "value") }];
  }
  if (unit === "ratio") {
    const expr = `sum${by} (rate(${name}_sum${RATE})) / sum${by} (rate(${name}_count${RATE}))`;
    return [{ refId: "A", expr, legendFormat: legendOf(labels, "mean") }];
  }
  const buckets = `sum by (${[...labels, "le"].join(", ")}) (rate(${name}_bucket${RATE}))`;
  return (
    [
      ["A", 0.5],
      ["B", 0.99],
    ] as const
  ).map(([refId, quantile]) => ({
    refId,
    expr: `histogram_quantile(${quantile}, ${buckets})`,
    legendFormat: `p${quantile * 100} ${legendOf(labels, "")}`.trim(),
  }));
}

/** Of a histogram the first label, since each series of it is two lines; of others all, the threads among them. */
function labelsShown({ labels, perThread, kind }: Declaration): string[] {
  const names = [...(perThread === true ? ["thread"] : []), ...Object.keys(labels)];
  return kind === "histogram" ? names.slice(0, 1) : names;
}

function legendOf(labels: readonly string[], otherwise: string): string {
  return labels.length === 0 ? otherwise : labels.map((label) => `{{${label}}}`).join(" ");
}

function isTimestamp(name: string, { unit, kind }: Declaration): boolean {
  return kind === "gauge" && unit === "seconds" && /timestamp_seconds$|start_time_seconds$/.test(name);
}

/** The beginning of a help, as a title. */
function titleOf(help: string): string {
  const first = help.split(/[;:,(]/, 1)[0]!.trim();
  return first.length > 12 && first.length <= 70 ? first : help.slice(0, 70).trim();
}
