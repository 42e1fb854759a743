/** What recall takes and answers, and memories as they are answered everywhere. */
import { z } from "zod";
import { FILTER_TAGS_MAX } from "../layout/filter.ts";
import { BINDING_KINDS } from "../layout/metric-codes.ts";
import { conceptReply } from "./concepts.contract.ts";
import { Contract } from "./contract.ts";
import type { FieldForm } from "./query-fields.ts";
import { RECALL_CONCEPTS_MAX, RECALL_EF_MAX, RECALL_LIMIT_MAX } from "./settings.ts";
import {
  embeddingField,
  episodeDetails,
  kindField,
  kindsField,
  tagField,
  timeField,
  timeReply,
  unitField,
} from "./shared.contract.ts";

const share = z.number().min(0).max(1);
/** What a recall may ask of activation instead of the settings `activation`. */
const activationFields = {
  activation_seeds: z
    .int()
    .min(1)
    .max(64)
    .optional()
    .describe("best candidates that activation starts from; activation.seeds where absent"),
  activation_hops: z
    .int()
    .min(0)
    .max(6)
    .optional()
    .describe("bindings away from a seed that it reaches, 0 to spread nothing; activation.hops where absent"),
  activation_decay: share
    .optional()
    .describe("what is left of it after each hop; activation.decay where absent"),
  activation_threshold: share
    .optional()
    .describe("below which a memory passes nothing on; activation.threshold where absent"),
  activation_visits: z
    .int()
    .min(1)
    .max(20_000)
    .optional()
    .describe("bindings followed at most; activation.visits where absent"),
  activation_time_ms: z
    .number()
    .min(0.01)
    .max(1000)
    .optional()
    .describe("after which it ends with what it has; activation.time_ms where absent"),
  activation_weight: z
    .number()
    .min(0)
    .max(20)
    .optional()
    .describe("its worth beside vectors and words; activation.weight where absent"),
  speaker_weight: z
    .number()
    .min(0)
    .max(20)
    .optional()
    .describe(
      "how much more counts what someone said whom the query names; activation.speaker_weight where absent",
    ),
};

export const recallBody = z.strictObject({
  query: z.string().min(1).max(65_536).optional().describe("what to look for, as text"),
  embedding: embeddingField
    .optional()
    .describe("what to look for, as a vector; the query is embedded where absent"),
  limit: z.int().min(1).max(RECALL_LIMIT_MAX).optional().describe("most memories answered; 10 where absent"),
  mode: z
    .enum(["hybrid", "vector", "words", "spreading"])
    .optional()
    .describe(
      "hybrid where absent: by meaning and by words, fused, and by what that is bound to; spreading: ranked by activation alone",
    ),
  tags: z.array(tagField).max(FILTER_TAGS_MAX).optional().describe("only memories that carry all of these"),
  from: timeField.optional().describe("only memories of this time or later"),
  to: timeField.optional().describe("only memories of this time or earlier"),
  min_confidence: unitField.optional().describe("only memories at least this sure"),
  as_of: timeField
    .optional()
    .describe(
      "as memories stood then: what was stored later is not seen, and ages and uses count to then; now where absent",
    ),
  fading: z
    .enum(["include", "exclude"])
    .optional()
    .describe("whether memories that have faded below forgetting.floor are answered; include where absent"),
  threshold: unitField.optional().describe("only memories with at least this score"),
  meaning: z
    .boolean()
    .optional()
    .describe(
      "whether what the space has learned of its words counts in a hybrid recall; it does where absent",
    ),
  kinds: kindsField.optional().describe("only memories of these kinds; all but concepts where absent"),
  concepts: z
    .int()
    .min(0)
    .max(RECALL_CONCEPTS_MAX)
    .optional()
    .describe(
      "concepts answered beside the memories, at most, where the recall does not filter; 3 where absent",
    ),
  explain: z.boolean().optional().describe("whether each memory says why it came"),
  ef: z
    .int()
    .min(1)
    .max(RECALL_EF_MAX)
    .optional()
    .describe(
      "candidates the graph search looks at: more find more and take longer; index.ef_search where absent",
    ),
  ...activationFields,
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
  kinds: "texts",
  concepts: "number",
  explain: "flag",
  ef: "number",
  as_of: "time",
  fading: "text",
  activation_seeds: "number",
  activation_hops: "number",
  meaning: "flag",
  activation_decay: "number",
  activation_threshold: "number",
  activation_visits: "number",
  activation_time_ms: "number",
  activation_weight: "number",
  speaker_weight: "number",
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
  kind: kindField,
  importance: z.number().optional().describe("of an episode or a concept, 0 to 1"),
  valence: z.number().optional().describe("of an episode or a concept, -1 to 1"),
  episode: episodeDetails.optional().describe("of an episode: what its storer said beside what happened"),
  concept: z.record(z.string(), z.unknown()).optional().describe("of a concept"),
});

const factorReply = z.number().describe("what the score was multiplied by");

/** What age, use, competition and context did to a score. */
const strengthReplies = {
  strength: z
    .strictObject({
      retention: z.number().describe("what is left of it, 0 to 1, on the space's forgetting curve"),
      age_hours: z.number().describe("since it was used last, or stored"),
      stability_hours: z.number().describe("half-life, stretched by importance and feeling"),
      uses: z.int(),
      factor: factorReply,
      used_since: z
        .boolean()
        .optional()
        .describe("used after as_of: what it was before is not known any more"),
    })
    .optional(),
  interference: z
    .strictObject({
      share: z.number().describe("of its strength that memories like it, near in time, leave it"),
      proactive: z.number().describe("part of the loss that older ones take"),
      retroactive: z.number().describe("part of the loss that newer ones take"),
      factor: factorReply,
    })
    .optional(),
  priming: z
    .strictObject({
      primed: z.number().describe("0 to 1: by neighbours that were used a moment ago"),
      by: z.int().describe("how many"),
      factor: factorReply,
    })
    .optional(),
  reconsolidation: z
    .strictObject({
      labile: z.boolean().describe("whether replacing it now would change it instead of making a new trace"),
      until: timeReply,
    })
    .optional(),
};

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
  meaning: z
    .strictObject({ similarity: z.number().describe("cosine, by what the space learned of its words") })
    .optional(),
  fusion: z
    .strictObject({
      vector_weight: z.number(),
      words_weight: z.number(),
      meaning_weight: z
        .number()
        .describe("of what the space learned of its words; 0 while that is nothing, or the setting is off"),
      time_weight: z
        .number()
        .describe("of the closeness to the times that the query names; 0 where it names none"),
    })
    .optional(),
  ...strengthReplies,
  activation: z
    .strictObject({
      received: z.number().describe("in units of what the best candidate started with"),
      path: z
        .array(
          z.strictObject({
            id: z.string(),
            kind: z.enum(BINDING_KINDS).optional(),
            strength: z.number().optional(),
          }),
        )
        .describe(
          "from a memory that was found to this one; kind and strength are those of the binding to it",
        ),
    })
    .optional()
    .describe("what came along bindings, and on which way most of it"),
  speaker: z.string().optional().describe("who said it, where the query names that one"),
});

export const recallReply = z.strictObject({
  memories: z
    .array(memoryReply.extend({ score: z.number(), why: whyReply.optional() }))
    .describe("best first"),
  space: z.string(),
  mode: z.enum(["hybrid", "vector", "words", "spreading"]).describe("what was really used"),
  took_ms: z.number(),
  as_of: z
    .strictObject({
      at: timeReply,
      used_since: z.int().describe("memories answered that were used after that moment"),
      notes: z.array(z.string()).describe("what can not be told of that moment any more"),
    })
    .optional(),
  degraded: z.string().optional().describe("why less was done than asked for, where that is so"),
  concepts: z
    .array(conceptReply.extend({ score: z.number() }))
    .optional()
    .describe(
      "what the space knows about it, best first; absent where there are no concepts, or the recall filters",
    ),
  memory_systems: z
    .strictObject({ fast: z.number(), slow: z.number() })
    .optional()
    .describe(
      "how much of this recall rests on single episodes, and how much on what they have in common; both make 1",
    ),
  activation: z
    .strictObject({
      seeds: z.int(),
      visited: z.int().describe("bindings followed"),
      hops: z.int(),
      reached: z.int().describe("memories it touched, the seeds among them"),
      budget_exhausted: z
        .enum(["none", "visits", "time"])
        .describe("the budget that ended it early; what it had by then counts"),
    })
    .optional()
    .describe("how activation spread; absent where nothing is bound, or none was to spread"),
});
