/** What a probabilistic query takes and answers. */
import { z } from "zod";
import { DOUBTS } from "../engine/assess.ts";
import { FILTER_TAGS_MAX } from "../layout/filter.ts";
import { Contract } from "./contract.ts";
import type { FieldForm } from "./query-fields.ts";
import { memoryReply } from "./recall.contract.ts";
import { RECALL_LIMIT_MAX } from "./settings.ts";
import { tagField, timeField, timeReply, unitField } from "./shared.contract.ts";

export const probabilisticQuery = z.strictObject({
  query: z.string().min(1).max(65_536).describe("what to look for, as text"),
  limit: z.int().min(1).max(RECALL_LIMIT_MAX).optional().describe("most memories answered; 10 where absent"),
  tags: z.array(tagField).max(FILTER_TAGS_MAX).optional().describe("only memories that carry all of these"),
  from: timeField.optional().describe("only memories of this time or later"),
  to: timeField.optional().describe("only memories of this time or earlier"),
  as_of: timeField.optional().describe("as memories stood then; now where absent"),
  min_probability: unitField.optional().describe("only memories at least this likely to answer the query"),
});
export const PROBABILISTIC_QUERY_FORMS: Readonly<
  Record<keyof z.output<typeof probabilisticQuery>, FieldForm>
> = {
  query: "text",
  limit: "number",
  tags: "texts",
  from: "time",
  to: "time",
  as_of: "time",
  min_probability: "number",
};
export const checkedProbabilistic = new Contract(probabilisticQuery);

const doubtReply = z.enum(DOUBTS as [string, ...string[]]);

export const probabilisticReply = z.strictObject({
  results: z
    .array(
      memoryReply.extend({
        score: z.number(),
        probability: z.number().describe("that it answers the query, calibrated"),
        interval: z.strictObject({
          low: z.number(),
          high: z.number(),
          level: z.literal(0.95),
        }),
        evidence: z
          .array(
            z.strictObject({
              kind: z.enum(["lead", "coverage", "similarity", "words", "retention", "uses", "storer"]),
              value: z.number(),
              detail: z.array(z.string()).optional().describe("of words: those of the query that it says"),
            }),
          )
          .describe(
            "lead: how far its score stands above the tenth, the best being 1; coverage: part of the words of the query that it says; similarity: cosine; words: BM25; storer: confidence it was stored with",
          ),
        uncertainty: z.array(doubtReply).describe("what widens its interval"),
      }),
    )
    .describe("in the order of recall"),
  expected_answers: z.number().describe("sum of the probabilities: how many of them answer, on average"),
  space: z.string(),
  as_of: timeReply.optional(),
  calibration: z.strictObject({
    examples: z.int().describe("answers that the calibration was made from"),
    questions: z.int(),
  }),
  took_ms: z.number(),
});
