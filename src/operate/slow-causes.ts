/**
 * Why one operation was slow, from what was recorded of it: which causes took how much of its time.
 *
 * Each cause is a pure function from an operation to the ms it accounts for. It counts only time that was measured in
 * a stage or a wait, or in excess of what is usual for the same work in the same thread; nothing is laid at a cause's
 * door because its setting looks wrong. `measured` says that a clock stood on both sides of the time; `estimated` that
 * a count was multiplied, or a stage divided by what its parts usually take.
 */
import type { SlowOperation } from "../observe/slow-operation.ts";

export type SlowCause =
  | "embedding_provider"
  | "cold_cache"
  | "unindexed_tail"
  | "high_ef"
  | "low_ef"
  | "narrow_filter"
  | "wide_fan_out"
  | "large_result"
  | "large_batch"
  | "flush_waits"
  | "queueing"
  | "remote_node"
  | "page_faults"
  | "processor_taken";

export type Share = {
  readonly cause: SlowCause;
  readonly ms: number;
  readonly basis: "measured" | "estimated";
  /** one sentence, with the figures */
  readonly evidence: string;
};

/** A tail, a batch, a reply of less explains nothing by itself. */
const TAIL_MIN = 256;
const POSTINGS_MIN = 20_000;
const CANDIDATES_MIN = 1000;
const BINDINGS_MIN = 500;
const RESULTS_MIN = 100;
const REPLY_BYTES_MIN = 1024 * 1024;
const BATCH_MIN = 200;
const EF_HIGH = 256;
/** What the graph is searched with where nobody asks for more. */
const EF_ORDINARY = 64;
/** A distance that takes this many times what is usual waited for memory, or for the processor. */
const EXCESS_MIN = 2;
/** Involuntary switches a ms of the window: the thread was taken off its core that often. */
const SWITCHES_PER_MS_MIN = 0.05;
const MINOR_FAULTS_MIN = 1000;
/** A first touch of a page of 4 KiB: some half a microsecond, with what the kernel zeroes. */
const MINOR_FAULT_MS = 0.0005;
const HIT_RATIO_LOW = 0.7;
const CACHE_FULL = 0.9;
const CACHE_REQUESTS_MIN = 100;

/** What accounts for an operation's time, most first; only what accounts for some. */
export function sharesOf(operation: SlowOperation): Share[] {
  const shares = RULES.flatMap((rule) => rule(operation)).map((share) => ({
    ...share,
    ms: Math.min(share.ms, operation.took_ms),
  }));
  return shares.filter(({ ms }) => ms > 0).sort((a, b) => b.ms - a.ms);
}

type Rule = (operation: SlowOperation) => Share[];

const embedding: Rule = ({ stages_ms, embedder }) => {
  const ms = stages_ms.embed ?? 0;
  if (embedder === undefined || embedder.is_local || ms === 0) return [];
  const { cache_requests = 0, cache_hits = 0, cache_bytes = 0, cache_bytes_max = 0 } = embedder;
  const ratio = cache_hits / Math.max(1, cache_requests);
  const isFull = cache_bytes >= cache_bytes_max * CACHE_FULL;
  if (cache_requests >= CACHE_REQUESTS_MIN && ratio < HIT_RATIO_LOW && isFull) {
    const evidence = `${text(ms)} were spent embedding at ${embedder.provider}, while the cache of embeddings is full and answered ${percent(ratio)} of ${cache_requests} look-ups`;
    return [{ cause: "cold_cache", ms, basis: "measured", evidence }];
  }
  const evidence = `${text(ms)} were spent waiting for ${embedder.provider}`;
  return [{ cause: "embedding_provider", ms, basis: "measured", evidence }];
};

/** Time of the vector search by how each distance came about: by the graph's walk, or by going over vectors. */
const vectors: Rule = ({ stages_ms, plan, counts }) => {
  const ms = stages_ms.vector ?? 0;
  const { distances_in_graph: walked = 0, distances_in_scan: scanned = 0, tail_vectors: tail = 0 } = counts;
  const distances = walked + scanned;
  if (ms === 0 || distances === 0) return [];
  const shares: Share[] = [];
  const scanMs = (ms * scanned) / distances;
  const tailMs = scanned === 0 ? 0 : scanMs * Math.min(1, tail / scanned);
  if (tail >= TAIL_MIN && tailMs > 0) {
    const evidence = `${Math.min(tail, scanned)} of ${distances} distances were to vectors that no graph holds yet`;
    shares.push({ cause: "unindexed_tail", ms: tailMs, basis: "estimated", evidence });
  }
  const restMs = scanMs - (tail >= TAIL_MIN ? tailMs : 0);
  if (plan.search === "graph_then_scan") {
    const evidence = `the walk with ef ${plan.ef} found too little, so ${scanned} vectors were gone over after it`;
    shares.push({ cause: "low_ef", ms: restMs, basis: "estimated", evidence });
  } else if (plan.search === "scan") {
    const evidence = `the filters pass ${percent(counts.selectivity ?? 1)} of the memories, so ${scanned} vectors were gone over instead of walking the graph`;
    shares.push({ cause: "narrow_filter", ms: restMs, basis: "estimated", evidence });
  }
  const ef = plan.ef ?? 0;
  const ordinary = Math.max(EF_ORDINARY, plan.limit ?? 0);
  if (ef >= EF_HIGH && ef > ordinary && walked > 0) {
    const walkMs = (ms * walked) / distances;
    const evidence = `the walk kept ${ef} candidates for ${plan.limit} results and computed ${walked} distances`;
    shares.push({ cause: "high_ef", ms: walkMs * (1 - ordinary / ef), basis: "estimated", evidence });
  }
  return shares;
};

/** Work that took longer than the same work usually does in this thread: something else had the memory or the core. */
const excess: Rule = ({ stages_ms, counts, usual, thread, nodes }) => {
  const ms = stages_ms.vector ?? 0;
  const distances = (counts.distances_in_graph ?? 0) + (counts.distances_in_scan ?? 0);
  const usualNs = usual.ns_per_distance;
  if (usualNs === undefined || distances === 0) return [];
  const took = (ms * 1e6) / distances;
  const over = ms - (distances * usualNs) / 1e6;
  if (took < usualNs * EXCESS_MIN) return [];
  const evidence = `a distance took ${Math.round(took)} ns, where ${Math.round(usualNs)} ns is usual in this thread`;
  const switches = thread?.involuntary_switches ?? 0;
  const share = (cause: SlowCause, more: string): Share[] => [
    { cause, ms: over, basis: "estimated", evidence: `${evidence}; ${more}` },
  ];
  // A page that came from the disk stands in `faults`.
  if ((thread?.major_faults ?? 0) > 0) return [];
  if (thread !== undefined && switches >= thread.window_ms * SWITCHES_PER_MS_MIN) {
    return share(
      "processor_taken",
      `the thread was taken off its core ${switches} times in ${text(thread.window_ms)}`,
    );
  }
  if (nodes !== undefined && nodes.worker !== nodes.space) {
    return share("remote_node", `the worker is on node ${nodes.worker}, the space on node ${nodes.space}`);
  }
  return share("cold_cache", "no page came from the disk, and the thread kept its core");
};

/** Faults are counted over a window that begins before the operation: only its part of them is laid at its door. */
const faults: Rule = ({ took_ms, stages_ms, waits_ms, counts, usual, thread }) => {
  if (thread === undefined) return [];
  const { window_ms } = thread;
  const part = Math.min(1, took_ms / Math.max(window_ms, took_ms));
  const major = Math.round(thread.major_faults * part);
  const minor = Math.round(thread.minor_faults * part);
  if (major > 0) {
    const distances = (counts.distances_in_graph ?? 0) + (counts.distances_in_scan ?? 0);
    const vectorMs = stages_ms.vector ?? 0;
    const over = Math.max(0, vectorMs - (distances * (usual.ns_per_distance ?? 0)) / 1e6);
    const ms = over + (stages_ms.fetch ?? 0) + waits_ms.elsewhere;
    const evidence = `${thread.major_faults} pages had to come from the disk or swap in ${text(window_ms)}`;
    return [{ cause: "page_faults", ms, basis: "estimated", evidence }];
  }
  if (minor < MINOR_FAULTS_MIN) return [];
  const evidence = `${thread.minor_faults} pages were touched for the first time in ${text(window_ms)}`;
  return [{ cause: "page_faults", ms: minor * MINOR_FAULT_MS, basis: "estimated", evidence }];
};

const fanOut: Rule = ({ stages_ms, counts }) => {
  const { postings = 0, candidates = 0, bindings = 0, space_memories: memories = 0 } = counts;
  let ms = 0;
  const found: string[] = [];
  if (postings >= POSTINGS_MIN) {
    ms += stages_ms.words ?? 0;
    found.push(`${postings} of ${memories} memories hold a word of the query`);
  }
  if (candidates >= CANDIDATES_MIN) {
    ms += stages_ms.fuse ?? 0;
    found.push(`${candidates} candidates were scored`);
  }
  if (bindings >= BINDINGS_MIN) {
    ms += stages_ms.spread ?? 0;
    found.push(`activation followed ${bindings} bindings`);
  }
  return ms === 0 ? [] : [{ cause: "wide_fan_out", ms, basis: "measured", evidence: found.join("; ") }];
};

const size: Rule = ({ stages_ms, counts, plan }) => {
  const { results = 0, reply_bytes: bytes = 0 } = counts;
  const { memories = 0 } = plan;
  if (results >= RESULTS_MIN || bytes >= REPLY_BYTES_MIN) {
    const ms = (stages_ms.fetch ?? 0) + (stages_ms.serialise ?? 0);
    const evidence = `${results} memories in ${Math.round(bytes / 1024)} KiB were read and written out`;
    return [{ cause: "large_result", ms, basis: "measured", evidence }];
  }
  if (memories < BATCH_MIN) return [];
  const ms = (stages_ms.parse ?? 0) + (stages_ms.embed ?? 0);
  const evidence = `${memories} memories came in one batch, and were checked and embedded in one turn`;
  return [{ cause: "large_batch", ms, basis: "measured", evidence }];
};

/** Waits of a write: for room in the tail, for the home writer, for the disk. */
const writes: Rule = ({ stages_ms, waits_ms, counts, usual }) => {
  const shares: Share[] = [];
  const logMs = stages_ms.log ?? 0;
  const syncMs = Math.min(logMs, waits_ms.sync ?? 0);
  if (syncMs > 0) {
    const each = (waits_ms.sync ?? 0) / Math.max(1, counts.syncs ?? 1);
    const usually = usual.sync_ms === undefined ? "" : `, ${text(usual.sync_ms)} is usual`;
    const evidence = `${counts.syncs ?? 0} syncs of the log took ${text(each)} each${usually}`;
    shares.push({ cause: "flush_waits", ms: syncMs, basis: "measured", evidence });
  }
  if (waits_ms.tail !== undefined) {
    const evidence = `the write waited ${text(waits_ms.tail)} for room in the tail, which held ${counts.tail_vectors ?? 0} vectors`;
    shares.push({ cause: "unindexed_tail", ms: waits_ms.tail, basis: "measured", evidence });
  }
  return shares;
};

const queues: Rule = ({ operation, stages_ms, waits_ms, thread }) => {
  // An operation without stages was timed as a whole: all of its time is its own.
  if (Object.keys(stages_ms).length === 0) return [];
  const found: string[] = [];
  let ms = 0;
  const logMs = stages_ms.log ?? 0;
  const heldMs = Math.max(0, logMs - (waits_ms.sync ?? 0));
  if (operation !== "recall" && heldMs > 0) {
    ms += heldMs;
    found.push(`${text(heldMs)} passed between the worker and the home writer beside syncs`);
  }
  // Part of the log's stage already: writes wait for the ring before they are sent.
  if ((waits_ms.ring ?? 0) > 0) found.push(`${text(waits_ms.ring!)} of it for room in the queue`);
  if (waits_ms.elsewhere > 0) {
    ms += waits_ms.elsewhere;
    const delay = thread === undefined ? "" : `; a timer of it ran ${text(thread.loop_delay_ms)} late`;
    found.push(`${text(waits_ms.elsewhere)} passed while the worker did something else${delay}`);
  }
  return ms === 0 ? [] : [{ cause: "queueing", ms, basis: "measured", evidence: found.join("; ") }];
};

const RULES: readonly Rule[] = [embedding, vectors, excess, faults, fanOut, size, writes, queues];

function text(ms: number): string {
  return ms >= 10 ? `${Math.round(ms)} ms` : `${Number(ms.toPrecision(2))} ms`;
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(2))} %`;
}
