/** What the call that profiles takes and answers. */
import { z } from "zod";
import { Contract } from "./contract.ts";

export const PROFILE_SECONDS_MAX = 10;

export const takeProfile = z.strictObject({
  seconds: z
    .number()
    .min(0.1)
    .max(PROFILE_SECONDS_MAX)
    .describe("how long samples are taken; the answer comes then"),
});
export const checkedTakeProfile = new Contract(takeProfile);

const places = z.array(z.number());
const scriptReply = z.strictObject({
  nodes: z
    .array(z.strictObject({ name: z.string(), file: z.string(), line: z.number(), parent: z.number() }))
    .describe("call frames; parent is the caller's place, -1 for the root"),
  samples: places.describe("places in nodes"),
  times_ms: z.array(z.number()).describe("since the epoch, one for each sample"),
});
const nativeReply = z.strictObject({
  period_ms: z.number().describe("processor time between two samples of a thread"),
  has_kernel: z.boolean().describe("whether time in the kernel is in it"),
  frames: z.array(z.strictObject({ name: z.string(), library: z.string() })),
  stacks: z.array(places).describe("places in frames, from the innermost out"),
  threads: z.array(
    z.strictObject({
      name: z.string(),
      id: z.number(),
      samples: places.describe("places in stacks"),
      times_ms: z.array(z.number()),
      lost: z.number(),
    }),
  ),
});

export const profileReply = z.strictObject({
  started_at_ms: z.number(),
  ended_at_ms: z.number(),
  script_interval_ms: z.number(),
  threads: z.array(z.strictObject({ name: z.string(), script: scriptReply })),
  native: nativeReply.nullable().describe("null where the kernel refuses; missing says why"),
  spaces: z
    .array(z.strictObject({ space: z.string(), operations: z.number(), busy_ms: z.number() }))
    .describe("time of operations by memory space"),
  missing: z.array(z.strictObject({ what: z.string(), reason: z.string(), remedy: z.string() })),
});
