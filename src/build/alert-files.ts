/**
 * What is made from the table of alert rules: a rule file for a Prometheus server, unit tests of it for `promtool`, and
 * `docs/reference/alerts.md`.
 */

import { type AlertRule, annotationsOf, prometheusExpression } from "../observe/alerts/rule.ts";
import { ALERT_RULES } from "../observe/alerts/rules.ts";
import { type AlertStory, alertStories, type Run, TICK_S } from "./alert-samples.ts";

const NOTE = "Made by `npm run docs:reference` from src/observe/alerts/rules.ts; edit that.";

type Group = { readonly name: string; readonly interval: string; readonly rules: readonly AlertRule[] };

const GROUPS: readonly Group[] = [
  {
    name: "engram",
    interval: "15s",
    rules: ALERT_RULES.filter(({ isSlow }) => isSlow !== true),
  },
  {
    name: "engram-baselines",
    interval: "1m",
    rules: ALERT_RULES.filter(({ isSlow }) => isSlow === true),
  },
];

/** `docs/alerts/engram.rules.yml` */
export function alertRulesFile(): string {
  const lines = [`# ${NOTE}`, "groups:"];
  for (const { name, interval, rules } of GROUPS) {
    lines.push(`  - name: ${name}`, `    interval: ${interval}`, "    rules:");
    for (const rule of rules) lines.push(...ruleLines(rule));
  }
  return `${lines.join("\n")}\n`;
}

function ruleLines(rule: AlertRule): string[] {
  const expression = prometheusExpression(rule).split("\n");
  return [
    `      - alert: ${rule.name}`,
    "        expr: |-",
    ...expression.map((line) => `          ${line}`),
    `        for: ${durationText(rule.forS)}`,
    `        keep_firing_for: ${durationText(rule.keepFiringS)}`,
    "        labels:",
    `          severity: ${rule.severity}`,
    "        annotations:",
    ...annotationLines(rule, "          "),
  ];
}

/** `docs/alerts/engram.rules.test.yml` */
export function alertTestsFile(): string {
  const lines = [
    `# ${NOTE}`,
    "# promtool test rules docs/alerts/engram.rules.test.yml",
    "rule_files: [engram.rules.yml]",
    `evaluation_interval: ${durationText(TICK_S)}`,
    "tests:",
  ];
  for (const story of alertStories()) lines.push(...storyLines(story));
  return `${lines.join("\n")}\n`;
}

function storyLines({ rule, title, labels, series, expectations }: AlertStory): string[] {
  const lines = [
    `  - name: ${JSON.stringify(title)}`,
    `    interval: ${durationText(TICK_S)}`,
    "    input_series:",
  ];
  for (const { series: name, runs } of series) {
    lines.push(`      - series: '${name}'`, `        values: '${runs.map(runText).join(" ")}'`);
  }
  lines.push("    alert_rule_test:");
  for (const { atTick, fires } of expectations) {
    lines.push(`      - eval_time: ${durationText(atTick * TICK_S)}`, `        alertname: ${rule.name}`);
    if (!fires) continue;
    lines.push("        exp_alerts:", "          - exp_labels:", `              severity: ${rule.severity}`);
    for (const [name, value] of Object.entries(labels)) lines.push(`              ${name}: ${value}`);
    lines.push("            exp_annotations:", ...annotationLines(rule, "              "));
  }
  return lines;
}

/** As promtool writes samples: the first, the step, and how many follow. */
function runText({ start, step, count }: Run): string {
  const sign = step < 0 ? "-" : "+";
  return `${start}${sign}${Math.abs(step)}x${count - 1}`;
}

function annotationLines(rule: AlertRule, indent: string): string[] {
  // A text in JSON is one in YAML.
  return Object.entries(annotationsOf(rule)).map(
    ([name, text]) => `${indent}${name}: ${JSON.stringify(text)}`,
  );
}

/** `docs/reference/alerts.md` */
export function alertsPage(note: string): string {
  const lines = [
    "# Alerts",
    "",
    note,
    "",
    "The appliance evaluates these rules itself, over its own history (settings: `alerts`), and shows them at",
    "`GET /api/v1/alerts`. A Prometheus server that scrapes it can load the same rules from",
    "[`docs/alerts/engram.rules.yml`](../alerts/engram.rules.yml).",
    "",
    "An alert fires once its value has been beyond the first threshold for the time given, and ends once it has been",
    "back across the second one. A rule whose metrics are not there is *unavailable*, and says why.",
  ];
  for (const [about, title] of [
    ["mind", "How memory works"],
    ["machine", "How the machine does"],
  ] as const) {
    lines.push("", `## ${title}`);
    for (const rule of ALERT_RULES.filter((each) => each.about === about)) lines.push(...pageLines(rule));
  }
  return `${lines.join("\n")}\n`;
}

function pageLines(rule: AlertRule): string[] {
  const { name, severity, summary, meaning, action, side, raise, clear, forS, keepFiringS, quiet } = rule;
  const waits = rule.isSlow === true ? "; evaluated once a minute" : "";
  return [
    "",
    `### ${name}`,
    "",
    `${summary}.`,
    "",
    `- Means: ${meaning}`,
    `- To do: ${action}`,
    `- Severity: ${severity}`,
    `- Fires: ${side} ${valueText(rule, raise)} for ${durationText(forS)}${waits}`,
    `- Ends: no longer ${side} ${valueText(rule, clear)} for ${durationText(keepFiringS)}`,
    `- Nothing to judge by: ${quiet}`,
    "",
    "```promql",
    rule.value,
    "```",
  ];
}

function valueText({ unit }: AlertRule, value: number): string {
  if (unit === "seconds") return `${value * 1000} ms`;
  return String(value);
}

/** As Prometheus writes durations. */
function durationText(seconds: number): string {
  if (seconds === 0) return "0s";
  if (seconds % 3600 === 0) return `${seconds / 3600}h`;
  return seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`;
}
