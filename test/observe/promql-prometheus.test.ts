/** The evaluator beside a real Prometheus: the same samples, the same queries, the same instants, the same answers. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { systemClock } from "../../src/base/clock.ts";
import { PromqlError } from "../../src/observe/promql/promql-error.ts";
import { type QueryOptions, queryInstant, queryRange } from "../../src/observe/promql/query.ts";
import type { QueryResult } from "../../src/observe/promql/values.ts";
import { type PrometheusServer, startPrometheus, whyNoPrometheus } from "./prometheus-server.ts";
import { QUERIES, REFUSED } from "./promql-queries.ts";
import { ArrayStore, END_MS, madeUpSeries, openMetricsText, START_MS, STEP_MS } from "./promql-samples.ts";

const TOLERANCE = 1e-9;
/** In the middle, between two samples, at the first one, shortly after the last, long after it. */
const INSTANTS_MS = [
  START_MS + 200 * STEP_MS,
  START_MS + 300 * STEP_MS + 7321,
  START_MS,
  END_MS + 90_000,
  END_MS + 600_000,
];
const RANGES = [
  { startMs: START_MS + 20 * STEP_MS, endMs: START_MS + 400 * STEP_MS, stepMs: 60_000 },
  { startMs: START_MS - 60_000, endMs: START_MS + 900_000, stepMs: 17_500 },
  { startMs: END_MS - 300_000, endMs: END_MS + 600_000, stepMs: 30_000 },
];

const reason = whyNoPrometheus();
const series = madeUpSeries();
const options: QueryOptions = {
  store: new ArrayStore(series),
  clock: systemClock,
  timeoutMs: 60_000,
  yieldToOthers: () => Promise.resolve(),
};

describe.skipIf(reason !== undefined)(
  `promql beside Prometheus${reason === undefined ? "" : `: ${reason}`}`,
  () => {
    let prometheus: PrometheusServer;
    beforeAll(async () => {
      prometheus = await startPrometheus(openMetricsText(series));
    }, 60_000);
    afterAll(() => prometheus.stop());

    const ask = async (path: string, parameters: Record<string, string>): Promise<Reply> => {
      const response = await fetch(`${prometheus.url}/api/v1/${path}?${new URLSearchParams(parameters)}`);
      return (await response.json()) as Reply;
    };

    test("enough is compared", () => {
      expect(QUERIES.length).toBeGreaterThanOrEqual(60);
    });

    for (const query of QUERIES) {
      test(`queryInstant answers as Prometheus does: ${query}`, async () => {
        for (const atMs of INSTANTS_MS) {
          const wanted = await ask("query", { query, time: String(atMs / 1000) });
          const got = attempt(() => flatten(queryInstant(query, atMs, options)));
          compare(`${query} @ ${atMs}`, got, flattenReply(wanted));
        }
      });
      test(`queryRange answers as Prometheus does: ${query}`, async () => {
        for (const range of RANGES) {
          const wanted = await ask("query_range", {
            query,
            start: String(range.startMs / 1000),
            end: String(range.endMs / 1000),
            step: String(range.stepMs / 1000),
          });
          const got = await queryRange(query, range, options).then(flatten, (error) => refusal(error));
          compare(`${query} ${JSON.stringify(range)}`, got, flattenReply(wanted));
        }
      });
    }

    for (const query of REFUSED) {
      test(`queryInstant refuses what Prometheus refuses: ${JSON.stringify(query)}`, async () => {
        const wanted = await ask("query", { query, time: String(INSTANTS_MS[0]! / 1000) });
        expect(wanted.status).toBe("error");
        const got = attempt(() => flatten(queryInstant(query, INSTANTS_MS[0]!, options)));
        expect(`${query}: ${got instanceof PromqlError ? got.type : "answered"}`).toBe(
          `${query}: ${wanted.errorType}`,
        );
      });
    }

    test("sort and topk answer in Prometheus's order", async () => {
      for (const query of ["sort(memory_bytes)", "sort_desc(memory_bytes)", "topk(4, memory_bytes)"]) {
        const atMs = INSTANTS_MS[0]!;
        const wanted = await ask("query", { query, time: String(atMs / 1000) });
        const got = queryInstant(query, atMs, options);
        if (got.type !== "vector") throw new Error("a vector is asked for");
        const order = (wanted.data.result as { metric: Record<string, string> }[]).map(({ metric }) =>
          keyOf(metric),
        );
        expect(got.samples.map(({ labels }) => keyOf(labels.toJSON()))).toEqual(order);
      }
    });
  },
);

/** A result as numbers by series and instant. */
type Flat = Map<string, number | string>;
// What Prometheus sends is looked at here only, and a wrong shape fails the test.
type Reply = {
  readonly status: string;
  readonly errorType?: string;
  readonly error?: string;
  // biome-ignore lint/suspicious/noExplicitAny: the shape depends on resultType
  readonly data: { readonly resultType: string; readonly result: any };
};

function attempt(run: () => Flat): Flat | PromqlError {
  try {
    return run();
  } catch (error) {
    return refusal(error);
  }
}

function refusal(error: unknown): PromqlError {
  if (error instanceof PromqlError) return error;
  throw error;
}

function keyOf(labels: Record<string, string>): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function flatten(result: QueryResult): Flat {
  const flat: Flat = new Map();
  if (result.type === "scalar" || result.type === "string")
    flat.set(`${result.type} ${result.atMs}`, result.value);
  else if (result.type === "vector") {
    for (const { labels, value } of result.samples)
      flat.set(`${keyOf(labels.toJSON())} ${result.atMs}`, value);
    expect(flat.size).toBe(result.samples.length);
  } else {
    for (const { labels, times, values } of result.series) {
      for (const [index, time] of times.entries())
        flat.set(`${keyOf(labels.toJSON())} ${time}`, values[index]!);
    }
  }
  return flat;
}

function flattenReply(reply: Reply): Flat | string {
  if (reply.status !== "success") return reply.errorType ?? "error";
  const flat: Flat = new Map();
  const { resultType, result } = reply.data;
  const ms = (seconds: number): number => Math.round(seconds * 1000);
  if (resultType === "scalar") flat.set(`scalar ${ms(result[0])}`, numberOf(result[1]));
  else if (resultType === "vector") {
    for (const { metric, value } of result) flat.set(`${keyOf(metric)} ${ms(value[0])}`, numberOf(value[1]));
  } else {
    for (const { metric, values } of result) {
      for (const [time, value] of values) flat.set(`${keyOf(metric)} ${ms(time)}`, numberOf(value));
    }
  }
  return flat;
}

function numberOf(text: string): number {
  if (text === "+Inf") return Number.POSITIVE_INFINITY;
  return text === "-Inf" ? Number.NEGATIVE_INFINITY : Number(text);
}

function compare(what: string, got: Flat | PromqlError, wanted: Flat | string): void {
  if (typeof wanted === "string" || got instanceof PromqlError) {
    expect(`${what}: ${got instanceof PromqlError ? got.type : "answered"}`).toBe(
      `${what}: ${typeof wanted === "string" ? wanted : `answered, not ${got instanceof PromqlError ? got.message : ""}`}`,
    );
    return;
  }
  const differing: string[] = [];
  for (const [key, value] of wanted) {
    const mine = got.get(key);
    if (mine === undefined) differing.push(`${key}: Prometheus has ${value}, we have nothing`);
    else if (!isClose(mine, value)) differing.push(`${key}: Prometheus has ${value}, we have ${mine}`);
  }
  for (const [key, value] of got) if (!wanted.has(key)) differing.push(`${key}: only we have ${value}`);
  expect([what, ...differing.slice(0, 5)]).toEqual([what]);
}

function isClose(a: number | string, b: number | string): boolean {
  if (typeof a === "string" || typeof b === "string") return a === b;
  if (Object.is(a, b) || a === b) return true;
  return Math.abs(a - b) <= TOLERANCE * Math.max(Math.abs(a), Math.abs(b));
}
