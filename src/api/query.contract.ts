/** What the calls of Prometheus's API take and answer. Their parameters are checked in `query-parameters.ts`. */
import { z } from "zod";

const time = z.string().describe("Seconds since the epoch, or RFC 3339");
const timeout = z.string().optional().describe("Time it may take, as `10s`; 30 s at most");

export const instantQuery = z.object({
  query: z.string().describe("PromQL"),
  time: time.optional(),
  timeout,
});
export const rangeQuery = z.object({
  query: z.string().describe("PromQL"),
  start: time,
  end: time,
  step: z.string().describe("Seconds, or a duration as `15s`; at most 11,000 steps"),
  timeout,
});
const between = {
  start: time.optional(),
  end: time.optional(),
  limit: z.string().optional().describe("How many at most; 0 for all"),
};
export const seriesQuery = z.object({
  "match[]": z.array(z.string()).describe("Selectors of series; any of them"),
  ...between,
});
export const labelsQuery = z.object({ "match[]": z.array(z.string()).optional(), ...between });
export const metadataQuery = z.object({
  metric: z.string().optional(),
  limit: z.string().optional(),
});

const success = z.literal("success");
const labels = z.record(z.string(), z.string());
const pair = z.array(z.union([z.number(), z.string()])).describe("Seconds, and the value as text");

export const resultReply = z.object({
  status: success,
  data: z.object({
    resultType: z.enum(["scalar", "string", "vector", "matrix"]),
    result: z.array(
      z.union([
        z.number(),
        z.string(),
        z.object({ metric: labels, value: pair }),
        z.object({ metric: labels, values: z.array(pair) }),
      ]),
    ),
  }),
});
export const textsReply = z.object({
  status: success,
  data: z.array(z.string()),
  warnings: z.array(z.string()).optional(),
});
export const seriesReply = z.object({
  status: success,
  data: z.array(labels),
  warnings: z.array(z.string()).optional(),
});
export const metadataReply = z.object({
  status: success,
  data: z.record(z.string(), z.array(z.object({ type: z.string(), help: z.string(), unit: z.string() }))),
});
export const buildInfoReply = z.object({ status: success, data: labels });
