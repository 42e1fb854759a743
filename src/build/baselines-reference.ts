/** The page of the published performance baselines, from the result file that `bench` compares with. */
import { BASELINE } from "../operate/bench/baseline.ts";
import type { QuantileFigure } from "../operate/bench/quantiles.ts";
import { ms } from "../operate/bench/result-text.ts";
import { WORKLOADS, type WorkloadName } from "../operate/bench/workloads.ts";

export function baselinesPage(note: string): string {
  const { generator, parameters, workloads, madeAt } = BASELINE;
  const lines = [
    "# Performance baselines",
    "",
    note,
    "",
    "What `engram-appliance bench` measured on one machine, client and appliance side by side, and what a run is held",
    "against where no `--baseline` is given. On another machine figures are scaled by the speed of a core, which a",
    "reference loop measures in each run; a disk and a number of cores can not be scaled, so measure your own first:",
    "",
    "```sh",
    "engram-appliance bench --out before.json",
    "engram-appliance bench --baseline before.json",
    "```",
    "",
    `- Machine: ${generator.machine}`,
    `- Reference loop: ${Math.round(generator.referencePerMs)} turns a millisecond`,
    `- Measured: ${madeAt.slice(0, 10)}, version ${generator.version}, seed ${parameters.seed}, ${parameters.concurrency} connections, ${parameters.durationSeconds} s a workload`,
    "- Latencies are from when a request was due, in milliseconds, with 95 % confidence in brackets",
  ];
  for (const { name, phases, facts } of workloads) {
    lines.push("", `## ${name}`, "", `${WORKLOADS[name as WorkloadName].about}.`, "");
    lines.push("| phase | requests a second | P50 | P99 | P99.9 |", "| --- | --- | --- | --- | --- |");
    for (const { name: phase, loop, throughput, latency } of phases) {
      const spread = throughput.plusMinus === null ? "" : ` ± ${throughput.plusMinus.toFixed(0)}`;
      const shown = latency === null ? ["", "", ""] : [latency.p50, latency.p99, latency.p999].map(interval);
      lines.push(
        `| ${phase} (${loop} loop) | ${throughput.mean.toFixed(0)}${spread} | ${shown.join(" | ")} |`,
      );
    }
    if (facts.cpuSecondsPerRequest !== null) {
      lines.push(
        "",
        `Processor time of the appliance: ${(facts.cpuSecondsPerRequest * 1e6).toFixed(0)} µs a request.`,
      );
    }
  }
  return `${lines.join("\n")}\n`;
}

function interval({ value, low, high }: QuantileFigure): string {
  return `${ms(value)} [${low === null ? "?" : ms(low)}, ${high === null ? "?" : ms(high)}]`;
}
