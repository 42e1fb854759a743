/** What recall takes and answers, and memories as they are answered everywhere. */
import { z } from "zod";
import { FILTER_TAGS_MAX } from "../layout/filter.ts";
import { Contract } from "./contract.ts";
import type { FieldForm } from "./query-fields.ts";
import { RECALL_EF_MAX, RECALL_LIMIT_MAX } from "./settings.ts";
import { embeddingField, tagField, timeField, timeReply, unitField } from "./shared.contract.ts";

export const recallBody = z.strictObject({
  query: z.string().min(1).max(65_536).optional().describe("what to look for, as text"),
  embedding: embeddingField
    .optional()
    .describe("what to look for, as a vector; the query is embedded where absent"),
  limit: z.int().min(1).max(RECALL_LIMIT_MAX).optional().describe("most memories answered; 10 where absent"),
  mode: z
    .enum(["hybrid", "vector", "words"])
    .optional()
    .describe("hybrid where absent: by meaning and by words, fused"),
  tags: z.array(tagField).max(FILTER_TAGS_MAX).optional().describe("only memories that carry all of these"),
  from: timeField.optional().describe("only memories of this time or later"),
  to: timeField.optional().describe("only memories of this time or earlier"),
  min_confidence: unitField.optional().describe("only memories at least this sure"),
  threshold: unitField.optional().describe("only memories with at least this score"),
  explain: z.boolean().optional().describe("whether each memory says why it came"),
  ef: z
    .int()
    .min(1)
    .max(RECALL_EF_MAX)
    .optional()
    .describe(
      "candidates the graph search looks at: more find more and take longer; index.ef_search where absent",
    ),
});

/** In a query string the embedding is base64, and `tags` is repeated. */
export const recallQuery = recallBody.extend({
  embedding: z.string().min(8).optional().describe("f32 little-endian in base64 or base64url"),
});

export const RECALL_QUERY_FORMS: Readonly<Record<keyof z.output<typeof recallQuery>, FieldForm>> = {
  query: "text",
  embedding: "text",
  limit: "number",
  mode: "text",
  tags: "texts",
  from: "time",
  to: "time",
  min_confidence: "number",
  threshold: "number",
  explain: "flag",
  ef: "number",
};

export const checkedRecall = new Contract(recallBody.extend({ embedding: z.unknown().optional() }));

export const memoryReply = z.strictObject({
  id: z.string(),
  content: z.string(),
  metadata: z.record(z.string(), z.unknown()),
  tags: z.array(z.string()),
  timestamp: timeReply,
  stored_at: timeReply,
  confidence: z.number(),
});

export const whyReply = z.strictObject({
  vector: z
    .strictObject({
      similarity: z.number().describe("cosine"),
      rank: z.int().optional(),
      via: z
        .enum(["index", "tail", "scan"])
        .describe("graph search, exact scan of what is not indexed yet, exact scan"),
    })
    .optional(),
  words: z
    .strictObject({ bm25: z.number(), rank: z.int().optional(), terms: z.array(z.string()) })
    .optional(),
  fusion: z
    .strictObject({
      vector_weight: z.number(),
      words_weight: z.number(),
      time_weight: z
        .number()
        .describe("of the closeness to the times that the query names; 0 where it names none"),
    })
    .optional(),
});

export const recallReply = z.strictObject({
  memories: z
    .array(memoryReply.extend({ score: z.number(), why: whyReply.optional() }))
    .describe("best first"),
  space: z.string(),
  mode: z.enum(["hybrid", "vector", "words"]).describe("what was really used"),
  took_ms: z.number(),
  degraded: z.string().optional().describe("why less was done than asked for, where that is so"),
});
