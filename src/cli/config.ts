/** `config`: what the settings are, where they come from, and changing them. */
import { existsSync } from "node:fs";
import { OperatorError } from "../base/errors.ts";
import {
  expectedText,
  loadSettings,
  SYSTEM_CONFIG_PATH,
  unknownSetting,
  valueFromText,
} from "../config/load.ts";
import {
  findSetting,
  SETTINGS,
  type Setting,
  type SettingValue,
  settingsSchema,
  settingValue,
} from "../config/schema.ts";
import { configTemplate, tomlValue } from "../config/template.ts";
import { parseToml, readTomlFile, setInToml, writeTomlFile } from "../config/toml-file.ts";
import { CLIENT_OPTIONS, callAppliance } from "./appliance-client.ts";
import { type Command, type CommandContext, JSON_OPTION, optionText, present } from "./command.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { CONFIG_OPTION, configFileOf, loadSettingsOf } from "./settings-options.ts";
import { table } from "./text-table.ts";

const SETTINGS_PATH = "/api/v1/system/settings";
/** How the running appliance is reached; `--config` means the file here. */
const RUNNING_OPTIONS = CLIENT_OPTIONS.filter(({ flags }) => !flags.startsWith("--config"));
const FORCE_OPTION = { flags: "--force", about: "replace a file that exists" };

export const configCommand: Command = {
  name: "config",
  summary: "Show, check and change the settings",
  details:
    "A setting comes from its default, the settings file, the environment (wal.sync_mode is set by\n" +
    "ENGRAM_WAL__SYNC_MODE) or a flag; the later one wins.",
  commands: [
    {
      name: "show",
      summary: "Print every setting: its effective value, where it comes from, and what reads it",
      arguments: [{ name: "section", about: "only this section", optional: true }],
      options: [
        { flags: "--running", about: "what a running appliance has in force, asked over its API" },
        CONFIG_OPTION,
        ...RUNNING_OPTIONS,
        JSON_OPTION,
      ],
      run: show,
    },
    {
      name: "get",
      summary: "Print one setting",
      arguments: [{ name: "name", about: "the setting, as in wal.sync_mode" }],
      options: [CONFIG_OPTION, JSON_OPTION],
      run: get,
    },
    {
      name: "set",
      summary: "Set one setting in the settings file, whose comments stay",
      arguments: [
        { name: "name", about: "the setting, as in wal.sync_mode" },
        { name: "value", about: "its new value" },
      ],
      options: [
        {
          flags: "--live",
          about: "change it in the running appliance, too, at once; for settings that are live",
        },
        CONFIG_OPTION,
        ...RUNNING_OPTIONS,
        JSON_OPTION,
      ],
      examples: [
        ["engram-appliance config set server.port 8000", "takes effect at the next start"],
        ["engram-appliance config set --live index.ef_search 128", "takes effect now, and stays"],
      ],
      run: set,
    },
    {
      name: "validate",
      summary: "Check the settings without starting anything",
      options: [CONFIG_OPTION, JSON_OPTION],
      run: validate,
    },
    {
      name: "init",
      summary: "Write a settings file that shows every setting with its default",
      options: [
        {
          flags: "--config <FILE>",
          about: `the file to write; - prints it (default: ${SYSTEM_CONFIG_PATH})`,
        },
        FORCE_OPTION,
      ],
      run: init,
    },
  ],
};

async function show(context: CommandContext): Promise<number> {
  if (context.options["running"] === true) return showRunning(context);
  const loaded = loadSettingsOf(context);
  const section = context.arguments[0];
  const shown = SETTINGS.filter(({ path }) => section === undefined || path.startsWith(`${section}.`));
  if (shown.length === 0) throw noSuchSection(section ?? "");
  const rows = shown.map((setting) => ({
    name: setting.path,
    value: settingValue(loaded.settings, setting.path),
    source: loaded.sources.get(setting.path)?.name ?? "default",
    reader: setting.facts.reader,
  }));
  present(context, { file: loaded.file ?? null, settings: rows }, () => {
    const file = `file: ${loaded.file ?? "none"}\n\n`;
    const lines = rows.map(({ name, value, source, reader }) => [name, tomlValue(value), source, reader]);
    return file + table(["setting", "value", "source", "read by"], lines);
  });
  return EXIT_CODES.ok.status;
}

function get(context: CommandContext): number {
  const setting = settingNamed(context.arguments[0] ?? "");
  const loaded = loadSettingsOf(context);
  const value = settingValue(loaded.settings, setting.path);
  const source = loaded.sources.get(setting.path)?.name ?? "default";
  present(
    context,
    { name: setting.path, value, source, default: setting.default, ...setting.facts },
    () => `${value}`,
  );
  return EXIT_CODES.ok.status;
}

/** A setting as the API answers it. */
type RunningSetting = {
  readonly name: string;
  readonly value: SettingValue;
  readonly default: SettingValue;
  readonly live: boolean;
};

async function showRunning(context: CommandContext): Promise<number> {
  const body = (await callAppliance(context, "GET", SETTINGS_PATH)) as {
    readonly settings: readonly RunningSetting[];
  };
  const section = context.arguments[0];
  const shown = body.settings.filter(({ name }) => section === undefined || name.startsWith(`${section}.`));
  if (shown.length === 0) throw noSuchSection(section ?? "");
  present(context, { settings: shown }, () =>
    table(
      ["setting", "running value", "default", "changes"],
      shown.map((each) => [
        each.name,
        tomlValue(each.value),
        tomlValue(each.default),
        each.live ? "live" : "at a start",
      ]),
    ),
  );
  return EXIT_CODES.ok.status;
}

async function set(context: CommandContext): Promise<number> {
  const setting = settingNamed(context.arguments[0] ?? "");
  const file = configFileOf(context) ?? SYSTEM_CONFIG_PATH;
  const value = valueFromText(setting, context.arguments[1] ?? "");
  const text = existsSync(file) ? readTomlFile(file).text : "";
  const updated = setInToml(text, setting.path, value);
  // Checked as the whole file would be, so that a setting that breaks another is refused as well.
  const checked = settingsSchema.safeParse(parseToml(updated, file));
  if (!checked.success && checked.error.issues.some((issue) => issue.path.join(".") === setting.path)) {
    throw new OperatorError({
      code: "config-invalid",
      message: `Cannot set ${setting.path} to ${JSON.stringify(value)}: expected ${expectedText(setting.facts)}`,
      remedy: `See \`engram-appliance config get ${setting.path} --json\``,
    });
  }
  const isLive = context.options["live"] === true;
  // The appliance first: what it refuses is not written down either.
  const takeBack = isLive ? await changeRunning(context, setting, value) : undefined;
  try {
    writeTomlFile(file, updated);
  } catch (error) {
    await takeBack?.();
    throw error;
  }
  const overruled = overruledBy(context, setting, file);
  const shown = { file, name: setting.path, value, live: isLive, overruled_by: overruled ?? null };
  present(context, shown, () => {
    const warning = overruled === undefined ? "" : `\nIt is overruled by ${overruled} in this environment.`;
    const when = isLive
      ? "in force now, and after a restart"
      : setting.facts.live === true
        ? "in force after a restart or a reload (SIGHUP)"
        : "in force after a restart";
    return `${setting.path} = ${tomlValue(value)} in ${file}, ${when}${warning}`;
  });
  return EXIT_CODES.ok.status;
}

/** @returns what gives the running appliance its old value again */
async function changeRunning(
  context: CommandContext,
  { path }: Setting,
  value: SettingValue,
): Promise<() => Promise<unknown>> {
  const body = (await callAppliance(context, "PATCH", SETTINGS_PATH, { [path]: value })) as {
    readonly changed: readonly { readonly from: SettingValue }[];
  };
  const [changed] = body.changed;
  if (changed === undefined) return async () => undefined;
  return () => callAppliance(context, "PATCH", SETTINGS_PATH, { [path]: changed.from });
}

function validate(context: CommandContext): number {
  const loaded = loadSettingsOf(context);
  const changed = SETTINGS.filter(({ path }) => loaded.sources.get(path)?.kind !== "default");
  present(context, { valid: true, file: loaded.file ?? null, set: changed.map(({ path }) => path) }, () => {
    return `The settings are valid: ${changed.length} set, ${SETTINGS.length - changed.length} by default; file: ${loaded.file ?? "none"}`;
  });
  return EXIT_CODES.ok.status;
}

function init(context: CommandContext): number {
  const file = optionText(context, "config") ?? SYSTEM_CONFIG_PATH;
  if (file === "-") {
    context.out(configTemplate());
    return EXIT_CODES.ok.status;
  }
  if (existsSync(file) && context.options["force"] !== true) {
    throw new OperatorError({
      code: "config-file-unwritable",
      message: `Cannot write ${file}: it exists`,
      remedy: "Name another file with --config, or replace it with --force",
    });
  }
  writeTomlFile(file, configTemplate());
  context.out(`Wrote ${file}\n`);
  return EXIT_CODES.ok.status;
}

function settingNamed(path: string): Setting {
  const setting = findSetting(path);
  if (setting !== undefined) return setting;
  throw new OperatorError({
    code: "usage",
    message: unknownSetting(path),
    remedy: "`engram-appliance config show` lists all settings",
  });
}

function noSuchSection(section: string): OperatorError {
  return new OperatorError({
    code: "usage",
    message: `${section}: no such section`,
    remedy: `The sections are ${Object.keys(settingsSchema.shape).join(", ")}`,
  });
}

/** The variable that wins over the file, if any. */
function overruledBy(context: CommandContext, setting: Setting, file: string): string | undefined {
  try {
    const source = loadSettings({ file, environment: context.environment }).sources.get(setting.path);
    return source?.kind === "environment" ? source.name : undefined;
  } catch {
    return undefined; // Another setting is wrong; `config validate` says which.
  }
}
