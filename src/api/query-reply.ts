/**
 * Replies as Prometheus's HTTP API gives them: `{"status":"success","data":…}`, or the kind of error and its text.
 *
 * Samples are written straight into text: a dashboard's range is ten thousand pairs of a time and a quoted value.
 */
import { RequestError } from "../base/errors.ts";
import type { Labels } from "../observe/promql/labels.ts";
import { plainValueText, timeTextSeconds, valueText } from "../observe/promql/number-text.ts";
import { PromqlError, type PromqlErrorType } from "../observe/promql/promql-error.ts";
import type { QueryResult } from "../observe/promql/values.ts";
import { jsonResponse } from "./json-text.ts";

const STATUS: Readonly<Record<PromqlErrorType, number>> = { bad_data: 400, execution: 422, timeout: 503 };

/** @param dataText JSON */
export function success(dataText: string, warnings: readonly string[] = []): Response {
  const more = warnings.length === 0 ? "" : `,"warnings":${JSON.stringify(warnings)}`;
  return jsonResponse(`{"status":"success","data":${dataText}${more}}`);
}

/** The reply to a request that can not be answered; anything else than such an error is thrown again. */
export function failure(error: unknown): Response {
  if (error instanceof PromqlError) {
    const body = { status: "error", errorType: error.type, error: error.message };
    return jsonResponse(JSON.stringify(body), STATUS[error.type]);
  }
  // A body that can not be read: clients of this API know no other form of error.
  if (error instanceof RequestError && error.status < 500) {
    const body = { status: "error", errorType: "bad_data", error: error.message };
    return jsonResponse(JSON.stringify(body), error.status);
  }
  throw error;
}

export function resultText(result: QueryResult): string {
  switch (result.type) {
    case "scalar":
      // Prometheus writes scalars by other rules than samples.
      return `{"resultType":"scalar","result":[${result.atMs / 1000},"${plainValueText(result.value)}"]}`;
    case "string":
      return `{"resultType":"string","result":[${result.atMs / 1000},${JSON.stringify(result.value)}]}`;
    case "vector": {
      const samples = result.samples.map(
        ({ labels, value }) => `{"metric":${labelsText(labels)},"value":${pairText(result.atMs, value)}}`,
      );
      return `{"resultType":"vector","result":[${samples.join(",")}]}`;
    }
    case "matrix": {
      const series = result.series.map(({ labels, times, values }) => {
        const pairs = times.map((time, index) => pairText(time, values[index]!));
        return `{"metric":${labelsText(labels)},"values":[${pairs.join(",")}]}`;
      });
      return `{"resultType":"matrix","result":[${series.join(",")}]}`;
    }
  }
}

export function labelsText(labels: Labels): string {
  return JSON.stringify(labels);
}

function pairText(timeMs: number, value: number): string {
  return `[${timeTextSeconds(timeMs)},"${valueText(value)}"]`;
}
