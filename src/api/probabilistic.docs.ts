/** How the probabilistic query is described. */
import { describeOperation } from "./openapi.ts";
import { probabilisticQuery, probabilisticReply } from "./probabilistic.contract.ts";
import { MEMORY_EXAMPLE } from "./recall.docs.ts";

export function probabilisticDetail() {
  return describeOperation({
    id: "queryProbabilistic",
    tag: "Memories",
    summary: "Recall with probabilities",
    description:
      "A hybrid recall whose memories come with the probability that they answer the query, its 95 % interval, the " +
      "evidence it rests on and what makes it unsure. Probabilities are calibrated: of memories that are said to " +
      "answer with 0.3, three of ten do. `tags` may be repeated.",
    right: "read",
    spaced: true,
    query: probabilisticQuery,
    replies: {
      200: {
        description: "What was found, and how sure it is",
        schema: probabilisticReply,
        example: {
          results: [
            {
              ...MEMORY_EXAMPLE,
              score: 0.8123,
              probability: 0.69,
              interval: { low: 0.39, high: 0.89, level: 0.95 },
              evidence: [
                { kind: "lead", value: 0.71 },
                { kind: "coverage", value: 0.5 },
                { kind: "similarity", value: 0.7411 },
                { kind: "words", value: 4.21, detail: ["lisbon"] },
                { kind: "retention", value: 0.62 },
                { kind: "uses", value: 2 },
                { kind: "storer", value: 0.9 },
              ],
              uncertainty: ["approximate_index"],
            },
          ],
          expected_answers: 0.69,
          space: "default",
          calibration: { examples: 4310, questions: 431 },
          took_ms: 0.52,
        },
      },
    },
    errors: ["space-not-found", "embedding-required", "overloaded"],
  });
}
