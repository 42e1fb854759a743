/**
 * Takes a tuning back: the settings file as it was, the running appliance as it was, its spaces deleted.
 *
 * Whoever changed a setting since then meant it: only values that are still those of the tuning go back.
 */
import { existsSync } from "node:fs";
import { loadSettings } from "../../config/load.ts";
import { type SettingValue, settingValue } from "../../config/schema.ts";
import { readTomlFile, setInToml, writeTomlFile } from "../../config/toml-file.ts";
import { callAppliance } from "../appliance-client.ts";
import type { CommandContext } from "../command.ts";
import type { TuneFiles, TuneRecord } from "./tune-files.ts";

export type TakenBack = {
  /** what a person has to know */
  readonly notes: readonly string[];
  /** settings whose old value is in force at the next start only */
  readonly waiting: readonly string[];
};

export async function takeBack(
  context: CommandContext,
  files: TuneFiles,
  record: TuneRecord,
): Promise<TakenBack> {
  const notes = [...restoreFile(files, record)];
  let waiting = record.changes.filter(({ isLive }) => !isLive).map(({ path }) => path);
  try {
    const running = await runningValues(context);
    const back = record.changes.filter(({ path, to, isLive }) => isLive && running.get(path) === to);
    if (back.length > 0) {
      await patchSettings(context, Object.fromEntries(back.map(({ path, from }) => [path, from])));
    }
    waiting = record.changes
      .filter(({ path, to, isLive }) => !isLive && running.get(path) === to)
      .map(({ path }) => path);
    await deleteSpaces(context, record.spacePrefix);
  } catch (error) {
    // Live settings end with the process that had them.
    notes.push(
      `the running appliance was not asked (${error instanceof Error ? error.message : error}): it has the old values after a restart`,
    );
  }
  return { notes, waiting };
}

export async function patchSettings(
  context: CommandContext,
  values: Readonly<Record<string, SettingValue>>,
): Promise<void> {
  await callAppliance(context, "PATCH", "/api/v1/system/settings", values);
}

/** @throws {ProblemError} without the right to read them */
export async function runningValues(context: CommandContext): Promise<Map<string, SettingValue>> {
  const { settings } = (await callAppliance(context, "GET", "/api/v1/system/settings")) as {
    readonly settings: readonly { readonly name: string; readonly value: SettingValue }[];
  };
  return new Map(settings.map(({ name, value }) => [name, value]));
}

function* restoreFile(files: TuneFiles, record: TuneRecord): Generator<string> {
  if (files.isAsBefore(record)) return;
  if (files.isAsWritten(record)) {
    files.restore(record);
    return;
  }
  if (!existsSync(files.settingsFile)) {
    yield `${files.settingsFile} is gone, and was left so`;
    return;
  }
  // Changed by somebody since: setting by setting.
  const { settings } = loadSettings({ file: files.settingsFile, environment: {} });
  let { text } = readTomlFile(files.settingsFile);
  for (const { path, from, to } of record.changes) {
    const value = settingValue(settings, path);
    if (value === to) text = setInToml(text, path, from);
    else if (value !== from) yield `${path} was set to ${value} since then, and stays so`;
  }
  writeTomlFile(files.settingsFile, text);
}

async function deleteSpaces(context: CommandContext, prefix: string): Promise<void> {
  const { spaces } = (await callAppliance(context, "GET", "/api/v1/spaces")) as {
    readonly spaces: readonly { readonly name: string }[];
  };
  for (const { name } of spaces) {
    if (name.startsWith(prefix)) await callAppliance(context, "DELETE", `/api/v1/spaces/${name}`);
  }
}
