/** How the calls that remember are described. */
import { describeOperation } from "./openapi.ts";
import { batchReply, type RememberContracts, rememberedReply } from "./remember.contract.ts";

export const REMEMBERED_EXAMPLE = {
  id: "0199a0c5-7d1e-7c30-9a54-5f0e3a1c2b7d",
  space: "default",
  ack: "fsync",
  stored_at: "2026-01-31T12:00:00.000Z",
  outcome: "stored",
  embedded: true,
};

export const REMEMBER_ERRORS = [
  "space-not-found",
  "space-limit-reached",
  "space-full",
  "dimensions-mismatch",
  "embedder-mismatch",
  "embedding-invalid",
  "embedding-required",
  "embedder-unavailable",
  "overloaded",
  "disk-full",
  "memory-exhausted",
  "content-too-large",
  "metadata-too-large",
] as const;

export function rememberDetail(contracts: RememberContracts) {
  return describeOperation({
    id: "remember",
    tag: "Memories",
    summary: "Remember one thing",
    description: "Stores a memory, durable as `ack` asks for, and finds it from then on.",
    right: "write",
    spaced: true,
    body: {
      schema: contracts.memory,
      examples: {
        text: { summary: "A text", value: { content: "Ada prefers tea to coffee." } },
        full: {
          summary: "With everything but an embedding",
          value: {
            content: "Ada moved to Lisbon.",
            id: "ada/moves/1",
            confidence: 0.9,
            timestamp: "2026-01-31T12:00:00Z",
            tags: ["ada", "places"],
            metadata: { source: "chat", turn: 17 },
            ack: "fsync",
            if_exists: "replace",
          },
        },
      },
    },
    replies: { 201: { description: "Remembered", schema: rememberedReply, example: REMEMBERED_EXAMPLE } },
    errors: [...REMEMBER_ERRORS, "memory-exists"],
  });
}

export function batchDetail(contracts: RememberContracts) {
  const failed = {
    status: 409,
    error: {
      type: "/api/v1/docs#memory-exists",
      title: "A memory with this id exists already",
      status: 409,
      code: "memory-exists",
      detail: 'A memory with the id "ada/moves/1" exists',
      remedy: 'Send "if_exists": "replace" or "keep", or another id',
    },
  };
  return describeOperation({
    id: "rememberBatch",
    tag: "Memories",
    summary: "Remember many things",
    description:
      "Stores the memories in their order, in one group, and answers for each of them. The group is as durable as the " +
      "strongest `ack` in it. As NDJSON (`application/x-ndjson`), `ack` and `if_exists` of the whole batch are given in " +
      "the query.",
    right: "write",
    spaced: true,
    query: contracts.checkedBatchQuery.schema,
    body: {
      schema: contracts.batch,
      examples: {
        two: {
          summary: "Two texts",
          value: {
            memories: [{ content: "Ada prefers tea." }, { content: "Ada moved to Lisbon.", tags: ["ada"] }],
          },
        },
      },
    },
    ndjsonExample: '{"content":"Ada prefers tea."}\n{"content":"Ada moved to Lisbon."}\n',
    replies: {
      201: {
        description: "All remembered",
        schema: batchReply,
        example: { results: [{ status: 201, ...REMEMBERED_EXAMPLE }], stored: 1, failed: 0 },
      },
      207: {
        description: "Some failed: look at each result",
        schema: batchReply,
        example: { results: [{ status: 201, ...REMEMBERED_EXAMPLE }, failed], stored: 1, failed: 1 },
      },
    },
    errors: [...REMEMBER_ERRORS, "batch-too-large"],
  });
}
