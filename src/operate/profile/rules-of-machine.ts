/** Bottlenecks of threads, cores and memory. */
import { bytesText, duration, percent, type Rule } from "./finding.ts";
import { type Measured, operationSeconds, type ThreadFigures } from "./measured.ts";

const SATURATED = 0.9;
/** The busiest of several workers is alone where the others do less than this part of its work. */
const OTHERS_IDLE = 0.5;
/** A timer that is later tells of requests that waited as long. */
const LATE_S_MIN = 0.05;
const QUEUED_MIN = 0.2;
/** Of the time that threads could have run. */
const QUEUED_SHARE_MIN = 0.3;
const MIB = 1024 * 1024;
const REGIONS_BYTES_MIN = 64 * MIB;
const HUGE_SHARE_MIN = 0.3;
const MISPLACED_MIN = 0.1;
const PAGES_MIN = 32;
const REMOTE_LOADS_MIN = 0.1;
const TENANT_SHARE_MIN = 0.6;
const WORKERS_BUSY_MIN = 0.5;
const OPERATIONS_MIN = 20;
const COLLECTOR_CORES_MIN = 0.25;
const COLLECTIONS_PER_S_MIN = 5;
const HOT_SELF_MIN = 0.4;
const HOT_RUNNING_MIN = 0.5;
/** The runtime's threads that collect garbage. */
const GARBAGE_THREADS = /^(HeapHelper|J?S?C? ?C?ollector Thread)$/;

/** Whether a thread was running or would have been, had it been given a core. */
const wanted = ({ running, queued }: ThreadFigures): number => (running ?? 0) + (queued ?? 0);

const of = ({ threads }: Measured, role: string): ThreadFigures[] =>
  threads.filter((thread) => thread.role === role);

const saturatedWorker: Rule = (measured) => {
  const workers = of(measured, "api");
  const [busiest] = [...workers, ...of(measured, "writer")].sort((a, b) => wanted(b) - wanted(a));
  if (busiest === undefined || wanted(busiest) < SATURATED) return undefined;
  // A thread that waits for a core is another matter.
  if ((busiest.queued ?? 0) > wanted(busiest) * 0.5) return undefined;
  const others = workers.filter((thread) => thread !== busiest);
  const rest = others.reduce((sum, thread) => sum + wanted(thread), 0) / Math.max(1, others.length);
  const isAlone = busiest.role === "api" && others.length > 0 && rest < wanted(busiest) * OTHERS_IDLE;
  // Workers that are busy because much is asked of them are none the worse for it, until the rest has to wait.
  if (!isAlone && (busiest.loop_delay_p99_s ?? 0) < LATE_S_MIN) return undefined;
  const delay =
    busiest.loop_delay_p99_s === null
      ? ""
      : `; its timers ran up to ${duration(busiest.loop_delay_p99_s)} late (P99)`;
  return {
    cause: "saturated_worker",
    title: isAlone
      ? "One API worker is saturated while the others have little to do"
      : `${busiest.role === "writer" ? "The home writer" : "The API workers"} can do no more`,
    weight: isAlone ? 0.7 - rest * 0.2 : 0.2,
    basis: "measured",
    evidence: `${busiest.name} wanted a core for ${percent(wanted(busiest))} of the time${others.length > 0 ? `, the other API workers for ${percent(rest)} on average` : ""}${delay}`,
    likely: isAlone
      ? "few connections, or one that asks for very much, fell to one worker: a connection stays with its worker"
      : "the work needs more threads than it has",
    command: isAlone
      ? "spread clients over more connections; engram-appliance slow-queries shows what holds the worker"
      : "engram-appliance config set thread_pools.api_workers N where cores are idle, then restart",
  };
};

const runQueue: Rule = (measured) => {
  const threads = [...of(measured, "api"), ...of(measured, "writer"), ...of(measured, "indexer")];
  const queued = threads.reduce((sum, thread) => sum + (thread.queued ?? 0), 0);
  const total = threads.reduce((sum, thread) => sum + wanted(thread), 0);
  const [worst] = [...threads].sort((a, b) => (b.queued ?? 0) - (a.queued ?? 0));
  if (worst === undefined || queued < QUEUED_MIN || queued < total * QUEUED_SHARE_MIN) return undefined;
  const { cpu } = measured.pressure;
  return {
    cause: "run_queue",
    title: "Threads wait for a core",
    weight: weightOfQueue(measured, queued / total),
    basis: "measured",
    evidence: `threads that could have run waited for a core for ${percent(queued / total)} of that time; ${worst.name} most, ${percent(worst.queued ?? 0)} of the time profiled${cpu === null ? "" : `; pressure on the processor ${percent(cpu)}`}`,
    likely: "other programs take the cores, or the appliance runs more threads than it has cores",
    command:
      "give the appliance cores of its own (AllowedCPUs= of the unit), or lower thread_pools.api_workers and thread_pools.index_workers",
  };
};

/** Operations can not have waited for a core longer than the threads that carry them out. */
function weightOfQueue(measured: Measured, share: number): number {
  const total = operationSeconds(measured);
  const queued = [...of(measured, "api"), ...of(measured, "writer")].reduce(
    (sum, thread) => sum + (thread.queued ?? 0) * measured.seconds,
    0,
  );
  return total === 0 ? share * 0.3 : Math.min(share, queued / total);
}

const hugePages: Rule = (measured) => {
  const { parts } = measured.memory;
  const sum = (field: "resident_bytes" | "transparent_bytes" | "reserved_bytes"): number =>
    parts.reduce((total, part) => total + part[field], 0);
  const resident = sum("resident_bytes");
  const huge = sum("transparent_bytes") + sum("reserved_bytes");
  if (resident < REGIONS_BYTES_MIN || huge >= resident * HUGE_SHARE_MIN) return undefined;
  const misses = rateOf(measured, "dtlb_load_misses", "l1d_loads");
  const counted =
    misses === undefined ? "" : `; ${percent(misses)} of the loads missed the table of address translations`;
  const set = measured.settings?.["memory.huge_pages"];
  return {
    cause: "no_huge_pages",
    title: "Memory lies on small pages",
    weight: misses === undefined ? 0.22 : Math.min(0.5, 0.1 + misses * 10),
    basis: misses === undefined ? "estimated" : "measured",
    evidence: `${bytesText(huge)} of ${bytesText(resident)} in regions lie on huge pages${counted}${set === undefined ? "" : `; memory.huge_pages is "${set}"`}`,
    likely:
      set === "off"
        ? "the setting asks for none"
        : "the kernel has none to give: transparent huge pages are off, or memory is in pieces",
    command:
      set === "off"
        ? "engram-appliance config set memory.huge_pages try, then restart"
        : "sysctl vm.nr_hugepages=N, or echo madvise > /sys/kernel/mm/transparent_hugepage/enabled, then restart; engram-appliance doctor says what was granted",
  };
};

const remoteMemory: Rule = (measured) => {
  const remote = rateOf(measured, "remote_loads", "llc_misses");
  const placed = measured.memory.parts.reduce((sum, part) => sum + part.pages_placed, 0);
  const misplaced = measured.memory.parts.reduce((sum, part) => sum + part.pages_misplaced, 0);
  const share = placed + misplaced < PAGES_MIN ? 0 : misplaced / (placed + misplaced);
  if (share < MISPLACED_MIN && (remote ?? 0) < REMOTE_LOADS_MIN) return undefined;
  const found = [
    ...(share >= MISPLACED_MIN
      ? [`${percent(share)} of the sampled pages lie on another node than they were asked for`]
      : []),
    ...((remote ?? 0) >= REMOTE_LOADS_MIN
      ? [`${percent(remote!)} of the loads that went to memory went to another node`]
      : []),
  ];
  return {
    cause: "remote_memory",
    title: "Memory of another NUMA node is read",
    weight: Math.min(0.9, 0.3 + Math.max(share, remote ?? 0) * 0.6),
    basis: "measured",
    evidence: found.join("; "),
    likely:
      "a node had no room left, kernel.numa_balancing moved pages, or workers read spaces of other nodes",
    command:
      "sysctl kernel.numa_balancing=0; set numa.strategy to interleaved for spaces that all workers read, then restart",
  };
};

const noisyTenant: Rule = (measured) => {
  const busy = measured.spaces.reduce((sum, each) => sum + each.busy_s, 0);
  const operations = measured.spaces.reduce((sum, each) => sum + each.operations, 0);
  const [first, ...others] = measured.spaces;
  if (first === undefined || others.length === 0 || operations < OPERATIONS_MIN) return undefined;
  const share = busy === 0 ? 0 : first.busy_s / busy;
  const crowd = others.filter((each) => each.operations > 0).length;
  if (share < TENANT_SHARE_MIN || share < 2 / (crowd + 1)) return undefined;
  const workers = [...of(measured, "api"), ...of(measured, "writer")];
  const most = Math.max(0, ...workers.map(wanted));
  if (most < WORKERS_BUSY_MIN) return undefined;
  return {
    cause: "noisy_tenant",
    title: `The space "${first.space}" takes most of the appliance`,
    weight: share * Math.min(1, most) * 0.8,
    basis: "measured",
    evidence: `${percent(share)} of the time of operations was for "${first.space}" (${first.operations} operations); ${crowd} other spaces share the rest, and the busiest worker wanted a core for ${percent(most)} of the time`,
    likely: "one caller sends so much that the others wait behind it",
    command:
      "slow this caller down at its side, or run it on an appliance of its own; engram-appliance slow-queries --space NAME shows what it asks for",
  };
};

const garbage: Rule = (measured) => {
  const helpers = measured.threads.filter(({ name }) => GARBAGE_THREADS.test(name));
  const cores = helpers.reduce((sum, { running }) => sum + (running ?? 0), 0);
  const [most] = measured.threads
    .filter(({ collections_per_s }) => collections_per_s !== null)
    .sort((a, b) => b.collections_per_s! - a.collections_per_s!);
  const rate = most?.collections_per_s ?? 0;
  if (cores < COLLECTOR_CORES_MIN && rate < COLLECTIONS_PER_S_MIN) return undefined;
  const workers = of(measured, "api").reduce((sum, { running }) => sum + (running ?? 0), 0);
  return {
    cause: "gc_pressure",
    title: "Garbage is collected very often",
    weight: Math.min(0.8, Math.max(cores / Math.max(0.5, workers + cores), rate / 50)),
    basis: cores >= COLLECTOR_CORES_MIN ? "measured" : "estimated",
    evidence: `collecting garbage took ${percent(cores)} of a core in threads of its own; ${most?.name ?? "no thread"} collected ${Number(rate.toPrecision(2))} times a second${most?.heap_bytes == null ? "" : ` with a heap of ${bytesText(most.heap_bytes)}`}`,
    likely: "large requests and replies make much garbage: big batches, high limits, large contents",
    command: "send smaller batches and lower limits; more API workers share it: thread_pools.api_workers",
  };
};

const hotFunction: Rule = (measured) => {
  const running = new Map(measured.threads.map((thread) => [thread.name, wanted(thread)]));
  const [hot] = measured.hot_functions
    .filter(({ self, is_certain }) => self >= HOT_SELF_MIN && is_certain)
    .map((each) => ({ ...each, weight: each.self * Math.min(1, running.get(each.thread) ?? 0) }))
    .filter(({ thread }) => (running.get(thread) ?? 0) >= HOT_RUNNING_MIN)
    .sort((a, b) => b.weight - a.weight);
  if (hot === undefined) return undefined;
  return {
    cause: "hot_function",
    title: `The function ${hot.name} takes most of ${hot.thread}`,
    weight: hot.weight,
    basis: "measured",
    evidence: `${hot.thread} was in ${hot.name} (${hot.file}) itself, or in what the runtime did for it, in ${percent(hot.self)} of the time it ran, and wanted a core for ${percent(running.get(hot.thread)!)} of the time`,
    likely: "a request that makes this function work very much, or a defect of the program",
    command:
      "look at the flame graph in report.html; engram-appliance slow-queries shows the requests; report it",
  };
};

export const RULES_OF_MACHINE: readonly Rule[] = [
  saturatedWorker,
  runQueue,
  hugePages,
  remoteMemory,
  noisyTenant,
  garbage,
  hotFunction,
];

/** One event for each of another, over all threads; undefined where either can not be counted. */
function rateOf({ threads }: Measured, event: string, of: string): number | undefined {
  let [events, all] = [0, 0];
  for (const { hardware } of threads) {
    if (hardware[event] === undefined || hardware[of] === undefined) continue;
    events += hardware[event];
    all += hardware[of];
  }
  return all === 0 ? undefined : events / all;
}

/** Whether anything was asked of the appliance while it was profiled. */
export function isIdle(measured: Measured): boolean {
  return operationSeconds(measured) === 0;
}
