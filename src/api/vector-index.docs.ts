/** How the calls on a vector index are described. */
import { describeOperation } from "./openapi.ts";
import { indexQuery, indexReply, rebuildBody } from "./vector-index.contract.ts";

const INDEX_EXAMPLE = {
  space: "default",
  M: 16,
  ef_construction: 128,
  ef_search: 64,
  quantization: "i8",
  indexed: 49_000,
  tail: 1_000,
  bytes: 98_000_000,
};

export function showIndexDetail() {
  return describeOperation({
    id: "showIndex",
    tag: "Index",
    summary: "Show the vector index of a space",
    right: "read",
    spaced: true,
    query: indexQuery,
    replies: { 200: { description: "The index", schema: indexReply, example: INDEX_EXAMPLE } },
    errors: ["space-not-found"],
  });
}

export function rebuildDetail() {
  return describeOperation({
    id: "rebuildIndex",
    tag: "Index",
    summary: "Rebuild the vector index of a space",
    description: "Goes on behind while the old index serves; `GET /api/v1/index` tells how far it is.",
    right: "admin",
    spaced: true,
    query: indexQuery,
    body: {
      schema: rebuildBody,
      examples: { denser: { summary: "A denser graph", value: { M: 32, ef_construction: 400 } } },
    },
    replies: {
      202: {
        description: "Begun",
        schema: indexReply,
        example: { ...INDEX_EXAMPLE, rebuild: { done: 0, total: 50_000, M: 32, ef_construction: 400 } },
      },
    },
    errors: ["space-not-found", "overloaded"],
  });
}
