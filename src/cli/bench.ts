/** `bench`: measures a running appliance under stored workloads, and holds the figures against earlier ones. */
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { OperatorError } from "../base/errors.ts";
import { machineText } from "../base/machine-text.ts";
import { adviseOn } from "../operate/bench/advice.ts";
import { BASELINE } from "../operate/bench/baseline.ts";
import { LoadGenerator } from "../operate/bench/generator.ts";
import { referencePerMs } from "../operate/bench/reference-loop.ts";
import {
  type BenchResult,
  RESULT_FORMAT,
  resultSchema,
  type WorkloadResult,
} from "../operate/bench/result.ts";
import { adviceText, comparisonText, headText, workloadText } from "../operate/bench/result-text.ts";
import { runWorkload } from "../operate/bench/run-workload.ts";
import { compareRuns } from "../operate/bench/verdict.ts";
import { WORKLOAD_NAMES, WORKLOADS, type Workload } from "../operate/bench/workloads.ts";
import { applianceUrl, CLIENT_OPTIONS, callAppliance } from "./appliance-client.ts";
import { runOptions } from "./bench-run.ts";
import { type Command, type CommandContext, JSON_OPTION, optionText } from "./command.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { onInterrupt } from "./interrupt.ts";
import { wholeNumberIn } from "./whole-number.ts";
import { readWritten } from "./written-file.ts";

const DURATION_SECONDS = 20;
const DURATION_SECONDS_MIN = 2;
const DURATION_SECONDS_MAX = 3600;
const CONCURRENCY = 32;
const CONCURRENCY_MAX = 10_000;
const THREADS_MAX = 64;

export const benchCommand: Command = {
  name: "bench",
  summary: "Measure a running appliance under load",
  details:
    "Works in spaces of its own, which it deletes at the end. Throughput is measured with every connection busy, " +
    "latency at a part of it with requests sent on schedule, so that waiting counts. Figures come with 95 % " +
    "confidence, and are held against --baseline, else against docs/reference/performance-baselines.md. Ends " +
    "with status 1 when one is worse.",
  options: [
    {
      flags: "--workload <NAME>",
      about: `${WORKLOAD_NAMES.join(", ")} or all (default: all)`,
    },
    { flags: "--duration <SECONDS>", about: `of each workload (default: ${DURATION_SECONDS})` },
    { flags: "--concurrency <N>", about: `connections (default: ${CONCURRENCY})` },
    { flags: "--threads <N>", about: "threads that send (default: one for four cores)" },
    { flags: "--seed <N>", about: "of texts and moments (default: 1)" },
    { flags: "--out <FILE>", about: "write the result as JSON" },
    { flags: "--baseline <FILE>", about: "an earlier result to hold this one against" },
    ...CLIENT_OPTIONS,
    JSON_OPTION,
  ],
  examples: [
    ["engram-appliance bench --workload mixed --out before.json", "measure, and keep the figures"],
    ["engram-appliance bench --workload mixed --baseline before.json", "measure again, and compare"],
  ],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const workloads = workloadsOf(optionText(context, "workload") ?? "all");
  const durationSeconds = wholeNumberIn(context, "duration", DURATION_SECONDS, [
    DURATION_SECONDS_MIN,
    DURATION_SECONDS_MAX,
  ]);
  const concurrency = wholeNumberIn(context, "concurrency", CONCURRENCY, [1, CONCURRENCY_MAX]);
  const threadsDefault = Math.max(1, availableParallelism() >> 2);
  const threads = wholeNumberIn(context, "threads", threadsDefault, [1, THREADS_MAX]);
  const seed = wholeNumberIn(context, "seed", 1, [0, 999_999]);
  const baselineFile = optionText(context, "baseline");
  const baseline = baselineFile === undefined ? BASELINE : readBaseline(baselineFile);
  const outFile = optionText(context, "out");
  // Found out before minutes of work, not after.
  if (outFile !== undefined) writeResult(outFile, "");

  const url = applianceUrl(context);
  const health = (await callAppliance(context, "GET", "/api/v1/system/health")) as { version: string };
  const generator = new LoadGenerator(context.openLoadThread, threads);
  const isJson = context.options["json"] === true;
  const print = (text: string): void => (isJson ? context.err : context.out)(text);
  const options = runOptions(context, {
    generator,
    seed,
    concurrency,
    durationMs: durationSeconds * 1000,
    spacePrefix: `bench-${Date.now().toString(36)}`,
  });
  const results: WorkloadResult[] = [];
  const result = (): BenchResult => ({
    format: RESULT_FORMAT,
    madeAt: new Date().toISOString(),
    generator: {
      version: context.version,
      machine: machineText(),
      referencePerMs: reference,
      threads,
    },
    appliance: { url, version: health.version },
    parameters: { seed, concurrency, durationSeconds },
    workloads: results,
  });
  const reference = referencePerMs(() => performance.now());
  const interrupted = onInterrupt(() => {
    context.err("interrupted: deleting the spaces that were made\n");
    generator.cancel();
  });
  print(headText(result()));
  try {
    for (const workload of workloads) {
      if (generator.isCancelled) break;
      const found = await runWorkload(workload, options);
      results.push(found);
      print(workloadText(workload, found));
    }
  } finally {
    interrupted.stop();
  }
  if (generator.isCancelled) return EXIT_CODES["try-again"].status;

  const complete = result();
  if (outFile !== undefined) writeResult(outFile, `${JSON.stringify(complete, null, 2)}\n`);
  const comparison = baseline === undefined ? undefined : compareRuns(baseline, complete);
  const advice = adviseOn(complete);
  print(adviceText(advice));
  if (comparison !== undefined) print(comparisonText(comparison, baselineFile ?? "the published baselines"));
  if (isJson) context.out(`${JSON.stringify({ ...complete, comparison, advice }, null, 2)}\n`);
  const isWorse = comparison?.verdicts.some(({ outcome }) => outcome === "fail") === true;
  return isWorse ? EXIT_CODES.found.status : EXIT_CODES.ok.status;
}

function workloadsOf(name: string): readonly Workload[] {
  if (name === "all") return WORKLOAD_NAMES.map((each) => WORKLOADS[each]);
  const known = WORKLOAD_NAMES.find((each) => each === name);
  if (known !== undefined) return [WORKLOADS[known]];
  throw new OperatorError({
    code: "usage",
    message: `There is no workload ${JSON.stringify(name)}`,
    remedy: `Name one of ${WORKLOAD_NAMES.join(", ")}, or all`,
  });
}

function readBaseline(file: string): BenchResult {
  return readWritten(file, resultSchema, (problem) => ({
    code: "bench-baseline-unreadable",
    message: `Cannot hold the result against ${file}: ${problem}`,
    remedy: "Name a file that `engram-appliance bench --out` of this version wrote",
  }));
}

function writeResult(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: text === "" ? "a" : "w" });
  } catch (cause) {
    throw new OperatorError({
      code: "file-operation-failed",
      message: `Cannot write the result to ${file}: ${(cause as NodeJS.ErrnoException).code ?? cause}`,
      remedy: "Name a file in a directory that exists, may be written to, and has room",
      cause,
    });
  }
}
