/** `slow-queries`: what was slow in a running appliance, grouped by cause. */
import { systemClock } from "../base/clock.ts";
import { OperatorError } from "../base/errors.ts";
import type { SlowOperation } from "../observe/slow-operation.ts";
import { type SlowGroup, type SlowReport, slowReport } from "../operate/slow-report.ts";
import { CLIENT_OPTIONS, callAppliance } from "./appliance-client.ts";
import { type Command, type CommandContext, JSON_OPTION, optionText, present } from "./command.ts";
import { durationMs } from "./duration.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { table } from "./text-table.ts";

const LOOKBACK_DEFAULT = "24h";
/** Operations read at most; the newest. */
const OPERATIONS_MAX = 10_000;
/** As the API answers it. */
type Body = { readonly threshold_ms: number | null; readonly operations: readonly SlowOperation[] };
type Asked = {
  readonly thresholdMs: number | undefined;
  readonly lookback: string;
  readonly isFull: boolean;
};

export const slowQueriesCommand: Command = {
  name: "slow-queries",
  summary: "Show what was slow in a running appliance, grouped by cause",
  details:
    "Operations that took monitoring.slow_query_threshold_ms or longer are kept with their stages and counts, over a\n" +
    "restart. They are grouped by what took their time, most time first, each with its evidence, the setting to change\n" +
    "and what that should do.",
  arguments: [
    {
      name: "threshold",
      about: "only what took so long or longer, as 250ms or 1s (default: all that was kept)",
      optional: true,
    },
    {
      name: "lookback",
      about: `how far back, as 15m, 2h or 3d (default: ${LOOKBACK_DEFAULT})`,
      optional: true,
    },
    { name: "form", about: "summary: a block for each cause; full: every operation, too", optional: true },
  ],
  options: [
    { flags: "--space <NAME>", about: "only operations on this memory space" },
    { flags: "--operation <NAME>", about: "only this operation, as recall or remember" },
    ...CLIENT_OPTIONS,
    JSON_OPTION,
  ],
  examples: [
    ["engram-appliance slow-queries", "the causes of what was slow in the last day"],
    [
      "engram-appliance slow-queries 250ms 1h full",
      "each operation of the last hour that took 250 ms or longer",
    ],
  ],
  run: showSlowQueries,
};

async function showSlowQueries(context: CommandContext): Promise<number> {
  const [threshold, lookback = LOOKBACK_DEFAULT, form = "summary"] = context.arguments;
  if (form !== "summary" && form !== "full") throw wrong(`"${form}" is no form`, "summary or full");
  const asked: Asked = {
    thresholdMs: threshold === undefined ? undefined : durationMs(threshold, "ms", "threshold"),
    lookback,
    isFull: form === "full",
  };
  const since = systemClock.wallMs() - durationMs(lookback, undefined, "lookback");
  const query = new URLSearchParams({ since: String(Math.floor(since)), limit: String(OPERATIONS_MAX) });
  if (asked.thresholdMs !== undefined) query.set("threshold", String(asked.thresholdMs));
  for (const name of ["space", "operation"]) {
    const value = optionText(context, name);
    if (value !== undefined) query.set(name, value);
  }
  const body = (await callAppliance(context, "GET", `/api/v1/slow-queries?${query}`)) as Body;
  const report = slowReport(body.operations);
  const shown = {
    ...report,
    threshold_ms: body.threshold_ms,
    ...(asked.isFull ? { listed: body.operations } : {}),
  };
  present(context, shown, () => reportText(report, body, asked));
  return EXIT_CODES.ok.status;
}

function reportText(report: SlowReport, body: Body, asked: Asked): string {
  const bound = asked.thresholdMs === undefined ? "" : ` that took ${text(asked.thresholdMs)} or longer`;
  const kept =
    body.threshold_ms === null
      ? "monitoring.enabled is off, so none is kept"
      : `what takes ${text(body.threshold_ms)} or longer is kept (monitoring.slow_query_threshold_ms)`;
  if (report.count === 0) return `No slow operation${bound} in the last ${asked.lookback}; ${kept}`;
  const mostRead = report.count === OPERATIONS_MAX ? ", the newest of them" : "";
  const lines = [
    `${report.count} slow operation${report.count === 1 ? "" : "s"}${bound} in the last ${asked.lookback}${mostRead}, ${text(report.took_ms)} altogether; ${kept}`,
  ];
  for (const [index, group] of report.groups.entries()) lines.push("", ...groupLines(index + 1, group));
  const { count, worst } = report.unexplained;
  if (worst !== undefined) {
    lines.push(
      "",
      `Not accounted for by any cause: ${count}; the slowest, a ${worst.operation} on "${worst.space}", took ${text(worst.took_ms)}`,
      `   stages     ${stagesText(worst)}`,
    );
  }
  if (report.notes.length > 0) lines.push("", ...report.notes.map((note) => `Note: ${note}`));
  if (asked.isFull) lines.push("", operationsTable(body.operations).trimEnd());
  return lines.join("\n");
}

function groupLines(place: number, group: SlowGroup): string[] {
  const share = `${Math.round(group.share * 100)} % of the time`;
  const worst = group.worst;
  return [
    `${place}. ${group.title} (${group.cause}): ${group.count} operation${group.count === 1 ? "" : "s"}, ${text(group.lost_ms)}, ${share}, ${group.basis}`,
    `   evidence   ${group.evidence}`,
    `   change     ${group.change}`,
    `   effect     ${group.effect}`,
    `   where      ${group.operations.join(", ")} on ${group.spaces.map((space) => `"${space}"`).join(", ")}`,
    `   worst      ${worst.ended_at}, ${text(worst.took_ms)}: ${stagesText(worst)}`,
  ];
}

function operationsTable(operations: readonly SlowOperation[]): string {
  const rows = operations.map((each) => [
    each.ended_at,
    text(each.took_ms),
    each.operation,
    each.space,
    each.error ?? each.outcome,
    stagesText(each),
    each.trace_id ?? "",
  ]);
  return table(["ended", "took", "operation", "space", "outcome", "stages", "trace"], rows);
}

/** "vector 120 ms, words 9.8 ms": the largest first. */
function stagesText({ stages_ms, waits_ms }: SlowOperation): string {
  const parts = [...Object.entries(stages_ms), ["elsewhere", waits_ms.elsewhere] as const];
  return parts
    .filter(([, ms]) => ms >= 0.1)
    .sort((a, b) => b[1] - a[1])
    .map(([name, ms]) => `${name} ${text(ms)}`)
    .join(", ");
}

function text(ms: number): string {
  if (ms >= 10_000) return `${Math.round(ms / 1000)} s`;
  if (ms >= 1000) return `${Number((ms / 1000).toPrecision(3))} s`;
  return `${Number(ms.toPrecision(3))} ms`;
}

function wrong(message: string, expected: string): OperatorError {
  return new OperatorError({ code: "usage", message, remedy: `Give ${expected}` });
}
