/**
 * Bottlenecks in what operations do: embedding, searching, the log. Each rule looks at the time its stage really
 * took, never at a setting alone; the one exception is an `ef` so small that recalls miss, which costs no time.
 */
import type { SlowCause } from "../slow-causes.ts";
import { type Bottleneck, duration, percent, type Rule } from "./finding.ts";
import { type Measured, operationSeconds, stageShare } from "./measured.ts";

/** A stage that takes less of the time explains little. */
const SHARE_MIN = 0.3;
const EMBED_MEAN_S_MIN = 0.002;
const CACHE_REQUESTS_MIN = 50;
const HIT_RATIO_LOW = 0.7;
const CACHE_FULL = 0.8;
/** A disk of today syncs in 0.1 to 2 ms. */
const SYNC_MEAN_S_MIN = 0.005;
const TAIL_MIN = 1000;
const TAIL_SHARE_MIN = 0.5;
const SCAN_SHARE_MIN = 0.5;
/** What ef 64, the default, computes stays below 1,500; a small space can not be walked that far. */
const DISTANCES_HIGH = 2500;
const EF_HIGH = 256;
const EF_ORDINARY = 64;
const EF_LOW = 16;
const LOCAL_PROVIDERS: readonly unknown[] = ["hash", "none"];
/** A group of slow operations that took less of all operations' time is not the bottleneck. */
const SLOW_SHARE_MIN = 0.2;

const isRemoteEmbedder = ({ settings }: Measured): boolean =>
  settings === null || !LOCAL_PROVIDERS.includes(settings["embedding.provider"]);

const embedding: Rule = (measured) => {
  const share = stageShare(measured, "embed");
  const stage = measured.stages
    .filter((each) => each.stage === "embed")
    .sort((a, b) => b.latency.total_s - a.latency.total_s)[0];
  if (stage === undefined || share < SHARE_MIN || !isRemoteEmbedder(measured)) return undefined;
  if (stage.latency.mean_s < EMBED_MEAN_S_MIN) return undefined;
  const { requests, hits, bytes } = measured.embedding_cache;
  const ratio = requests === 0 ? 1 : hits / requests;
  const capacity = Number(measured.settings?.["embedding.cache_mb"] ?? Number.NaN) * 1024 * 1024;
  const workers = measured.threads.filter(({ role }) => role === "api").length || 1;
  const isFull = bytes >= capacity * CACHE_FULL || bytes >= capacity * workers * CACHE_FULL;
  const spent = `${percent(share)} of the time of all operations was spent embedding, ${duration(stage.latency.mean_s)} each on average`;
  if (requests >= CACHE_REQUESTS_MIN && ratio < HIT_RATIO_LOW && isFull) {
    return {
      cause: "starved_cache",
      title: "The cache of embeddings is too small",
      weight: share,
      basis: "measured",
      evidence: `${spent}; the cache is full and answered ${percent(ratio)} of ${Math.round(requests)} look-ups`,
      likely: "texts that were embedded before are pushed out before they are asked for again",
      command: "engram-appliance config set embedding.cache_mb VALUE, then restart",
    };
  }
  return {
    cause: "slow_embedding",
    title: "The embedding server is slow",
    weight: share,
    basis: "measured",
    evidence: `${spent}, P99 ${duration(stage.latency.p99_s)}`,
    likely: "the server, or the way to it, takes that long; the appliance only waits",
    command: "engram-appliance doctor shows its state; give it more power, or let callers send embeddings",
  };
};

const disk: Rule = (measured) => {
  const { flush } = measured;
  const log = stageShare(measured, "log");
  if (flush === null || flush.mean_s < SYNC_MEAN_S_MIN || log < SHARE_MIN) return undefined;
  return {
    cause: "slow_disk",
    title: "Writes wait for the disk",
    weight: log,
    basis: "measured",
    evidence: `a sync of the log took ${duration(flush.mean_s)} on average, P99 ${duration(flush.p99_s)} (${flush.count} syncs); writes waiting for the log are ${percent(log)} of the time of all operations`,
    likely: "the disk under data.dir syncs slowly, or another program keeps it busy",
    command:
      "engram-appliance doctor measures it; put data.dir on a faster disk, or ask with ack=wal where the newest writes may be lost with the power",
  };
};

const tail: Rule = (measured) => {
  const { longest, capacity } = measured.tail;
  if (longest < TAIL_MIN) return undefined;
  const { graph_distances: walked, scan_distances: scanned } = measured.recall;
  const scanShare = walked + scanned === 0 ? 0 : Math.min(1, Math.min(scanned, longest) / (walked + scanned));
  const fill = capacity === 0 ? 0 : longest / capacity;
  if (fill < TAIL_SHARE_MIN && scanShare < SCAN_SHARE_MIN) return undefined;
  const vectors = stageShare(measured, "vector");
  return {
    cause: "tail_flood",
    title: "Vectors come in faster than they are indexed",
    weight: Math.max(Math.min(1, fill) * 0.6, scanShare * vectors),
    basis: "estimated",
    evidence: `${Math.round(longest)} vectors of one space wait for the index, ${percent(fill)} of index.tail_max; ${percent(scanShare)} of the distances of recalls were to such`,
    likely: "the indexers can not keep up: recalls scan the tail, and writers are slowed when it is full",
    command:
      "engram-appliance config set thread_pools.index_workers N where cores are idle, or send writes more slowly",
  };
};

const highEf: Rule = (measured) => {
  const vectors = stageShare(measured, "vector");
  const { graph_distances: walked } = measured.recall;
  if (walked < DISTANCES_HIGH || vectors < SHARE_MIN) return undefined;
  const ef = efOf(measured);
  if (ef.value !== undefined && ef.value < EF_HIGH) return undefined;
  const excess = ef.value === undefined ? 0.5 : 1 - EF_ORDINARY / ef.value;
  return {
    cause: "high_ef",
    title: "The graph is searched wider than answers need",
    weight: vectors * excess,
    basis: "estimated",
    evidence: `a recall computed ${Math.round(walked)} distances in the graph, and ${percent(vectors)} of the time of all operations is the vector search${ef.value === undefined ? "" : `; ${ef.from} ${ef.value}`}`,
    likely: "ef is high, in the settings or as callers send it; the search takes time nearly in proportion",
    command: "engram-appliance config set --live index.ef_search 64; callers: send a lower ef, or none",
  };
};

const lowEf: Rule = (measured) => {
  const { count, graph_distances: walked } = measured.recall;
  const ef = efOf(measured);
  if (count === 0 || walked === 0 || ef.value === undefined || ef.value >= EF_LOW) return undefined;
  return {
    cause: "low_ef",
    title: "The graph is searched too narrowly: recalls miss",
    weight: 0.25,
    basis: "estimated",
    evidence: `${ef.from} ${ef.value}: a recall computed only ${Math.round(walked)} distances in the graph (${count} recalls)`,
    likely: "the walk ends before it has seen the nearest; results are quick and incomplete",
    command: "engram-appliance config set --live index.ef_search 64",
  };
};

/** The ef that searches had: as slow operations recorded it where callers sent one, else as it is set. */
function efOf({ settings, slow }: Measured): { value: number | undefined; from: string } {
  const plan = slow?.groups.find(({ cause }) => cause === "high_ef")?.worst.plan;
  if (plan?.ef_asked !== undefined) return { value: plan.ef_asked, from: "callers asked for an ef of" };
  const set = settings?.["index.ef_search"];
  return { value: typeof set === "number" ? set : undefined, from: "index.ef_search is" };
}

/** Causes of slow operations that have a rule here, and the bottleneck they then speak of. */
const BY_SLOW_CAUSE: Readonly<Partial<Record<SlowCause, Bottleneck>>> = {
  embedding_provider: "slow_embedding",
  unindexed_tail: "tail_flood",
  high_ef: "high_ef",
  low_ef: "low_ef",
  flush_waits: "slow_disk",
  remote_node: "remote_memory",
  processor_taken: "run_queue",
};

/** What took most of the time of slow operations, where no other rule saw it. */
export function slowOperations(measured: Measured, found: ReadonlySet<Bottleneck>): ReturnType<Rule> {
  const total = operationSeconds(measured) * 1000;
  const [group] = measured.slow?.groups ?? [];
  // Where little was asked for, a single slow operation would be most of it.
  if (group === undefined || total === 0 || group.count < 3) return undefined;
  const share = Math.min(1, group.lost_ms / total);
  const known = BY_SLOW_CAUSE[group.cause];
  if (share < SLOW_SHARE_MIN || (known !== undefined && found.has(known))) return undefined;
  // What waits in line waits for something: the rules name what.
  if (group.cause === "queueing" && found.size > 0) return undefined;
  return {
    cause: known ?? "slow_operations",
    title: `Slow operations: ${group.title}`,
    weight: share,
    basis: group.basis,
    evidence: `${group.count} slow operations lost ${duration(group.lost_ms / 1000)} to it; the worst: ${group.evidence}`,
    likely: group.title,
    command: `${group.change}; see engram-appliance slow-queries`,
  };
}

export const RULES_OF_WORK: readonly Rule[] = [embedding, disk, tail, highEf, lowEf];
