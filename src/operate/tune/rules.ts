/**
 * The rules of a tuning plan: from what was advised, and from what the machine is, to settings.
 *
 * A value that is proposed is the default of the setting, or follows from a figure of the machine.
 */
import { factValue } from "../../base/fact.ts";
import { findSetting, type SettingValue } from "../../config/schema.ts";
import { numberSetting, type WorkFacts } from "../analyze/facts.ts";
import { type Advice, bytesText, type Topic } from "../analyze/judgement.ts";
import type { Aim, HostFacts, Profile } from "./plan.ts";

export type Proposed = {
  readonly path: string;
  readonly to: SettingValue;
  readonly aim: Aim;
  readonly reason: string;
  readonly evidence: string;
};

export type TuneRule = (given: {
  readonly facts: WorkFacts;
  readonly host: HostFacts;
  readonly profile: Profile;
  readonly advised: ReadonlyMap<Topic, Advice>;
}) => Proposed[];

const MIB = 1024 * 1024;
const API_WORKERS_MAX = 8;
const CACHE_MB_SCARCE = 8;
const CACHE_MB_MIN = 64;
/** Of what is left of the memory: what all caches of embeddings together may take. */
const CACHE_SHARE_MAX = 0.05;

/** A setting goes back to its default where a matter is advised, and the setting lies beyond the default. */
function backToDefault(
  topic: Topic,
  path: string,
  beyond: "above" | "below" | "other",
  aim: Aim,
  reason: string,
): TuneRule {
  return ({ facts, advised }) => {
    const advice = advised.get(topic);
    const standard = findSetting(path)?.default;
    const value = "value" in facts.settings ? facts.settings.value[path] : undefined;
    if (advice === undefined || standard === undefined || value === undefined) return [];
    const isBeyond =
      beyond === "other" ? value !== standard : beyond === "above" ? value > standard : value < standard;
    return isBeyond ? [{ path, to: standard, aim, reason, evidence: advice.evidence }] : [];
  };
}

const embeddingCache: TuneRule = ({ facts, host, advised, profile }) => {
  const advice = advised.get("embedding_cache");
  const value = numberSetting(facts, "embedding.cache_mb");
  if (advice === undefined || value === undefined || profile === "memory-constrained") return [];
  const workers = numberSetting(facts, "thread_pools.api_workers") ?? 1;
  const available = factValue(host.memoryAvailableBytes) ?? 0;
  const affordable = Math.floor((available * CACHE_SHARE_MAX) / workers / MIB);
  const to = Math.min(Math.max(CACHE_MB_MIN, value * 4), Math.max(value, affordable), 4096);
  if (to <= value) return [];
  const reason = "texts that come again are not sent to the embedding server again";
  return [{ path: "embedding.cache_mb", to, aim: "speed", reason, evidence: advice.evidence }];
};

const apiWorkers: TuneRule = ({ facts, host, advised }) => {
  const path = "thread_pools.api_workers";
  const value = numberSetting(facts, path);
  if (value === undefined) return [];
  const fitting = Math.min(host.cores, API_WORKERS_MAX);
  const busy = advised.get("busy_thread");
  if (value > host.cores * 2) {
    const evidence = `${value} API workers on ${host.cores} cores`;
    return [{ path, to: fitting, aim: "speed", reason: "they take cores from each other", evidence }];
  }
  const isApi =
    busy !== undefined && /^api-\d+ used/.test(busy.evidence) && !busy.title.startsWith("One API");
  if (!isApi || value >= fitting) return [];
  return [
    {
      path,
      to: fitting,
      aim: "speed",
      reason: "cores are idle while requests wait",
      evidence: busy.evidence,
    },
  ];
};

const indexWorkers: TuneRule = ({ facts, host, advised, profile }) => {
  const path = "thread_pools.index_workers";
  const value = numberSetting(facts, path);
  if (value === undefined) return [];
  if (value > host.cores) {
    const evidence = `${value} index workers on ${host.cores} cores`;
    return [
      {
        path,
        to: Math.max(1, host.cores >> 2),
        aim: "speed",
        reason: "they take cores from requests",
        evidence,
      },
    ];
  }
  const advice = advised.get("tail_growth");
  // One indexer works on an index at a time: more of them help where there are more spaces.
  const most = Math.min(facts.memories.spaces, host.cores >> 1);
  if (advice === undefined || profile !== "write-heavy" || value >= most) return [];
  const reason = "several spaces are indexed at once";
  return [{ path, to: value + 1, aim: "speed", reason, evidence: advice.evidence }];
};

const numa: TuneRule = ({ facts, host }) => {
  const path = "numa.enabled";
  const nodes = factValue(host.numaNodes) ?? 1;
  const value = "value" in facts.settings ? facts.settings.value[path] : undefined;
  if (nodes < 2 || value !== false) return [];
  const evidence = `this machine has ${nodes} NUMA nodes`;
  return [{ path, to: true, aim: "speed", reason: "a space's memory lies beside its writer", evidence }];
};

const smallCaches: TuneRule = ({ facts, host, profile }) => {
  const path = "embedding.cache_mb";
  const value = numberSetting(facts, path);
  if (profile !== "memory-constrained" || value === undefined || value <= CACHE_MB_SCARCE) return [];
  const available = factValue(host.memoryAvailableBytes);
  const evidence =
    available === undefined ? "memory is scarce" : `${bytesText(available)} of memory are left`;
  return [{ path, to: CACHE_MB_SCARCE, aim: "memory", reason: "memory is left for memories", evidence }];
};

export const RULES: readonly TuneRule[] = [
  backToDefault("wide_search", "index.ef_search", "above", "speed", "a recall compares fewer vectors"),
  backToDefault("narrow_search", "index.ef_search", "below", "accuracy", "near memories are missed"),
  backToDefault("wide_candidates", "recall.candidates", "above", "speed", "a recall weighs fewer candidates"),
  backToDefault("wide_activation", "activation.visits", "above", "speed", "a recall follows fewer bindings"),
  backToDefault(
    "wide_activation",
    "activation.hops",
    "above",
    "speed",
    "activation stays nearer to what was found",
  ),
  backToDefault("wide_activation", "activation.time_ms", "above", "speed", "spreading is cut off sooner"),
  backToDefault(
    "sync_interval",
    "wal.sync_mode",
    "other",
    "speed",
    "a store waits for the disk, not for an interval",
  ),
  backToDefault(
    "write_amplification",
    "checkpoint.interval_s",
    "below",
    "speed",
    "fewer checkpoints write the same",
  ),
  backToDefault(
    "write_amplification",
    "checkpoint.log_mb",
    "below",
    "speed",
    "fewer checkpoints write the same",
  ),
  backToDefault("slow_indexing", "index.ef_construction", "above", "speed", "a vector is linked sooner"),
  backToDefault("tail_growth", "index.ef_construction", "above", "speed", "a vector is linked sooner"),
  backToDefault("tail_growth", "index.tail_max", "above", "speed", "recalls go over a shorter tail"),
  backToDefault("writer_waits", "index.ef_construction", "above", "speed", "a vector is linked sooner"),
  backToDefault(
    "huge_pages",
    "memory.huge_pages",
    "other",
    "speed",
    "fewer translations of addresses are missed",
  ),
  embeddingCache,
  apiWorkers,
  indexWorkers,
  numa,
  smallCaches,
];
