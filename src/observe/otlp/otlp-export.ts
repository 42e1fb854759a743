/**
 * Sends metrics and spans to an OpenTelemetry receiver: OTLP over HTTP in protobuf, by OpenTelemetry's own exporters.
 *
 *   metrics   a snapshot each interval
 *   spans     gathered from the rings each second, SPANS_HELD_MAX at most, and sent each interval or when there are many
 *
 * One sending of each is under way at a time. Where the one before has not ended, metrics are skipped (the next
 * snapshot says it all again) and spans wait; what finds no room is lost and counted. A receiver that is down costs a
 * counted failure, a line in the log when it goes and another when it is back, and nobody waits for it.
 */
import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { EventRingReader } from "../../shm/event-ring.ts";
import type { Family } from "../family.ts";
import type { MetricLane } from "../lane.ts";
import { counterSeries } from "../series.ts";
import { SPAN_CODE, type Span, type SpanAttributes } from "../span.ts";
import { otlpMetrics } from "./otlp-metrics.ts";
import { readableSpan } from "./otlp-spans.ts";

const SPANS_HELD_MAX = 8192;
const SPANS_SENT_MAX = 2048;
const GATHER_EVERY_MS = 1000;
const CLOSE_MS_MAX = 2000;

export const OTLP_SIGNALS = ["metrics", "traces"] as const;
export type OtlpSignal = (typeof OTLP_SIGNALS)[number];

export type OtlpOptions = {
  /** without /v1/… */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly resource: SpanAttributes;
  readonly scope: { readonly name: string; readonly version: string };
  /** of the process, ms since the epoch */
  readonly startedAtMs: number;
  readonly snapshot: () => readonly Family[];
  readonly spanRings: readonly SharedArrayBuffer[];
  readonly lane: Pick<MetricLane, "add">;
  readonly log: (level: "warn" | "info", text: string) => void;
};

export class OtlpExport {
  readonly #options: OtlpOptions;
  readonly #metrics: OTLPMetricExporter;
  readonly #traces: OTLPTraceExporter;
  readonly #resource: ReturnType<typeof resourceFromAttributes>;
  readonly #readers: readonly EventRingReader[];
  readonly #timers: readonly Timer[];
  readonly #underway = new Map<OtlpSignal, Promise<void>>();
  readonly #isFailing = new Set<OtlpSignal>();
  #spans: Span[] = [];

  constructor(options: OtlpOptions) {
    this.#options = options;
    const { endpoint, headers, timeoutMs, intervalMs } = options;
    const of = (signal: OtlpSignal) => ({
      url: `${endpoint.replace(/\/+$/, "")}/v1/${signal}`,
      headers: { ...headers },
      timeoutMillis: timeoutMs,
      concurrencyLimit: 1,
      userAgent: `${options.scope.name}/${options.scope.version}`,
    });
    this.#metrics = new OTLPMetricExporter(of("metrics"));
    this.#traces = new OTLPTraceExporter(of("traces"));
    this.#resource = resourceFromAttributes(options.resource);
    this.#readers = options.spanRings.map((ring) => new EventRingReader(ring));
    // Requests are served before the exporter is there.
    for (const reader of this.#readers) reader.rewind();
    this.#timers = [
      setInterval(() => this.#gather(), GATHER_EVERY_MS),
      setInterval(() => this.#sendAll(), intervalMs),
    ];
  }

  /** Sends once more, and waits a little for it; not for a receiver that did not answer the last time. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    if (this.#isFailing.size > 0) return;
    await Promise.race([Promise.all(this.#underway.values()), Bun.sleep(CLOSE_MS_MAX)]);
    this.#gather();
    this.#sendAll();
    await Promise.race([Promise.all(this.#underway.values()), Bun.sleep(CLOSE_MS_MAX)]);
  }

  #gather(): void {
    let lost = 0;
    for (const reader of this.#readers) {
      while (reader.read(1 << SPAN_CODE)) {
        if (this.#spans.length < SPANS_HELD_MAX) this.#spans.push(JSON.parse(reader.text()) as Span);
        else lost += 1;
      }
      lost += reader.lost;
      reader.lost = 0;
    }
    this.#options.lane.add(SPANS.lost, lost);
    if (this.#spans.length >= SPANS_SENT_MAX) this.#sendSpans();
  }

  #sendAll(): void {
    this.#sendMetrics();
    this.#sendSpans();
  }

  #sendMetrics(): void {
    const { snapshot, startedAtMs, scope, lane } = this.#options;
    if (this.#underway.has("metrics")) {
      lane.add(EXPORTS.metrics.skipped, 1);
      return;
    }
    const metrics = otlpMetrics(snapshot(), { startMs: startedAtMs, nowMs: Date.now() });
    const all = { resource: this.#resource, scopeMetrics: [{ scope, metrics }] };
    this.#send("metrics", (done) => this.#metrics.export(all, done));
  }

  #sendSpans(): void {
    if (this.#spans.length === 0 || this.#underway.has("traces")) return;
    const { scope, lane } = this.#options;
    const spans = this.#spans.splice(0, SPANS_SENT_MAX);
    const readable = spans.map((span) => readableSpan(span, this.#resource, scope));
    this.#send("traces", (done) =>
      this.#traces.export(readable, (result) => {
        const isSent = result.code === ExportResultCode.SUCCESS;
        lane.add(isSent ? SPANS.sent : SPANS.lost, spans.length);
        done(result);
      }),
    );
  }

  #send(signal: OtlpSignal, start: (done: (result: ExportResult) => void) => void): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#underway.set(signal, promise);
    start((result) => {
      this.#underway.delete(signal);
      this.#ended(signal, result);
      resolve();
    });
  }

  #ended(signal: OtlpSignal, { code, error }: ExportResult): void {
    const { endpoint, lane, log } = this.#options;
    const isSent = code === ExportResultCode.SUCCESS;
    lane.add(isSent ? EXPORTS[signal].ok : EXPORTS[signal].failed, 1);
    if (isSent !== this.#isFailing.has(signal)) return;
    if (isSent) {
      this.#isFailing.delete(signal);
      log("info", `OTLP: ${addressOf(endpoint)} takes ${signal} again`);
      return;
    }
    this.#isFailing.add(signal);
    const why = error === undefined || error.message === "" ? "it gave no reason" : error.message;
    log("warn", `OTLP: cannot send ${signal} to ${addressOf(endpoint)}: ${why}; tried again each interval`);
  }
}

const SPANS = {
  sent: counterSeries("engram_otlp_spans_total", { outcome: "sent" }),
  lost: counterSeries("engram_otlp_spans_total", { outcome: "lost" }),
};
const exportsOf = (signal: OtlpSignal) => ({
  ok: counterSeries("engram_otlp_exports_total", { signal, outcome: "ok" }),
  failed: counterSeries("engram_otlp_exports_total", { signal, outcome: "failed" }),
  skipped: counterSeries("engram_otlp_exports_total", { signal, outcome: "skipped" }),
});
const EXPORTS = { metrics: exportsOf("metrics"), traces: exportsOf("traces") };

/** Without what may be secret in it. */
function addressOf(endpoint: string): string {
  const { origin, pathname } = new URL(endpoint);
  return `${origin}${pathname}`;
}
