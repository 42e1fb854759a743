/** Alerts and rules as the API answers them: the table of rules joined with what the collector last showed. */
import type { AlertInView, AlertView, RuleInView } from "../observe/alerts/alert-view.ts";
import { type AlertRule, annotationsOf, runbookOf } from "../observe/alerts/rule.ts";
import { ALERT_RULES } from "../observe/alerts/rules.ts";
import type { Silence } from "../observe/alerts/silences.ts";
import { valueText } from "../observe/promql/number-text.ts";
import type { AlertBoard } from "./api-context.ts";
import { timeText } from "./time-text.ts";

/** When nothing was evaluated, as Prometheus says it. */
const NEVER = "0001-01-01T00:00:00Z";

/** The reply of `GET /api/v1/alerts`. */
export function alertsJson(board: AlertBoard, nowMs: number) {
  const view = board.view();
  const alerts = (view?.alerts ?? []).flatMap((alert) => {
    const rule = ruleOf(alert);
    return rule === undefined ? [] : [alertJson(alert, rule, board.silences.holdingFor(alert.labels, nowMs))];
  });
  return {
    status: "success",
    data: {
      alerts: alerts.filter(({ state }) => state !== "resolved"),
      resolved: alerts.filter(({ state }) => state === "resolved"),
      rules: ALERT_RULES.map((rule) => ruleJson(rule, outcomeOf(rule, view, board.isEnabled))),
      evaluated_at: view === undefined ? null : timeText(view.evaluatedAtMs),
    },
  };
}

/** The reply of `GET /api/v1/rules`. */
export function rulesJson(board: AlertBoard) {
  const view = board.view();
  const groups = [
    { name: "engram", intervalS: board.intervalS, isSlow: false },
    { name: "engram-baselines", intervalS: Math.max(60, board.intervalS), isSlow: true },
  ];
  return {
    status: "success",
    data: {
      groups: groups.map(({ name, intervalS, isSlow }) => {
        const rules = ALERT_RULES.filter((rule) => (rule.isSlow === true) === isSlow).map((rule) =>
          prometheusRule(rule, outcomeOf(rule, view, board.isEnabled), view),
        );
        return {
          name,
          file: "",
          interval: intervalS,
          limit: 0,
          evaluationTime: rules.reduce((sum, { evaluationTime }) => sum + evaluationTime, 0),
          lastEvaluation: view === undefined ? NEVER : timeText(view.evaluatedAtMs),
          rules,
        };
      }),
    },
  };
}

export function silenceJson(silence: Silence, nowMs: number) {
  const { id, matchers, createdAtMs, untilMs, author, comment } = silence;
  return {
    id,
    state: nowMs < untilMs ? "active" : "ended",
    matchers,
    created_at: timeText(createdAtMs),
    until: timeText(untilMs),
    author,
    comment,
  };
}

function alertJson(alert: AlertInView, rule: AlertRule, silencedBy: readonly string[]) {
  const { labels, state, value, activeAtMs, firedAtMs, resolvedAtMs, fingerprint } = alert;
  return {
    labels,
    annotations: annotationsOf(rule),
    state,
    activeAt: timeText(activeAtMs),
    value: valueText(value),
    ...(firedAtMs === undefined ? {} : { fired_at: timeText(firedAtMs) }),
    ...(resolvedAtMs === undefined ? {} : { resolved_at: timeText(resolvedAtMs) }),
    fingerprint,
    silenced_by: silencedBy,
  };
}

function ruleJson(rule: AlertRule, outcome: Outcome) {
  const { name, severity, about, unit, side, raise, clear, forS, summary, meaning, action } = rule;
  return {
    name,
    state: outcome.state,
    value: outcome.value ?? null,
    ...(outcome.reason === undefined ? {} : { reason: outcome.reason }),
    severity,
    about,
    unit,
    side,
    raise,
    clear,
    for_s: forS,
    summary,
    meaning,
    action,
    runbook: runbookOf(rule),
  };
}

function prometheusRule(rule: AlertRule, outcome: Outcome, view: AlertView | undefined) {
  const alerts = (view?.alerts ?? []).filter(
    ({ labels, state }) => labels["alertname"] === rule.name && state !== "resolved",
  );
  return {
    type: "alerting",
    name: rule.name,
    state: outcome.state === "unavailable" ? "inactive" : outcome.state,
    query: `(${rule.value}) ${rule.side === "above" ? ">" : "<"} ${rule.raise}`,
    duration: rule.forS,
    keepFiringFor: rule.keepFiringS,
    labels: { severity: rule.severity },
    annotations: annotationsOf(rule),
    alerts: alerts.map(({ labels, state, value, activeAtMs }) => ({
      labels,
      annotations: annotationsOf(rule),
      state,
      activeAt: timeText(activeAtMs),
      value: valueText(value),
    })),
    health: outcome.state === "unavailable" ? "unknown" : "ok",
    ...(outcome.reason === undefined ? {} : { lastError: outcome.reason }),
    evaluationTime: outcome.tookMs / 1000,
    lastEvaluation: outcome.evaluatedAtMs === undefined ? NEVER : timeText(outcome.evaluatedAtMs),
  };
}

type Outcome = Pick<RuleInView, "state" | "value" | "reason" | "tookMs"> & {
  readonly evaluatedAtMs: number | undefined;
};

function outcomeOf(rule: AlertRule, view: AlertView | undefined, isEnabled: boolean): Outcome {
  const found = view?.rules.find(({ name }) => name === rule.name);
  if (found !== undefined) return found;
  const reason = isEnabled ? "it was not evaluated yet" : "alerts.enabled or monitoring.enabled is off";
  return { state: "unavailable", value: undefined, reason, tookMs: 0, evaluatedAtMs: undefined };
}

/** Undefined only for a rule of another version, which a board never holds. */
function ruleOf({ labels }: AlertInView): AlertRule | undefined {
  return ALERT_RULES.find(({ name }) => name === labels["alertname"]);
}
