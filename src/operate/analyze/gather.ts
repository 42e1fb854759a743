/**
 * Asks the history of a running appliance for what it did in a while: some thirty PromQL queries, made into facts.
 *
 * The same history answers an operator, so each figure can be asked for again by hand.
 */
import { type Fact, known, unavailable } from "../../base/fact.ts";
import type { CacheFacts, Histogram, SettingValues, StageFacts, ThreadFacts, WorkFacts } from "./facts.ts";

/** One value of an instant query, with its labels. */
export type Sample = { readonly labels: Readonly<Record<string, string>>; readonly value: number };

export type GatherOptions = {
  /** an instant query of the appliance's history. @throws where it can not be asked */
  readonly ask: (promql: string) => Promise<readonly Sample[]>;
  /** "15m" */
  readonly lookback: string;
  readonly lookbackSeconds: number;
  readonly settings: Fact<SettingValues>;
  readonly memoryBandwidth: Fact<number>;
};

/** Why a counter is not there, by what the appliance says became of it. */
const REFUSAL_TEXT: Readonly<Record<string, string>> = {
  no_counter: "this processor, or the virtual machine, shows no such counter",
  unknown: "how this processor counts it is not known",
  no_right: "the kernel does not allow it: sysctl kernel.perf_event_paranoid=2, or CAP_PERFMON for the unit",
  no_descriptor: "no file descriptor was left: raise LimitNOFILE= of the unit",
  busy: "another program holds the counters of the processor",
  untrusted: "it counts wrongly here",
  idle: "the threads did not run",
  failed: "the kernel refused it",
};

export async function gatherFacts(options: GatherOptions): Promise<WorkFacts> {
  const { ask, lookback, lookbackSeconds } = options;
  const window = `[${lookback}]`;
  const vector = (query: string): Promise<readonly Sample[]> => ask(query);
  const number = async (query: string): Promise<number | undefined> => {
    const [first] = await ask(query);
    return first === undefined || Number.isNaN(first.value) ? undefined : first.value;
  };
  const sum = async (selector: string): Promise<number> =>
    (await number(`sum(increase(${selector}${window}))`)) ?? 0;
  const histogram = async (name: string): Promise<Histogram> => ({
    count: await sum(`${name}_count`),
    totalSeconds: await sum(`${name}_sum`),
    p99Seconds:
      (await number(`histogram_quantile(0.99, sum by (le) (increase(${name}_bucket${window})))`)) ?? 0,
  });
  const upSeconds = (await number("time() - process_start_time_seconds")) ?? lookbackSeconds;
  const windowSeconds = Math.max(1, Math.min(lookbackSeconds, upSeconds));
  const traffic = await number(`sum(increase(engram_hardware_memory_estimated_bytes_total${window}))`);
  const refusedCounters = refusals(await vector("sum by (counter, state) (engram_hardware_event_threads)"));
  return {
    windowSeconds,
    operations: await operations(vector, window),
    stages: await stages(vector, window),
    recall: {
      results: await sum("engram_recall_result_size_sum"),
      graphDistances: await sum('engram_vector_distances_total{path="graph"}'),
      scanDistances: await sum('engram_vector_distances_total{path="scan"}'),
    },
    log: {
      flush: await histogram("engram_wal_flush_duration_seconds"),
      records: await sum("engram_wal_group_records_sum"),
      bytes: await sum("engram_wal_appended_bytes_total"),
    },
    checkpoints: {
      count: await sum("engram_checkpoint_duration_seconds_count"),
      totalSeconds: await sum("engram_checkpoint_duration_seconds_sum"),
      bytes: await sum("engram_checkpoint_written_bytes_total"),
    },
    data: {
      bytes: (await number("sum(engram_data_bytes)")) ?? 0,
      grownBytes: (await number(`sum(delta(engram_data_bytes${window}))`)) ?? 0,
    },
    tail: {
      now: (await number("max(engram_index_tail_vectors_max)")) ?? 0,
      longest: (await number(`max(max_over_time(engram_index_tail_vectors_max${window}))`)) ?? 0,
      perSecond: (await number(`max(deriv(engram_index_tail_vectors_max${window}))`)) ?? 0,
      capacity: (await number("max(engram_index_tail_capacity_vectors)")) ?? 0,
    },
    index: {
      vectors: (await number("sum(engram_index_vectors)")) ?? 0,
      insert: await histogram("engram_index_insert_duration_seconds"),
    },
    memories: {
      count: (await number("sum(engram_memories)")) ?? 0,
      spaces: (await number("sum(engram_spaces)")) ?? 0,
      largestSpace: (await number("max(engram_space_memories)")) ?? 0,
    },
    caches: await caches(vector, window),
    threads: await threads(vector, window, windowSeconds),
    refusedCounters,
    memory: {
      mappedBytes: (await number('sum(engram_memory_bytes{part!="history"})')) ?? 0,
      hugeBytes: (await number('sum(engram_memory_bytes{part!="history",page!="base"})')) ?? 0,
      residentBytes: (await number("sum(process_resident_memory_bytes)")) ?? 0,
    },
    numaNodes: (await number('count(engram_numa_memory_bytes{state="used"})')) ?? 1,
    otherNodeShare: await otherNodes(number, window),
    memoryTraffic:
      traffic === undefined
        ? unavailable(refusedCounters["llc_misses"] ?? "misses of the last-level cache are not counted")
        : known(traffic / windowSeconds),
    memoryBandwidth: options.memoryBandwidth,
    settings: options.settings,
  };
}

type Vector = (query: string) => Promise<readonly Sample[]>;

async function operations(vector: Vector, window: string): Promise<Record<string, Histogram>> {
  const NAME = "engram_memory_operation_duration_seconds";
  const counts = await vector(`sum by (operation) (increase(engram_operations_total${window}))`);
  const timed = byLabel(await vector(`sum by (operation) (increase(${NAME}_count${window}))`), "operation");
  const seconds = byLabel(await vector(`sum by (operation) (increase(${NAME}_sum${window}))`), "operation");
  const p99 = byLabel(
    await vector(`histogram_quantile(0.99, sum by (operation, le) (increase(${NAME}_bucket${window})))`),
    "operation",
  );
  return Object.fromEntries(
    counts
      .filter(({ value }) => value > 0)
      .map(({ labels, value }) => {
        const name = labels["operation"] ?? "";
        // Of gets, one in eight is timed.
        const share = value / Math.max(1, timed.get(name) ?? value);
        const totalSeconds = (seconds.get(name) ?? 0) * Math.max(1, share);
        return [name, { count: value, totalSeconds, p99Seconds: orZero(p99.get(name)) }];
      }),
  );
}

async function stages(vector: Vector, window: string): Promise<StageFacts[]> {
  const NAME = "engram_operation_stage_duration_seconds";
  const key = ({ labels }: Sample): string => `${labels["operation"]} ${labels["stage"]}`;
  const counts = new Map(
    (await vector(`sum by (operation, stage) (increase(${NAME}_count${window}))`)).map((each) => [
      key(each),
      each.value,
    ]),
  );
  const seconds = await vector(`sum by (operation, stage) (increase(${NAME}_sum${window}))`);
  return seconds.flatMap((each): StageFacts[] => {
    const count = counts.get(key(each)) ?? 0;
    if (count <= 0) return [];
    const { operation = "", stage = "" } = each.labels;
    return [{ operation, stage, count, totalSeconds: each.value }];
  });
}

async function caches(vector: Vector, window: string): Promise<Record<string, CacheFacts>> {
  const requests = byLabel(
    await vector(`sum by (cache) (increase(engram_cache_requests_total${window}))`),
    "cache",
  );
  const hits = byLabel(await vector(`sum by (cache) (increase(engram_cache_hits_total${window}))`), "cache");
  const bytes = byLabel(await vector("sum by (cache) (engram_cache_bytes)"), "cache");
  return Object.fromEntries(
    [...requests].map(([name, count]) => [
      name,
      { requests: count, hits: hits.get(name) ?? 0, bytes: bytes.get(name) ?? 0 },
    ]),
  );
}

async function threads(vector: Vector, window: string, windowSeconds: number): Promise<ThreadFacts[]> {
  const cpu = byLabel(await vector(`increase(engram_thread_cpu_seconds_total${window})`), "thread");
  const delays = byLabel(
    await vector(
      `histogram_quantile(0.99, sum by (thread, le) (increase(engram_event_loop_delay_seconds_bucket${window})))`,
    ),
    "thread",
  );
  const simd = byLabel(await vector(`avg_over_time(engram_hardware_simd_ratio${window})`), "thread");
  const hardware = new Map<string, Record<string, number>>();
  for (const { labels, value } of await vector(`increase(engram_hardware_events_total${window})`)) {
    const { thread = "", event = "" } = labels;
    const own = hardware.get(thread) ?? {};
    own[event] = value;
    hardware.set(thread, own);
  }
  const names = new Set([...cpu.keys(), ...delays.keys(), ...hardware.keys()]);
  return [...names].sort().map((name) => {
    const seconds = cpu.get(name);
    return {
      name,
      cpuShare: seconds === undefined ? undefined : seconds / windowSeconds,
      loopDelayP99Seconds: delays.get(name),
      hardware: hardware.get(name) ?? {},
      simdRatio: simd.get(name),
    };
  });
}

async function otherNodes(
  number: (query: string) => Promise<number | undefined>,
  window: string,
): Promise<Fact<number>> {
  const of = (event: string): Promise<number | undefined> =>
    number(`sum(increase(engram_numa_pages_total{event="${event}"}${window}))`);
  const other = await of("other_node");
  const local = await of("local_node");
  if (other === undefined || local === undefined) return unavailable("the kernel shows no numastat");
  return known(other + local === 0 ? 0 : other / (other + local));
}

function refusals(samples: readonly Sample[]): Record<string, string> {
  const measured = new Set(
    samples.filter(({ labels, value }) => labels["state"] === "measured" && value > 0).map(counterOf),
  );
  return Object.fromEntries(
    samples
      .filter((each) => each.value > 0 && !measured.has(counterOf(each)))
      .map((each) => [counterOf(each), REFUSAL_TEXT[each.labels["state"] ?? ""] ?? "it is not counted"]),
  );
}

function counterOf({ labels }: Sample): string {
  return labels["counter"] ?? "";
}

function byLabel(samples: readonly Sample[], label: string): Map<string, number> {
  return new Map(
    samples
      .filter(({ value }) => !Number.isNaN(value))
      .map(({ labels, value }) => [labels[label] ?? "", value]),
  );
}

function orZero(value: number | undefined): number {
  return value ?? 0;
}
