/** How the calls of Prometheus's API are described. */
import { describeOperation } from "./openapi.ts";
import {
  buildInfoReply,
  instantQuery,
  labelsQuery,
  metadataQuery,
  metadataReply,
  rangeQuery,
  resultReply,
  seriesQuery,
  seriesReply,
  textsReply,
} from "./query.contract.ts";

type Method = "get" | "post";

const SERIES = { __name__: "engram_recall_operations_total", space_class: "small", outcome: "ok" };
const common = { tag: "Metrics", right: "read", spaced: false, errors: [] } as const;
const idOf = (method: Method, name: string): string => (method === "get" ? name : `${name}ByPost`);
const how = (method: Method): string =>
  method === "get" ? "" : " Parameters may come as a form (application/x-www-form-urlencoded).";
const ERRORS = "Errors have Prometheus's form: `status`, `errorType` and `error`.";

export function queryDetail(method: Method) {
  return describeOperation({
    ...common,
    id: idOf(method, "query"),
    summary: "Ask the history in PromQL, at one instant",
    description: `As a Prometheus server answers.${how(method)} ${ERRORS}`,
    query: instantQuery,
    replies: {
      200: {
        description: "The value",
        schema: resultReply,
        example: {
          status: "success",
          data: { resultType: "vector", result: [{ metric: SERIES, value: [1_760_000_000.5, "42"] }] },
        },
      },
    },
  });
}

export function queryRangeDetail(method: Method) {
  return describeOperation({
    ...common,
    id: idOf(method, "queryRange"),
    summary: "Ask the history in PromQL, over a range of time",
    description: `As a Prometheus server answers.${how(method)} ${ERRORS}`,
    query: rangeQuery,
    replies: {
      200: {
        description: "The values",
        schema: resultReply,
        example: {
          status: "success",
          data: {
            resultType: "matrix",
            result: [
              {
                metric: SERIES,
                values: [
                  [1_760_000_000, "42"],
                  [1_760_000_015, "45"],
                ],
              },
            ],
          },
        },
      },
    },
  });
}

export function labelsDetail(method: Method) {
  return describeOperation({
    ...common,
    id: idOf(method, "labelNames"),
    summary: "List the labels of the history's series",
    description: `${ERRORS}${how(method)}`,
    query: labelsQuery,
    replies: {
      200: {
        description: "Their names",
        schema: textsReply,
        example: { status: "success", data: ["__name__", "outcome", "space_class"] },
      },
    },
  });
}

export function labelValuesDetail() {
  return describeOperation({
    ...common,
    id: "labelValues",
    summary: "List the values of a label",
    description: ERRORS,
    path: { name: "name", description: "The label's name; `__name__` for the names of metrics" },
    query: labelsQuery,
    replies: {
      200: {
        description: "The values",
        schema: textsReply,
        example: { status: "success", data: ["ok", "failed"] },
      },
    },
  });
}

export function seriesDetail(method: Method) {
  return describeOperation({
    ...common,
    id: idOf(method, "findSeries"),
    summary: "Find series of the history",
    description: `${ERRORS}${how(method)}`,
    query: seriesQuery,
    replies: {
      200: {
        description: "Their labels",
        schema: seriesReply,
        example: { status: "success", data: [SERIES] },
      },
    },
  });
}

export function metadataDetail() {
  return describeOperation({
    ...common,
    id: "metricMetadata",
    summary: "Describe the metrics",
    description: ERRORS,
    query: metadataQuery,
    replies: {
      200: {
        description: "Kind, help and unit of each",
        schema: metadataReply,
        example: {
          status: "success",
          data: {
            engram_recall_operations_total: [{ type: "counter", help: "Recalls ended", unit: "" }],
          },
        },
      },
    },
  });
}

export function buildInfoDetail() {
  return describeOperation({
    ...common,
    id: "prometheusBuildInfo",
    summary: "Show the version of Prometheus whose API this is",
    description: "Clients choose their features by it. `applicationVersion` is the appliance's own.",
    replies: {
      200: {
        description: "The versions",
        schema: buildInfoReply,
        example: {
          status: "success",
          data: { version: "2.42.0", application: "engram-appliance", applicationVersion: "0.1.0" },
        },
      },
    },
  });
}
