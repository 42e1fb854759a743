/**
 * What an alert rule is, and how it reads as one PromQL expression.
 *
 * A rule watches a value and has two thresholds: it is raised beyond `raise` and ends only back across `clear`, so that
 * a value that trembles around one number does not ring all night. Inside, the value is evaluated once and compared
 * here; for Prometheus the same is written with its own series of alerts:
 *
 *   (value) > raise  or  ((value) > clear and on (labels) ALERTS{alertname="…", alertstate="firing"})
 *
 *   inactive ──beyond raise──▶ pending ──for `forS`──▶ firing ──back across clear, for `keepFiringS`──▶ resolved
 *                                 │ not beyond raise
 *                                 ▼
 *                              inactive
 */

export const SEVERITIES = ["info", "warning", "critical"] as const;
export type Severity = (typeof SEVERITIES)[number];

export type AlertRule = {
  /** unique, as Prometheus's alerts are named */
  readonly name: string;
  readonly severity: Severity;
  /** what it watches: how memory works, or how the machine does */
  readonly about: "mind" | "machine";
  /** PromQL, an instant vector: one alert for each element that is beyond `raise` */
  readonly value: string;
  /** of the value, for people */
  readonly unit: "ratio" | "seconds" | "count";
  /** labels that tell the elements of the value apart */
  readonly labels: readonly string[];
  readonly side: "above" | "below";
  readonly raise: number;
  readonly clear: number;
  /** how long it must be beyond before it fires, in seconds */
  readonly forS: number;
  /** how long it must be back before it ends, in seconds */
  readonly keepFiringS: number;
  /** evaluated at most once in a minute, because it looks back far */
  readonly isSlow?: boolean;
  /** one line: what is the case */
  readonly summary: string;
  /** what that means for the memory or for those who use it */
  readonly meaning: string;
  /** what to look at or to change */
  readonly action: string;
  /** why there can be nothing to judge by although its metrics are there */
  readonly quiet: string;
};

/** Whether a value is beyond a rule's threshold. NaN never is. */
export function isBeyond(rule: AlertRule, value: number, threshold: number): boolean {
  return rule.side === "above" ? value > threshold : value < threshold;
}

/** The rule as one expression for a Prometheus server, which holds the thresholds and the hysteresis. */
export function prometheusExpression(rule: AlertRule): string {
  const { name, value, side, raise, clear, labels } = rule;
  const comparison = side === "above" ? ">" : "<";
  const firing = `ALERTS{alertname="${name}", alertstate="firing"}`;
  return [
    `(${value}) ${comparison} ${raise}`,
    "or",
    `((${value}) ${comparison} ${clear} and on (${labels.join(", ")}) ${firing})`,
  ].join("\n");
}

/** The page that explains a rule, and where on it. */
export function runbookOf(rule: AlertRule): string {
  return `docs/reference/alerts.md#${rule.name.toLowerCase()}`;
}

/** What a rule tells of itself, as annotations of its alerts. */
export function annotationsOf(rule: AlertRule): Record<string, string> {
  return { summary: rule.summary, meaning: rule.meaning, action: rule.action, runbook: runbookOf(rule) };
}
