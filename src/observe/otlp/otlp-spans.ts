/** Spans as OpenTelemetry's SDK hands them to an exporter. */
import { SpanKind, SpanStatusCode, TraceFlags } from "@opentelemetry/api";
import { TraceState } from "@opentelemetry/core";
import type { Resource } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";
import type { Span } from "../span.ts";
import { hrTime } from "./otlp-metrics.ts";

const KINDS: Readonly<Record<Span["kind"], SpanKind>> = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  internal: SpanKind.INTERNAL,
};

/** @param scope who made the spans: our own name and version */
export function readableSpan(
  span: Span,
  resource: Resource,
  scope: ReadableSpan["instrumentationScope"],
): ReadableSpan {
  const context = (spanId: string, isRemote: boolean) => ({
    traceId: span.trace,
    spanId,
    isRemote,
    traceFlags: TraceFlags.SAMPLED,
    ...(span.state === undefined ? {} : { traceState: new TraceState(span.state) }),
  });
  const own = context(span.id, false);
  return {
    name: span.name,
    kind: KINDS[span.kind],
    spanContext: () => own,
    // Only what answers a request has its parent in another program.
    ...(span.parent === undefined ? {} : { parentSpanContext: context(span.parent, span.kind === "server") }),
    startTime: hrTime(span.startMs),
    endTime: hrTime(span.startMs + span.tookMs),
    duration: hrTime(span.tookMs),
    status: { code: span.isError ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    attributes: span.attributes,
    links: [],
    events: [],
    ended: true,
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}
