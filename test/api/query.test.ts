/** Prometheus's HTTP API over the history: parameters, forms, replies and errors as its clients expect them. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { allMatch } from "../../src/observe/promql/matcher.ts";
import type { SeriesStore } from "../../src/observe/promql/samples.ts";
import { localWatch } from "../observe/local-watch.ts";
import { startPrometheus, whyNoPrometheus } from "../observe/prometheus-server.ts";
import {
  ArrayStore,
  END_MS,
  madeUpSeries,
  openMetricsText,
  START_MS,
  STEP_MS,
} from "../observe/promql-samples.ts";
import { ApiUnderTest, type Json } from "./api-under-test.ts";

class SearchableStore extends ArrayStore implements SeriesStore {
  readonly seriesBetween: SeriesStore["seriesBetween"] = (selectors, fromMs, toMs) =>
    this.series
      .filter(({ times }) => times[0]! <= toMs && times.at(-1)! >= fromMs)
      .map(({ labels }) => labels)
      .filter((labels) => selectors.length === 0 || selectors.some((each) => allMatch(each, labels)));
}

const series = madeUpSeries();
const NOW = END_MS / 1000;
let api: ApiUnderTest;
beforeAll(() => {
  api = new ApiUnderTest({ watch: localWatch(new SearchableStore(series)) });
});
afterAll(() => api.close());

const ask = async (path: string): Promise<{ status: number; json: Json }> => {
  const response = await fetch(`${api.url}/api/v1/${path}`);
  return { status: response.status, json: await response.json() };
};

test("query answers a scalar, a string, a vector and a matrix", async () => {
  expect((await ask(`query?query=1%2B1&time=${NOW}`)).json).toEqual({
    status: "success",
    data: { resultType: "scalar", result: [NOW, "2"] },
  });
  expect((await ask(`query?query="a"&time=1.5`)).json.data).toEqual({
    resultType: "string",
    result: [1.5, "a"],
  });
  const vector = (await ask(`query?query=constant&time=${NOW}`)).json.data;
  expect(vector).toEqual({
    resultType: "vector",
    result: [{ metric: { __name__: "constant" }, value: [NOW, "42"] }],
  });
  const matrix = (await ask(`query?query=constant[30s]&time=${NOW}`)).json.data;
  expect(matrix.resultType).toBe("matrix");
  expect(matrix.result[0].values.length).toBe(3);
});

test("query and query_range take a form, whose parameters are those of the address", async () => {
  const form = new URLSearchParams({ query: "sum(up)", time: String(NOW) });
  const posted = await fetch(`${api.url}/api/v1/query`, { method: "POST", body: form });
  expect(await posted.json()).toEqual((await ask(`query?${form}`)).json);
  const range = new URLSearchParams({
    query: "rate(requests_total[5m])",
    start: String(START_MS / 1000),
    end: new Date(END_MS).toISOString(),
    step: "1m",
  });
  const ranged = await fetch(`${api.url}/api/v1/query_range`, { method: "POST", body: range });
  const json = (await ranged.json()) as Json;
  expect(json.data.result.length).toBe(18);
  expect(json).toEqual((await ask(`query_range?${range}`)).json);
});

test("a query that is wrong, not supported or impossible is answered with Prometheus's error body", async () => {
  const wrong = await ask("query?query=sum(");
  expect(wrong).toEqual({
    status: 400,
    json: {
      status: "error",
      errorType: "bad_data",
      error: 'invalid parameter "query": 1:5: parse error: unexpected end of input',
    },
  });
  const unsupported = await ask("query?query=histogram_count(up)");
  expect(unsupported.json.error).toContain('the function "histogram_count" is not supported');
  const impossible = await ask(`query?time=${NOW}&query=memory_bytes/on(job)temperature`);
  expect([impossible.status, impossible.json.errorType]).toEqual([422, "execution"]);
  const slow = await ask(`query?time=${NOW}&timeout=1ms&query=sum_over_time(sum(requests_total)[2h:10ms])`);
  expect([slow.status, slow.json.errorType]).toEqual([503, "timeout"]);
});

test("parameters that are missing or make no sense are named", async () => {
  for (const [path, error] of [
    ["query?query=up&time=yesterday", 'cannot parse "yesterday" to a valid timestamp'],
    ["query_range?query=up&start=1&end=2", 'invalid parameter "step": cannot parse "" to a valid duration'],
    ["query_range?query=up&end=2&step=1", 'invalid parameter "start": cannot parse "" to a valid timestamp'],
    [
      "query_range?query=up&start=5&end=2&step=1",
      'invalid parameter "end": end timestamp must not be before start',
    ],
    ["query_range?query=up&start=1&end=2&step=0", 'invalid parameter "step": zero or negative'],
    ["query_range?query=up&start=0&end=12000&step=1", "exceeded maximum resolution of 11,000 points"],
    [
      "query_range?query=up[5m]&start=1&end=2&step=1",
      'invalid expression type "range vector" for range query',
    ],
    ["query?query=up&lookback_delta=1m", 'invalid parameter "lookback_delta"'],
    ["series", "no match[] parameter provided"],
    ["series?match[]=up%2Bup", 'invalid parameter "match[]"'],
    ["label/a-b/values", 'invalid label name: "a-b"'],
  ] as const) {
    const reply = await ask(path);
    expect([path, reply.status, reply.json.errorType]).toEqual([path, 400, "bad_data"]);
    expect(reply.json.error).toContain(error);
  }
  const json = await fetch(`${api.url}/api/v1/query`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
  });
  expect([json.status, ((await json.json()) as Json).status]).toEqual([415, "error"]);
});

test("labels, label values, series and metadata list what there is", async () => {
  expect((await ask("labels")).json.data).toEqual([
    "__name__",
    "code",
    "host",
    "instance",
    "job",
    "le",
    "region",
    "version",
  ]);
  expect((await ask("labels?match[]=memory_bytes")).json.data).toEqual([
    "__name__",
    "instance",
    "job",
    "region",
  ]);
  expect((await ask("label/region/values")).json.data).toEqual(["eu", "us"]);
  expect((await ask("label/job/values?limit=1")).json).toEqual({
    status: "success",
    data: ["api"],
    warnings: ["results truncated due to limit"],
  });
  expect((await ask("series?match[]=build_info{job='db'}&match[]=constant")).json.data).toEqual([
    { __name__: "build_info", job: "db", version: "2.0.0-rc1" },
    { __name__: "constant" },
  ]);
  expect((await ask(`series?match[]=up&end=${START_MS / 1000 - 10}`)).json.data).toEqual([]);
  const metadata = (await ask("metadata?metric=engram_recall_operations_total")).json.data;
  expect(metadata).toEqual({
    engram_recall_operations_total: [{ type: "counter", help: "Recalls ended", unit: "" }],
  });
  const build = (await ask("status/buildinfo")).json.data;
  expect([build.application, build.applicationVersion]).toEqual(["engram-appliance", "0.0.0-test"]);
});

const reason = whyNoPrometheus();
describe.skipIf(reason !== undefined)(
  `replies beside Prometheus${reason === undefined ? "" : `: ${reason}`}`,
  () => {
    test("replies are Prometheus's, byte for byte where no order is free", async () => {
      const prometheus = await startPrometheus(openMetricsText(series));
      try {
        const time = (START_MS + 200 * STEP_MS + 250) / 1000;
        const range = `start=${START_MS / 1000 + 0.5}&end=${START_MS / 1000 + 600}&step=7.25`;
        for (const path of [
          `query?query=1e21&time=${time}`,
          `query?query=1e-7&time=${time}`,
          `query?query=-1/0&time=${time}`,
          `query?query=0/0&time=${time}`,
          `query?query="text"&time=${time}`,
          `query?query=huge&time=${time}`,
          `query?query=tiny&time=${time}`,
          `query?query=line[1m]&time=${time}`,
          `query?query=sort(memory_bytes)&time=${time}`,
          `query?query=sum(nothing)&time=${time}`,
          `query_range?query=line&${range}`,
          `query_range?query=requests_total&${range}`,
          `query_range?query=time()&${range}`,
          "labels",
          "label/job/values",
          "label/nothing/values",
          "query_range?query=up&start=5&end=2&step=1",
          "query_range?query=up&start=1&end=2&step=0",
          "query_range?query=up&start=0&end=12000&step=1",
          "query_range?query=up[5m]&start=1&end=2&step=1",
          "query?query=1>2",
          "query?query=rate(up)",
          "query?query=abs(up[5m])",
          "query?query={}",
          "query?query=up&time=x",
          "series",
          "label/a-b/values",
        ]) {
          const wanted = await fetch(`${prometheus.url}/api/v1/${path}`);
          const got = await fetch(`${api.url}/api/v1/${path}`);
          expect([path, got.status, await got.text()]).toEqual([path, wanted.status, await wanted.text()]);
        }
      } finally {
        await prometheus.stop();
      }
    }, 60_000);
  },
);
