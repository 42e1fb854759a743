/** What the calls about the appliance itself answer. */
import { z } from "zod";

export const partReply = z.strictObject({
  status: z.enum(["ok", "degraded", "failed", "unavailable"]),
  reason: z.string().optional(),
  detail: z
    .record(z.string(), z.unknown())
    .optional()
    .describe("measured figures, or why one is unavailable"),
});

export const healthReply = z.strictObject({
  status: z.enum(["ok", "degraded", "failed"]),
  ready: z.boolean(),
  version: z.string(),
  uptime_seconds: z.number(),
  parts: z.record(z.string(), partReply),
});

export const liveReply = z.strictObject({ status: z.literal("live") });
export const readyReply = z.strictObject({
  status: z.enum(["ready", "not-ready"]),
  reason: z.string().optional(),
});
export const versionReply = z.strictObject({
  name: z.literal("engram-appliance"),
  version: z.string(),
  bun: z.string(),
  platform: z.string(),
});
