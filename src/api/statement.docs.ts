/** How the query language is described. */
import { describeOperation } from "./openapi.ts";
import { MEMORY_EXAMPLE } from "./recall.docs.ts";
import { statementBody, statementReply } from "./statement.contract.ts";

export function statementDetail() {
  return describeOperation({
    id: "queryEngram",
    tag: "Mind",
    summary: "Carry out a statement of the query language",
    description:
      "`RECALL`, `SPREAD`, `COMPLETE`, `CONSOLIDATE`, `IMAGINE` and `PREDICT`; docs/reference/query-language.md has the " +
      "grammar. An error names line and column and says what was expected there. `CONSOLIDATE` needs the right `admin`, " +
      "all others change nothing.",
    right: "read",
    spaced: true,
    body: {
      schema: statementBody,
      examples: {
        recall: {
          summary: "With a parameter",
          value: { statement: "RECALL $q WHERE kind = episode LIMIT 3", parameters: { q: "Ada's contract" } },
        },
        predict: {
          summary: "What tends to follow",
          value: { statement: 'PREDICT AFTER "the kettle whistles" WITHIN "1h"' },
        },
      },
    },
    replies: {
      200: {
        description: "What the verb answers, in the field of its name",
        schema: statementReply,
        example: {
          verb: "predict",
          space: "default",
          predict: {
            situations: [{ id: "kettle/1", weight: 1 }],
            predictions: [
              {
                memory: MEMORY_EXAMPLE,
                probability: 0.8,
                delay_ms: 60_000,
                evidence: ["kettle/1"],
                by: ["temporal"],
              },
            ],
            took_ms: 1.2,
          },
        },
      },
    },
    errors: [
      "statement-invalid",
      "space-not-found",
      "memory-not-found",
      "activation-off",
      "completion-insufficient",
      "imagination-insufficient",
      "right-missing",
    ],
  });
}
