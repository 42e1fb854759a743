/**
 * The one door to the configuration file: reading it, and changing one value while its comments,
 * order and spacing stay as a person left them.
 *
 * A new file is written beside the old one and renamed over it, so that a crash leaves one or the other.
 */
import {
  chmodSync,
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from "node:fs";
import { parse, patch, TomlFormat } from "@decimalturn/toml-patch";
import { OperatorError } from "../base/errors.ts";
import type { SettingValue } from "./schema.ts";

/** A parsed TOML document; values are checked by the schema, not here. */
export type TomlTable = { [key: string]: unknown };

/** @throws {OperatorError} `config-file-unreadable`, `config-syntax` */
export function readTomlFile(path: string): { text: string; table: TomlTable } {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new OperatorError({
      code: "config-file-unreadable",
      message: `Cannot read the configuration file ${path}: ${reason}`,
      remedy:
        reason === "ENOENT"
          ? `Make one with \`engram-appliance config init --config ${path}\``
          : `Give the user that runs the appliance the right to read ${path}`,
      cause,
    });
  }
  return { text, table: parseToml(text, path) };
}

/**
 * @param name what to call the text in messages
 * @throws {OperatorError} `config-syntax`, with line and column
 */
export function parseToml(text: string, name: string): TomlTable {
  try {
    return parse(text) as TomlTable;
  } catch (cause) {
    // The parser counts columns from 0 in the error's fields, and says "Error parsing TOML (line, column):".
    const error = cause as Error & { line?: number; column?: number };
    const place =
      error.line === undefined ? name : `${name}, line ${error.line}, column ${(error.column ?? 0) + 1}`;
    const detail = error.message.replace(/^Error parsing TOML \(\d+, \d+\):\n/, "");
    throw new OperatorError({
      code: "config-syntax",
      message: `Cannot read the configuration as TOML: ${place}\n${indent(detail)}`,
      remedy: "Correct the line; strings stand in double quotes, sections in [brackets]",
      cause,
    });
  }
}

/**
 * The text with one value set.
 *
 * Where the file holds the setting as a comment (`#port = 7432`, as `config init` writes it), that line
 * becomes the setting; else it joins its section.
 */
export function setInToml(text: string, path: string, value: SettingValue): string {
  const names = path.split(".");
  const key = names.at(-1)!;
  const section = names.slice(0, -1).join(".");
  const ready = valueAt(parse(text) as TomlTable, names) === undefined ? uncomment(text, section, key) : text;
  const updated = structuredClone(parse(ready)) as TomlTable;
  let at = updated;
  for (const name of names.slice(0, -1)) {
    const child = (at[name] ?? {}) as TomlTable;
    at[name] = child;
    at = child;
  }
  at[key] = value;
  // Sections stay sections down to [embedding.openai]; the library would write { url = … } by default.
  const format = TomlFormat.autoDetectFormat(ready);
  format.inlineTableStart = 3;
  return patch(ready, updated, format);
}

/** Replaces the file in one step; keeps the rights it had. @throws {OperatorError} `config-file-unwritable` */
export function writeTomlFile(path: string, text: string): void {
  const temporary = `${path}.new`;
  try {
    const mode = fileMode(path) ?? 0o644;
    const file = openSync(temporary, "w", mode);
    try {
      for (let at = 0, bytes = Buffer.from(text); at < bytes.length; ) at += writeSync(file, bytes, at);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    chmodSync(temporary, mode);
    renameSync(temporary, path);
  } catch (cause) {
    throw new OperatorError({
      code: "config-file-unwritable",
      message: `Cannot write the configuration file ${path}: ${(cause as NodeJS.ErrnoException).code ?? cause}`,
      remedy: "Make its directory, or run the command as the user that owns it",
      cause,
    });
  }
}

function fileMode(path: string): number | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? undefined : found.mode & 0o777;
}

function valueAt(table: TomlTable, names: readonly string[]): unknown {
  let at: unknown = table;
  for (const name of names) {
    if (typeof at !== "object" || at === null) return undefined;
    at = (at as TomlTable)[name];
  }
  return at;
}

/** Takes the comment sign from the line `#key = …` of a section, where there is one and the text stays valid. */
function uncomment(text: string, section: string, key: string): string {
  const lines = text.split("\n");
  let inSection = section === "";
  for (const [index, line] of lines.entries()) {
    const header = /^\s*\[([^[\]]+)\]/.exec(line);
    if (header !== null) inSection = header[1]!.replaceAll(/\s/g, "") === section;
    if (!inSection) continue;
    const commented = new RegExp(`^(\\s*)#\\s?(${key}\\s*=.*)$`).exec(line);
    if (commented === null) continue;
    const candidate = lines.with(index, `${commented[1]}${commented[2]}`).join("\n");
    try {
      parse(candidate);
      return candidate;
    } catch {
      return text; // a sentence that happens to look like a setting
    }
  }
  return text;
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, "  ");
}
