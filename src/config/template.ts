/**
 * The file that `config init` writes: every setting as a comment with its default, so that a person
 * sees what there is and `config set` turns the comment into the setting.
 */
import { expectedText } from "./load.ts";
import { SECTION_SUMMARY, SETTINGS, type SettingValue } from "./schema.ts";

const LINE_LENGTH_MAX = 100;

/** @param values settings that are written as set, by dotted path */
export function configTemplate(values: ReadonlyMap<string, SettingValue> = new Map()): string {
  const lines = [
    "# Settings of engram-appliance. A line that starts with # followed by a name shows a default.",
    "# `engram-appliance config show` prints what is in force and where it comes from;",
    "# `engram-appliance config validate` checks this file. Changes take effect at the next start.",
  ];
  let sectionBefore = "";
  for (const { path, facts, default: standard } of SETTINGS) {
    const section = path.slice(0, path.lastIndexOf("."));
    if (section !== sectionBefore) {
      lines.push("", `# ${SECTION_SUMMARY[section]}`, `[${section}]`);
      sectionBefore = section;
    }
    const choices = facts.kind === "choice" ? "" : `: ${expectedText(facts)}`;
    lines.push("", ...comment(`${facts.about}${choices}`));
    if (facts.kind === "choice") {
      for (const [word, what] of Object.entries(facts.choices))
        lines.push(...comment(`  "${word}": ${what}`));
    }
    const name = path.slice(path.lastIndexOf(".") + 1);
    const value = values.get(path);
    const note = "defaultText" in facts && facts.defaultText !== undefined ? `  # ${facts.defaultText}` : "";
    lines.push(
      value === undefined ? `#${name} = ${tomlValue(standard)}${note}` : `${name} = ${tomlValue(value)}`,
    );
  }
  return `${lines.join("\n")}\n`;
}

/** A value as TOML writes it. JSON's strings are TOML's basic strings for everything a setting holds. */
export function tomlValue(value: SettingValue): string {
  return JSON.stringify(value);
}

function comment(text: string): string[] {
  const indent = /^ */.exec(text)![0];
  const lines: string[] = [];
  let line = indent;
  for (const word of text.trim().split(" ")) {
    if (line.length + word.length + 1 > LINE_LENGTH_MAX) {
      lines.push(`# ${line}`);
      line = `${indent}  `;
    }
    line = line.trim() === "" ? `${line}${word}` : `${line} ${word}`;
  }
  return [...lines, `# ${line}`];
}
