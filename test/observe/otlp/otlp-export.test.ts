import { afterEach, expect, test } from "bun:test";
import { Random } from "../../../src/base/random.ts";
import { TraceContexts } from "../../../src/base/trace-context.ts";
import { OperationTrace } from "../../../src/engine/operation-trace.ts";
import { OPERATION, STAGE } from "../../../src/layout/metric-codes.ts";
import { FamilySet } from "../../../src/observe/family.ts";
import { MetricLane } from "../../../src/observe/lane.ts";
import { addLaneFamilies } from "../../../src/observe/lane-families.ts";
import { localLaneCells } from "../../../src/observe/metric-region.ts";
import { OtlpExport } from "../../../src/observe/otlp/otlp-export.ts";
import { counterSeries, durationSeries, levelSeries, sizeSeries } from "../../../src/observe/series.ts";
import { SpanWriter } from "../../../src/observe/span.ts";
import { makeEventRing } from "../../../src/shm/event-ring.ts";
import { eventually } from "../../support/appliance-process.ts";
import { OtlpReceiver } from "./otlp-receiver.ts";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

function lab(options: { readonly timeoutMs?: number } = {}) {
  const receiver = new OtlpReceiver();
  const cells = localLaneCells();
  const lane = new MetricLane(cells);
  const ring = makeEventRing();
  const lines: string[] = [];
  const exporting = new OtlpExport({
    endpoint: `${receiver.url}/`,
    headers: { "x-tenant": "memories" },
    intervalMs: 100,
    timeoutMs: options.timeoutMs ?? 500,
    resource: { "service.name": "engram-appliance", "process.pid": 42 },
    scope: { name: "engram-appliance", version: "1.2.3" },
    startedAtMs: 1_700_000_000_250,
    snapshot: () => {
      const set = new FamilySet();
      addLaneFamilies(set, [cells], []);
      return set.families();
    },
    spanRings: [ring],
    lane,
    log: (level, text) => lines.push(`${level} ${text}`),
  });
  closing.push(
    () => exporting.close(),
    () => receiver.stop(),
  );
  const count = (series: number) => cells[series]!;
  const spans = new SpanWriter(ring, { nowMs: () => performance.now(), wallMs: () => Date.now() });
  return { receiver, lane, lines, count, spans, exporting };
}

const FAILED = counterSeries("engram_otlp_exports_total", { signal: "metrics", outcome: "failed" });
const OK = counterSeries("engram_otlp_exports_total", { signal: "metrics", outcome: "ok" });
const LOST = counterSeries("engram_otlp_spans_total", { outcome: "lost" });
const SENT = counterSeries("engram_otlp_spans_total", { outcome: "sent" });

test("OtlpExport sends what the catalogue declares: names, units, kinds, and histograms bucket by bucket", async () => {
  const { receiver, lane } = lab();
  lane.add(counterSeries("engram_http_responses_total", { status: "2xx" }), 7);
  lane.set(levelSeries("engram_stream_clients", {}), 3);
  const flush = durationSeries("engram_wal_flush_duration_seconds", {});
  for (const ms of [0, 0.9, 1.1, 1.9, 1000, 3000]) lane.record(flush, ms);
  const sizes = sizeSeries("engram_recall_result_size", {});
  for (const size of [0, 1, 2, 3, 4, 10]) lane.recordSize(sizes, size);
  const name = "engram.recall.result.size";
  await eventually(
    "all of it has arrived",
    async () => receiver.metric(name)?.points[0]?.histogram?.count === 6,
  );

  const responses = receiver.metric("engram.http.responses")!;
  expect(responses).toMatchObject({ kind: "sum", isMonotonic: true, temporality: 2, unit: "1" });
  const ok = responses.points.find(({ attributes }) => attributes["status"] === "2xx")!;
  expect(ok.value).toBe(7);
  expect(ok.startNano).toBe(1_700_000_000_250_000_000n);
  expect(Math.abs(Number(ok.atNano / 1_000_000n) - Date.now())).toBeLessThan(10_000);
  expect(receiver.metric("engram.stream.clients")).toMatchObject({ kind: "gauge", points: [{ value: 3 }] });

  const flushes = receiver.metric("engram.wal.flush.duration")!;
  expect(flushes).toMatchObject({ kind: "exponential", unit: "s", temporality: 2 });
  const histogram = flushes.points[0]!.histogram!;
  expect(histogram.sum).toBeCloseTo(4.0039, 9);
  expect(histogram).toMatchObject({ count: 6, scale: 0, zeroCount: 1 });
  // Bucket i holds what is above 2^i and at most 2^(i+1) seconds.
  const inBucket = (seconds: number) =>
    histogram.buckets[Math.ceil(Math.log2(seconds)) - 1 - histogram.offset];
  expect([0.0009, 0.0011, 1, 3].map(inBucket)).toEqual([1, 2, 1, 1]);
  expect(histogram.buckets.reduce((sum, events) => sum + events, 0) + histogram.zeroCount).toBe(6);

  const size = receiver.metric("engram.recall.result.size")!.points[0]!.histogram!;
  // 0 and 1 are bucket 0; 2 is (1, 2], 3 and 4 are (2, 4], 10 is (8, 16].
  expect(size).toMatchObject({ zeroCount: 2, offset: 0, buckets: [1, 2, 0, 1], sum: 20 });
  expect(receiver.resource).toEqual({ "service.name": "engram-appliance", "process.pid": 42 });
  expect(receiver.headers[0]!.get("x-tenant")).toBe("memories");
});

test("OtlpExport sends the spans of a request: the operation below it, and its stages below that", async () => {
  const { receiver, spans, count } = lab();
  const contexts = new TraceContexts(new Random(3), 0);
  const context = contexts.of(
    new Headers({
      traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      tracestate: "vendor=a",
    }),
  );
  const now = performance.now();
  const trace = new OperationTrace();
  trace.begin(OPERATION.recall, "work", now - 10, context);
  trace.stage(STAGE.parse, 1, now - 9);
  trace.stage(STAGE.embed, 4, now - 5);
  trace.stage(STAGE.vector, 3, now - 2);
  trace.mode = 0;
  spans.operation(trace, now, undefined);
  const answered = { method: "POST", route: "/api/v1/memories/recall", status: 503, space: "work" };
  spans.request({ context, ...answered, startedAtMs: now - 12, endedAtMs: now + 1 });
  await eventually("the spans have arrived", async () => receiver.spans.length === 5);

  const byName = new Map(receiver.spans.map((span) => [span.name, span]));
  const root = byName.get("POST /api/v1/memories/recall")!;
  const recall = byName.get("recall")!;
  expect(root).toMatchObject({
    traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
    spanId: context.spanId,
    parentId: "00f067aa0ba902b7",
    state: "vendor=a",
    kind: 2,
    statusCode: 2,
  });
  expect(root.attributes).toMatchObject({ "http.response.status_code": 503, "engram.space": "work" });
  expect(recall.parentId).toBe(root.spanId);
  expect(recall.attributes).toMatchObject({ "engram.recall.mode": "hybrid", "engram.outcome": "ok" });
  const tookMs = (span: typeof root) => Number(span.endNano - span.startNano) / 1e6;
  expect(tookMs(root)).toBeCloseTo(13, 2);
  for (const [name, took, beganMs] of [
    ["parse", 1, 0],
    ["embed", 4, 1],
    ["vector", 3, 5],
  ] as const) {
    const stage = byName.get(name)!;
    expect(stage.parentId, name).toBe(recall.spanId);
    expect(tookMs(stage), name).toBeCloseTo(took, 2);
    expect(Number(stage.startNano - recall.startNano) / 1e6, name).toBeCloseTo(beganMs, 2);
  }
  expect(byName.get("embed")!.kind).toBe(3);
  expect(byName.get("embed")!.spanId).toBe(trace.embedSpanId!);
  expect(new Set(receiver.spans.map(({ spanId }) => spanId)).size).toBe(5);
  expect(count(SENT)).toBe(5);
});

test("OtlpExport counts a receiver that is down, says so once, and goes on when it is back", async () => {
  const { receiver, lines, count, spans } = lab({ timeoutMs: 300 });
  await eventually("the first has arrived", async () => count(OK) > 0);
  await receiver.stop();
  await eventually("some have failed", async () => count(FAILED) >= 3);
  const context = new TraceContexts(new Random(5), 1).of(new Headers());
  const answered = { method: "GET", route: "/x", status: 200, space: undefined };
  spans.request({ context, ...answered, startedAtMs: 0, endedAtMs: 1 });
  await eventually("the span is lost", async () => count(LOST) === 1);
  expect(lines.filter((line) => line.includes("cannot send metrics"))).toHaveLength(1);
  const sendings = receiver.metricSendings;
  receiver.start();
  await eventually("they arrive again", async () => receiver.metricSendings > sendings);
  await eventually("it is told", async () => lines.some((line) => line.includes("takes metrics again")));
  expect(lines.filter((line) => line.includes("metrics"))).toHaveLength(2);
}, 30_000);

test("OtlpExport.close sends what has gathered", async () => {
  const { receiver, exporting, spans } = lab();
  const context = new TraceContexts(new Random(9), 1).of(new Headers());
  for (let i = 0; i < 300; i++) {
    spans.request({
      context,
      method: "GET",
      route: `/${i}`,
      status: 200,
      space: undefined,
      startedAtMs: 0,
      endedAtMs: 1,
    });
  }
  await exporting.close();
  expect(receiver.spans.length).toBe(300);
});
