/** How the calls on alerts are described. */

import { annotationsOf } from "../observe/alerts/rule.ts";
import { ALERT_RULES } from "../observe/alerts/rules.ts";
import {
  alertsReply,
  rulesQuery,
  rulesReply,
  silenceBody,
  silenceReply,
  silencesReply,
} from "./alerts.contract.ts";
import { describeOperation } from "./openapi.ts";

const TAG = "Alerts";
const RULE = ALERT_RULES.find(({ name }) => name === "EngramWalFlushSlow")!;
const TIME = "2026-03-01T12:00:00.000Z";
const ALERT = {
  labels: { alertname: RULE.name, severity: RULE.severity },
  annotations: annotationsOf(RULE),
  state: "firing",
  activeAt: TIME,
  value: "0.0213",
};
const SILENCE = {
  id: "5b2f0c9a77e14d03",
  state: "active",
  matchers: [{ name: "alertname", operator: "=", value: RULE.name }],
  created_at: TIME,
  until: "2099-03-01T14:00:00.000Z",
  author: "ada",
  comment: "The disk is being replaced",
};

export function alertsDetail() {
  return describeOperation({
    id: "listAlerts",
    tag: TAG,
    summary: "Show alerts, and the state of every rule",
    description:
      "Pending and firing ones as Prometheus's `/api/v1/alerts` shows them, those that ended lately, and each rule with its value, or why it is unavailable.",
    right: "read",
    spaced: false,
    replies: {
      200: {
        description: "Alerts and rules",
        schema: alertsReply,
        example: {
          status: "success",
          data: {
            alerts: [{ ...ALERT, fired_at: TIME, fingerprint: "08c1f7c8a3a1d2e4", silenced_by: [] }],
            resolved: [],
            rules: [
              {
                name: RULE.name,
                state: "firing",
                value: 0.0213,
                severity: RULE.severity,
                about: RULE.about,
                unit: RULE.unit,
                side: RULE.side,
                raise: RULE.raise,
                clear: RULE.clear,
                for_s: RULE.forS,
                ...annotationsOf(RULE),
              },
            ],
            evaluated_at: TIME,
          },
        },
      },
    },
    errors: [],
  });
}

export function rulesDetail() {
  return describeOperation({
    id: "listRules",
    tag: TAG,
    summary: "Show alert rules as Prometheus does",
    right: "read",
    spaced: false,
    query: rulesQuery,
    replies: {
      200: {
        description: "Groups of rules",
        schema: rulesReply,
        example: {
          status: "success",
          data: {
            groups: [
              {
                name: "engram",
                file: "",
                interval: 5,
                limit: 0,
                evaluationTime: 0.002,
                lastEvaluation: TIME,
                rules: [
                  {
                    type: "alerting",
                    name: RULE.name,
                    state: "firing",
                    query: `(${RULE.value}) > ${RULE.raise}`,
                    duration: RULE.forS,
                    keepFiringFor: RULE.keepFiringS,
                    labels: { severity: RULE.severity },
                    annotations: annotationsOf(RULE),
                    alerts: [ALERT],
                    health: "ok",
                    evaluationTime: 0.0002,
                    lastEvaluation: TIME,
                  },
                ],
              },
            ],
          },
        },
      },
    },
    errors: [],
  });
}

export function listSilencesDetail() {
  return describeOperation({
    id: "listSilences",
    tag: TAG,
    summary: "List silences",
    description: "The newest first; those that ended are shown for a day.",
    right: "read",
    spaced: false,
    replies: {
      200: { description: "Silences", schema: silencesReply, example: { silences: [SILENCE] } },
    },
    errors: [],
  });
}

export function silenceDetail() {
  return describeOperation({
    id: "silenceAlerts",
    tag: TAG,
    summary: "Silence alerts until a time",
    description:
      "They are shown as ever and not delivered. One that still fires when the silence ends is delivered then.",
    right: "admin",
    spaced: false,
    body: {
      schema: silenceBody,
      examples: {
        flush: {
          summary: "One alert, for the time a disk is replaced",
          value: {
            matchers: [{ name: "alertname", value: RULE.name }],
            until: SILENCE.until,
            author: SILENCE.author,
            comment: SILENCE.comment,
          },
        },
      },
    },
    replies: { 201: { description: "The silence", schema: silenceReply, example: SILENCE } },
    errors: ["silences-full", "overloaded"],
  });
}

export function endSilenceDetail() {
  return describeOperation({
    id: "endSilence",
    tag: TAG,
    summary: "End a silence now",
    right: "admin",
    spaced: false,
    path: { name: "id", description: "The id that making it answered" },
    replies: {
      200: { description: "The silence", schema: silenceReply, example: { ...SILENCE, state: "ended" } },
    },
    errors: ["silence-not-found", "overloaded", "request-invalid"],
  });
}
