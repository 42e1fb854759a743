/**
 * `doctor --repair`: makes the log of a stopped appliance usable again, once recovery has refused it.
 *
 *   nothing there, another user's, in use ──> refused, with what helps
 *   otherwise ──asked, or --yes──> every log is cut at its first damage; what was taken out is kept aside
 *
 * What the log held from the damage on is lost to the appliance, so it is never done without being asked for
 * twice: by the option, and by an answer at the terminal or --yes.
 */
import { existsSync, statSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { systemClock } from "../../base/clock.ts";
import { OperatorError } from "../../base/errors.ts";
import { DiskError, isDiskFull } from "../../storage/disk.ts";
import type { StreamRepair } from "../../storage/repair.ts";
import { type CommandContext, present } from "../command.ts";
import { EXIT_CODES, type ExitCode } from "../exit-codes.ts";
import { loadSettingsOf } from "../settings-options.ts";

/** Asks a person; undefined where nobody can answer. */
export type Ask = (question: string) => Promise<string | undefined>;

type KeptFile = { readonly path: string; readonly bytes: number };

/** What was done to one log, as it is printed. */
export type RepairReport = {
  readonly stream: number;
  readonly result: StreamRepair["result"];
  readonly checkpoint_sequence: number;
  /** the last record the log holds now; with begun-anew the last that the checkpoint holds */
  readonly last_sequence: number;
  readonly cut_at?: { readonly path: string; readonly byte: number };
  readonly kept_aside: readonly KeptFile[];
};

export async function repair(
  context: CommandContext,
  ask: Ask = (question) => askTerminal(context, question),
): Promise<ExitCode> {
  const { settings } = loadSettingsOf(context);
  const path = settings.data.dir;
  assertRepairable(path);
  // The native library is opened only here: doctor itself must run where it can not be loaded.
  const { NativeDisk } = await import("../../storage/native-disk.ts");
  const { repairDataDirectory } = await import("../../storage/repair.ts");
  const { DataDirectory } = await import("../../storage/data-directory.ts");
  const opening = {
    disk: new NativeDisk(1),
    path,
    pid: process.pid,
    version: context.version,
    nowMs: systemClock.wallMs(),
  };
  // Whatever speaks against it is said before anybody is asked.
  const directory = new DataDirectory(opening);
  const { streams } = directory.topology;
  directory.close();
  if (streams > 0 && context.options["yes"] !== true) await confirm(path, streams, ask);
  const segmentBytes = settings.wal.segment_size_mb * 1024 * 1024;
  const reports = translated(path, () => repairDataDirectory({ ...opening, segmentBytes })).map(reportOf);
  present(context, { data: path, streams: reports }, repairLines);
  return EXIT_CODES.ok.status;
}

/** The report a person reads. */
export function repairLines(report: {
  readonly data: string;
  readonly streams: readonly RepairReport[];
}): string {
  if (report.streams.length === 0) return `${report.data} has no logs yet: there is nothing to repair\n`;
  const lines = report.streams.flatMap((log) => [
    `log ${log.stream}: ${whatWasDone(log)}`,
    ...log.kept_aside.map(({ path, bytes }) => `  kept aside: ${path} (${bytes} bytes)`),
  ]);
  const changed = report.streams.some(({ result }) => result !== "whole");
  lines.push("", changed ? "The appliance can be started again" : "Every log is whole: nothing was changed");
  return `${lines.join("\n")}\n`;
}

function whatWasDone(log: RepairReport): string {
  const ends = `it ends with record ${log.last_sequence}`;
  switch (log.result) {
    case "whole":
      return `whole, ${ends}`;
    case "mended":
      return `a file that had been cut short, or is not needed any more, was put right; ${ends}`;
    case "begun-anew":
      return `begun anew behind record ${log.checkpoint_sequence}, the last of the checkpoint: nothing that was left of the log joins it`;
    case "cut":
      return log.cut_at === undefined
        ? `what followed record ${log.last_sequence} was taken out; ${ends}`
        : `cut at byte ${log.cut_at.byte} of ${log.cut_at.path}; ${ends}`;
  }
}

function reportOf(done: StreamRepair): RepairReport {
  const keptAside = done.keptAside.map((path) => ({ path, bytes: statSync(path).size }));
  return {
    stream: done.stream,
    result: done.result,
    checkpoint_sequence: done.checkpointSequence,
    last_sequence: done.appendedSequence,
    ...(done.cut === undefined ? {} : { cut_at: { path: done.cut.path, byte: done.cut.at } }),
    kept_aside: keptAside,
  };
}

async function confirm(path: string, streams: number, ask: Ask): Promise<void> {
  const what =
    `Each of the ${streams} logs in ${path} is read, and cut where the first damage is: what a log held ` +
    "from there on is lost. Files that change are kept aside.";
  const answer = await ask(`${what}\nA backup, if there is one, loses less. Repair? [y/N] `);
  if (answer !== undefined && /^\s*y(es)?\s*$/i.test(answer)) return;
  throw new OperatorError({
    code: "usage",
    message:
      answer === undefined
        ? `Did not repair ${path}: there is no terminal to ask at`
        : `Did not repair ${path}: the answer was no`,
    remedy:
      "Copy the data directory first if there is room, then run `engram-appliance doctor --repair --yes`",
  });
}

async function askTerminal(context: CommandContext, question: string): Promise<string | undefined> {
  if (process.stdin.isTTY !== true) return undefined;
  context.err(question);
  const lines = createInterface({ input: process.stdin });
  try {
    return await lines.question("");
  } finally {
    lines.close();
  }
}

/** Opening a data directory makes it where it is missing; a mistyped path must not be "repaired" that way. */
function assertRepairable(path: string): void {
  if (!existsSync(`${path}/engram-data`) && !existsSync(`${path}/streams`)) {
    throw new OperatorError({
      code: "data-directory-unusable",
      message: `Cannot repair ${path}: there is no data of an appliance in it`,
      remedy:
        'Name the data directory with --data DIR, or the settings file that has "data.dir" with --config',
    });
  }
  const ownerId = statSync(path).uid;
  const userId = process.geteuid?.() ?? ownerId;
  if (userId !== ownerId) {
    throw new OperatorError({
      code: "data-directory-unusable",
      message: `Cannot repair ${path} as user ${userId}: it belongs to user ${ownerId}, who could not open the files made here`,
      remedy: `Run it as that user: \`sudo -u '#${ownerId}' engram-appliance doctor --repair --data ${path}\``,
    });
  }
}

/** A disk that refuses in the middle of it: nothing is lost, every step keeps a copy before it changes a file. */
function translated<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    throw new OperatorError({
      code: "data-directory-unusable",
      message: `Cannot repair ${path}: ${error.message}`,
      remedy: isDiskFull(error)
        ? "Free disk space for copies of the damaged files, then run it again"
        : "Check the disk and its file system (dmesg, smartctl), then run it again",
      cause: error,
    });
  }
}
