/** The metrics of the alerts: a part of the catalogue. */
import { SEVERITIES } from "./alerts/rule.ts";

export const ALERT_CATALOGUE = {
  engram_alerts_firing: {
    kind: "gauge",
    unit: "count",
    help: "Alerts that fire, silenced ones included",
    labels: { severity: SEVERITIES },
    otlp: "engram.alerts.firing",
    source: "lane",
  },
  engram_alert_evaluation_duration_seconds: {
    kind: "histogram",
    unit: "seconds",
    help: "Time it took to evaluate the rules that were due",
    labels: {},
    otlp: "engram.alert.evaluation.duration",
    source: "lane",
    shown: [-16, -2],
  },
  engram_alert_notifications_total: {
    kind: "counter",
    unit: "count",
    help: "Messages to webhooks by what became of them; dropped ones found the queue full",
    labels: { outcome: ["sent", "failed", "dropped"] },
    otlp: "engram.alert.notifications",
    source: "lane",
  },
} as const;
