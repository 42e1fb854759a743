/**
 * Carries out a tuning: measured before, changed, measured after, kept or taken back.
 *
 *   begin (journal) ─▶ measure ─▶ change ─▶ measure ─▶ decide ─┬─▶ kept: settings file written, journal ended
 *                         │          │          │              └─▶ taken back, journal ended
 *                         └──────────┴──────────┴── an error or Ctrl-C: taken back; killed: at the next run
 *
 * What is live is changed in the running appliance first, and written to the file only once it has helped. What needs
 * a restart is written and measured where a command restarts the appliance; else it is written, waits for a restart,
 * and nothing is claimed of it.
 */
import { setInToml, writeTomlFile } from "../../config/toml-file.ts";
import type { LoadGenerator } from "../../operate/bench/generator.ts";
import { type Comparison, compareRuns } from "../../operate/bench/verdict.ts";
import type { Workload } from "../../operate/bench/workloads.ts";
import { decideTuning, type TuneVerdict } from "../../operate/tune/decide.ts";
import type { Change } from "../../operate/tune/plan.ts";
import type { CommandContext } from "../command.ts";
import { figuresOf, type Measurement, measure } from "./measure.ts";
import { restartAppliance } from "./restart.ts";
import { patchSettings, takeBack } from "./take-back.ts";
import { type AuditEntry, hashOf, type TuneFiles, type TuneRecord } from "./tune-files.ts";

export type ApplyOptions = {
  readonly changes: readonly Change[];
  readonly workload: Workload;
  readonly generator: LoadGenerator;
  readonly durationSeconds: number;
  readonly concurrency: number;
  readonly restartCommand: string | undefined;
  readonly files: TuneFiles;
  readonly hadFile: boolean;
  readonly id: string;
  readonly user: string;
  readonly url: string;
};

export type Applied = {
  /** of what was measured; undefined where everything waits for a restart, or Ctrl-C came first */
  readonly verdict: TuneVerdict | undefined;
  readonly comparison: Comparison | undefined;
  readonly before: Measurement | undefined;
  readonly after: Measurement | undefined;
  /** in force now, and in the settings file */
  readonly kept: readonly Change[];
  /** in the settings file; in force after a restart */
  readonly waiting: readonly Change[];
  readonly takenBack: readonly Change[];
  readonly notes: readonly string[];
  readonly isCancelled: boolean;
};

export async function applyTuning(context: CommandContext, options: ApplyOptions): Promise<Applied> {
  const { changes, files, restartCommand } = options;
  const isTried = (change: Change): boolean => change.isLive || restartCommand !== undefined;
  const tried = changes.filter(isTried);
  const waiting = changes.filter((change) => !isTried(change));
  const texts = {
    tried: withChanges(files.text(), tried),
    waiting: withChanges(files.text(), waiting),
    all: withChanges(files.text(), changes),
  };
  const record: TuneRecord = {
    id: options.id,
    user: options.user,
    url: options.url,
    changes: changes.map(({ path, from, to, isLive }) => ({ path, from, to, isLive })),
    hadFile: options.hadFile,
    written: Object.values(texts).map(hashOf),
    spacePrefix: `tune-${options.id}`,
  };
  files.begin(record);
  const trial =
    tried.length === 0 ? undefined : await tryOut(context, options, { tried, text: texts.tried, record });
  if (trial?.isCancelled === true) {
    return { ...trial, kept: [], waiting: [], takenBack: tried };
  }
  const isKept = trial?.verdict?.isKept === true;
  const text = isKept ? texts.all : texts.waiting;
  const remaining = isKept ? changes : waiting;
  const base = { before: figures(trial?.before), after: figures(trial?.after) };
  if (remaining.length === 0) {
    files.end(entryOf("taken-back", trial!.verdict!.reason, record, base), { keepsBackup: false });
    return { ...trial!, kept: [], waiting: [], takenBack: tried };
  }
  try {
    writeTomlFile(files.settingsFile, text);
  } catch (error) {
    await undo(context, options, record, `the settings file could not be written: ${error}`);
    throw error;
  }
  const reason = trial?.verdict?.reason ?? "not measured: in force after a restart";
  const kept = {
    ...record,
    changes: record.changes.filter(({ path }) => remaining.some((each) => each.path === path)),
  };
  files.end(entryOf(isKept ? "kept" : "written", reason, kept, base), { keepsBackup: true });
  return {
    verdict: trial?.verdict,
    comparison: trial?.comparison,
    before: trial?.before,
    after: trial?.after,
    kept: isKept ? tried : [],
    waiting,
    takenBack: isKept ? [] : tried,
    notes: trial?.notes ?? [],
    isCancelled: false,
  };
}

type Trial = Pick<Applied, "verdict" | "comparison" | "before" | "after" | "notes" | "isCancelled">;

/** Measures, changes, measures, decides; what does not help is taken back here. */
async function tryOut(
  context: CommandContext,
  options: ApplyOptions,
  { tried, text, record }: { tried: readonly Change[]; text: string; record: TuneRecord },
): Promise<Trial> {
  const { generator, files, restartCommand } = options;
  const needsRestart = tried.some(({ isLive }) => !isLive);
  const measureOptions = {
    ...options,
    spacePrefix: record.spacePrefix,
    needsRecall: tried.some(({ path }) => path === "index.ef_search"),
  };
  const cancelled = async (notes: readonly string[]): Promise<Trial> => {
    const undone = await undo(context, options, record, "it was interrupted");
    return {
      verdict: undefined,
      comparison: undefined,
      before: undefined,
      after: undefined,
      notes: [...notes, ...undone],
      isCancelled: true,
    };
  };
  const pair = async (): Promise<Trial> => {
    context.err("measuring before\n");
    const before = await measure(context, measureOptions);
    if (generator.isCancelled) return await cancelled([]);
    const live = tried.filter(({ isLive }) => isLive);
    if (live.length > 0) {
      await patchSettings(context, Object.fromEntries(live.map(({ path, to }) => [path, to])));
    }
    if (needsRestart && restartCommand !== undefined) {
      writeTomlFile(files.settingsFile, text);
      context.err(`restarting: ${restartCommand}\n`);
      await restartAppliance(context, restartCommand);
    }
    if (generator.isCancelled) return await cancelled([]);
    context.err("measuring after\n");
    const after = await measure(context, { ...measureOptions, before });
    if (generator.isCancelled) return await cancelled([]);
    const comparison = compareRuns(before.result, after.result);
    const verdict = decideTuning({
      changes: tried,
      comparison,
      recallBefore: before.recall,
      recallAfter: after.recall,
    });
    const notes = verdict.isKept ? [] : await restored(context, options, record, needsRestart);
    return { verdict, comparison, before, after, notes, isCancelled: false };
  };
  try {
    const first = await pair();
    if (first.verdict?.isDoubtful !== true) return first;
    context.err(`${first.verdict.reason}; measuring once more, since a busy machine bends one pair\n`);
    return await pair();
  } catch (error) {
    if (generator.isCancelled) return await cancelled([]);
    await undo(context, options, record, error instanceof Error ? error.message : String(error));
    throw error;
  }
}

/** Everything as it was, and the journal ended. */
async function undo(
  context: CommandContext,
  options: ApplyOptions,
  record: TuneRecord,
  reason: string,
): Promise<readonly string[]> {
  const needsRestart = !options.files.isAsBefore(record) && options.restartCommand !== undefined;
  const notes = await restored(context, options, record, needsRestart);
  const none = { before: null, after: null };
  options.files.end(entryOf("taken-back", reason, record, none), { keepsBackup: false });
  return notes;
}

async function restored(
  context: CommandContext,
  { files, restartCommand }: ApplyOptions,
  record: TuneRecord,
  restarts: boolean,
): Promise<readonly string[]> {
  const { notes } = await takeBack(context, files, record);
  if (!restarts || restartCommand === undefined) return notes;
  try {
    context.err(`restarting with the old settings: ${restartCommand}\n`);
    await restartAppliance(context, restartCommand);
    return notes;
  } catch (error) {
    return [...notes, `restart it yourself: ${error instanceof Error ? error.message : error}`];
  }
}

export function entryOf(
  action: AuditEntry["action"],
  reason: string,
  record: TuneRecord,
  { before, after }: Pick<AuditEntry, "before" | "after">,
): AuditEntry {
  return { at: new Date().toISOString(), action, reason, by: record.user, before, after, record };
}

function figures(measurement: Measurement | undefined): Record<string, number> | null {
  return measurement === undefined ? null : figuresOf(measurement);
}

function withChanges(text: string, changes: readonly Change[]): string {
  return changes.reduce((whole, { path, to }) => setInToml(whole, path, to), text);
}
