/** What the event streams take, and what their events carry. */
import { z } from "zod";
import { Contract } from "./contract.ts";
import type { FieldForm } from "./query-fields.ts";
import { spaceNameField, timeReply } from "./shared.contract.ts";

export const MEMORY_KINDS = ["formed", "recalled", "consolidated", "forgotten"] as const;
export const LOG_LEVELS = ["error", "warn", "info", "debug"] as const;

const INTERVAL_SECONDS_MAX = 3600;
const NAMES_MAX = 64;

const resumeField = z
  .string()
  .max(4096)
  .optional()
  .describe("the id of the last event seen, for clients that can not send the header `Last-Event-ID`");

export const memoriesStreamQuery = z.strictObject({
  space: spaceNameField
    .optional()
    .describe("only this space (or `X-Memory-Space`); all that the key opens where absent"),
  kinds: z
    .array(z.enum(MEMORY_KINDS))
    .max(MEMORY_KINDS.length)
    .optional()
    .describe("only these kinds, with commas between; all where absent"),
  last_event_id: resumeField,
});
export const logsStreamQuery = z.strictObject({
  level: z.enum(LOG_LEVELS).optional().describe("this level and graver ones; `info` where absent"),
  last_event_id: resumeField,
});
export const alertsStreamQuery = z.strictObject({
  severity: z
    .array(z.string().min(1).max(64))
    .max(8)
    .optional()
    .describe("only alerts of these severities, with commas between"),
  last_event_id: resumeField,
});
export const metricsStreamQuery = z.strictObject({
  interval: z
    .number()
    .min(1)
    .max(INTERVAL_SECONDS_MAX)
    .optional()
    .describe("seconds between two events; 1 where absent, since metrics are summed up once a second"),
  names: z
    .array(
      z
        .string()
        .max(128)
        .regex(/^[a-z_][a-z0-9_*]*$/, {
          error: "expected the name of a metric, `*` standing for any letters",
        }),
    )
    .max(NAMES_MAX)
    .optional()
    .describe("only these metrics, with commas between; `*` stands for any letters. All where absent"),
  last_event_id: resumeField,
});

export const checkedMemoriesStream = new Contract(memoriesStreamQuery);
export const checkedLogsStream = new Contract(logsStreamQuery);
export const checkedAlertsStream = new Contract(alertsStreamQuery);
export const checkedMetricsStream = new Contract(metricsStreamQuery);

/** Of all four: a name that a stream does not take is refused by its contract. */
export const STREAM_QUERY_FORMS: Readonly<Record<string, FieldForm>> = {
  interval: "number",
  kinds: "texts",
  names: "texts",
  severity: "texts",
};

export const warningEvent = z.strictObject({
  time: timeReply,
  code: z.enum([
    "client-slow",
    "events-overwritten",
    "appliance-restarted",
    "events-not-kept",
    "frames-not-replayed",
    "access-ended",
  ]),
  message: z.string(),
  lost: z.int().optional().describe("events missing, where the number is known"),
});
export const streamReply = z
  .string()
  .describe("server-sent events, each with `event`, `id` and one line of `data`");
