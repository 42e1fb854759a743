/**
 * Collects a profile of a running appliance over its API: readings before and after, and what it does in between.
 *
 *   read ── quiet (no samples) ── read ── sample, slice by slice ── read
 *
 * The quiet part is what the cost of sampling is held against. Nothing is changed in the appliance; a run that is
 * broken off leaves nothing behind there, since a slice ends by itself within seconds.
 */
import { type HostSnapshot, type Missing, SAMPLER_THREAD } from "../../observe/host-snapshot.ts";
import type { ProfileSlice } from "../../observe/profile-slice.ts";
import type { SlowOperation } from "../../observe/slow-operation.ts";
import { measure } from "./measure.ts";
import type { Measured, SpaceFigures } from "./measured.ts";
import { MetricDelta } from "./metric-delta.ts";
import type { ProfileCost } from "./report.ts";
import { doorbellWaits, hotFunctions, type Stacks, stacksOf } from "./stacks.ts";

/** The appliance as a profile reaches it; each throws what the client throws. */
export type ProfileCalls = {
  readonly call: (method: "GET" | "POST", path: string, body?: unknown) => Promise<unknown>;
  readonly metrics: () => Promise<string>;
};

export type CollectOptions = {
  readonly calls: ProfileCalls;
  /** of the whole run */
  readonly durationMs: number;
  readonly nowMs: () => number;
  readonly wallMs: () => number;
  readonly pause: (ms: number) => Promise<void>;
  readonly progress: (text: string) => void;
  readonly isCancelled: () => boolean;
};

/** Settings that explain figures. */
const EXPLAINING: readonly string[] = [
  "embedding.cache_mb",
  "embedding.provider",
  "index.M",
  "index.ef_construction",
  "index.ef_search",
  "index.tail_max",
  "memory.huge_pages",
  "memory.lock",
  "monitoring.enabled",
  "numa.strategy",
  "thread_pools.api_workers",
  "thread_pools.index_workers",
  "wal.flush_interval_ms",
  "wal.sync_mode",
];
const QUIET_SHARE = 0.15;
const QUIET_MS_MAX = 5000;
const TICK_MS = 1000;
/** A slice that is asked for and never fetched ends by itself after it. */
const SLICE_MS = 4000;
const SLICE_MS_MIN = 300;
/** The last readings take a moment, too. */
const READING_MS = 1500;
const OPERATIONS_MIN = 100;

const UNWATCHED: Missing = {
  what: "operations, stages, syncs and all else that metrics tell",
  reason: "monitoring.enabled is off, so nothing is recorded",
  remedy: "engram-appliance config set --live monitoring.enabled true",
};

type Reading = { readonly atMs: number; readonly metrics: string; readonly host: HostSnapshot };

export type Collected = { readonly measured: Measured; readonly cost: ProfileCost; readonly stacks: Stacks };

/** @returns undefined where it was cancelled */
export async function collect(options: CollectOptions): Promise<Collected | undefined> {
  const { calls, durationMs, nowMs, progress } = options;
  const startedAtMs = nowMs();
  const startedAtWallMs = options.wallMs();
  progress("reading what the appliance and the kernel say");
  const first = await read(options);
  const endsAtMs = startedAtMs + Math.max(durationMs * 0.6, durationMs - READING_MS);
  const quietMs = Math.min(QUIET_MS_MAX, durationMs * QUIET_SHARE);
  await wait(options, startedAtMs + quietMs, "watching without samples");
  if (options.isCancelled()) return undefined;
  const second = await read(options);
  const slices: ProfileSlice[] = [];
  for (;;) {
    const leftMs = endsAtMs - nowMs();
    if (leftMs < SLICE_MS_MIN || options.isCancelled()) break;
    progress(`taking samples: ${Math.ceil(leftMs / 1000)} s left`);
    const seconds = Math.min(leftMs, SLICE_MS) / 1000;
    slices.push((await calls.call("POST", "/api/v1/system/profile", { seconds })) as ProfileSlice);
  }
  if (options.isCancelled()) return undefined;
  progress("reading again");
  const last = await read(options);
  const missing = distinct(slices.flatMap((slice) => slice.missing));
  const stacks = stacksOf(slices);
  const settings = await settingsOf(calls, missing);
  const slow = (await calls.call(
    "GET",
    `/api/v1/slow-queries?since=${Math.floor(startedAtWallMs)}&limit=10000`,
  )) as {
    operations: SlowOperation[];
  };
  const measured = measure({
    seconds: (last.atMs - first.atMs) / 1000,
    metricsBefore: first.metrics,
    metricsAfter: last.metrics,
    host: { before: first.host, after: last.host },
    settings,
    slow: slow.operations,
    spaces: spacesOf(slices),
    doorbells: doorbellWaits(slices),
    hotFunctions: hotFunctions(stacks),
    missing,
  });
  return { measured, cost: costOf(first, second, last), stacks };
}

/** What several slices lack is said once. */
function distinct(missing: readonly Missing[]): Missing[] {
  return [...new Map(missing.map((each) => [`${each.what} ${each.reason}`, each])).values()];
}

function spacesOf(slices: readonly ProfileSlice[]): SpaceFigures[] {
  const bySpace = new Map<string, SpaceFigures>();
  for (const { space, operations, busy_ms } of slices.flatMap(({ spaces }) => spaces)) {
    const before = bySpace.get(space) ?? { space, operations: 0, busy_s: 0 };
    bySpace.set(space, {
      space,
      operations: before.operations + operations,
      busy_s: before.busy_s + busy_ms / 1000,
    });
  }
  return [...bySpace.values()];
}

async function read({ calls, nowMs }: CollectOptions): Promise<Reading> {
  const host = (await calls.call("GET", "/api/v1/system/host")) as HostSnapshot;
  const atMs = nowMs();
  return { atMs, metrics: await calls.metrics(), host };
}

async function wait(options: CollectOptions, untilMs: number, doing: string): Promise<void> {
  const { nowMs, pause, progress, isCancelled } = options;
  for (;;) {
    const leftMs = untilMs - nowMs();
    if (leftMs <= 0 || isCancelled()) return;
    progress(`${doing}: ${Math.ceil(leftMs / 1000)} s left`);
    await pause(Math.min(leftMs, TICK_MS));
  }
}

async function settingsOf(calls: ProfileCalls, missing: Missing[]): Promise<Measured["settings"]> {
  try {
    const { settings } = (await calls.call("GET", "/api/v1/system/settings")) as {
      settings: { name: string; value: string | number | boolean }[];
    };
    if (settings.some(({ name, value }) => name === "monitoring.enabled" && value === false))
      missing.push(UNWATCHED);
    return Object.fromEntries(
      settings.filter(({ name }) => EXPLAINING.includes(name)).map(({ name, value }) => [name, value]),
    );
  } catch (error) {
    missing.push({
      what: "the settings that run",
      reason: error instanceof Error ? error.message : String(error),
      remedy: "Call with a key that has the right admin",
    });
    return null;
  }
}

export function costOf(first: Reading, second: Reading, last: Reading): ProfileCost {
  const without = usage(first, second);
  const withSamples = usage(second, last);
  return {
    cpu_without: without.cores,
    cpu_with: withSamples.cores,
    cpu_us_per_operation_without: without.perOperationUs,
    cpu_us_per_operation_with: withSamples.perOperationUs,
    samplers: withSamples.samplers,
  };
}

function usage(from: Reading, to: Reading) {
  const seconds = (to.host.at_ms - from.host.at_ms) / 1000;
  const grown = (isWanted: (name: string) => boolean): number => {
    const sum = ({ host }: Reading) =>
      host.threads.reduce((total, { name, cpu_s }) => (isWanted(name) ? total + cpu_s : total), 0);
    return Math.max(0, sum(to) - sum(from));
  };
  const cpu = grown(() => true);
  const operations = new MetricDelta(from.metrics, to.metrics).grown("engram_operations_total") ?? 0;
  return {
    cores: seconds <= 0 ? null : cpu / seconds,
    perOperationUs: operations < OPERATIONS_MIN ? null : (cpu / operations) * 1e6,
    samplers: seconds <= 0 ? null : grown((name) => name === SAMPLER_THREAD) / seconds,
  };
}
