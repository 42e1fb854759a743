/** What the calls on alerts take and answer. The first two have Prometheus's form, with more beside it. */
import { z } from "zod";
import { SEVERITIES } from "../observe/alerts/rule.ts";
import { Contract } from "./contract.ts";
import { timeField, timeReply } from "./shared.contract.ts";

export const rulesQuery = z.object({
  type: z.string().optional().describe("`alert`, or `record`: there are none"),
});

const matcherField = z.strictObject({
  name: z
    .string()
    .regex(/^[a-zA-Z_][a-zA-Z0-9_]{0,99}$/, { error: "expected the name of a label, as alertname" })
    .describe("a label of alerts, such as alertname or severity"),
  value: z.string().max(1000),
  operator: z
    .enum(["=", "!=", "=~", "!~"])
    .optional()
    .describe("`=` where absent; `=~` takes an RE2 expression"),
});

export const silenceBody = z.strictObject({
  matchers: z.array(matcherField).min(1).max(16).describe("an alert is silenced when all match"),
  until: timeField.describe("when it ends"),
  author: z.string().min(1).max(200),
  comment: z.string().min(1).max(2000),
});
export const checkedSilence = new Contract(silenceBody);

export const silenceReply = z.strictObject({
  id: z.string(),
  state: z.enum(["active", "ended"]),
  matchers: z.array(z.strictObject({ name: z.string(), operator: z.string(), value: z.string() })),
  created_at: timeReply,
  until: timeReply,
  author: z.string(),
  comment: z.string(),
});
export const silencesReply = z.strictObject({ silences: z.array(silenceReply) });

const texts = z.record(z.string(), z.string());
const severity = z.enum(SEVERITIES);
const alertReply = z.strictObject({
  labels: texts,
  annotations: texts,
  state: z.enum(["pending", "firing", "resolved"]),
  activeAt: timeReply,
  value: z.string(),
  fired_at: timeReply.optional(),
  resolved_at: timeReply.optional(),
  fingerprint: z.string(),
  silenced_by: z.array(z.string()).describe("ids of silences"),
});

export const alertsReply = z.strictObject({
  status: z.literal("success"),
  data: z.strictObject({
    alerts: z.array(alertReply).describe("pending and firing"),
    resolved: z.array(alertReply).describe("ended in the last quarter of an hour"),
    rules: z.array(
      z.strictObject({
        name: z.string(),
        state: z.enum(["inactive", "pending", "firing", "unavailable"]),
        value: z.number().nullable().describe("what is watched, as it is now"),
        reason: z.string().optional().describe("why it is unavailable"),
        severity,
        about: z.enum(["mind", "machine"]),
        unit: z.enum(["ratio", "seconds", "count"]),
        side: z.enum(["above", "below"]),
        raise: z.number(),
        clear: z.number(),
        for_s: z.number(),
        summary: z.string(),
        meaning: z.string(),
        action: z.string(),
        runbook: z.string(),
      }),
    ),
    evaluated_at: timeReply.nullable(),
  }),
});

const promAlert = z.object({
  labels: texts,
  annotations: texts,
  state: z.string(),
  activeAt: timeReply,
  value: z.string(),
});
export const rulesReply = z.object({
  status: z.literal("success"),
  data: z.object({
    groups: z.array(
      z.object({
        name: z.string(),
        file: z.string(),
        interval: z.number(),
        limit: z.number(),
        evaluationTime: z.number(),
        lastEvaluation: timeReply,
        rules: z.array(
          z.object({
            type: z.literal("alerting"),
            name: z.string(),
            state: z.enum(["inactive", "pending", "firing"]),
            query: z.string(),
            duration: z.number(),
            keepFiringFor: z.number(),
            labels: texts,
            annotations: texts,
            alerts: z.array(promAlert),
            health: z.enum(["ok", "unknown"]).describe("`unknown`: unavailable, lastError says why"),
            lastError: z.string().optional(),
            evaluationTime: z.number(),
            lastEvaluation: timeReply,
          }),
        ),
      }),
    ),
  }),
});
