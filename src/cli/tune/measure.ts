/** Measures a running appliance for a tuning: a short workload, and how much recalls find where that may change. */
import { availableParallelism } from "node:os";
import { machineText } from "../../base/machine-text.ts";
import type { LoadGenerator } from "../../operate/bench/generator.ts";
import { referencePerMs } from "../../operate/bench/reference-loop.ts";
import { type BenchResult, RESULT_FORMAT } from "../../operate/bench/result.ts";
import { runWorkload } from "../../operate/bench/run-workload.ts";
import type { Workload } from "../../operate/bench/workloads.ts";
import { measureRecall } from "../../operate/tune/recall-quality.ts";
import { applianceUrl } from "../appliance-client.ts";
import { runOptions } from "../bench-run.ts";
import type { CommandContext } from "../command.ts";

export type Measurement = {
  readonly result: BenchResult;
  /** recall@10 against exact search; undefined where no change concerns it */
  readonly recall: number | undefined;
};

export type MeasureOptions = {
  readonly workload: Workload;
  readonly generator: LoadGenerator;
  readonly durationSeconds: number;
  readonly concurrency: number;
  readonly spacePrefix: string;
  readonly needsRecall: boolean;
  /** the measurement before: open loops are sent at its rate, so that latencies are those of the same load */
  readonly before?: Measurement | undefined;
};

const SEED = 1;
/** Two runs in one appliance must not find each other's spaces. */
let runs = 0;

export async function measure(context: CommandContext, options: MeasureOptions): Promise<Measurement> {
  const { workload, generator, durationSeconds, concurrency, before } = options;
  runs += 1;
  const run = runOptions(context, {
    generator,
    seed: SEED,
    concurrency,
    durationMs: durationSeconds * 1000,
    spacePrefix: `${options.spacePrefix}-${runs}`,
  });
  const reference = referencePerMs(() => performance.now());
  const found = await runWorkload(workload, {
    ...run,
    reference: before?.result.workloads[0]?.phases[0]?.throughput.mean,
  });
  const recall = options.needsRecall
    ? await measureRecall({
        calls: run.calls,
        space: `${options.spacePrefix}-${runs}-recall`,
        seed: SEED,
        isCancelled: () => generator.isCancelled,
        pause: run.pause,
      })
    : undefined;
  const result: BenchResult = {
    format: RESULT_FORMAT,
    madeAt: new Date().toISOString(),
    generator: {
      version: context.version,
      machine: machineText(),
      referencePerMs: reference,
      threads: loadThreads(),
    },
    appliance: { url: applianceUrl(context), version: context.version },
    parameters: { seed: SEED, concurrency, durationSeconds },
    workloads: [found],
  };
  return { result, recall };
}

export function loadThreads(): number {
  return Math.max(1, availableParallelism() >> 2);
}

/** The figures of a measurement, as the audit log keeps them. */
export function figuresOf({ result, recall }: Measurement): Record<string, number> {
  const figures: Record<string, number> = {};
  for (const { phases } of result.workloads) {
    for (const { name, throughput, latency } of phases) {
      figures[`${name}/per_second`] = rounded(throughput.mean);
      if (latency === null) continue;
      figures[`${name}/p50_ms`] = rounded(latency.p50.value);
      figures[`${name}/p99_ms`] = rounded(latency.p99.value);
    }
  }
  if (recall !== undefined) figures["recall@10"] = rounded(recall);
  return figures;
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
