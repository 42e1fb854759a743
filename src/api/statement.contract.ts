/** What a statement of the query language is sent as, and what it is answered with. */
import { z } from "zod";
import { STATEMENT_CHARS_MAX } from "../engine/statement/parse-statement.ts";
import { Contract } from "./contract.ts";
import { memoryReply, recallReply } from "./recall.contract.ts";
import { unitField } from "./shared.contract.ts";
import { completeReply } from "./thought.contract.ts";

const PARAMETER_CHARS_MAX = 65_536;

export const statementBody = z.strictObject({
  statement: z.string().min(1).max(STATEMENT_CHARS_MAX).describe("one statement of the query language"),
  parameters: z
    .record(z.string(), z.union([z.string().max(PARAMETER_CHARS_MAX), z.number()]))
    .optional()
    .describe("a value for each $name of the statement"),
});
export const checkedStatement = new Contract(statementBody);

const valueReply = z.union([z.string(), z.array(z.string())]);
const pathReply = z.array(
  z.strictObject({ id: z.string(), kind: z.string().optional(), strength: z.number().optional() }),
);

/** Each verb answers in a field of its own. */
export const statementReply = z.strictObject({
  verb: z.enum(["recall", "spread", "complete", "consolidate", "imagine", "predict"]),
  space: z.string(),
  recall: recallReply.optional().describe("of RECALL, and of SPREAD FROM a text"),
  spread: z
    .strictObject({
      reached: z.array(
        z.strictObject({ memory: memoryReply, activation: z.number(), path: pathReply.optional() }),
      ),
      activation: z.strictObject({
        seeds: z.int(),
        visited: z.int(),
        hops: z.int(),
        reached: z.int(),
        budget_exhausted: z.enum(["none", "visits", "time"]),
      }),
    })
    .optional()
    .describe("of SPREAD FROM MEMORY: the memories reached, most activation first"),
  complete: completeReply.optional(),
  consolidate: z.record(z.string(), z.unknown()).optional().describe("as POST /api/v1/consolidate answers"),
  imagine: z
    .strictObject({
      scenes: z.array(
        z.strictObject({
          parts: z.array(z.strictObject({ field: z.string(), value: valueReply, source: z.string() })),
          plausibility: unitField,
        }),
      ),
      took_ms: z.number(),
    })
    .optional()
    .describe(
      "of IMAGINE: scenes that did not happen, each part with the id of the episode it is taken from",
    ),
  predict: z
    .strictObject({
      situations: z.array(z.strictObject({ id: z.string(), weight: unitField })),
      predictions: z.array(
        z.strictObject({
          memory: memoryReply,
          probability: unitField.describe("share of the evidence that points to it"),
          delay_ms: z.number().describe("after the situation, on average"),
          evidence: z.array(z.string()).describe("ids of the situations it followed"),
          by: z.array(z.enum(["cause", "temporal", "session"])),
        }),
      ),
      took_ms: z.number(),
    })
    .optional(),
});
