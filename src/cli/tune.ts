/** `tune`: changes settings of a running appliance that cost it something, and keeps what is measured to help. */
import { existsSync } from "node:fs";
import { userInfo } from "node:os";
import { createInterface } from "node:readline/promises";
import { OperatorError } from "../base/errors.ts";
import { unavailable } from "../base/fact.ts";
import { loadSettings, SYSTEM_CONFIG_PATH } from "../config/load.ts";
import { settingValue } from "../config/schema.ts";
import { LoadGenerator } from "../operate/bench/generator.ts";
import { type Change, type Plan, PROFILES, type Profile, planTuning } from "../operate/tune/plan.ts";
import { tuneWorkload } from "../operate/tune/tune-workload.ts";
import { applianceUrl, CLIENT_OPTIONS } from "./appliance-client.ts";
import { type Command, type CommandContext, JSON_OPTION, optionText, present } from "./command.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { onInterrupt } from "./interrupt.ts";
import { isLocal } from "./local-address.ts";
import { CONFIG_OPTION, configFileOf } from "./settings-options.ts";
import { type Applied, applyTuning, entryOf } from "./tune/apply.ts";
import { figuresOf, loadThreads } from "./tune/measure.ts";
import { restartAppliance } from "./tune/restart.ts";
import { runningValues, takeBack } from "./tune/take-back.ts";
import { TuneFiles, type TuneRecord } from "./tune/tune-files.ts";
import { tuneHost } from "./tune/tune-host.ts";
import { appliedText, changeLines, hostText, planText, workloadText } from "./tune/tune-text.ts";
import { wholeNumberIn } from "./whole-number.ts";
import { gatherWork } from "./work-facts.ts";

const LOOKBACK_DEFAULT = "1h";
const DURATION_SECONDS = 10;
const CONCURRENCY = 16;
const MODES = ["dryRun", "apply", "interactive", "rollback"] as const;
type Mode = (typeof MODES)[number];

export const tuneCommand: Command = {
  name: "tune",
  summary: "Change settings that cost a running appliance something, and keep what is measured to help",
  details:
    "Looks at the machine and at the work of the appliance, and says what it would change and why; without an option\n" +
    "it changes nothing. With --apply it measures before and after, with a short load like the real one in spaces of its\n" +
    "own, keeps the change where a figure became better and none worse, and else takes it back. Settings that need a\n" +
    "restart are measured with --restart-command; without it they are written and wait. The settings file is backed up,\n" +
    "and every tuning is on record beside it; one that was killed is taken back at the next run.",
  options: [
    { flags: "--dry-run", about: "say what would be changed, and why (the default)" },
    { flags: "--apply", about: "change it, measure, keep or take back" },
    { flags: "--interactive", about: "ask about each change, then as --apply; needs a terminal" },
    { flags: "--rollback", about: "take back the last tuning that was kept, or one that was killed" },
    { flags: "--profile <NAME>", about: `${PROFILES.join(", ")} or auto (default: auto)` },
    {
      flags: "--lookback <TIME>",
      about: `of the work looked at, as 30m or 1d (default: ${LOOKBACK_DEFAULT})`,
    },
    { flags: "--duration <SECONDS>", about: `of each measurement (default: ${DURATION_SECONDS})` },
    { flags: "--concurrency <N>", about: `connections that measure (default: ${CONCURRENCY})` },
    {
      flags: "--restart-command <COMMAND>",
      about: "restarts the appliance for settings that need it, as `systemctl restart engram-appliance`",
    },
    CONFIG_OPTION,
    ...CLIENT_OPTIONS.filter(({ flags }) => !flags.startsWith("--config")),
    JSON_OPTION,
  ],
  examples: [
    ["engram-appliance tune", "what it would change, and why"],
    ["engram-appliance tune --apply", "change, measure, keep or take back"],
    ["engram-appliance tune --rollback", "settings as they were before the last tuning"],
  ],
  run: tune,
};

async function tune(context: CommandContext): Promise<number> {
  const mode = modeOf(context);
  const wanted = profileOf(context);
  const durationSeconds = wholeNumberIn(context, "duration", DURATION_SECONDS, [2, 600]);
  const concurrency = wholeNumberIn(context, "concurrency", CONCURRENCY, [1, 1000]);
  const url = applianceUrl(context);
  if (!isLocal(url)) {
    throw usage(
      `${url} is another machine: its settings file is there`,
      "Run tune on the machine of the appliance",
    );
  }
  if (mode === "interactive" && process.stdin.isTTY !== true) {
    throw usage("There is no terminal to ask at", "Run it in one, or use --apply");
  }
  const files = new TuneFiles(configFileOf(context) ?? SYSTEM_CONFIG_PATH);
  if (mode === "rollback") return rollBack(context, files);
  const interrupted = files.interrupted();
  if (interrupted !== undefined && mode !== "dryRun") await recover(context, files, interrupted);

  const print = (text: string): void => (context.options["json"] === true ? context.err : context.out)(text);
  // Asks for the right that changing needs, before anything is measured.
  const running = await runningValues(context);
  const facts = await gatherWork(context, {
    lookback: optionText(context, "lookback") ?? LOOKBACK_DEFAULT,
    memoryBandwidth: unavailable("not asked for"),
  });
  const { settings } = loadSettings({
    file: existsSync(files.settingsFile) ? files.settingsFile : undefined,
    environment: {},
  });
  const host = await tuneHost(settings);
  const whole = planTuning(facts, host, wanted);
  const fixed = whole.changes.filter(({ path }) => running.get(path) !== settingValue(settings, path));
  const notes = [
    ...fixed.map(
      ({ path, from, to }) =>
        `${path} should be ${to}; its value ${from} does not come from ${files.settingsFile}: change it where it is set (a variable, a flag, another file: --config)`,
    ),
    ...(mode === "dryRun" && interrupted !== undefined
      ? ["a tuning was killed before it ended: engram-appliance tune --rollback takes it back"]
      : []),
  ];
  const plan: Plan = { ...whole, changes: whole.changes.filter((change) => !fixed.includes(change)) };
  const workload = tuneWorkload(facts);
  print(hostText(host, facts));
  print(planText(plan, notes));
  if (plan.changes.length > 0) print(workloadText(workload, durationSeconds));
  const shown = { profile: plan.profile, host, plan: plan.changes, notes, workload: workload.about };
  const changes = mode === "interactive" ? await chosen(context, plan.changes) : plan.changes;
  if (mode === "dryRun" || changes.length === 0) {
    if (context.options["json"] === true) present(context, shown, () => "");
    return EXIT_CODES.ok.status;
  }
  const generator = new LoadGenerator(context.openLoadThread, loadThreads());
  const listening = onInterrupt(() => {
    context.err("interrupted: taking back what was changed\n");
    generator.cancel();
  });
  let applied: Applied;
  try {
    applied = await applyTuning(context, {
      changes,
      workload,
      generator,
      durationSeconds,
      concurrency,
      restartCommand: optionText(context, "restartCommand"),
      files,
      hadFile: existsSync(files.settingsFile),
      id: new Date().toISOString().replaceAll(/[-:.]/g, ""),
      user: userName(context),
      url,
    });
  } finally {
    listening.stop();
  }
  print(appliedText(applied, files.auditFile));
  if (context.options["json"] === true) present(context, { ...shown, ...resultOf(applied) }, () => "");
  return applied.isCancelled ? EXIT_CODES["try-again"].status : EXIT_CODES.ok.status;
}

async function rollBack(context: CommandContext, files: TuneFiles): Promise<number> {
  const interrupted = files.interrupted();
  if (interrupted !== undefined) {
    await recover(context, files, interrupted);
    return EXIT_CODES.ok.status;
  }
  const last = files.lastKept();
  if (last === undefined) {
    throw new OperatorError({
      code: "tune-nothing-to-take-back",
      message: `Cannot take a tuning back: ${files.auditFile} has none that was kept`,
      remedy: "Name the settings file that was tuned with --config",
    });
  }
  await takeBackAndTell(context, files, last.record, "as it was asked for");
  return EXIT_CODES.ok.status;
}

async function recover(context: CommandContext, files: TuneFiles, record: TuneRecord): Promise<void> {
  context.err(`the tuning ${record.id} was killed before it ended: taking it back\n`);
  await takeBackAndTell(context, files, record, "it was killed before it ended");
}

async function takeBackAndTell(
  context: CommandContext,
  files: TuneFiles,
  record: TuneRecord,
  reason: string,
): Promise<void> {
  const { notes, waiting } = await takeBack(context, files, record);
  const by = { ...record, user: userName(context) };
  files.end(
    { ...entryOf("taken-back", reason, by, { before: null, after: null }), record },
    { keepsBackup: false },
  );
  const command = optionText(context, "restartCommand");
  if (waiting.length > 0 && command !== undefined) await restartAppliance(context, command);
  const back = record.changes.map(({ path, from }) => `${path} = ${from}`);
  present(context, { taken_back: record.changes, notes, waiting: command === undefined ? waiting : [] }, () =>
    [
      `Taken back: ${back.join(", ")}`,
      ...(waiting.length > 0 && command === undefined
        ? [`In force after a restart: ${waiting.join(", ")}`]
        : []),
      ...notes.map((note) => `Note: ${note}`),
    ].join("\n"),
  );
}

async function chosen(context: CommandContext, changes: readonly Change[]): Promise<Change[]> {
  const lines = createInterface({ input: process.stdin });
  const wanted: Change[] = [];
  try {
    for (const change of changes) {
      context.err(`\n${changeLines(change).join("\n")}\n`);
      context.err("Change it? [y/N] ");
      if (/^\s*y(es)?\s*$/i.test(await lines.question(""))) wanted.push(change);
    }
  } finally {
    lines.close();
  }
  return wanted;
}

function resultOf(applied: Applied) {
  const figures = (of: Applied["before"]) => (of === undefined ? null : figuresOf(of));
  return {
    verdict: applied.verdict ?? null,
    before: figures(applied.before),
    after: figures(applied.after),
    figures: applied.comparison?.verdicts ?? [],
    kept: applied.kept,
    waiting: applied.waiting,
    taken_back: applied.takenBack,
    interrupted: applied.isCancelled,
  };
}

function modeOf({ options }: CommandContext): Mode {
  const given = MODES.filter((name) => options[name] === true);
  if (given.length <= 1) return given[0] ?? "dryRun";
  throw usage(
    "Cannot do several things at once",
    "Give one of --dry-run, --apply, --interactive, --rollback",
  );
}

function profileOf(context: CommandContext): Profile | "auto" {
  const name = optionText(context, "profile") ?? "auto";
  const known = [...PROFILES, "auto" as const].find((each) => each === name);
  if (known !== undefined) return known;
  throw usage(`There is no profile ${JSON.stringify(name)}`, `Name one of ${PROFILES.join(", ")}, or auto`);
}

/** Who calls, and through whom. */
function userName({ environment }: CommandContext): string {
  const through = environment["SUDO_USER"];
  try {
    const { username } = userInfo();
    return through === undefined ? username : `${username} (${through})`;
  } catch {
    return `user ${process.getuid?.() ?? "unknown"}`; // It has no name on this machine.
  }
}

function usage(message: string, remedy: string): OperatorError {
  return new OperatorError({ code: "usage", message, remedy });
}
