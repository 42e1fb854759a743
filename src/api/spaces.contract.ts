/** What the calls on memory spaces take and answer. */
import { z } from "zod";
import { FORGETTING_CURVE, type ForgettingCurve } from "../layout/forgetting-curve.ts";
import { Contract } from "./contract.ts";
import { EMBEDDING_DIMENSIONS_MAX, STABILITY_HOURS_MAX, STABILITY_HOURS_MIN } from "./settings.ts";
import { spaceNameField, timeReply } from "./shared.contract.ts";

const CURVES = Object.keys(FORGETTING_CURVE) as [ForgettingCurve, ...ForgettingCurve[]];

const forgettingBody = z.strictObject({
  curve: z.enum(CURVES).optional().describe("by which its memories fade; forgetting.curve where absent"),
  stability_hours: z
    .number()
    .min(STABILITY_HOURS_MIN)
    .max(STABILITY_HOURS_MAX)
    .optional()
    .describe("half-life of a memory that was never used; forgetting.stability_hours where absent"),
});

export const spaceBody = z.strictObject({
  name: spaceNameField,
  dimensions: z
    .int()
    .min(1)
    .max(EMBEDDING_DIMENSIONS_MAX)
    .optional()
    .describe("of its embeddings; embedding.dimensions where absent"),
  embedder: z
    .string()
    .min(1)
    .max(256)
    .optional()
    .describe("who makes its embeddings; the appliance's provider where absent"),
  language: z
    .string()
    .min(1)
    .max(32)
    .optional()
    .describe("of its words; spaces.default_language where absent"),
  forgetting: forgettingBody.optional(),
});
export const checkedSpace = new Contract(spaceBody);

export const spaceUpdateBody = z.strictObject({ forgetting: forgettingBody });
export const checkedSpaceUpdate = new Contract(spaceUpdateBody);

export const spaceReply = z.strictObject({
  name: z.string(),
  dimensions: z.int(),
  embedder: z.string().describe('provider and model, such as "hash/1"'),
  language: z.string(),
  quantization: z.string(),
  node: z.int().describe("the NUMA node its data lies on"),
  memories: z.int().describe("live ones, episodes among them"),
  episodes: z.int(),
  concepts: z.int(),
  unconsolidated: z.int().describe("memories that consolidation has not looked at yet"),
  forgotten: z.int(),
  indexed: z.int().describe("vectors in the graph"),
  tail: z.int().describe("vectors stored but not in the graph yet"),
  pending_embedding: z.int().describe("memories stored without a vector, to be embedded later"),
  unassociated: z
    .int()
    .describe("memories that were not bound to others yet, which happens in the background"),
  bindings: z.int().describe("bindings between memories"),
  terms: z.int().describe("different words"),
  memory_bytes: z.int(),
  created_at: timeReply,
  meaning: z
    .strictObject({
      version: z.int().describe("grows with every learning"),
      dimensions: z.int(),
      terms: z.int().describe("words that mean something"),
      covered: z.int().describe("memories and concepts that have a meaning by now, forgotten ones included"),
      learned_from: z.int().describe("memories there were when it was learned"),
      learned_at: timeReply,
      context: z
        .number()
        .describe("0 to 1: whether memories stored one after another were found to speak of the same things"),
    })
    .optional()
    .describe("what the space has learned of its words; absent while that is nothing"),
  forgetting: z.strictObject({
    curve: z.enum(CURVES),
    stability_hours: z.number().describe("half-life of a memory that was never used"),
    floor: z.number().describe("forgetting.floor: retention below which a memory has faded"),
  }),
});
export const spacesReply = z.strictObject({ spaces: z.array(spaceReply) });
export const spaceDeletedReply = z.strictObject({ name: z.string(), deleted: z.literal(true) });
