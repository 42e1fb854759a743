/** What the calls on memory spaces take and answer. */
import { z } from "zod";
import { Contract } from "./contract.ts";
import { EMBEDDING_DIMENSIONS_MAX } from "./settings.ts";
import { spaceNameField, timeReply } from "./shared.contract.ts";

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
});
export const checkedSpace = new Contract(spaceBody);

export const spaceReply = z.strictObject({
  name: z.string(),
  dimensions: z.int(),
  embedder: z.string().describe('provider and model, such as "hash/1"'),
  language: z.string(),
  quantization: z.string(),
  node: z.int().describe("the NUMA node its data lies on"),
  memories: z.int(),
  forgotten: z.int(),
  indexed: z.int().describe("vectors in the graph"),
  tail: z.int().describe("vectors stored but not in the graph yet"),
  pending_embedding: z.int().describe("memories stored without a vector, to be embedded later"),
  terms: z.int().describe("different words"),
  memory_bytes: z.int(),
  created_at: timeReply,
});
export const spacesReply = z.strictObject({ spaces: z.array(spaceReply) });
export const spaceDeletedReply = z.strictObject({ name: z.string(), deleted: z.literal(true) });
