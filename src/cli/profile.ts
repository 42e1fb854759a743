/** `profile`: finds the bottlenecks of a running appliance, and compares two such findings. */
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { OperatorError } from "../base/errors.ts";
import { collect } from "../operate/profile/collect.ts";
import { compareReports, comparisonText } from "../operate/profile/compare.ts";
import { decide } from "../operate/profile/decide.ts";
import { pprofBytes } from "../operate/profile/pprof.ts";
import { type Compared, comparedSchema, REPORT_FORMAT, type Report } from "../operate/profile/report.ts";
import { reportText } from "../operate/profile/report-text.ts";
import { speedscopeText } from "../operate/profile/speedscope.ts";
import { applianceUrl, CLIENT_OPTIONS, callAppliance, readApplianceText } from "./appliance-client.ts";
import { type Command, type CommandContext, JSON_OPTION, optionText, present } from "./command.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { onInterrupt } from "./interrupt.ts";
import { ReportDirectory } from "./report-directory.ts";
import { reportPage } from "./report-page.ts";
import { table } from "./text-table.ts";
import { wholeNumberIn } from "./whole-number.ts";
import { readWritten } from "./written-file.ts";

const DURATION_SECONDS = 60;
const DURATION_SECONDS_MIN = 2;
const DURATION_SECONDS_MAX = 3600;

export const profileCommand: Command = {
  name: "profile",
  summary: "Find the bottlenecks of a running appliance",
  details:
    "Watches it while it works and names at most three bottlenecks, each with its evidence, its likely cause and " +
    "what helps. Nothing is changed. Where keys are needed, takes one with the right admin. What could not be " +
    "collected is listed with the reason.",
  arguments: [
    { name: "before", about: "with --diff: the directory of the earlier profile", optional: true },
    { name: "after", about: "with --diff: the directory of the later one", optional: true },
  ],
  options: [
    { flags: "--duration <SECONDS>", about: `of the whole run (default: ${DURATION_SECONDS})` },
    { flags: "--out <DIR>", about: "where the report is written (default: profile-TIME in this directory)" },
    { flags: "--diff", about: "compare two profiles that were written" },
    ...CLIENT_OPTIONS,
    JSON_OPTION,
  ],
  examples: [
    ["engram-appliance profile --out before", "watch for a minute, and keep the report"],
    ["engram-appliance profile --diff before after", "what changed between two profiles"],
  ],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const [before, after] = context.arguments;
  if (context.options["diff"] === true) return showDifference(context, before, after);
  if (before !== undefined) {
    throw new OperatorError({
      code: "usage",
      message: `Cannot profile ${JSON.stringify(before)}`,
      remedy: "Name the appliance with --url; two directories are compared with --diff",
    });
  }
  const seconds = wholeNumberIn(context, "duration", DURATION_SECONDS, [
    DURATION_SECONDS_MIN,
    DURATION_SECONDS_MAX,
  ]);
  const url = applianceUrl(context);
  const { version } = (await callAppliance(context, "GET", "/api/v1/system/version")) as { version: string };
  const stamp = new Date().toISOString().replace(/[:T]/g, "-").slice(0, 19);
  // Found out before a minute of work, not after.
  const directory = ReportDirectory.open(optionText(context, "out") ?? `profile-${stamp}`);
  let isCancelled = false;
  const interrupted = onInterrupt(() => {
    isCancelled = true;
    context.err("interrupted: nothing is written\n");
  });
  let isWritten = false;
  try {
    const collected = await collect({
      calls: {
        call: (method, path, body) => callAppliance(context, method, path, body),
        metrics: () => readApplianceText(context, "/metrics"),
      },
      durationMs: seconds * 1000,
      nowMs: () => performance.now(),
      wallMs: () => Date.now(),
      pause,
      progress: (text) => context.err(`${text}\n`),
      isCancelled: () => isCancelled,
    });
    if (collected === undefined) return EXIT_CODES["try-again"].status;
    const { stacks, ...rest } = collected;
    const startedAtMs = Date.now() - rest.measured.seconds * 1000;
    const report: Report = {
      format: REPORT_FORMAT,
      made_at: new Date().toISOString(),
      program: context.version,
      appliance: { url, version },
      findings: decide(rest.measured),
      ...rest,
    };
    directory.write({
      "report.json": `${JSON.stringify(report, null, 2)}\n`,
      "report.html": await reportPage({ report, stacks }),
      "cpu.speedscope.json": speedscopeText(stacks, context.version),
      "cpu.pprof": pprofBytes(stacks, { startedAtMs, seconds: rest.measured.seconds }),
    });
    isWritten = true;
    present(context, report, () => `${reportText(report, table)}\n\nWritten to ${directory.path}`);
    return EXIT_CODES.ok.status;
  } finally {
    interrupted.stop();
    if (!isWritten) directory.discard();
  }
}

function showDifference(
  context: CommandContext,
  before: string | undefined,
  after: string | undefined,
): number {
  if (before === undefined || after === undefined) {
    throw new OperatorError({
      code: "usage",
      message: "Cannot compare: --diff takes two directories",
      remedy: "Give both: engram-appliance profile --diff BEFORE AFTER",
    });
  }
  const comparison = compareReports(readReport(before), readReport(after));
  present(context, comparison, () => comparisonText(comparison, table));
  return EXIT_CODES.ok.status;
}

function readReport(directory: string): Compared {
  const file = join(directory, "report.json");
  return readWritten(file, comparedSchema, (problem) => ({
    code: "profile-unreadable",
    message: `Cannot compare with ${file}: ${problem}`,
    remedy: "Name a directory that `engram-appliance profile --out` of this version wrote",
  }));
}
