/** What remember takes and answers. */
import { z } from "zod";
import { Contract } from "./contract.ts";
import type { ApiLimits } from "./settings.ts";
import {
  ackField,
  embeddingField,
  ifExistsField,
  tagField,
  timeField,
  timeReply,
  unitField,
} from "./shared.contract.ts";

/** The documented contracts, whose limits are those that are set. */
export function rememberContracts(limits: ApiLimits) {
  const memory = z.strictObject({
    content: z.string().min(1).describe(`the text; at most ${limits.contentBytesMax} bytes of UTF-8`),
    id: z
      .string()
      .min(1)
      .optional()
      .describe("any text up to 256 bytes, unique in its space; made where absent"),
    embedding: embeddingField
      .optional()
      .describe("numbers, or f32 little-endian in base64; made by the space's embedder where absent"),
    confidence: unitField.optional().describe("how sure the memory is, 0 to 1; 0.7 where absent"),
    timestamp: timeField.optional().describe("when it happened; now where absent"),
    tags: z.array(tagField).max(limits.tagCountMax).optional(),
    metadata: z
      .record(z.string(), z.unknown())
      .optional()
      .describe(`a JSON object, answered as it is; at most ${limits.metadataBytesMax} bytes`),
    ack: ackField
      .optional()
      .describe("how durable the write is before it is answered; fsync where absent: it is on the disk"),
    if_exists: ifExistsField.optional().describe("what to do when the id exists; error where absent"),
  });
  const batch = z.strictObject({
    memories: z.array(memory).min(1).max(limits.batchCountMax),
    ack: ackField.optional().describe("of every memory that names none"),
    if_exists: ifExistsField.optional().describe("of every memory that names none"),
  });
  const open = { embedding: z.unknown().optional() };
  return {
    memory,
    batch,
    /** while serving: the embedding is read by one loop, and the memories of a batch one by one */
    checkedMemory: new Contract(memory.extend(open)),
    checkedBatch: new Contract(batch.extend({ memories: z.array(z.unknown()) })),
    checkedBatchQuery: new Contract(batch.omit({ memories: true })),
  };
}

export type RememberContracts = ReturnType<typeof rememberContracts>;
export type CheckedMemory = z.output<RememberContracts["checkedMemory"]["schema"]>;

export const rememberedReply = z.strictObject({
  id: z.string(),
  space: z.string(),
  ack: ackField.describe("the durability that was really reached"),
  stored_at: timeReply,
  outcome: z.enum(["stored", "replaced", "kept"]),
  embedded: z.boolean().describe("false: stored without a vector, to be embedded later"),
});

/** A problem, as every error is answered (RFC 9457). */
export const problemReply = z.strictObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string().describe("stable; the one field to decide by"),
  detail: z.string(),
  expected: z.string().optional(),
  received: z.string().optional(),
  at: z.string().optional().describe("where in the request"),
  remedy: z.string().describe("what to do"),
  mismatches: z
    .array(z.strictObject({ at: z.string(), expected: z.string(), received: z.string() }))
    .optional()
    .describe("all that does not match the contract, where it is more than one thing"),
  retry_after_seconds: z.number().optional(),
  trace_id: z.string().optional().describe("of the request's trace; the log knows it by this"),
});

export const batchReply = z.strictObject({
  results: z
    .array(
      z.union([
        rememberedReply.extend({ status: z.literal(201) }),
        z.strictObject({ status: z.int(), error: problemReply }),
      ]),
    )
    .describe("one for each memory, in their order"),
  stored: z.int(),
  failed: z.int(),
});
