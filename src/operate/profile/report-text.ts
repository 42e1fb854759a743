/** A profile as a terminal shows it: the bottlenecks first, then what they were decided from. */
import { bytesText, duration, percent } from "./finding.ts";
import { type Measured, operationSeconds } from "./measured.ts";
import type { Report } from "./report.ts";

const OPERATIONS_SHOWN = 5;
const STAGES_SHOWN = 8;
const THREADS_SHOWN = 10;
const RUNNING_MIN = 0.005;

export function reportText(report: Report, table: (head: string[], rows: string[][]) => string): string {
  const { measured } = report;
  return [
    ...findingLines(report),
    "",
    ...operationLines(measured, table),
    ...threadLines(measured, table),
    ...memoryLines(measured),
    ...costLines(report),
    ...missingLines(measured),
  ].join("\n");
}

function findingLines({ findings, measured }: Report): string[] {
  if (findings.length === 0) {
    const why = operationSeconds(measured) === 0 ? ": nothing was asked of the appliance" : "";
    return [`No bottleneck was found in ${duration(measured.seconds)}${why}`];
  }
  return findings.flatMap(({ cause, title, weight, basis, evidence, likely, command }, index) => [
    ...(index === 0 ? [] : [""]),
    `${index + 1}. ${title} (${cause}; weight ${percent(weight)}, ${basis})`,
    `   evidence      ${evidence}`,
    `   likely cause  ${likely}`,
    `   what helps    ${command}`,
  ]);
}

function operationLines(measured: Measured, table: (head: string[], rows: string[][]) => string): string[] {
  const shown = measured.operations.slice(0, OPERATIONS_SHOWN);
  if (shown.length === 0) return [];
  const cells = ({ p50_s, p90_s, p99_s, p999_s }: Measured["operations"][number]["latency"]): string[] =>
    [p50_s, p90_s, p99_s, p999_s].map(duration);
  const rows = shown.map(({ operation, per_s, latency }) => [
    operation,
    per_s >= 10 ? String(Math.round(per_s)) : per_s.toFixed(1),
    ...cells(latency),
  ]);
  const stages = measured.stages
    .slice(0, STAGES_SHOWN)
    .map(({ operation, stage, share, latency }) => [
      `${operation}: ${stage}`,
      percent(share),
      ...cells(latency),
    ]);
  const head = ["P50", "P90", "P99", "P99.9"];
  return [
    table(["operation", "a second", ...head], rows).trimEnd(),
    "",
    ...(stages.length === 0 ? [] : [table(["stage", "of all time", ...head], stages).trimEnd(), ""]),
  ];
}

function threadLines({ threads }: Measured, table: (head: string[], rows: string[][]) => string): string[] {
  const busy = threads
    .filter(({ running, queued }) => (running ?? 0) + (queued ?? 0) >= RUNNING_MIN)
    .slice(0, THREADS_SHOWN);
  if (busy.length === 0) return [];
  const rows = busy.map(({ name, running, queued, doorbell, loop_delay_p99_s, collections_per_s }) => [
    name,
    percent(running ?? 0),
    percent(queued ?? 0),
    doorbell === null ? "" : percent(doorbell),
    loop_delay_p99_s === null ? "" : duration(loop_delay_p99_s),
    collections_per_s === null ? "" : collections_per_s.toFixed(1),
  ]);
  const head = [
    "thread",
    "ran",
    "waited for a core",
    "slept on a doorbell",
    "timers late (P99)",
    "collections a second",
  ];
  return [table(head, rows).trimEnd(), ""];
}

function memoryLines({ memory, disk, flush, tail }: Measured): string[] {
  const lines: string[] = [];
  if (memory.resident_bytes !== null) {
    const huge = (memory.transparent_bytes ?? 0) + (memory.hugetlb_bytes ?? 0);
    lines.push(`memory   ${bytesText(memory.resident_bytes)} resident, ${bytesText(huge)} on huge pages`);
  }
  const written =
    disk.written_per_s === null ? "" : `, ${bytesText(disk.written_per_s)} a second of pages made dirty`;
  const sync = flush === null ? "no sync" : `sync P50 ${duration(flush.p50_s)}, P99 ${duration(flush.p99_s)}`;
  const checkpoints = `${bytesText(disk.checkpoint_per_s)} of checkpoints`;
  lines.push(`disk     ${bytesText(disk.log_per_s)} a second of log, ${checkpoints}${written}; ${sync}`);
  lines.push(`tail     ${Math.round(tail.longest)} vectors in the longest, of ${Math.round(tail.capacity)}`);
  return lines;
}

function costLines({ cost }: Report): string[] {
  const { cpu_without: without, cpu_with: during } = cost;
  if (without === null || during === null) return [];
  const each =
    cost.cpu_us_per_operation_without === null || cost.cpu_us_per_operation_with === null
      ? ""
      : `; ${Math.round(cost.cpu_us_per_operation_without)} and ${Math.round(cost.cpu_us_per_operation_with)} µs for one operation`;
  const samplers = cost.samplers === null ? "" : `; threads that take samples used ${percent(cost.samplers)}`;
  return [
    `cost     the appliance used ${percent(without)} of a core without samples, ${percent(during)} with them${each}${samplers}; what is asked of it changes that, too`,
  ];
}

function missingLines({ missing }: Measured): string[] {
  if (missing.length === 0) return [];
  return [
    "",
    "Not collected:",
    ...missing.map(({ what, reason, remedy }) => `  ${what}: ${reason}. What helps: ${remedy}`),
  ];
}
