/** What the calls on links take and answer. */
import { z } from "zod";
import { LINK_KINDS } from "../engine/mind-engine.ts";
import { BINDING_KINDS } from "../layout/metric-codes.ts";
import { Contract } from "./contract.ts";
import type { FieldForm } from "./query-fields.ts";
import { LIST_LIMIT_MAX } from "./settings.ts";
import { ackField, timeReply } from "./shared.contract.ts";

const idField = z.string().min(1);
const linkFields = {
  source: idField.describe("id of a memory; of a cause, what caused"),
  destination: idField.describe("id of another memory; of a cause, what was caused"),
  kind: z.enum(LINK_KINDS).optional().describe("link where absent"),
};

export const linkBody = z.strictObject({
  ...linkFields,
  strength: z
    .number()
    .gt(0)
    .max(1)
    .optional()
    .describe("0.8 for a new link where absent; a link that is there already gets stronger by a use"),
  ack: ackField.optional().describe("how durable the link is before it is answered; fsync where absent"),
});
export const checkedLink = new Contract(linkBody);

export const unlinkQuery = z.strictObject({ ...linkFields, ack: ackField.optional() });
export const UNLINK_QUERY_FORMS: Readonly<Record<keyof z.output<typeof unlinkQuery>, FieldForm>> = {
  source: "text",
  destination: "text",
  kind: "text",
  ack: "text",
};
export const checkedUnlink = new Contract(unlinkQuery);

export const linksQuery = z.strictObject({
  id: idField.describe("the memory whose bindings are asked for"),
  kind: z
    .array(z.enum(BINDING_KINDS))
    .max(BINDING_KINDS.length)
    .optional()
    .describe("bindings of this kind only; may be repeated"),
  limit: z.int().min(1).max(LIST_LIMIT_MAX).optional().describe("most bindings answered; 50 where absent"),
});
export const LINKS_QUERY_FORMS: Readonly<Record<keyof z.output<typeof linksQuery>, FieldForm>> = {
  id: "text",
  kind: "texts",
  limit: "number",
};
export const checkedLinks = new Contract(linksQuery);

const endsReply = {
  source: z.string(),
  destination: z.string(),
  kind: z.enum(LINK_KINDS),
  space: z.string(),
  ack: ackField.describe("the durability that was really reached"),
};

export const linkReply = z.strictObject({
  ...endsReply,
  strength: z.number().describe("0 to 1"),
  use_count: z.int(),
  created: z.boolean().describe("false: the link was there already"),
});

export const unlinkedReply = z.strictObject({ ...endsReply, removed: z.boolean() });

export const linksReply = z.strictObject({
  id: z.string(),
  space: z.string(),
  links: z
    .array(
      z.strictObject({
        kind: z
          .enum(BINDING_KINDS)
          .describe("what made the binding; link, cause and member are made on purpose"),
        id: z.string().describe("the memory at the other end"),
        direction: z.enum(["out", "in"]).describe("out: from the memory asked for"),
        strength: z.number().describe("0 to 1"),
        use_count: z.int(),
        last_used: timeReply.nullable(),
      }),
    )
    .describe("strongest first"),
});
