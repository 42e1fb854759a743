/** How recognition and completion are described. */
import { describeOperation } from "./openapi.ts";
import { completeBody, completeReply, recognizeBody, recognizeReply } from "./thought.contract.ts";

const ERRORS = ["space-not-found", "embedding-required", "embedder-unavailable", "overloaded"] as const;

export function recognizeDetail() {
  return describeOperation({
    id: "recognize",
    tag: "Mind",
    summary: "Say whether something was met before",
    description:
      "Old or new, from two sources: the recollection of this very thing, and the familiarity of all that is like it. " +
      "What only resembles memories can be taken for one, as people do; the probability says how surely.",
    right: "read",
    spaced: true,
    body: {
      schema: recognizeBody,
      examples: { text: { summary: "A text", value: { content: "Ada moved to Lisbon." } } },
    },
    replies: {
      200: {
        description: "Old or new",
        schema: recognizeReply,
        example: {
          recognized: "old",
          probability: 0.97,
          confidence: 0.94,
          recollection: 0.93,
          familiarity: 0.71,
          echo: 1.74,
          unrelated_similarity: 0.02,
          traces: [{ id: "ada/moves/1", similarity: 1, retention: 0.93, same: true }],
          space: "default",
          took_ms: 0.31,
        },
      },
    },
    errors: [...ERRORS, "dimensions-mismatch", "embedding-invalid"],
  });
}

export function completeDetail() {
  return describeOperation({
    id: "complete",
    tag: "Mind",
    summary: "Complete a fragment of an episode",
    description:
      "Fills in what is missing from the episodes that hold what is given, with the sources of each field, other values " +
      "that were possible, and whether the whole is plausible. Nothing is stored. Too little to go by is answered 422, " +
      "with the fields that would help.",
    right: "read",
    spaced: true,
    body: {
      schema: completeBody,
      examples: { place: { summary: "Who was where", value: { who: "Ada", where: "Lisbon" } } },
    },
    replies: {
      200: {
        description: "The episode as it may have been",
        schema: completeReply,
        example: {
          episode: {
            who: "Ada",
            where: "Lisbon",
            what: "Ada signed the contract.",
            how: "With a borrowed pen",
          },
          filled: [
            {
              field: "what",
              value: "Ada signed the contract.",
              confidence: 0.81,
              sources: ["signed"],
              alternatives: [{ value: "Ada looked at flats.", share: 0.1, sources: ["flats"] }],
            },
            {
              field: "how",
              value: "With a borrowed pen",
              confidence: 0.9,
              sources: ["signed"],
              alternatives: [],
            },
          ],
          unknown: ["why"],
          confidence: 0.85,
          plausibility: 1,
          evidence: 0.92,
          space: "default",
          took_ms: 0.8,
        },
      },
    },
    errors: [...ERRORS, "completion-insufficient"],
  });
}
