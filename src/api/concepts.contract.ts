/** What the calls on concepts and consolidation take and answer. */
import { z } from "zod";
import { Contract } from "./contract.ts";
import type { FieldForm } from "./query-fields.ts";
import { LIST_LIMIT_MAX } from "./settings.ts";
import { spaceNameField, timeReply } from "./shared.contract.ts";

export const CYCLES_DEFAULT = 64;
export const CYCLES_MAX = 1024;
export const WAIT_MS_MAX = 30_000;
export const CONCEPT_MEMBERS_DEFAULT = 10;
export const CONCEPT_MEMBERS_MAX = 512;
export const RUNS_DEFAULT = 20;
export const RUNS_MAX = 128;

const spaceField = spaceNameField
  .optional()
  .describe("the memory space, where X-Memory-Space does not name it");

export const consolidateQuery = z.strictObject({ space: spaceField });
export const checkedConsolidateQuery = new Contract(consolidateQuery);

export const consolidateBody = z.strictObject({
  max_cycles: z
    .int()
    .min(1)
    .max(CYCLES_MAX)
    .optional()
    .describe("cycles at most, each of bounded work; 64 where absent"),
  wait_ms: z
    .int()
    .min(0)
    .max(WAIT_MS_MAX)
    .optional()
    .describe("how long the answer waits for the end of the run; 0 where absent"),
});
export const checkedConsolidate = new Contract(consolidateBody);

export const consolidationReply = z.strictObject({
  id: z.int(),
  space: z.string(),
  state: z.enum(["waiting", "running", "paused", "done", "failed"]),
  reason: z.string().optional().describe("code of the error that ended a run that failed"),
  requested: z.boolean().describe("whether a client asked for it"),
  requested_at: timeReply,
  started_at: timeReply.nullable(),
  ended_at: timeReply.nullable(),
  paused_ms: z.number().describe("how long it had waited for a load to end"),
  cycles: z.int(),
  replayed: z.int().describe("memories replayed"),
  concepts: z.strictObject({
    formed: z.int(),
    grown: z.int().describe("concepts that took new members in"),
    merged: z.int(),
    split: z.int(),
    retired: z.int().describe("concepts that had too few members left"),
  }),
  promoted: z.strictObject({ consolidating: z.int(), remote: z.int() }),
  unconsolidated: z.int().describe("memories that had not been looked at when it ended"),
});

export const consolidationsQuery = z.strictObject({
  space: spaceNameField.optional().describe("of this memory space only"),
  limit: z.int().min(1).max(RUNS_MAX).optional().describe("runs at most; 20 where absent"),
});
export const CONSOLIDATIONS_QUERY_FORMS: Readonly<Record<string, FieldForm>> = {
  space: "text",
  limit: "number",
};
export const checkedConsolidations = new Contract(consolidationsQuery);
export const consolidationsReply = z.strictObject({
  consolidations: z.array(consolidationReply).describe("the newest first, of those since the start"),
});

export const conceptsQuery = z.strictObject({
  space: spaceField,
  limit: z.int().min(1).max(LIST_LIMIT_MAX).optional().describe("concepts on a page; 50 where absent"),
  cursor: z.string().min(1).max(1024).optional().describe("next_cursor of the page before"),
  members: z
    .int()
    .min(0)
    .max(CONCEPT_MEMBERS_MAX)
    .optional()
    .describe("members cited of each concept; 10 where absent"),
});
export const CONCEPTS_QUERY_FORMS: Readonly<Record<string, FieldForm>> = {
  space: "text",
  limit: "number",
  cursor: "text",
  members: "number",
};
export const checkedConcepts = new Contract(conceptsQuery);

export const conceptReply = z.strictObject({
  id: z.string(),
  gist: z.string().describe("its most telling terms, and a sentence of its most central member"),
  concept: z.strictObject({ terms: z.array(z.string()).describe("its most telling terms") }),
  coherence: z.number().describe("mean similarity of its members to its centroid"),
  member_count: z.int(),
  members: z
    .array(z.strictObject({ id: z.string(), likeness: z.number() }))
    .describe("the memories it is made of, those most like it first"),
  confidence: z.number(),
  importance: z.number(),
  timestamp: timeReply.describe("of its newest member"),
  stored_at: timeReply.describe("when it became what it is now"),
});
export const conceptsReply = z.strictObject({
  concepts: z.array(conceptReply).describe("in the order in which they became what they are"),
  next_cursor: z.string().nullable().describe("null on the last page"),
});
