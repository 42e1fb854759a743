/**
 * The load generator over its threads: splits connections and schedule, starts them together, adds them up.
 *
 * One more thread only ticks, since a thread that sleeps exactly can not listen to its sockets meanwhile.
 */
import { BugError } from "../../base/errors.ts";
import { orderTicks, stopTicks } from "../load/ticker.ts";
import type { LoadOrder, LoadOutcome } from "./load-thread.ts";
import { arrivalTimes, type Rate } from "./schedule.ts";
import type { Mix } from "./workloads.ts";

/** Opens a thread that runs `load-worker.ts`. */
export type OpenLoadThread = () => Worker;

const TICK_MS = 0.25;

export type LoadSpec = {
  readonly target: LoadOrder["target"];
  readonly headers: Readonly<Record<string, string>>;
  readonly spaces: readonly string[];
  readonly mix: Mix;
  readonly seed: number;
  readonly connections: number;
  readonly durationMs: number;
  /** an open loop of this rate; closed where absent */
  readonly rate?: Rate | undefined;
};

export class LoadGenerator {
  readonly #open: OpenLoadThread;
  readonly #threadCount: number;
  readonly #cancel = new SharedArrayBuffer(4);

  constructor(open: OpenLoadThread, threadCount: number) {
    this.#open = open;
    this.#threadCount = threadCount;
  }

  get isCancelled(): boolean {
    return Atomics.load(new Int32Array(this.#cancel), 0) === 1;
  }

  /** Ends the load under way, and every later one at once. */
  cancel(): void {
    Atomics.store(new Int32Array(this.#cancel), 0, 1);
  }

  async run(spec: LoadSpec): Promise<LoadOutcome> {
    const count = Math.min(this.#threadCount, spec.connections);
    const due = spec.rate && arrivalTimes(spec.rate, spec.durationMs, spec.seed);
    const ticker = due && this.#open();
    const ticks = ticker && { buffer: orderTicks(ticker, TICK_MS), periodMs: TICK_MS };
    const workers = Array.from({ length: count }, () => this.#open());
    try {
      const outcomes = await Promise.all(
        workers.map((worker, at) =>
          outcomeOf(worker, {
            type: "load",
            target: spec.target,
            headers: spec.headers,
            spaces: spec.spaces,
            mix: spec.mix,
            seed: spec.seed * 1000 + at,
            connections: share(spec.connections, count, at),
            durationMs: spec.durationMs,
            ...(due && { dueMs: due.filter((_, index) => index % count === at), rate: spec.rate! }),
            ...(ticks && { ticks }),
            cancel: this.#cancel,
          }),
        ),
      );
      return added(outcomes);
    } finally {
      if (ticks !== undefined) stopTicks(ticks.buffer);
      for (const worker of workers) worker.terminate();
      ticker?.terminate();
    }
  }
}

/** Of `total`, the part of number `at` of `count`: they differ by one at most. */
function share(total: number, count: number, at: number): number {
  return Math.floor((total * (at + 1)) / count) - Math.floor((total * at) / count);
}

function outcomeOf(worker: Worker, order: LoadOrder): Promise<LoadOutcome> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({
      data,
    }: {
      data: LoadOutcome | { readonly type: "failed"; readonly message: string };
    }) => {
      if (data.type === "outcome") resolve(data);
      else reject(new Error(data.message));
    };
    worker.onerror = (event) =>
      reject(new BugError(`A thread of the load generator failed: ${event.message}`));
    worker.postMessage(order);
  });
}

function added(outcomes: readonly LoadOutcome[]): LoadOutcome {
  const statuses: Record<number, number> = {};
  const latencies = new Map<string, Float64Array[]>();
  const seconds = Math.min(...outcomes.map(({ perSecond }) => perSecond.length));
  for (const outcome of outcomes) {
    for (const [status, count] of Object.entries(outcome.statuses)) {
      statuses[Number(status)] = (statuses[Number(status)] ?? 0) + count;
    }
    for (const [name, values] of Object.entries(outcome.latenciesMs)) {
      latencies.set(name, [...(latencies.get(name) ?? []), values]);
    }
  }
  return {
    type: "outcome",
    elapsedMs: Math.max(...outcomes.map(({ elapsedMs }) => elapsedMs)),
    statuses,
    latenciesMs: Object.fromEntries([...latencies].map(([name, parts]) => [name, joined(parts)])),
    lagsMs: joined(outcomes.map(({ lagsMs }) => lagsMs)),
    perSecond: Array.from({ length: seconds }, (_, at) =>
      outcomes.reduce((sum, { perSecond }) => sum + perSecond[at]!, 0),
    ),
  };
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
