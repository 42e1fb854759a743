/**
 * What a run suggests: a pure function of its figures, each piece of advice with its evidence and what to change.
 *
 * Only what the figures of a load show is said here; `analyze` and `slow-queries` look inside the appliance.
 */
import type { BenchResult, PhaseResult, WorkloadResult } from "./result.ts";

export type Advice = { readonly finding: string; readonly evidence: string; readonly action: string };

/** A group commit on a disk with a write cache takes a millisecond or two. */
const FLUSH_MS_SLOW = 5;
/** P99 by P50 on an open loop at 60 % load: 5 to 10 is what random arrivals make. */
const TAIL_RATIO_HIGH = 20;
const NOISY_RATIO_HIGH = 3;
const TAIL_VECTORS_LONG = 4096;
const SENT_LATE_MS_HIGH = 2;

export function adviseOn({ workloads, parameters }: BenchResult): Advice[] {
  return workloads.flatMap((workload) => [
    ...slowFlush(workload),
    ...longTail(workload),
    ...failing(workload),
    ...spread(workload),
    ...noisy(workload),
    ...unscaled(workload, parameters.concurrency),
    ...lateGenerator(workload),
  ]);
}

function slowFlush({ name, facts }: WorkloadResult): Advice[] {
  if (facts.flushP99Ms === null || facts.flushP99Ms <= FLUSH_MS_SLOW) return [];
  return [
    {
      finding: "Making the log durable is slow",
      evidence: `${name}: P99 of a flush is up to ${facts.flushP99Ms.toFixed(1)} ms`,
      action:
        'Put data.dir on a disk with power-loss protection; else set wal.sync_mode = "batch" and accept that ack=fsync waits for wal.flush_interval_ms',
    },
  ];
}

function longTail({ name, facts }: WorkloadResult): Advice[] {
  if (facts.tailMax === null || facts.tailMax <= TAIL_VECTORS_LONG) return [];
  return [
    {
      finding: "The index does not keep up with what is stored",
      evidence: `${name}: ${facts.tailMax} vectors wait for the graph, and every recall scans them`,
      action: "Raise thread_pools.index_workers where there are cores, or lower index.ef_construction",
    },
  ];
}

function failing({ name, phases }: WorkloadResult): Advice[] {
  return phases
    .filter(({ failures }) => failures > 0)
    .map((phase) => ({
      finding: "Requests failed",
      evidence: `${name} / ${phase.name}: ${phase.failures} of ${phase.latency?.count ?? 0}`,
      action: "Look at the appliance's log and at engram_http_responses_total by status",
    }));
}

function spread({ name, phases }: WorkloadResult): Advice[] {
  return phases.flatMap((phase) => {
    const { latency } = phase;
    if (phase.loop !== "open" || latency === null || phase.name === "bursts") return [];
    const ratio = latency.p99.value / latency.p50.value;
    if (ratio < TAIL_RATIO_HIGH) return [];
    return [
      {
        finding: "A few requests wait much longer than most",
        evidence: `${name} / ${phase.name}: P99 ${latency.p99.value.toFixed(2)} ms is ${ratio.toFixed(0)} times P50`,
        action: "Run `engram-appliance slow-queries` for what they waited for; leave a core to the indexer",
      },
    ];
  });
}

function noisy({ name, phases }: WorkloadResult): Advice[] {
  const alone = phaseOf(phases, "quiet alone")?.classes["quiet"];
  const beside = phaseOf(phases, "beside a noisy one")?.classes["quiet"];
  if (alone === undefined || beside === undefined) return [];
  const ratio = beside.p99.value / alone.p99.value;
  if (ratio < NOISY_RATIO_HIGH) return [];
  return [
    {
      finding: "A noisy tenant slows the quiet ones",
      evidence: `${name}: their P99 is ${ratio.toFixed(1)} times what it is without it`,
      action: "Give it an appliance of its own, or more thread_pools.api_workers where there are cores",
    },
  ];
}

function unscaled({ name, phases }: WorkloadResult, concurrency: number): Advice[] {
  const one = phaseOf(phases, "one connection");
  const all = phaseOf(phases, "all");
  if (one === undefined || all === undefined || concurrency < 4) return [];
  const gain = all.throughput.mean / one.throughput.mean;
  if (gain >= 1.3) return [];
  return [
    {
      finding: "More connections bring no more throughput",
      evidence: `${name}: ${concurrency} connections answer ${gain.toFixed(2)} times what one does`,
      action: "One core is busy: raise thread_pools.api_workers where there are more",
    },
  ];
}

function lateGenerator({ name, phases }: WorkloadResult): Advice[] {
  const late = phases.find(({ sentLateMs }) => sentLateMs !== null && sentLateMs > SENT_LATE_MS_HIGH);
  if (late === undefined) return [];
  return [
    {
      finding: "The generator itself was late, so latencies are partly its own",
      evidence: `${name} / ${late.name}: P99 of its lateness is ${late.sentLateMs!.toFixed(1)} ms`,
      action: "Run it on another machine (--url), or leave it a core",
    },
  ];
}

function phaseOf(phases: readonly PhaseResult[], name: string): PhaseResult | undefined {
  return phases.find((phase) => phase.name === name);
}
