/** How `GET /metrics` is described. */
import { z } from "zod";
import { describeOperation } from "./openapi.ts";

const EXAMPLE = `# HELP engram_recall_operations_total Recalls ended
# TYPE engram_recall_operations_total counter
engram_recall_operations_total{space_class="small",outcome="ok"} 42
`;

export function metricsDetail() {
  return describeOperation({
    id: "metrics",
    tag: "System",
    summary: "All metrics",
    description:
      "For Prometheus and what reads its formats: text, OpenMetrics, or, with native histograms, protobuf, by the " +
      "header Accept. Sums over threads are at most a second old.",
    right: "read",
    spaced: false,
    replies: {
      200: {
        description: "The metrics of this moment",
        schema: z.string(),
        example: EXAMPLE,
        mediaTypes: ["text/plain", "application/openmetrics-text"],
      },
    },
    errors: [],
  });
}
