/**
 * Where the effective settings come from: default < file < environment < command line.
 *
 * Everything that is wrong is reported at once, each problem with the place it stands in and what was
 * expected there. Nothing is guessed: an unknown key is refused, with the nearest known name.
 */
import type { z } from "zod";
import { OperatorError } from "../base/errors.ts";
import { nearestName } from "./nearest-name.ts";
import {
  findSetting,
  SETTINGS,
  type Setting,
  type Settings,
  type SettingValue,
  settingsSchema,
} from "./schema.ts";
import type { SettingFacts } from "./setting.ts";
import { readTomlFile, type TomlTable } from "./toml-file.ts";

/** Read when no file is named, where it exists: the place `install` puts it. */
export const SYSTEM_CONFIG_PATH = "/etc/engram-appliance/config.toml";

/** Variables that set settings: ENGRAM_SECTION__KEY, as in ENGRAM_WAL__SYNC_MODE. */
const VARIABLE = /^ENGRAM_[A-Z0-9_]+__[A-Z0-9_]+$/;

export type SettingSource = {
  readonly kind: "default" | "file" | "environment" | "flag";
  /** the file, the variable or the flag; "default" for a default */
  readonly name: string;
};

/** A value given on the command line: `--port 8000`. */
export type SettingFlag = { readonly path: string; readonly text: string; readonly flag: string };

export type LoadedSettings = {
  readonly settings: Settings;
  /** by dotted path, for every setting */
  readonly sources: ReadonlyMap<string, SettingSource>;
  /** the file that was read, if any */
  readonly file: string | undefined;
};

export type LoadOptions = {
  /** the file to read; where undefined, none is read (see `configPath` for which one is meant) */
  readonly file: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly flags?: readonly SettingFlag[];
};

/** @throws {OperatorError} `config-file-unreadable`, `config-syntax`, `config-invalid` */
export function loadSettings(options: LoadOptions): LoadedSettings {
  const sources = new Map<string, SettingSource>(
    SETTINGS.map(({ path }) => [path, { kind: "default", name: "default" }]),
  );
  const problems: string[] = [];
  const table: TomlTable = {};

  if (options.file !== undefined) {
    merge(table, readTomlFile(options.file).table);
    const source = { kind: "file", name: options.file } as const;
    for (const { path } of SETTINGS) if (lookUp(table, path) !== undefined) sources.set(path, source);
  }
  for (const [name, text] of Object.entries(options.environment)) {
    if (text === undefined || !VARIABLE.test(name)) continue;
    const setting = SETTINGS.find(({ path }) => variableName(path) === name);
    if (setting === undefined) {
      problems.push(
        unknownName(
          name,
          SETTINGS.map(({ path }) => variableName(path)),
          "variable",
        ),
      );
      continue;
    }
    place(table, setting.path, valueFromText(setting, text));
    sources.set(setting.path, { kind: "environment", name });
  }
  for (const { path, text, flag } of options.flags ?? []) {
    const setting = findSetting(path);
    if (setting === undefined) throw new TypeError(`The flag ${flag} sets ${path}, which is no setting`);
    place(table, path, valueFromText(setting, text));
    sources.set(path, { kind: "flag", name: flag });
  }

  const parsed = settingsSchema.safeParse(table);
  if (!parsed.success) {
    for (const issue of parsed.error.issues)
      problems.push(...describeIssue(issue, table, sources, options.file));
  } else problems.push(...brokenRelations(parsed.data));
  if (problems.length > 0 || !parsed.success) {
    throw new OperatorError({
      code: "config-invalid",
      message: `Cannot use these settings:\n${problems.map((problem) => `  ${problem}`).join("\n")}`,
      remedy: "Correct them, then check with `engram-appliance config validate`",
    });
  }
  return { settings: parsed.data, sources, file: options.file };
}

/**
 * Which file is meant: the one named on the command line, else $ENGRAM_CONFIG (empty: none), else the
 * system's where it exists.
 */
export function configPath(
  named: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
  exists: (path: string) => boolean,
): string | undefined {
  if (named !== undefined) return named;
  const variable = environment["ENGRAM_CONFIG"];
  if (variable !== undefined) return variable === "" ? undefined : variable;
  return exists(SYSTEM_CONFIG_PATH) ? SYSTEM_CONFIG_PATH : undefined;
}

/** `wal.sync_mode` is set by ENGRAM_WAL__SYNC_MODE. */
export function variableName(path: string): string {
  return `ENGRAM_${path.toUpperCase().replaceAll(".", "__")}`;
}

/** The value a text stands for; a text that can not be one is returned as it is, for the schema to refuse. */
export function valueFromText(setting: Setting, text: string): SettingValue {
  const { kind } = setting.facts;
  if (kind === "toggle" && (text === "true" || text === "false")) return text === "true";
  if ((kind === "whole" || kind === "number") && /^-?\d[\d_]*(\.\d+)?$/.test(text)) {
    return Number(text.replaceAll("_", ""));
  }
  return text;
}

/** What a setting takes, in words: "a whole number from 0 to 65535 (TCP port)". */
export function expectedText(facts: SettingFacts): string {
  switch (facts.kind) {
    case "whole":
    case "number":
      return `a ${facts.kind === "whole" ? "whole number" : "number"} from ${facts.min} to ${facts.max} (${facts.unit})`;
    case "choice":
      return Object.keys(facts.choices)
        .map((word) => JSON.stringify(word))
        .join(" or ");
    case "toggle":
      return "true or false";
    case "text":
      return facts.form;
  }
}

/** The message for a name that is not known, with the nearest one that is. */
export function unknownName(name: string, known: readonly string[], what: string): string {
  const nearest = nearestName(name, known);
  return `${name}: no such ${what}${nearest === undefined ? "" : `; did you mean ${nearest}?`}`;
}

/** The nearest known setting to a dotted path, also where the section is missing or another one. */
export function unknownSetting(path: string): string {
  const lastName = path.split(".").at(-1)!;
  const sameName = SETTINGS.find((setting) => setting.path.endsWith(`.${lastName}`));
  if (
    nearestName(
      path,
      SETTINGS.map((setting) => setting.path),
    ) === undefined &&
    sameName !== undefined
  ) {
    return `${path}: no such setting; did you mean ${sameName.path}?`;
  }
  return unknownName(
    path,
    SETTINGS.map((setting) => setting.path),
    "setting",
  );
}

function describeIssue(
  issue: z.core.$ZodIssue,
  table: TomlTable,
  sources: ReadonlyMap<string, SettingSource>,
  file: string | undefined,
): string[] {
  const path = issue.path.join(".");
  if (issue.code === "unrecognized_keys") {
    const sections = Object.keys(settingsSchema.shape);
    return issue.keys.map((key) => {
      const where = file === undefined ? "" : ` (in ${file})`;
      const isSection = path === "" && typeof table[key] === "object";
      if (isSection)
        return (
          unknownName(
            `[${key}]`,
            sections.map((name) => `[${name}]`),
            "section",
          ) + where
        );
      return unknownSetting(path === "" ? key : `${path}.${key}`) + where;
    });
  }
  const setting = findSetting(path);
  const received = JSON.stringify(lookUp(table, path));
  if (setting === undefined) return [`${path}: expected a section, received ${received}`];
  const source = sources.get(path);
  const where = source === undefined || source.kind === "default" ? "" : ` (from ${source.name})`;
  return [`${path}: expected ${expectedText(setting.facts)}, received ${received}${where}`];
}

/** Rules that concern more than one setting: what of them is broken. */
export function brokenRelations(settings: Settings): string[] {
  const broken: string[] = [];
  const { embedding, wal } = settings;
  if (embedding.provider === "openai" && embedding.openai.url === "") {
    broken.push('embedding.openai.url: needed, since embedding.provider is "openai"');
  }
  if (embedding.provider === "openai" && embedding.openai.model === "") {
    broken.push('embedding.openai.model: needed, since embedding.provider is "openai"');
  }
  if (wal.buffer_size_mb > wal.segment_size_mb) {
    broken.push(
      `wal.buffer_size_mb: at most wal.segment_size_mb (${wal.segment_size_mb}), received ${wal.buffer_size_mb}`,
    );
  }
  return broken;
}

function merge(into: TomlTable, from: TomlTable): void {
  for (const [key, value] of Object.entries(from)) into[key] = value;
}

function lookUp(table: TomlTable, path: string): unknown {
  let at: unknown = table;
  for (const name of path.split(".")) {
    if (typeof at !== "object" || at === null) return undefined;
    at = (at as TomlTable)[name];
  }
  return at;
}

/** Sets a value at a dotted path; a section that is no table is left for the schema to refuse. */
function place(table: TomlTable, path: string, value: SettingValue): void {
  const names = path.split(".");
  let at = table;
  for (const name of names.slice(0, -1)) {
    at[name] ??= {};
    const child = at[name];
    if (typeof child !== "object" || child === null) return;
    at = child as TomlTable;
  }
  at[names.at(-1)!] = value;
}
