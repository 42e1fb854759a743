/** What the call about slow operations takes and answers. */
import { z } from "zod";
import { OPERATIONS, OUTCOMES, RECALL_MODES, STAGES } from "../layout/metric-codes.ts";
import { SEARCH_PLANS } from "../observe/slow-operation.ts";
import { Contract } from "./contract.ts";
import type { FieldForm } from "./query-fields.ts";
import { SLOW_LIMIT_MAX } from "./settings.ts";
import { ackField, spaceNameField, timeField, timeReply } from "./shared.contract.ts";

export const slowQuery = z.strictObject({
  threshold: z
    .number()
    .min(0)
    .max(86_400_000)
    .optional()
    .describe(
      "only operations that took so many ms or longer; those that were kept took at least the setting's",
    ),
  since: timeField.optional().describe("only operations that ended then or later"),
  operation: z.enum(OPERATIONS).optional().describe("only this operation"),
  space: spaceNameField.optional().describe("only operations on this space"),
  limit: z.int().min(1).max(SLOW_LIMIT_MAX).optional().describe("most operations answered; 100 where absent"),
});
export const SLOW_QUERY_FORMS: Readonly<Record<keyof z.output<typeof slowQuery>, FieldForm>> = {
  threshold: "number",
  since: "time",
  operation: "text",
  space: "text",
  limit: "number",
};
export const checkedSlowQuery = new Contract(slowQuery);

const ms = z.number().describe("ms");
const count = z.number();

export const slowOperationReply = z.strictObject({
  ended_at: timeReply,
  took_ms: z.number().describe("from the parsed request to the written reply"),
  operation: z.enum(OPERATIONS),
  space: z.string(),
  outcome: z.enum(OUTCOMES),
  error: z.string().optional().describe("code of what it was refused or failed with"),
  worker: z.int().describe("the API worker that answered it"),
  trace_id: z.string().optional().describe("of the `traceparent` it came with"),
  stages_ms: z.partialRecord(z.enum(STAGES), ms),
  waits_ms: z.strictObject({
    tail: ms.optional().describe("for room in the unindexed tail"),
    ring: ms.optional().describe("for room in the queue to the home writer"),
    sync: ms.optional().describe("syncs of the log that ended meanwhile"),
    elsewhere: ms.describe("what no stage accounts for: the thread did something else"),
  }),
  plan: z.strictObject({
    mode: z.enum(RECALL_MODES).optional(),
    limit: z.int().optional(),
    ef_asked: z.int().optional(),
    ef: z.int().optional().describe("candidates the search kept"),
    search: z.enum(SEARCH_PLANS).optional(),
    filters: z
      .strictObject({
        tags: z.int().optional().describe("how many"),
        time: z.boolean().optional(),
        confidence: z.boolean().optional(),
        score: z.boolean().optional(),
      })
      .optional(),
    has_embedding: z.boolean().optional(),
    explain: z.boolean().optional(),
    ack: ackField.optional(),
    memories: z.int().optional(),
  }),
  counts: z.strictObject({
    distances_in_graph: count.optional(),
    distances_in_scan: count.optional(),
    selectivity: count.optional().describe("estimated share of memories that pass the filters"),
    postings: count.optional().describe("memories that hold a word of the query"),
    candidates: count.optional(),
    bindings: count.optional().describe("bindings that activation followed"),
    results: count.optional(),
    reply_bytes: count.optional(),
    space_memories: count.optional(),
    tail_vectors: count.optional(),
    syncs: count.optional(),
    synced_records: count.optional(),
  }),
  thread: z
    .strictObject({
      window_ms: ms.describe(
        "what the following figures cover: from the sample before the operation to its end",
      ),
      loop_delay_ms: ms.describe("the latest a timer of the thread ran"),
      minor_faults: count,
      major_faults: count,
      voluntary_switches: count,
      involuntary_switches: count,
    })
    .optional(),
  embedder: z
    .strictObject({
      provider: z.string(),
      is_local: z.boolean(),
      cache_requests: count.optional().describe("of this worker since its start"),
      cache_hits: count.optional(),
      cache_bytes: count.optional(),
      cache_bytes_max: count.optional(),
    })
    .optional(),
  nodes: z.strictObject({ worker: z.int(), space: z.int() }).optional(),
  usual: z.strictObject({
    ns_per_distance: count.optional().describe("of this worker's recalls since its start"),
    sync_ms: ms.optional().describe("of the log's syncs since the start"),
  }),
  query: z.string().optional().describe("only with monitoring.slow_query_content"),
});

export const slowQueriesReply = z.strictObject({
  threshold_ms: z.number().nullable().describe("what counts as slow now; null where monitoring is off"),
  operations: z.array(slowOperationReply).describe("newest first"),
});
