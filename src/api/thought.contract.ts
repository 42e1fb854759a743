/** What recognition and completion take and answer. */
import { z } from "zod";
import { FIELDS } from "../cognition/completion.ts";
import { Contract } from "./contract.ts";
import { embeddingField, kindsField, nameField, PARTICIPANTS_MAX, unitField } from "./shared.contract.ts";

const TEXT_CHARS_MAX = 65_536;
const ALTERNATIVES_MAX = 5;

export const recognizeBody = z.strictObject({
  content: z
    .string()
    .min(1)
    .max(TEXT_CHARS_MAX)
    .optional()
    .describe("what may have been met before, as text"),
  embedding: embeddingField.optional().describe("the same as a vector; the content is embedded where absent"),
  kinds: kindsField
    .optional()
    .describe("only memories of these kinds are asked; all but concepts where absent"),
});
export const checkedRecognize = new Contract(recognizeBody.extend({ embedding: z.unknown().optional() }));

export const recognizeReply = z.strictObject({
  recognized: z.enum(["old", "new"]),
  probability: unitField.describe("that it was met before"),
  confidence: unitField.describe("in the answer; 0 is a guess"),
  recollection: unitField.describe("what is left of a memory of this very thing; 0 where there is none"),
  familiarity: unitField.describe("how strongly all that is like it answers"),
  echo: z.number().describe("echo intensity: 1 is one whole memory of it"),
  unrelated_similarity: z.number().describe("cosine that memories taken anywhere have with it"),
  traces: z
    .array(
      z.strictObject({
        id: z.string(),
        similarity: z.number(),
        retention: unitField,
        same: z.boolean().describe("the same text, case and spaces aside"),
      }),
    )
    .describe("memories that answer it, the most similar first"),
  space: z.string(),
  took_ms: z.number(),
});

const fragmentField = z.string().min(1).max(TEXT_CHARS_MAX);
export const completeBody = z.strictObject({
  what: fragmentField.optional(),
  who: z
    .union([nameField, z.array(nameField).min(1).max(PARTICIPANTS_MAX)], {
      error: `expected a name, or an array of 1 to ${PARTICIPANTS_MAX} names`,
    })
    .optional(),
  where: nameField.optional(),
  when: z.string().min(4).max(64).optional().describe("a day as 2026-01-31, or a moment with its hour"),
  why: fragmentField.optional(),
  how: fragmentField.optional(),
  alternatives: z
    .int()
    .min(0)
    .max(ALTERNATIVES_MAX)
    .optional()
    .describe("most other values answered for a field; 5 where absent"),
});
export const checkedComplete = new Contract(completeBody);

const valueReply = z.union([z.string(), z.array(z.string())]);
const fieldReply = z.enum(FIELDS);
export const completeReply = z.strictObject({
  episode: z
    .partialRecord(fieldReply, valueReply)
    .describe("the fragment with the fields that were filled in"),
  filled: z.array(
    z.strictObject({
      field: fieldReply,
      value: valueReply,
      confidence: unitField,
      sources: z.array(z.string()).describe("ids of the episodes it is taken from, heaviest first"),
      alternatives: z.array(
        z.strictObject({ value: valueReply, share: unitField, sources: z.array(z.string()) }),
      ),
    }),
  ),
  unknown: z.array(fieldReply).describe("fields that none of the episodes tells"),
  confidence: unitField.describe("over the filled fields"),
  plausibility: unitField.describe(
    "whether the filled fields belong together; 1 where one episode tells them all",
  ),
  evidence: unitField.describe("of the fragment, how much the best episode holds"),
  space: z.string(),
  took_ms: z.number(),
});
