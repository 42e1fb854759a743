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
  kind: "memory",
};

const DESCRIPTION =
  "Finds memories by meaning (vector search), by words (BM25), or by both, fused; then activation spreads from the best " +
  "along bindings, and brings what belongs to them. Filters work inside the search: " +
  "`limit` memories are answered if there are as many that pass.";

const ERRORS = [
  "space-not-found",
  "activation-off",
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
          meaning: { similarity: 0.6834 },
          fusion: { vector_weight: 0.12, words_weight: 0.28, meaning_weight: 0.6, time_weight: 0 },
          strength: { retention: 0.62, age_hours: 30.5, stability_hours: 168, uses: 2, factor: 0.943 },
          interference: { share: 0.91, proactive: 0.06, retroactive: 0.03, factor: 0.9955 },
          priming: { primed: 0, by: 0, factor: 1 },
          reconsolidation: { labile: false, until: "2026-01-31T18:00:00.000Z" },
          activation: {
            received: 0.21,
            path: [{ id: "ada/moves/0" }, { id: "ada/moves/1", kind: "temporal", strength: 1 }],
          },
        },
      },
    ],
    space: "default",
    mode: "hybrid",
    took_ms: 0.41,
    activation: { seeds: 20, visited: 312, hops: 3, reached: 96, budget_exhausted: "none" },
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
