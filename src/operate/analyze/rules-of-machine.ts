/** What threads, processor and memory say. Where a counter can not be had, a rule says so and why. */
import { numberSetting, stageOf, type ThreadFacts, textSetting, type WorkFacts } from "./facts.ts";
import { advice, bytesText, duration, fine, percent, type Rule, unavailableFor } from "./judgement.ts";

const BUSY = 0.9;
const OTHERS_IDLE = 0.5;
const DELAY_SECONDS_LONG = 0.05;
/** A thread that hardly ran and was late waited for a core, not for itself. */
const OWN_WORK_MIN = 0.3;
const REGIONS_BYTES_MIN = 64 * 1024 * 1024;
const HUGE_SHARE_LOW = 0.3;
/** Misses of the last-level cache for 1,000 instructions; with few instructions a cycle the core waits for memory. */
const MISSES_HIGH = 10;
const IPC_LOW = 0.8;
const INSTRUCTIONS_MIN = 1e9;
const BANDWIDTH_HIGH = 0.6;
const REMOTE_HIGH = 0.1;
const SIMD_LOW = 0.5;
const VECTOR_SHARE_MIN = 0.3;
/** One number at a time, 768 take 550 ns; with vector instructions 35 to 115, and as much again from memory. */
const DISTANCE_SECONDS_SLOW = 500e-9;
/** Lines that come from another core's cache: many looks past the first caches, few of them to memory. */
const SHARED_LOOKS_HIGH = 20;
const SHARED_MISSES_LOW = 0.1;

const serving = ({ threads }: WorkFacts): readonly ThreadFacts[] =>
  threads.filter(({ name }) => /^(api|writer)-/.test(name));

export const busyThread: Rule = (facts) => {
  const TOPIC = "busy_thread";
  const known = serving(facts).filter(({ cpuShare }) => cpuShare !== undefined);
  const [busiest] = [...known].sort((a, b) => b.cpuShare! - a.cpuShare!);
  if (busiest === undefined) return unavailableFor(TOPIC, counterReason(facts, "task_clock"));
  const evidence = `${busiest.name} used ${percent(busiest.cpuShare!)} of a core, more than any other thread that serves`;
  if (busiest.cpuShare! < BUSY) return fine(TOPIC, evidence);
  const others = known.filter((each) => each !== busiest && each.name.startsWith("api-"));
  const rest = others.reduce((sum, each) => sum + each.cpuShare!, 0) / Math.max(1, others.length);
  const isAlone = busiest.name.startsWith("api-") && others.length > 0 && rest < OTHERS_IDLE;
  return advice(TOPIC, {
    title: isAlone ? "One API worker is busy while the others are idle" : `${busiest.name} can do no more`,
    basis: "measured",
    weight: isAlone ? 0.7 : 0.5,
    evidence: isAlone ? `${evidence}; the other API workers used ${percent(rest)} on average` : evidence,
    change: isAlone
      ? "Let clients open more connections: a connection stays with its worker"
      : "engram-appliance config set thread_pools.api_workers N where cores are idle, then restart",
    effect: "More requests are answered at once",
  });
};

export const eventLoopDelay: Rule = (facts) => {
  const TOPIC = "event_loop_delay";
  const known = facts.threads.filter(
    ({ name, loopDelayP99Seconds }) => name.startsWith("api-") && loopDelayP99Seconds !== undefined,
  );
  const [worst] = [...known].sort((a, b) => b.loopDelayP99Seconds! - a.loopDelayP99Seconds!);
  if (worst === undefined) return unavailableFor(TOPIC, "no thread said how late its timers ran");
  const evidence = `timers of ${worst.name} ran up to ${duration(worst.loopDelayP99Seconds!)} late (P99)`;
  if (worst.loopDelayP99Seconds! < DELAY_SECONDS_LONG) return fine(TOPIC, evidence);
  const share = worst.cpuShare;
  const isOwn = share !== undefined && share >= OWN_WORK_MIN;
  return advice(TOPIC, {
    title: isOwn ? "Long turns hold up the requests behind them" : "API workers wait for a core",
    basis: isOwn ? "measured" : "estimated",
    weight: 0.2,
    evidence: share === undefined ? evidence : `${evidence}, while it used ${percent(share)} of a core`,
    change: isOwn
      ? "Send smaller batches and lower limits: engram-appliance slow-queries shows the requests; or more thread_pools.api_workers"
      : "Keep other programs off the cores of the appliance (AllowedCPUs= of the unit), or run fewer of its threads",
    effect: "The slowest percent of the requests gets faster",
  });
};

export const hugePages: Rule = (facts) => {
  const TOPIC = "huge_pages";
  const { mappedBytes, hugeBytes } = facts.memory;
  const evidence = `${bytesText(hugeBytes)} of ${bytesText(mappedBytes)} in regions lie on huge pages`;
  if (mappedBytes < REGIONS_BYTES_MIN) return fine(TOPIC, evidence);
  if (hugeBytes >= mappedBytes * HUGE_SHARE_LOW) return fine(TOPIC, evidence);
  const setting = textSetting(facts, "memory.huge_pages");
  // What a space begins with lies on small pages, so that a small space stays small.
  const { spaces } = facts.memories;
  if (setting !== "off" && mappedBytes < spaces * REGIONS_BYTES_MIN) {
    return fine(TOPIC, `${evidence}; ${Math.round(spaces)} spaces are too small for them`);
  }
  const misses = sumOf(facts, "dtlb_load_misses");
  const loads = sumOf(facts, "l1d_loads");
  const counted =
    misses === undefined || !loads
      ? ""
      : `; ${percent(misses / loads)} of loads missed the page table's cache`;
  return advice(TOPIC, {
    title: "Memory lies on small pages",
    basis: counted === "" ? "estimated" : "measured",
    weight: counted === "" ? 0.15 : Math.min(0.5, 0.1 + (10 * misses!) / loads!),
    evidence: `${evidence}${counted}${setting === undefined ? "" : `; memory.huge_pages is "${setting}"`}`,
    change:
      setting === "off"
        ? "engram-appliance config set memory.huge_pages try, then restart"
        : "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled, or sysctl vm.nr_hugepages=N; then restart",
    effect: "Searches of large spaces miss the page table's cache less often",
  });
};

export const cacheMisses: Rule = (facts) => {
  const TOPIC = "cache_misses";
  const misses = sumOf(facts, "llc_misses");
  const instructions = sumOf(facts, "instructions");
  const cycles = sumOf(facts, "cycles");
  if (misses === undefined) return unavailableFor(TOPIC, counterReason(facts, "llc_misses"));
  if (instructions === undefined || !cycles)
    return unavailableFor(TOPIC, counterReason(facts, "instructions"));
  if (instructions < INSTRUCTIONS_MIN) return unavailableFor(TOPIC, "the threads hardly ran");
  const perThousand = (misses / instructions) * 1000;
  const ipc = instructions / cycles;
  const evidence = `${Number(perThousand.toPrecision(2))} misses of the last-level cache for 1,000 instructions, ${Number(ipc.toPrecision(2))} instructions a cycle`;
  if (perThousand < MISSES_HIGH || ipc >= IPC_LOW) return fine(TOPIC, evidence);
  return advice(TOPIC, {
    title: "The processor waits for memory",
    basis: "measured",
    weight: 0.35,
    evidence,
    change: isCoarse(facts)
      ? "Keep other programs off the last-level cache (AllowedCPUs=), and have huge pages (engram-appliance doctor)"
      : 'Spaces made with index.quantization = "i8" compare a quarter of the bytes; keep other programs off the last-level cache (AllowedCPUs=)',
    effect: "Searches of spaces larger than the cache get faster",
  });
};

export const memoryBandwidth: Rule = (facts) => {
  const TOPIC = "memory_bandwidth";
  const { memoryTraffic: used, memoryBandwidth: possible } = facts;
  if (!("value" in used)) return unavailableFor(TOPIC, used.unavailable);
  if (!("value" in possible)) return unavailableFor(TOPIC, possible.unavailable);
  const share = used.value / possible.value;
  const evidence = `${bytesText(used.value)} a second came from memory, ${percent(share)} of the ${bytesText(possible.value)} that were measured here`;
  if (share < BANDWIDTH_HIGH) return fine(TOPIC, evidence, "estimated");
  return advice(TOPIC, {
    title: "Memory can carry hardly more",
    basis: "estimated",
    weight: Math.min(0.9, share),
    evidence,
    change: `More threads will not help. ${isCoarse(facts) ? "" : 'Spaces made with index.quantization = "i8" move a quarter of the bytes; '}fill all memory channels; numa.strategy = "interleaved" uses those of all nodes`,
    effect: "Searches wait less for memory",
  });
};

export const remoteAccesses: Rule = (facts) => {
  const TOPIC = "remote_accesses";
  if (facts.numaNodes < 2) return fine(TOPIC, "this machine has one NUMA node");
  const remote = sumOf(facts, "remote_loads");
  const misses = sumOf(facts, "llc_misses");
  const counted = remote !== undefined && misses ? remote / misses : undefined;
  const pages = "value" in facts.otherNodeShare ? facts.otherNodeShare.value : undefined;
  if (counted === undefined && pages === undefined) {
    return unavailableFor(TOPIC, counterReason(facts, "remote_loads"));
  }
  const share = counted ?? pages!;
  const evidence =
    counted === undefined
      ? `${percent(share)} of the pages that the kernel gave out lie on another node than the thread that asked (all processes)`
      : `${percent(share)} of the loads that went to memory went to another node`;
  const basis = counted === undefined ? "estimated" : "measured";
  if (share < REMOTE_HIGH) return fine(TOPIC, evidence, basis);
  return advice(TOPIC, {
    title: "Memory of another NUMA node is read",
    basis,
    weight: Math.min(0.9, 0.3 + share * 0.6),
    evidence,
    change:
      "sysctl kernel.numa_balancing=0; look at the room of each node (engram-appliance doctor); numa.strategy interleaved for spaces that all workers read",
    effect: "A load from the own node takes half to two thirds of the time",
  });
};

/** Whether new spaces compare as few bytes as there is a choice of. */
function isCoarse(facts: WorkFacts): boolean {
  return textSetting(facts, "index.quantization") === "i8";
}

export const simdShare: Rule = (facts) => {
  const TOPIC = "simd_share";
  const known = facts.threads.filter(({ simdRatio }) => simdRatio !== undefined);
  if (known.length === 0) return unavailableFor(TOPIC, counterReason(facts, "fp_packed"));
  const mean = known.reduce((sum, { simdRatio }) => sum + simdRatio!, 0) / known.length;
  const { share, count, meanSeconds } = stageOf(facts, "vector", "recall");
  const distances = facts.recall.graphDistances + facts.recall.scanDistances;
  const perDistance = distances === 0 ? 0 : (count * meanSeconds) / distances;
  const evidence = `${percent(mean)} of the floating-point arithmetic was packed; the vector search is ${percent(share)} of a recall, and a distance took ${duration(perDistance)}`;
  // Products of i8 and bf16 vectors are not among what the counters count, so their time has to agree.
  if (mean >= SIMD_LOW || share < VECTOR_SHARE_MIN || perDistance < DISTANCE_SECONDS_SLOW)
    return fine(TOPIC, evidence);
  return advice(TOPIC, {
    title: "Distances are computed one number at a time",
    basis: "measured",
    weight: 0.3 * share,
    evidence,
    change:
      "engram-appliance doctor lists what the processor offers; a virtual machine must pass it on (QEMU: -cpu host)",
    effect: "A distance takes a fifth of the time with 256-bit vectors",
  });
};

export const falseSharing: Rule = (facts) => {
  const TOPIC = "false_sharing";
  const looks = sumOf(facts, "llc_references");
  const misses = sumOf(facts, "llc_misses");
  const instructions = sumOf(facts, "instructions");
  const cycles = sumOf(facts, "cycles");
  if (looks === undefined || misses === undefined)
    return unavailableFor(TOPIC, counterReason(facts, "llc_references"));
  if (instructions === undefined || !cycles)
    return unavailableFor(TOPIC, counterReason(facts, "instructions"));
  if (instructions < INSTRUCTIONS_MIN) return unavailableFor(TOPIC, "the threads hardly ran");
  const perThousand = (looks / instructions) * 1000;
  const toMemory = looks === 0 ? 0 : misses / looks;
  const ipc = instructions / cycles;
  const evidence = `${Number(perThousand.toPrecision(2))} looks past the first caches for 1,000 instructions, ${percent(toMemory)} of them went on to memory, ${Number(ipc.toPrecision(2))} instructions a cycle`;
  const isSuspect = perThousand >= SHARED_LOOKS_HIGH && toMemory < SHARED_MISSES_LOW && ipc < IPC_LOW;
  if (!isSuspect) return fine(TOPIC, evidence, "estimated");
  const workers = numberSetting(facts, "thread_pools.api_workers") ?? 2;
  return advice(TOPIC, {
    title: "Cores may be taking cache lines from one another",
    basis: "estimated",
    weight: 0.2,
    evidence,
    change: `Measure with half of the API workers (thread_pools.api_workers ${Math.max(1, workers >> 1)}): if a request then takes less processor time, lines are shared; report it with engram-appliance profile`,
    effect: "Tells a line that is dragged between cores from a working set that fits the last-level cache",
  });
};

/** An event over all threads that count it; undefined where none does. */
function sumOf({ threads }: WorkFacts, event: string): number | undefined {
  const values = threads.flatMap(({ hardware }) => hardware[event] ?? []);
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
}

function counterReason({ refusedCounters }: WorkFacts, counter: string): string {
  return `${counter}: ${refusedCounters[counter] ?? "not counted in this time"}`;
}
