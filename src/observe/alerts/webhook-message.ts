/**
 * Notifications as Alertmanager's webhook receivers take them (format 4): one message for a group of alerts, which
 * here are those of one rule.
 */
import type { Alert } from "./alert-states.ts";
import { annotationsOf } from "./rule.ts";

export type WebhookAlert = {
  readonly status: "firing" | "resolved";
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** RFC 3339 */
  readonly startsAt: string;
  /** the zero time of Go while it fires, as Alertmanager sends it */
  readonly endsAt: string;
  readonly generatorURL: string;
  readonly fingerprint: string;
};

export type WebhookMessage = {
  readonly version: "4";
  readonly groupKey: string;
  readonly truncatedAlerts: number;
  readonly status: "firing" | "resolved";
  readonly receiver: string;
  readonly groupLabels: Readonly<Record<string, string>>;
  readonly commonLabels: Readonly<Record<string, string>>;
  readonly commonAnnotations: Readonly<Record<string, string>>;
  readonly externalURL: string;
  readonly alerts: readonly WebhookAlert[];
};

const RECEIVER = "engram-appliance";
const NO_TIME = "0001-01-01T00:00:00Z";

/** An alert as receivers see it. @param externalUrl the address of the appliance */
export function webhookAlert(alert: Alert, externalUrl: string): WebhookAlert {
  const isOver = alert.state === "resolved";
  return {
    status: isOver ? "resolved" : "firing",
    labels: alert.labels,
    annotations: { ...annotationsOf(alert.rule), value: String(alert.value) },
    startsAt: new Date(alert.firedAtMs ?? alert.activeAtMs).toISOString(),
    endsAt: isOver ? new Date(alert.resolvedAtMs!).toISOString() : NO_TIME,
    generatorURL: `${externalUrl}/api/v1/query?${new URLSearchParams({ query: alert.rule.value })}`,
    fingerprint: alert.fingerprint,
  };
}

/** @param alerts of one rule, at least one */
export function webhookMessage(alerts: readonly WebhookAlert[], externalUrl: string): WebhookMessage {
  const groupLabels = { alertname: alerts[0]!.labels["alertname"]! };
  return {
    version: "4",
    groupKey: `{}:{alertname=${JSON.stringify(groupLabels.alertname)}}`,
    truncatedAlerts: 0,
    status: alerts.some(({ status }) => status === "firing") ? "firing" : "resolved",
    receiver: RECEIVER,
    groupLabels,
    commonLabels: inCommon(alerts.map(({ labels }) => labels)),
    commonAnnotations: inCommon(alerts.map(({ annotations }) => annotations)),
    externalURL: externalUrl,
    alerts,
  };
}

/** What all have alike. */
function inCommon(sets: readonly Readonly<Record<string, string>>[]): Record<string, string> {
  const [first = {}, ...others] = sets;
  return Object.fromEntries(
    Object.entries(first).filter(([name, value]) => others.every((set) => set[name] === value)),
  );
}
