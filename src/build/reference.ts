/**
 * Writes `docs/reference/` from the tables the program runs on: settings, errors, commands, exit statuses, metrics,
 * alerts, performance baselines; and what other programs take from them: `docs/alerts/`, `docs/grafana/`.
 * the query language.
 *
 * `bun src/build/reference.ts` refreshes the pages; a test fails while they are stale.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ERROR_CODES } from "../base/error-codes.ts";
import type { Command } from "../cli/command.ts";
import { COMMANDS } from "../cli/command-table.ts";
import { EXIT_CODES } from "../cli/exit-codes.ts";
import { helpOf } from "../cli/run-command.ts";
import { expectedText, variableName } from "../config/load.ts";
import { SECTION_SUMMARY, SETTINGS, type Setting } from "../config/schema.ts";
import { tomlValue } from "../config/template.ts";
import { alertRulesFile, alertsPage, alertTestsFile } from "./alert-files.ts";
import { baselinesPage } from "./baselines-reference.ts";
import { dashboardFiles } from "./dashboards.ts";
import { grammarPage } from "./grammar-reference.ts";
import { metricsPage } from "./metrics-reference.ts";

const ROOT = join(import.meta.dir, "../..");
const NOTE = "<!-- Made by `npm run docs:reference` from the tables of the program; edit those. -->";

/** The text of each page, by its path from the repository root. */
export function referencePages(): ReadonlyMap<string, string> {
  return new Map([
    ["docs/reference/configuration.md", configurationPage()],
    ["docs/reference/errors.md", errorsPage()],
    ["docs/reference/commands.md", commandsPage()],
    ["docs/reference/exit-codes.md", exitCodesPage()],
    ["docs/reference/metrics.md", metricsPage(NOTE)],
    ["docs/reference/alerts.md", alertsPage(NOTE)],
    ["docs/alerts/engram.rules.yml", alertRulesFile()],
    ["docs/alerts/engram.rules.test.yml", alertTestsFile()],
    ...dashboardFiles(),
    ["docs/reference/performance-baselines.md", baselinesPage(NOTE)],
    ["docs/reference/query-language.md", grammarPage(NOTE)],
  ]);
}

function configurationPage(): string {
  const lines = [
    "# Settings",
    "",
    NOTE,
    "",
    "Settings come from their default, the settings file (TOML), the environment and the command line; the",
    "later one wins. `engram-appliance config show` prints what is in force and where it comes from,",
    "`engram-appliance config init` writes a file with all of them, `config set NAME VALUE` changes one.",
    "Unknown names are refused. A change takes effect at the next start; settings marked as live can change in a",
    "running appliance, with `config set --live`, with SIGHUP (`systemctl reload engram-appliance`) after the file was",
    "changed, or with `PATCH /api/v1/system/settings`.",
  ];
  let sectionBefore = "";
  for (const setting of SETTINGS) {
    const section = setting.path.slice(0, setting.path.lastIndexOf("."));
    if (section !== sectionBefore) {
      lines.push("", `## \`[${section}]\``, "", `${SECTION_SUMMARY[section]}.`);
      sectionBefore = section;
    }
    lines.push("", ...settingLines(setting));
  }
  return `${lines.join("\n")}\n`;
}

function settingLines({ path, facts, default: standard }: Setting): string[] {
  const numeric = facts.kind === "whole" || facts.kind === "number";
  const standardText =
    numeric && facts.defaultText !== undefined ? facts.defaultText : `\`${tomlValue(standard)}\``;
  const lines = [`### \`${path}\``, "", `${facts.about}.`, ""];
  if (facts.kind !== "choice") lines.push(`- Takes: ${expectedText(facts)}`);
  lines.push(`- Default: ${standardText}`);
  if (facts.kind === "choice") {
    for (const [word, what] of Object.entries(facts.choices)) lines.push(`- \`"${word}"\`: ${what}`);
  }
  if (facts.kind === "toggle") lines.push(`- On: ${facts.on}`, `- Off: ${facts.off}`);
  if (numeric) lines.push(`- Too low: ${facts.tooLow}`, `- Too high: ${facts.tooHigh}`);
  lines.push(`- Changes: ${facts.live === true ? "live" : "at the next start"}`);
  lines.push(`- Environment: \`${variableName(path)}\``, `- Read by: \`${facts.reader}\``);
  return lines;
}

function errorsPage(): string {
  const requests: string[] = [];
  const operators: string[] = [];
  for (const [code, declared] of Object.entries(ERROR_CODES)) {
    if (declared.kind === "request") {
      requests.push(`| \`${code}\` | ${declared.status} | ${declared.summary} | ${declared.remedy} |`);
    } else {
      operators.push(`| \`${code}\` | ${declared.exit} | ${declared.summary} |`);
    }
  }
  return [
    "# Errors",
    "",
    NOTE,
    "",
    "## Answers of the API",
    "",
    "Sent as `application/problem+json` (RFC 9457) with this `code`; what was expected and received stands beside.",
    "",
    "| code | status | meaning | what helps |",
    "| --- | --- | --- | --- |",
    ...requests,
    "",
    "## Errors of the machine, its settings and its data",
    "",
    "Written to the log and to standard error with a remedy for the case at hand; a command ends with the exit",
    "status (see [exit statuses](exit-codes.md)).",
    "",
    "| code | exit status | meaning |",
    "| --- | --- | --- |",
    ...operators,
    "",
  ].join("\n");
}

function commandsPage(): string {
  const sections = [[], ...COMMANDS.flatMap((command) => commandPaths(command))].map((path) => {
    const title = path.length === 0 ? "engram-appliance" : path.join(" ");
    return `## ${title}\n\n\`\`\`text\n${helpOf(path).trimEnd()}\n\`\`\``;
  });
  return `# Commands\n\n${NOTE}\n\n${sections.join("\n\n")}\n`;
}

/** A command and those below it: ["space"], ["space", "list"], … */
export function commandPaths(command: Command): string[][] {
  return [
    [command.name],
    ...(command.commands ?? []).flatMap((child) =>
      commandPaths(child).map((path) => [command.name, ...path]),
    ),
  ];
}

function exitCodesPage(): string {
  const rows = Object.values(EXIT_CODES).map(({ status, about }) => `| ${status} | ${about} |`);
  return [
    "# Exit statuses",
    "",
    NOTE,
    "",
    "They follow sysexits.h, so that a script can tell what to do next.",
    "",
    "| status | meaning |",
    "| --- | --- |",
    ...rows,
    "",
  ].join("\n");
}

if (import.meta.main) {
  for (const [path, text] of referencePages()) {
    mkdirSync(dirname(join(ROOT, path)), { recursive: true });
    writeFileSync(join(ROOT, path), text);
  }
}
