/**
 * Spans of sampled requests, on their way from the API worker that took the request to whoever exports them.
 *
 * They travel as JSON through a ring of their own (`shm/event-ring.ts`), one for each API worker, so that neither a
 * receiver that is down nor a flood of events holds a request up; what the exporter does not come to in time is lost
 * there and counted by it.
 */
import type { TraceContext } from "../base/trace-context.ts";
import { outcomeOf } from "../engine/metered-engine.ts";
import type { OperationTrace } from "../engine/operation-trace.ts";
import { OPERATIONS, OUTCOME, OUTCOMES, RECALL_MODES, STAGE, STAGES } from "../layout/metric-codes.ts";
import { EventRingWriter } from "../shm/event-ring.ts";

/** A distance between the two clocks that changed by more says that one was set. */
const CLOCK_STEP_MS_MIN = 2;

/** The kind of its events: there is only one in these rings. */
export const SPAN_CODE = 0;

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export type Span = {
  readonly trace: string;
  readonly id: string;
  readonly parent: string | undefined;
  readonly name: string;
  /** "server" answers a request, "client" waits for another program, "internal" is work of our own */
  readonly kind: "server" | "client" | "internal";
  /** ms since the epoch, with a fraction */
  readonly startMs: number;
  readonly tookMs: number;
  readonly isError: boolean;
  readonly state: string | undefined;
  readonly attributes: SpanAttributes;
};

/** A request that was answered. */
export type AnsweredRequest = {
  readonly context: TraceContext;
  readonly method: string;
  /** its path with the names of parameters in the place of their values */
  readonly route: string;
  readonly status: number;
  readonly space: string | undefined;
  /** of the meter's clock */
  readonly startedAtMs: number;
  readonly endedAtMs: number;
};

export class SpanWriter {
  readonly #ring: EventRingWriter;
  readonly #nowMs: () => number;
  /** from the meter's clock to that of the wall */
  #distanceMs = Number.NaN;
  readonly #wallMs: () => number;

  /** @param nowMs of the meter's clock @param wallMs since the epoch */
  constructor(
    ring: SharedArrayBuffer,
    clocks: { readonly nowMs: () => number; readonly wallMs: () => number },
  ) {
    this.#ring = new EventRingWriter(ring);
    this.#nowMs = clocks.nowMs;
    this.#wallMs = clocks.wallMs;
  }

  request({ context, method, route, status, space, startedAtMs, endedAtMs }: AnsweredRequest): void {
    this.#put({
      trace: context.traceId,
      id: context.spanId,
      parent: context.parentId,
      name: `${method} ${route}`,
      kind: "server",
      startMs: this.#wallOf(startedAtMs),
      tookMs: endedAtMs - startedAtMs,
      // As OpenTelemetry has it: a request that was refused is no error of the server.
      isError: status >= 500,
      state: context.tracestate,
      attributes: {
        "http.request.method": method,
        "http.route": route,
        "http.response.status_code": status,
        ...(space === undefined ? {} : { "engram.space": space }),
      },
    });
  }

  /** The operation, and a span below it for each of its stages. */
  operation(trace: OperationTrace, endedAtMs: number, error: unknown): void {
    const { context } = trace;
    if (context === undefined) return;
    const common = { trace: context.traceId, state: context.tracestate } as const;
    const id = context.newSpanId();
    this.#put({
      ...common,
      id,
      parent: context.spanId,
      name: OPERATIONS[trace.operation]!,
      kind: "internal",
      startMs: this.#wallOf(trace.startedAtMs),
      tookMs: endedAtMs - trace.startedAtMs,
      isError: error !== undefined,
      attributes: operationAttributes(trace, error),
    });
    for (const [stage, name] of STAGES.entries()) {
      const tookMs = trace.stagesMs[stage]!;
      if (tookMs <= 0) continue;
      const isOutside = stage === STAGE.embed && trace.embedSpanId !== undefined;
      this.#put({
        ...common,
        id: isOutside ? trace.embedSpanId! : context.newSpanId(),
        parent: id,
        name,
        kind: isOutside ? "client" : "internal",
        startMs: this.#wallOf(trace.stageEndsMs[stage]! - tookMs),
        tookMs,
        isError: false,
        attributes: {},
      });
    }
  }

  /**
   * The clock of the wall tells whole milliseconds, so that asking it for each span would shake them. Its distance
   * to the other clock is kept until it was set.
   */
  #wallOf(atMs: number): number {
    const distanceMs = this.#wallMs() - this.#nowMs();
    if (!(Math.abs(distanceMs - this.#distanceMs) <= CLOCK_STEP_MS_MIN)) this.#distanceMs = distanceMs;
    return atMs + this.#distanceMs;
  }

  #put(span: Span): void {
    this.#ring.put(SPAN_CODE, span.startMs, JSON.stringify(span));
  }
}

function operationAttributes(trace: OperationTrace, error: unknown): SpanAttributes {
  return {
    "engram.space": trace.space,
    "engram.outcome": OUTCOMES[error === undefined ? OUTCOME.ok : outcomeOf(error)]!,
    ...(trace.mode < 0 ? {} : { "engram.recall.mode": RECALL_MODES[trace.mode]! }),
    ...(trace.candidates === 0 ? {} : { "engram.recall.candidates": trace.candidates }),
    ...(trace.results === 0 ? {} : { "engram.recall.results": trace.results }),
    ...(trace.ack === undefined ? {} : { "engram.ack": trace.ack }),
    ...(trace.memories === 0 ? {} : { "engram.memories": trace.memories }),
  };
}
