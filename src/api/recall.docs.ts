/** How recall is described. */
import { describeOperation } from "./openapi.ts";
import { recallBody, recallQuery, recallReply } from "./recall.contract.ts";

export const MEMORY_EXAMPLE = {
  id: "ada/moves/1",
  content: "Ada moved to Lisbon.",
  metadata: { source: "chat", turn: 17 },
  tags: ["ada", "places"],
  timestamp: "2026-01-31T12:00:00.000Z",
  stored_at: "2026-01-31T12:00:01.250Z",
  confidence: 0.9,
};

const DESCRIPTION =
  "Finds memories by meaning (vector search), by words (BM25), or by both, fused. Filters work inside the search: " +
  "`limit` memories are answered if there are as many that pass.";

const ERRORS = [
  "space-not-found",
  "dimensions-mismatch",
  "embedding-invalid",
  "embedding-required",
  "embedder-unavailable",
  "overloaded",
] as const;

const REPLY = {
  description: "What was found, best first",
  schema: recallReply,
  example: {
    memories: [
      {
        ...MEMORY_EXAMPLE,
        score: 0.8123,
        why: {
          vector: { similarity: 0.7411, rank: 1, via: "index" },
          words: { bm25: 4.21, rank: 1, terms: ["lisbon"] },
          fusion: { vector_weight: 0.3, words_weight: 0.7, time_weight: 0 },
        },
      },
    ],
    space: "default",
    mode: "hybrid",
    took_ms: 0.41,
  },
};

export function recallPostDetail() {
  return describeOperation({
    id: "recall",
    tag: "Memories",
    summary: "Recall",
    description: DESCRIPTION,
    right: "read",
    spaced: true,
    body: {
      schema: recallBody,
      examples: {
        text: { summary: "By text", value: { query: "Where does Ada live?" } },
        filtered: {
          summary: "Filtered and explained",
          value: { query: "Ada", tags: ["places"], from: "2026-01-01", limit: 5, explain: true },
        },
      },
    },
    replies: { 200: REPLY },
    errors: ERRORS,
  });
}

export function recallGetDetail() {
  return describeOperation({
    id: "recallByQuery",
    tag: "Memories",
    summary: "Recall, asked in the query string",
    description: `${DESCRIPTION} \`tags\` may be repeated.`,
    right: "read",
    spaced: true,
    query: recallQuery,
    replies: { 200: REPLY },
    errors: ERRORS,
  });
}
