/**
 * The history, asked as one asks Prometheus: `/api/v1/query`, `query_range`, `labels`, `label/<name>/values`, `series`,
 * `metadata` and `status/buildinfo`. Grafana and everything else that speaks to a Prometheus server works with it.
 *
 * All but the last two take GET, and POST with a form. Errors of a query have Prometheus's form; access is refused as
 * in every other call.
 */
import { Elysia } from "elysia";
import type { Labels } from "../observe/promql/labels.ts";
import { isLabelName } from "../observe/promql/labels.ts";
import { PromqlError } from "../observe/promql/promql-error.ts";
import { type QueryOptions, queryInstant, queryRange } from "../observe/promql/query.ts";
import type { ApiContext } from "./api-context.ts";
import {
  buildInfoDetail,
  labelsDetail,
  labelValuesDetail,
  metadataDetail,
  queryDetail,
  queryRangeDetail,
  seriesDetail,
} from "./query.docs.ts";
import { durationOf, invalid, limitOf, parametersOf, selectorsOf, timeOf } from "./query-parameters.ts";
import { failure, labelsText, resultText, success } from "./query-reply.ts";
import { pathOf } from "./request-watch.ts";
import { type Call, guarded } from "./route.ts";

const READ = { right: "read", spaced: false } as const;
const TIMEOUT_MS_MAX = 30_000;
const VALUES_PREFIX = "/api/v1/label/";
const VALUES_SUFFIX = "/values";
/** The version of Prometheus whose answers are given, which clients choose their features by. */
const PROMETHEUS_VERSION = "2.42.0";

type Answer = (parameters: URLSearchParams, call: Call) => Response | Promise<Response>;

export function queryRoutes(api: ApiContext) {
  const { history, metadata, clock } = api.watch;

  const handle = (answer: Answer) =>
    guarded(api, READ, async (call) => {
      try {
        return await answer(await parametersOf(call.request, api.limits), call);
      } catch (error) {
        return failure(error);
      }
    });

  const optionsOf = (parameters: URLSearchParams): QueryOptions => {
    if (parameters.has("lookback_delta")) {
      throw invalid("lookback_delta", "it is not supported by this appliance: the lookback is 5m");
    }
    return {
      store: history,
      clock,
      timeoutMs: Math.min(TIMEOUT_MS_MAX, durationOf(parameters, "timeout", TIMEOUT_MS_MAX)),
      yieldToOthers: () => new Promise((resolve) => setImmediate(resolve)),
    };
  };

  const query: Answer = (parameters) => {
    const atMs = timeOf(parameters, "time", clock.wallMs());
    const result = queryInstant(parameters.get("query") ?? "", atMs, optionsOf(parameters));
    return success(resultText(result));
  };

  const range: Answer = async (parameters) => {
    const startMs = timeOf(parameters, "start");
    const endMs = timeOf(parameters, "end");
    if (endMs < startMs) throw invalid("end", "end timestamp must not be before start time");
    const stepMs = Math.round(durationOf(parameters, "step"));
    if (stepMs <= 0) {
      throw invalid(
        "step",
        "zero or negative query resolution step widths are not accepted. Try a positive integer",
      );
    }
    const instants = { startMs, endMs, stepMs };
    return success(
      resultText(await queryRange(parameters.get("query") ?? "", instants, optionsOf(parameters))),
    );
  };

  const found = (parameters: URLSearchParams): Labels[] => {
    const fromMs = timeOf(parameters, "start", Number.NEGATIVE_INFINITY);
    const toMs = timeOf(parameters, "end", Number.POSITIVE_INFINITY);
    return history.seriesBetween(selectorsOf(parameters), fromMs, toMs);
  };

  const labels: Answer = (parameters) => {
    const names = found(parameters).flatMap(({ pairs }) => pairs.map(([name]) => name));
    return limited(texts(names), limitOf(parameters));
  };

  const labelValues: Answer = (parameters, { request }) => {
    const name = decodeURIComponent(pathOf(request.url).slice(VALUES_PREFIX.length, -VALUES_SUFFIX.length));
    if (!isLabelName(name)) throw new PromqlError("bad_data", `invalid label name: "${name.slice(0, 100)}"`);
    const values = found(parameters).map((each) => each.get(name));
    return limited(texts(values.filter((value) => value !== "")), limitOf(parameters));
  };

  const series: Answer = (parameters) => {
    if (!parameters.has("match[]")) throw new PromqlError("bad_data", "no match[] parameter provided");
    return limited(found(parameters).map(labelsText), limitOf(parameters));
  };

  const metadataOf: Answer = (parameters) => {
    const wanted = parameters.get("metric") ?? "";
    const all = [...metadata].filter(([name]) => wanted === "" || name === wanted);
    const shown = all.slice(0, limitOf(parameters));
    return success(JSON.stringify(Object.fromEntries(shown.map(([name, each]) => [name, [each]]))));
  };

  const buildInfo = (): Response =>
    success(
      JSON.stringify({
        version: PROMETHEUS_VERSION,
        revision: "",
        branch: "",
        buildUser: "",
        buildDate: "",
        goVersion: "",
        application: "engram-appliance",
        applicationVersion: api.version,
      }),
    );

  const PLAIN = { parse: "none" } as const;
  return new Elysia({ name: "query" })
    .get("/api/v1/query", handle(query), { detail: queryDetail("get") })
    .post("/api/v1/query", handle(query), { ...PLAIN, detail: queryDetail("post") })
    .get("/api/v1/query_range", handle(range), { detail: queryRangeDetail("get") })
    .post("/api/v1/query_range", handle(range), { ...PLAIN, detail: queryRangeDetail("post") })
    .get("/api/v1/labels", handle(labels), { detail: labelsDetail("get") })
    .post("/api/v1/labels", handle(labels), { ...PLAIN, detail: labelsDetail("post") })
    .get("/api/v1/label/:name/values", handle(labelValues), { detail: labelValuesDetail() })
    .get("/api/v1/series", handle(series), { detail: seriesDetail("get") })
    .post("/api/v1/series", handle(series), { ...PLAIN, detail: seriesDetail("post") })
    .get("/api/v1/metadata", handle(metadataOf), { detail: metadataDetail() })
    .get("/api/v1/status/buildinfo", guarded(api, READ, buildInfo), { detail: buildInfoDetail() });
}

/** Distinct texts in order, as JSON. */
function texts(values: readonly string[]): string[] {
  return [...new Set(values)].sort().map((value) => JSON.stringify(value));
}

function limited(items: readonly string[], count: number): Response {
  const warnings = items.length > count ? ["results truncated due to limit"] : [];
  return success(`[${items.slice(0, count).join(",")}]`, warnings);
}
