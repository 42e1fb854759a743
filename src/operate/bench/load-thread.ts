/**
 * One thread of the load generator: its own connections, its own share of the schedule, and what it heard.
 *
 *   main ── order ──▶ thread: connects, sends, listens ── outcome ──▶ main adds the outcomes up
 *
 * Latencies are kept whole, by class of request: percentiles of parts can not be put together.
 */
import { runLoad, Series } from "../load/http-load.ts";
import { listenToTicks, type TickSource } from "../load/ticker.ts";
import { prepareRequests } from "./requests.ts";
import { isBurst, type Rate } from "./schedule.ts";
import type { Mix, RequestClass } from "./workloads.ts";

export type LoadOrder = {
  readonly type: "load";
  readonly target: { readonly host: string; readonly port: number; readonly isSecure: boolean };
  readonly headers: Readonly<Record<string, string>>;
  readonly spaces: readonly string[];
  readonly mix: Mix;
  readonly seed: number;
  readonly connections: number;
  readonly durationMs: number;
  /** when each request is due, ms from the start; a closed loop where absent */
  readonly dueMs?: Float64Array;
  /** of the schedule, to tell bursts apart */
  readonly rate?: Rate;
  /** ticks of the schedule, and how far apart they are */
  readonly ticks?: { readonly buffer: SharedArrayBuffer; readonly periodMs: number };
  /** word 0 set to 1 ends the load early */
  readonly cancel: SharedArrayBuffer;
};

export type LoadOutcome = {
  readonly type: "outcome";
  readonly elapsedMs: number;
  readonly statuses: Readonly<Record<number, number>>;
  /** ms by class of request; "burst" and "between" where the schedule has bursts */
  readonly latenciesMs: Readonly<Record<string, Float64Array>>;
  /** how long after it was due each request was written, ms: the generator's own share of the latency */
  readonly lagsMs: Float64Array;
  /** replies in each whole second */
  readonly perSecond: readonly number[];
};

export async function runLoadOrder(order: LoadOrder): Promise<LoadOutcome> {
  const { dueMs, rate, ticks } = order;
  const requests = prepareRequests({ ...order, headers: order.headers });
  const cancel = new Int32Array(order.cancel);
  const series = new Map<string, Series>();
  const perSecond: number[] = [];
  let startedMs = performance.now();
  const keep = (name: string, latencyMs: number): void => {
    const known = series.get(name) ?? new Series();
    series.set(name, known);
    known.push(latencyMs);
  };
  const source: TickSource | undefined =
    ticks && ((periodMs, onTick) => listenToTicks(ticks.buffer, ticks.periodMs ?? periodMs, onTick));
  const result = await runLoad({
    ...order.target,
    connections: order.connections,
    durationMs: order.durationMs,
    ...(dueMs === undefined
      ? {}
      : {
          dueMs: (index: number) => dueMs[index]!,
          requests: dueMs.length,
          ...(source && { ticks: source }),
        }),
    request: (index) => {
      if (index === 0) startedMs = performance.now();
      return requests[index % requests.length]!.bytes;
    },
    onReply: (index, _status, _body, latencyMs) => {
      const requestClass: RequestClass = requests[index % requests.length]!.requestClass;
      keep(requestClass, latencyMs);
      if (rate?.burst !== undefined) keep(isBurst(rate, dueMs![index]!) ? "burst" : "between", latencyMs);
      const second = Math.floor((performance.now() - startedMs) / 1000);
      perSecond[second] = (perSecond[second] ?? 0) + 1;
    },
    isCancelled: () => Atomics.load(cancel, 0) === 1,
  });
  return {
    type: "outcome",
    elapsedMs: result.elapsedMs,
    statuses: result.statuses,
    latenciesMs: Object.fromEntries([...series].map(([name, values]) => [name, values.values()])),
    lagsMs: result.lagsMs,
    // The last second is not whole.
    perSecond: Array.from({ length: Math.floor(result.elapsedMs / 1000) }, (_, at) => perSecond[at] ?? 0),
  };
}
