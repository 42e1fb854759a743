/** What the calls on stored memories take and answer. */
import { z } from "zod";
import { Contract } from "./contract.ts";
import type { FieldForm } from "./query-fields.ts";
import { memoryReply } from "./recall.contract.ts";
import { LIST_LIMIT_MAX } from "./settings.ts";
import { ackField, kindField, timeField, timeReply } from "./shared.contract.ts";

export const listQuery = z.strictObject({
  limit: z.int().min(1).max(LIST_LIMIT_MAX).optional().describe("memories on a page; 50 where absent"),
  cursor: z.string().min(1).max(1024).optional().describe("next_cursor of the page before"),
  kind: z.array(kindField).max(3).optional().describe("memories of this kind only; may be repeated"),
  id: z
    .string()
    .min(1)
    .optional()
    .describe('this memory only; for ids that a path can not carry: "recall", "fading", "." and ".."'),
});
export const LIST_QUERY_FORMS: Readonly<Record<keyof z.output<typeof listQuery>, FieldForm>> = {
  limit: "number",
  cursor: "text",
  kind: "texts",
  id: "text",
};
export const checkedList = new Contract(listQuery);

export const forgetQuery = z.strictObject({
  ack: ackField
    .optional()
    .describe("how durable the forgetting is before it is answered; fsync where absent"),
});
export const FORGET_QUERY_FORMS: Readonly<Record<string, FieldForm>> = { ack: "text", id: "text" };
export const checkedForget = new Contract(forgetQuery);

export const forgetByIdQuery = forgetQuery.extend({ id: z.string().min(1).describe("the memory to forget") });
export const checkedForgetById = new Contract(forgetByIdQuery);

export const listReply = z.strictObject({
  memories: z.array(memoryReply).describe("in the order of storing"),
  next_cursor: z.string().nullable().describe("null on the last page"),
});

export const forgottenReply = z.strictObject({
  id: z.string(),
  space: z.string(),
  ack: ackField.describe("the durability that was really reached"),
  forgotten: z.boolean(),
});

export const fadingQuery = z.strictObject({
  floor: z
    .number()
    .min(0.001)
    .max(0.999)
    .optional()
    .describe("retention below which a memory has faded; forgetting.floor where absent"),
  at: timeField.optional().describe("what will have faded by then if nothing is used; now where absent"),
  limit: z.int().min(1).max(LIST_LIMIT_MAX).optional().describe("memories on a page; 50 where absent"),
  cursor: z.string().min(1).max(1024).optional().describe("next_cursor of the page before"),
});
export const FADING_QUERY_FORMS: Readonly<Record<keyof z.output<typeof fadingQuery>, FieldForm>> = {
  floor: "number",
  at: "time",
  limit: "number",
  cursor: "text",
};
export const checkedFading = new Contract(fadingQuery);

export const fadingReply = z.strictObject({
  memories: z
    .array(
      memoryReply.extend({
        retention: z.number().describe("what is left of it, 0 to 1"),
        stability_hours: z.number().describe("half-life, stretched by importance and feeling"),
        use_count: z.int(),
        last_used_at: timeReply.nullable().describe("null while it was never used"),
        faded_at: timeReply.describe("when it fell below the floor"),
      }),
    )
    .describe("in the order of storing"),
  floor: z.number(),
  next_cursor: z.string().nullable().describe("null on the last page; a page may have few memories or none"),
});

export const reinforcedReply = z.strictObject({
  id: z.string(),
  space: z.string(),
  ack: ackField.describe("the durability that was really reached"),
  use_count: z.int().describe("how often it was used, recalls among them"),
  stability_hours: z.number().describe("its half-life now, without what importance and feeling add to it"),
  importance: z.number().describe("0 to 1: each reinforcement brings it nearer to 1"),
  last_used: timeReply,
});
