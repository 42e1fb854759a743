/** What `bench` prints: the machine, a table for each workload, advice, and how the figures compare. */
import type { Advice } from "./advice.ts";
import type { LatencyFigures, QuantileFigure } from "./quantiles.ts";
import type { BenchResult, PhaseResult, WorkloadResult } from "./result.ts";
import type { Comparison } from "./verdict.ts";
import type { Workload } from "./workloads.ts";

export function headText({ generator, appliance, parameters }: BenchResult): string {
  return [
    `appliance   ${appliance.url}, version ${appliance.version}`,
    `generator   ${generator.machine}; ${generator.threads} threads; reference loop ${Math.round(generator.referencePerMs)} turns a ms`,
    `parameters  seed ${parameters.seed}, ${parameters.concurrency} connections, ${parameters.durationSeconds} s a workload`,
    "",
  ].join("\n");
}

export function workloadText(workload: Workload, { phases, facts }: WorkloadResult): string {
  const lines = [`\n${workload.name}: ${workload.about}`];
  for (const phase of phases) {
    lines.push(`  ${phase.name.padEnd(20)} ${throughputText(phase)}`);
    const classes = Object.entries(phase.classes);
    // One class says what the whole says.
    const shown =
      classes.length === 1 || phase.latency === null
        ? classes
        : [["all", phase.latency] as const, ...classes];
    for (const [name, latency] of shown) lines.push(`    ${name.padEnd(18)} ${latencyText(latency)}`);
    if (phase.sentLateMs !== null)
      lines.push(`    ${"sent late".padEnd(18)} p99 ${ms(phase.sentLateMs)} ms of it, the generator's own`);
  }
  const known = [
    facts.cpuSecondsPerRequest === null
      ? undefined
      : `${(facts.cpuSecondsPerRequest * 1e6).toFixed(0)} us of processor a request`,
    facts.flushP99Ms === null ? undefined : `P99 of a flush up to ${ms(facts.flushP99Ms)} ms`,
    facts.tailMax === null ? undefined : `${facts.tailMax} vectors not indexed at the end`,
    facts.residentBytes === null ? undefined : `${Math.round(facts.residentBytes / 2 ** 20)} MiB in memory`,
  ].filter((fact) => fact !== undefined);
  if (known.length > 0) lines.push(`  appliance            ${known.join(", ")}`);
  return `${lines.join("\n")}\n`;
}

export function adviceText(advice: readonly Advice[]): string {
  if (advice.length === 0) return "\nnothing in these figures asks for a change\n";
  const byFinding = new Map<string, Advice[]>();
  for (const each of advice) byFinding.set(each.finding, [...(byFinding.get(each.finding) ?? []), each]);
  return [...byFinding]
    .map(([finding, found]) => {
      const evidence = found.map((each) => each.evidence).join("\n              ");
      return `\n${finding}\n  evidence    ${evidence}\n  what helps  ${found[0]!.action}\n`;
    })
    .join("");
}

export function comparisonText(
  { isSameMachine, coreRatio, verdicts, missing }: Comparison,
  against: string,
): string {
  const lines = [`\nagainst ${against}:`];
  lines.push(
    isSameMachine
      ? `  the same kind of machine; a core runs at ${coreRatio.toFixed(2)} of its speed then, by which figures are scaled`
      : `  another machine: figures are scaled by ${coreRatio.toFixed(2)}, the ratio of the reference loops; its disk and its number of cores are not`,
  );
  for (const { figure, unit, before, now, ratio, outcome } of verdicts) {
    const word = outcome === "fail" ? "FAIL" : outcome === "better" ? "BETTER" : "PASS";
    lines.push(`  ${word.padEnd(6)} ${figure}: ${ms(now)} ${unit}, was ${ms(before)} (${ratio.toFixed(2)})`);
  }
  if (verdicts.length === 0) lines.push("  the two have no figure in common");
  for (const name of missing) lines.push(`  not measured now: ${name}`);
  return `${lines.join("\n")}\n`;
}

function throughputText({ loop, connections, throughput, rate, failures, seconds }: PhaseResult): string {
  const spread = throughput.plusMinus === null ? "" : ` +- ${throughput.plusMinus.toFixed(0)}`;
  const how = loop === "closed" ? `${connections} connections` : `${rate?.toFixed(0)} a second on schedule`;
  const failed = failures === 0 ? "" : `, ${failures} FAILED`;
  return `${throughput.mean.toFixed(0)}${spread} a second (${how}, ${seconds.toFixed(1)} s${failed})`;
}

function latencyText(latency: LatencyFigures): string {
  return `p50 ${interval(latency.p50)} p90 ${interval(latency.p90)} p99 ${interval(latency.p99)} p99.9 ${interval(latency.p999)} ms`;
}

function interval({ value, low, high }: QuantileFigure): string {
  return `${ms(value)} [${low === null ? "?" : ms(low)}, ${high === null ? "?" : ms(high)}]`;
}

/** Three figures that count. */
export function ms(value: number): string {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
