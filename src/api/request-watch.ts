/**
 * What is told of every request beside its answer: the trace it belongs to (in the answer's header, in a problem's
 * body and in the log), its span where it is sampled, and its line in the log where those are wanted.
 */
import type { TraceContext, TraceContexts } from "../base/trace-context.ts";
import type { ApiMeter } from "../observe/meters.ts";
import type { SpanWriter } from "../observe/span.ts";

/** What log lines of a request carry. */
export type RequestLogFields = {
  readonly request: string;
  readonly trace_id: string;
  readonly span_id: string;
  readonly space?: string;
  readonly status?: number;
  readonly duration_ms: number;
};

export type RequestWatchParts = {
  readonly contexts: TraceContexts;
  readonly meter: Pick<ApiMeter, "nowMs" | "responded">;
  /** undefined where spans are exported to nobody */
  readonly spans: SpanWriter | undefined;
  /** undefined where requests are not logged */
  readonly log: ((text: string, fields: RequestLogFields) => void) | undefined;
};

/** A request under way. */
export type WatchedRequest = {
  readonly request: Request;
  readonly context: TraceContext;
  /** of the meter's clock */
  readonly startedAtMs: number;
};

export class RequestWatch {
  readonly #parts: RequestWatchParts;
  /** finds the pattern of a path; set once there are routes */
  routeOf: (request: Request) => string = () => "unknown";

  constructor(parts: RequestWatchParts) {
    this.#parts = parts;
  }

  begin(request: Request): WatchedRequest {
    const { contexts, meter } = this.#parts;
    return { request, context: contexts.of(request.headers), startedAtMs: meter.nowMs() };
  }

  /** @param space it worked on; undefined where it worked on none */
  ended(watched: WatchedRequest, response: Response, space: string | undefined): Response {
    const { meter, spans, log } = this.#parts;
    const { request, context, startedAtMs } = watched;
    const { status } = response;
    meter.responded(status);
    response.headers.set("traceparent", context.traceparent);
    const isSpanned = context.isSampled && spans !== undefined;
    if (!isSpanned && log === undefined) return response;
    const endedAtMs = meter.nowMs();
    const { method } = request;
    if (isSpanned) {
      const route = this.routeOf(request);
      spans.request({ context, method, route, status, space, startedAtMs, endedAtMs });
    }
    if (log !== undefined) {
      const fields = { ...this.fieldsOf(watched, space), status };
      log(`${fields.request} ${status} in ${fields.duration_ms} ms`, fields);
    }
    return response;
  }

  /** For a line about a request that is under way. */
  fieldsOf({ request, context, startedAtMs }: WatchedRequest, space: string | undefined): RequestLogFields {
    return {
      request: requestName(request),
      trace_id: context.traceId,
      span_id: context.spanId,
      ...(space === undefined ? {} : { space }),
      duration_ms: Math.round((this.#parts.meter.nowMs() - startedAtMs) * 1000) / 1000,
    };
  }
}

/** A request as the log names it: no query, which may hold content. */
export function requestName(request: Request): string {
  return `${request.method} ${pathOf(request.url)}`;
}

/** The path of a URL as it was sent, percent-encoding and all. */
export function pathOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  if (start < 0) return "/";
  const end = url.indexOf("?", start);
  return end < 0 ? url.slice(start) : url.slice(start, end);
}
