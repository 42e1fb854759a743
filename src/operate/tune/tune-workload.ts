/** A short workload that asks what the appliance is really asked: as many recalls, as large results, as large spaces. */
import { hasRemoteEmbedder, type WorkFacts } from "../analyze/facts.ts";
import { throughputThenLatency, type Workload } from "../bench/workloads.ts";
import { readShare } from "./plan.ts";

/** Small spaces have no graph, and are another kind of work; filling more than some thousand takes longer than it tells. */
const MEMORIES_MIN = 200;
const MEMORIES_MAX = 5000;
const MEMORIES_OTHERWISE = 1500;
const SPACES_MAX = 4;
const RECALL_SHARE_OTHERWISE = 0.7;
const LIMIT_OTHERWISE = 10;
const LIMIT_MAX = 200;
/** Where a server embeds, texts come again, as a cache of embeddings supposes. */
const DISTINCT_REMOTE = 256;

export function tuneWorkload(facts: WorkFacts): Workload {
  const recalls = facts.operations["recall"]?.count ?? 0;
  const results = recalls === 0 ? LIMIT_OTHERWISE : Math.round(facts.recall.results / recalls);
  const spaces = between(facts.memories.spaces, 1, SPACES_MAX);
  const recallShare = Number((readShare(facts) ?? RECALL_SHARE_OTHERWISE).toFixed(2));
  const largest = facts.memories.largestSpace || MEMORIES_OTHERWISE;
  // Several spaces share what may be filled.
  const memoriesEach = between(largest, MEMORIES_MIN, Math.round(MEMORIES_MAX / spaces));
  const mix = {
    recallShare,
    tenants: "all",
    limit: between(results, 1, LIMIT_MAX),
    ...(hasRemoteEmbedder(facts) && { distinct: DISTINCT_REMOTE }),
  } as const;
  return {
    name: "mixed",
    about: `${Math.round(recallShare * 100)} % recalls of ${mix.limit} results over ${spaces} x ${memoriesEach} memories`,
    spaces,
    memoriesEach,
    phases: throughputThenLatency(mix),
  };
}

function between(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, Math.round(value)));
}
