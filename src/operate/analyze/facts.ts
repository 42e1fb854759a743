/**
 * What a running appliance did in a while, as its own history tells it: the facts that advice and tuning are made of.
 *
 * Counts and seconds are sums over the while; a figure that could not be had is a fact without a value, with the
 * reason. Nothing is filled in.
 */
import type { Fact } from "../../base/fact.ts";

export type Histogram = {
  readonly count: number;
  readonly totalSeconds: number;
  readonly p99Seconds: number;
};

export type StageFacts = {
  readonly operation: string;
  readonly stage: string;
  readonly count: number;
  readonly totalSeconds: number;
};

export type ThreadFacts = {
  /** "api-0" */
  readonly name: string;
  /** of one core; undefined where the kernel did not say */
  readonly cpuShare: number | undefined;
  readonly loopDelayP99Seconds: number | undefined;
  /** what the processor counted, by event; absent where it can not be counted */
  readonly hardware: Readonly<Record<string, number>>;
  readonly simdRatio: number | undefined;
};

export type CacheFacts = { readonly requests: number; readonly hits: number; readonly bytes: number };

export type SettingValues = Readonly<Record<string, string | number | boolean>>;

export type WorkFacts = {
  /** how long the counts were gathered: the lookback, or since the appliance started */
  readonly windowSeconds: number;
  readonly operations: Readonly<Record<string, Histogram>>;
  readonly stages: readonly StageFacts[];
  readonly recall: {
    readonly results: number;
    readonly graphDistances: number;
    readonly scanDistances: number;
  };
  readonly log: {
    readonly flush: Histogram;
    readonly records: number;
    readonly bytes: number;
  };
  readonly checkpoints: { readonly count: number; readonly totalSeconds: number; readonly bytes: number };
  /** contents and vectors of live memories, and by how much they grew */
  readonly data: { readonly bytes: number; readonly grownBytes: number };
  readonly tail: {
    readonly now: number;
    readonly longest: number;
    readonly perSecond: number;
    readonly capacity: number;
  };
  readonly index: { readonly vectors: number; readonly insert: Histogram };
  readonly memories: { readonly count: number; readonly spaces: number; readonly largestSpace: number };
  readonly caches: Readonly<Record<string, CacheFacts>>;
  readonly threads: readonly ThreadFacts[];
  /** why a counter of the processor could not be had, by its name */
  readonly refusedCounters: Readonly<Record<string, string>>;
  readonly memory: {
    /** in regions, beside the history */
    readonly mappedBytes: number;
    readonly hugeBytes: number;
    readonly residentBytes: number;
  };
  readonly numaNodes: number;
  /** of the pages that the kernel allocated, of all processes: the share on another node than the thread's */
  readonly otherNodeShare: Fact<number>;
  /** estimate of what came from memory, bytes a second */
  readonly memoryTraffic: Fact<number>;
  /** what the machine's memory was measured to carry, bytes a second */
  readonly memoryBandwidth: Fact<number>;
  /** the settings that run */
  readonly settings: Fact<SettingValues>;
};

/** Seconds that all stages took, of one operation or of all. */
export function stageSeconds(facts: Pick<WorkFacts, "stages">, operation?: string): number {
  return facts.stages.reduce(
    (sum, each) => (operation === undefined || each.operation === operation ? sum + each.totalSeconds : sum),
    0,
  );
}

/** A stage over the operations that have it: how often, how long on average, and its share of all stages' time. */
export function stageOf(
  facts: Pick<WorkFacts, "stages">,
  stage: string,
  operation?: string,
): { readonly count: number; readonly meanSeconds: number; readonly share: number } {
  const found = facts.stages.filter(
    (each) => each.stage === stage && (operation === undefined || each.operation === operation),
  );
  const count = found.reduce((sum, each) => sum + each.count, 0);
  const seconds = found.reduce((sum, each) => sum + each.totalSeconds, 0);
  const all = stageSeconds(facts, operation);
  return { count, meanSeconds: count === 0 ? 0 : seconds / count, share: all === 0 ? 0 : seconds / all };
}

/** A setting that runs, where it may be read and is a number. */
export function numberSetting({ settings }: Pick<WorkFacts, "settings">, name: string): number | undefined {
  const value = "value" in settings ? settings.value[name] : undefined;
  return typeof value === "number" ? value : undefined;
}

export function textSetting({ settings }: Pick<WorkFacts, "settings">, name: string): string | undefined {
  const value = "value" in settings ? settings.value[name] : undefined;
  return typeof value === "string" ? value : undefined;
}

/** Whether texts are embedded by a server; supposed where the settings may not be read. */
export function hasRemoteEmbedder(facts: Pick<WorkFacts, "settings">): boolean {
  return !["hash", "none"].includes(textSetting(facts, "embedding.provider") ?? "unknown");
}
