/**
 * One workload against a running appliance, in spaces of its own: fill, warm up, the phases, and away with it.
 *
 *   spaces made ─▶ filled ─▶ graphs caught up ─▶ warm-up, thrown away ─▶ phases ─▶ spaces deleted, whatever happened
 */
import { OperatorError } from "../../base/errors.ts";
import { factsBetween, parseSamples } from "./appliance-facts.ts";
import type { LoadGenerator } from "./generator.ts";
import type { LoadOutcome } from "./load-thread.ts";
import { latencyFigures, meanOf, quantileOf } from "./quantiles.ts";
import { fillingBatches } from "./requests.ts";
import type { PhaseResult, WorkloadResult } from "./result.ts";
import type { Rate } from "./schedule.ts";
import type { Phase, Workload } from "./workloads.ts";

/** How the bench talks to the appliance beside the load; handed in by the command. */
export type ApplianceCalls = {
  /** one call of the API, answered as parsed JSON. @throws where the appliance refuses */
  readonly call: (
    method: "GET" | "POST" | "DELETE",
    path: string,
    body?: unknown,
    space?: string,
  ) => Promise<unknown>;
  /** `/metrics` as text */
  readonly metrics: () => Promise<string>;
};

export type RunOptions = {
  readonly calls: ApplianceCalls;
  readonly generator: LoadGenerator;
  readonly target: { readonly host: string; readonly port: number; readonly isSecure: boolean };
  readonly headers: Readonly<Record<string, string>>;
  readonly seed: number;
  readonly concurrency: number;
  readonly durationMs: number;
  /** of the workload's spaces; unlike any other's */
  readonly spacePrefix: string;
  /** requests a second that open loops refer to, in place of what the reference phase finds */
  readonly reference?: number | undefined;
  readonly progress: (text: string) => void;
  readonly pause: (ms: number) => Promise<unknown>;
};

const WARM_UP_SHARE = 0.1;
const WARM_UP_MS_MAX = 3000;
const INDEX_STILL_MS = 2000;
const INDEX_WAIT_MS_MAX = 120_000;
/** Below this a rate tells nothing, and the appliance is too slow for an open loop. */
const RATE_MIN = 1;

/** @throws {OperatorError} `bench-failed` when nothing was answered */
export async function runWorkload(workload: Workload, options: RunOptions): Promise<WorkloadResult> {
  const { calls, generator, progress, concurrency, durationMs } = options;
  const spaces = Array.from(
    { length: workload.spaces },
    (_, at) => `${options.spacePrefix}-${workload.name}-${at}`,
  );
  const made: string[] = [];
  try {
    for (const name of spaces) {
      await calls.call("POST", "/api/v1/spaces", { name });
      made.push(name);
    }
    await fill(workload, spaces, options);
    progress(`${workload.name}: warming up`);
    await load(options, spaces, {
      phase: workload.phases[0]!,
      durationMs: Math.min(WARM_UP_MS_MAX, durationMs * WARM_UP_SHARE),
      rate: undefined,
      seed: options.seed + 500,
    });
    const before = parseSamples(await calls.metrics());
    const phases: PhaseResult[] = [];
    let reference = 0;
    for (const [at, phase] of workload.phases.entries()) {
      if (generator.isCancelled) break;
      progress(`${workload.name}: ${phase.name}`);
      const rate = rateOf(phase, options.reference ?? reference);
      const outcome = await load(options, spaces, {
        phase,
        durationMs: durationMs * phase.share,
        rate,
        seed: options.seed + at,
      });
      const result = phaseResult(phase, outcome, { rate, concurrency });
      if (phase.loop === "closed" && phase.isReference === true) reference = result.throughput.mean;
      phases.push(result);
    }
    const after = parseSamples(await calls.metrics());
    const requests = phases.reduce((sum, { latency }) => sum + (latency?.count ?? 0), 0);
    return { name: workload.name, phases, facts: factsBetween(before, after, requests) };
  } finally {
    for (const name of made) {
      await calls.call("DELETE", `/api/v1/spaces/${name}`).catch((error: unknown) => {
        progress(`the space ${name} could not be deleted: ${error instanceof Error ? error.message : error}`);
      });
    }
  }
}

async function fill(workload: Workload, spaces: readonly string[], options: RunOptions): Promise<void> {
  const { calls, generator, progress, seed, pause } = options;
  if (workload.memoriesEach === 0) return;
  progress(`${workload.name}: storing ${workload.memoriesEach * spaces.length} memories`);
  for (const [at, space] of spaces.entries()) {
    for (const body of fillingBatches(workload.memoriesEach, seed * 100 + at)) {
      if (generator.isCancelled) return;
      await calls.call("POST", "/api/v1/memories/remember/batch", body, space);
    }
  }
  progress(`${workload.name}: waiting for the index`);
  const deadline = performance.now() + INDEX_WAIT_MS_MAX;
  let least = Number.POSITIVE_INFINITY;
  let shrankAtMs = performance.now();
  while (!generator.isCancelled && performance.now() < deadline) {
    let waiting = 0;
    for (const space of spaces) {
      const { tail } = (await calls.call("GET", `/api/v1/spaces/${space}`)) as { tail: number };
      waiting += tail;
    }
    if (waiting < least) shrankAtMs = performance.now();
    least = Math.min(least, waiting);
    // Small spaces have no graph, and their memories stay in the tail.
    if (waiting === 0 || performance.now() - shrankAtMs > INDEX_STILL_MS) break;
    await pause(100);
  }
}

function load(
  options: RunOptions,
  spaces: readonly string[],
  of: { phase: Phase; durationMs: number; rate: Rate | undefined; seed: number },
): Promise<LoadOutcome> {
  const { generator, target, headers, concurrency } = options;
  return generator.run({
    target,
    headers,
    spaces,
    mix: of.phase.mix,
    seed: of.seed,
    connections: connectionsOf(of.phase, concurrency),
    durationMs: of.durationMs,
    rate: of.rate,
  });
}

function connectionsOf(phase: Phase, concurrency: number): number {
  return phase.loop === "open" ? concurrency : Math.max(1, Math.round(concurrency * phase.connectionShare));
}

function rateOf(phase: Phase, reference: number): Rate | undefined {
  if (phase.loop === "closed") return undefined;
  const { burst } = phase;
  return {
    base: Math.max(RATE_MIN, reference * phase.rateShare),
    burst: burst && {
      periodMs: burst.periodMs,
      burstMs: burst.burstMs,
      rate: Math.max(RATE_MIN, reference * burst.rateShare),
    },
  };
}

function phaseResult(
  phase: Phase,
  outcome: LoadOutcome,
  { rate, concurrency }: { rate: Rate | undefined; concurrency: number },
): PhaseResult {
  const failures = Object.entries(outcome.statuses).reduce(
    (sum, [status, count]) => sum + (Number(status) >= 200 && Number(status) <= 299 ? 0 : count),
    0,
  );
  const named = Object.entries(outcome.latenciesMs);
  const requestClasses = named.filter(([name]) => name !== "burst" && name !== "between");
  const all = new Float64Array(requestClasses.reduce((sum, [, values]) => sum + values.length, 0));
  let at = 0;
  for (const [, values] of requestClasses) {
    all.set(values, at);
    at += values.length;
  }
  if (all.length === 0 || failures === all.length) {
    throw new OperatorError({
      code: "bench-failed",
      message: `No request of the phase "${phase.name}" was answered well: ${statusText(outcome.statuses)}`,
      remedy: "Look at the appliance's health and log; a status of 0 is a connection that broke",
    });
  }
  const seconds = outcome.elapsedMs / 1000;
  const throughput =
    outcome.perSecond.length > 0
      ? meanOf(outcome.perSecond)
      : { mean: all.length / seconds, plusMinus: null };
  return {
    name: phase.name,
    loop: phase.loop,
    connections: connectionsOf(phase, concurrency),
    seconds,
    rate: rate === undefined ? null : rate.base,
    throughput,
    failures,
    latency: latencyFigures(all),
    classes: Object.fromEntries(named.map(([name, values]) => [name, latencyFigures(values)])),
    sentLateMs: phase.loop === "open" ? quantileOf(outcome.lagsMs.sort(), 0.99).value : null,
  };
}

function statusText(statuses: Readonly<Record<number, number>>): string {
  return Object.entries(statuses)
    .map(([status, count]) => `${count} x ${status}`)
    .join(", ");
}
