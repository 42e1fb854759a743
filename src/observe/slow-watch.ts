/**
 * Watches for operations that take long, in one API worker: hands out traces, and keeps what was slow.
 *
 * An operation that is not slow costs a trace taken from the pool, reset and given back, and one comparison
 * (bench/observe/record.bench.ts). Everything else is read only once an operation was slow: the kernel's counters of
 * the thread, the cache of embeddings, the log's syncs. Some RECORDS_MAX a second are kept, so that a threshold set
 * too low does not make everything slow; those above are counted.
 */
import type { Clock } from "../base/clock.ts";
import type { TraceContext } from "../base/trace-context.ts";
import { OperationTrace } from "../engine/operation-trace.ts";
import { OPERATION, OPERATIONS } from "../layout/metric-codes.ts";
import type { MetricLane } from "./lane.ts";
import { counterSeries } from "./series.ts";
import type { SlowFile } from "./slow-file.ts";
import { noteSyncs, type SlowSources, slowOperation } from "./slow-record.ts";
import type { SpaceTally } from "./space-tally.ts";
import type { SpanWriter } from "./span.ts";

/** Kept in one second, at most. */
const RECORDS_MAX = 100;
/** Traces that rest; more are made where more operations are under way, and forgotten afterwards. */
const POOL_MAX = 256;

export type SlowWatchParts = SlowSources & {
  readonly thresholdMs: number;
  readonly lane: MetricLane;
  readonly nowMs: () => number;
  readonly clock: Clock;
  /** undefined where none could be opened: slow operations are counted then, and not kept */
  readonly file: () => Pick<SlowFile, "append"> | undefined;
  readonly warn: (text: string) => void;
  /** where spans of sampled operations go; undefined where they are exported to nobody */
  readonly spans?: Pick<SpanWriter, "operation"> | undefined;
};

/** How an operation ended. */
type End = {
  readonly tookMs: number;
  readonly endedAtMs: number;
  readonly error: unknown;
  readonly traceId: string | undefined;
};

export class SlowWatch {
  readonly #parts: SlowWatchParts;
  readonly #pool: OperationTrace[] = [];
  readonly #kept = OPERATIONS.map((operation) =>
    counterSeries("engram_slow_operations_total", { operation }),
  );
  readonly #dropped = counterSeries("engram_slow_operations_dropped_total", {});
  #secondFromMs = Number.NEGATIVE_INFINITY;
  #inSecond = 0;
  #isBroken = false;
  /** ms */
  thresholdMs: number;
  /** counts what each space takes, while somebody profiles */
  tally: SpaceTally | undefined;

  constructor(parts: SlowWatchParts) {
    this.#parts = parts;
    this.thresholdMs = parts.thresholdMs;
  }

  /** @param operation an OPERATION @param startedAtMs of the meter's clock @param context the request's trace */
  begin(operation: number, space: string, startedAtMs: number, context?: TraceContext): OperationTrace {
    const trace = this.#pool.pop() ?? new OperationTrace();
    trace.begin(operation, space, startedAtMs, context);
    if (operation === OPERATION.remember || operation === OPERATION.forget) {
      noteSyncs(trace, this.#parts.streamFacts);
    }
    return trace;
  }

  /**
   * Takes a trace back, and keeps the operation where it was slow.
   * @param endedAtMs of the meter's clock
   * @param error what the operation threw, if it did
   */
  end(trace: OperationTrace, endedAtMs: number, error?: unknown): void {
    const tookMs = endedAtMs - trace.startedAtMs;
    this.tally?.add(trace.space, tookMs);
    if (tookMs >= this.thresholdMs) {
      this.#slow(trace, { tookMs, endedAtMs, error, traceId: trace.context?.traceId });
    }
    if (trace.context?.isSampled === true) this.#parts.spans?.operation(trace, endedAtMs, error);
    // What was asked for is not held on to.
    trace.query = undefined;
    trace.context = undefined;
    if (this.#pool.length < POOL_MAX) this.#pool.push(trace);
  }

  /** As `SlowMeter` has it. */
  untraced(operation: number, space: string, tookMs: number, error: unknown): void {
    const endedAtMs = this.#parts.nowMs();
    const trace = new OperationTrace();
    trace.begin(operation, space, endedAtMs - tookMs);
    this.#slow(trace, { tookMs, endedAtMs, error, traceId: undefined });
  }

  #slow(trace: OperationTrace, end: End): void {
    const { lane, clock, warn } = this.#parts;
    const file = this.#parts.file();
    lane.add(this.#kept[trace.operation]!, 1);
    if (!this.#mayKeep(end.endedAtMs) || file === undefined) {
      lane.add(this.#dropped, 1);
      return;
    }
    const wallMs = clock.wallMs();
    try {
      if (!file.append(slowOperation(trace, { ...end, wallMs }, this.#parts), wallMs)) {
        lane.add(this.#dropped, 1);
      }
      this.#isBroken = false;
    } catch (error) {
      // It is no reason to fail what was asked for.
      lane.add(this.#dropped, 1);
      if (!this.#isBroken) {
        warn(`Cannot keep slow operations: ${error instanceof Error ? error.message : error}`);
      }
      this.#isBroken = true;
    }
  }

  #mayKeep(nowMs: number): boolean {
    if (nowMs - this.#secondFromMs >= 1000) {
      this.#secondFromMs = nowMs;
      this.#inSecond = 0;
    }
    this.#inSecond += 1;
    return this.#inSecond <= RECORDS_MAX;
  }
}
