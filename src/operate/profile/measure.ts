/** Makes of what was read before and after what a profile measured. A pure function. */
import {
  type HostSnapshot,
  type HostThread,
  type Missing,
  SAMPLER_THREAD,
} from "../../observe/host-snapshot.ts";
import type { SlowOperation } from "../../observe/slow-operation.ts";
import { slowReport } from "../slow-report.ts";
import type {
  HotFunction,
  Measured,
  OperationFigures,
  SpaceFigures,
  StageFigures,
  ThreadFigures,
} from "./measured.ts";
import { MetricDelta } from "./metric-delta.ts";

export type Readings = {
  readonly seconds: number;
  readonly metricsBefore: string;
  readonly metricsAfter: string;
  /** undefined where the appliance did not say */
  readonly host: { readonly before: HostSnapshot; readonly after: HostSnapshot } | undefined;
  readonly settings: Measured["settings"];
  readonly slow: readonly SlowOperation[] | undefined;
  readonly spaces: readonly SpaceFigures[];
  /** by thread: share of samples in which it slept on a doorbell */
  readonly doorbells: ReadonlyMap<string, number>;
  readonly hotFunctions: readonly HotFunction[];
  /** beside what the readings themselves lack */
  readonly missing: readonly Missing[];
};

const OPERATION = "engram_memory_operation_duration_seconds";
const STAGE = "engram_operation_stage_duration_seconds";
const SAMPLER_NAME = "sampler of profiles";
/** Threads that the appliance starts and names: "api-0". */
const OWN_THREAD = /^(api|writer|indexer|collector|background)-\d+$/;

export function measure(readings: Readings): Measured {
  const { seconds, host } = readings;
  const metrics = new MetricDelta(readings.metricsBefore, readings.metricsAfter);
  const operations = operationsOf(metrics, seconds);
  const total = operations.reduce((sum, { latency }) => sum + latency.total_s, 0);
  const grown = (name: string, labels?: Record<string, string>): number => metrics.grown(name, labels) ?? 0;
  const recalls = metrics.latency(OPERATION, { operation: "recall" })?.count ?? 0;
  const perRecall = (path: string): number =>
    recalls === 0 ? 0 : grown("engram_vector_distances_total", { path }) / recalls;
  const report = readings.slow === undefined ? undefined : slowReport(readings.slow);
  const after = host?.after;
  return {
    seconds,
    cores: after?.cores ?? null,
    operations,
    stages: stagesOf(metrics, total),
    flush: metrics.latency("engram_wal_flush_duration_seconds") ?? null,
    recall: { count: recalls, graph_distances: perRecall("graph"), scan_distances: perRecall("scan") },
    settings: readings.settings,
    embedding_cache: {
      requests: grown("engram_cache_requests_total", { cache: "embedding" }),
      hits: grown("engram_cache_hits_total", { cache: "embedding" }),
      bytes: metrics.last("engram_cache_bytes", { cache: "embedding" }) ?? 0,
    },
    tail: {
      longest: metrics.last("engram_index_tail_vectors_max") ?? 0,
      capacity: metrics.last("engram_index_tail_capacity_vectors") ?? 0,
    },
    threads: threadsOf(metrics, readings),
    memory: {
      resident_bytes: after?.memory.resident_bytes ?? metrics.last("process_resident_memory_bytes") ?? null,
      swapped_bytes: after?.memory.swapped_bytes ?? null,
      transparent_bytes: after?.memory.transparent_bytes ?? null,
      hugetlb_bytes: after?.memory.hugetlb_bytes ?? null,
      parts: after?.parts ?? [],
    },
    nodes: after?.nodes ?? [],
    numa_other_node_per_s: perSecond(
      metrics.grown("engram_numa_pages_total", { event: "other_node" }),
      seconds,
    ),
    disk: {
      read_per_s: ioPerSecond(host, "read_bytes"),
      written_per_s: ioPerSecond(host, "written_bytes"),
      log_per_s: grown("engram_wal_appended_bytes_total") / seconds,
      checkpoint_per_s: grown("engram_checkpoint_written_bytes_total") / seconds,
      checkpoints: metrics.latency("engram_checkpoint_duration_seconds")?.count ?? 0,
      checkpoint_s: metrics.latency("engram_checkpoint_duration_seconds")?.total_s ?? 0,
    },
    pressure: {
      cpu: pressureOf(host, "cpu"),
      io: pressureOf(host, "io"),
      memory: pressureOf(host, "memory"),
    },
    spaces: [...readings.spaces].sort((a, b) => b.busy_s - a.busy_s),
    hot_functions: readings.hotFunctions,
    slow:
      report === undefined ? null : { count: report.count, took_ms: report.took_ms, groups: report.groups },
    missing: [...readings.missing, ...(after?.missing ?? []), ...hardwareMissing(metrics)],
  };
}

function operationsOf(metrics: MetricDelta, seconds: number): OperationFigures[] {
  return metrics
    .valuesOf(`${OPERATION}_count`, "operation")
    .flatMap((operation): OperationFigures[] => {
      const latency = metrics.latency(OPERATION, { operation });
      if (latency === undefined) return [];
      // Of gets, one in eight is timed; all are counted.
      const count = metrics.grown("engram_operations_total", { operation }) ?? latency.count;
      return [{ operation, per_s: count / seconds, latency }];
    })
    .sort((a, b) => b.latency.total_s - a.latency.total_s);
}

function stagesOf(metrics: MetricDelta, totalSeconds: number): StageFigures[] {
  return metrics
    .valuesOf(`${STAGE}_count`, "operation")
    .flatMap((operation) =>
      metrics.valuesOf(`${STAGE}_count`, "stage").flatMap((stage): StageFigures[] => {
        const latency = metrics.latency(STAGE, { operation, stage });
        if (latency === undefined) return [];
        const share = totalSeconds === 0 ? 0 : Math.min(1, latency.total_s / totalSeconds);
        return [{ operation, stage, share, latency }];
      }),
    )
    .sort((a, b) => b.latency.total_s - a.latency.total_s);
}

/** The program's own threads, and those of the runtime under their names, many of one name together. */
function threadsOf(metrics: MetricDelta, { host, seconds, doorbells }: Readings): ThreadFigures[] {
  const byName = new Map<string, { before: HostThread[]; after: HostThread[] }>();
  const known = new Map((host?.before.threads ?? []).map((thread) => [thread.id, thread]));
  for (const thread of host?.after.threads ?? []) {
    const before = known.get(thread.id);
    const name = thread.name === SAMPLER_THREAD ? SAMPLER_NAME : thread.name;
    const entry = byName.get(name) ?? { before: [], after: [] };
    entry.after.push(thread);
    if (before !== undefined) entry.before.push(before);
    byName.set(name, entry);
  }
  for (const name of metrics.valuesOf("engram_event_loop_delay_seconds_count", "thread")) {
    if (!byName.has(name)) byName.set(name, { before: [], after: [] });
  }
  return [...byName]
    .map(([name, { before, after }]): ThreadFigures => {
      const labels = { thread: name };
      const sum = (threads: readonly HostThread[], field: "cpu_s" | "queued_s"): number =>
        threads.reduce((total, thread) => total + thread[field], 0);
      const share = (field: "cpu_s" | "queued_s"): number | null =>
        after.length === 0 ? null : Math.max(0, (sum(after, field) - sum(before, field)) / seconds);
      const switches = (field: "voluntary_switches" | "involuntary_switches"): number => {
        const total = (threads: readonly HostThread[]) =>
          threads.reduce((count, thread) => count + thread[field], 0);
        return Math.max(0, (total(after) - total(before)) / seconds);
      };
      const hardware = Object.fromEntries(
        metrics
          .series("engram_hardware_events_total", labels)
          .map(({ labels: { event }, grown }) => [event ?? "", grown]),
      );
      return {
        name,
        role: OWN_THREAD.exec(name)?.[1] ?? "runtime",
        running: share("cpu_s"),
        queued: share("queued_s"),
        state: after[0]?.state ?? null,
        switches_per_s:
          after.length === 0
            ? null
            : { voluntary: switches("voluntary_switches"), involuntary: switches("involuntary_switches") },
        doorbell: doorbells.get(name) ?? null,
        loop_delay_p99_s: metrics.latency("engram_event_loop_delay_seconds", labels)?.p99_s ?? null,
        heap_bytes: metrics.last("engram_js_heap_bytes", labels) ?? null,
        collections_per_s: perSecond(metrics.grown("engram_js_heap_collections_total", labels), seconds),
        hardware,
      };
    })
    .sort((a, b) => (b.running ?? 0) - (a.running ?? 0));
}

const NOT_COUNTED: Readonly<Record<string, readonly [reason: string, remedy: string]>> = {
  no_counter: [
    "this processor, or the virtual machine, has no such counter",
    "Run on bare metal, or give the machine a virtual PMU (KVM: -cpu host,pmu=on)",
  ],
  unknown: ["no encoding is known for this processor", "Read it with the tools of its maker"],
  no_right: [
    "the kernel does not allow it",
    "sysctl kernel.perf_event_paranoid=1, or add CAP_PERFMON to the unit",
  ],
  no_descriptor: ["no file descriptor was left", "Raise LimitNOFILE= of the unit"],
  busy: ["another program holds the counters", "Stop it (perf, a watchdog: kernel.nmi_watchdog=0)"],
  untrusted: ["it counts wrongly here", "Read it on bare metal"],
};

/** Counters of the processor that could not be had, by the reason. */
function hardwareMissing(metrics: MetricDelta): Missing[] {
  return Object.entries(NOT_COUNTED).flatMap(([state, [reason, remedy]]): Missing[] => {
    const counters = metrics
      .series("engram_hardware_event_threads", { state })
      .filter(({ last }) => last > 0)
      .map(({ labels }) => labels["counter"] ?? "");
    const names = [...new Set(counters)];
    return names.length === 0 ? [] : [{ what: `counters ${names.join(", ")}`, reason, remedy }];
  });
}

function ioPerSecond(host: Readings["host"], field: "read_bytes" | "written_bytes"): number | null {
  const [before, after] = [host?.before.io, host?.after.io];
  return before == null || after == null ? null : (after[field] - before[field]) / secondsBetween(host!);
}

function pressureOf(host: Readings["host"], what: "cpu" | "io" | "memory"): number | null {
  const [before, after] = [host?.before.pressure_us[what], host?.after.pressure_us[what]];
  if (before == null || after == null) return null;
  return Math.min(1, (after - before) / 1e6 / secondsBetween(host!));
}

function secondsBetween({ before, after }: NonNullable<Readings["host"]>): number {
  return Math.max(0.001, (after.at_ms - before.at_ms) / 1000);
}

function perSecond(grown: number | undefined, seconds: number): number | null {
  return grown === undefined ? null : grown / seconds;
}
