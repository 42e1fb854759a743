/**
 * What recalls and embeddings spend their time on. A rule speaks up where a stage really takes the time; the one
 * exception is a search so narrow that it misses, which costs no time.
 */
import { hasRemoteEmbedder, numberSetting, stageOf } from "./facts.ts";
import { advice, duration, fine, percent, type Rule, unavailableFor } from "./judgement.ts";

/** Fewer tell nothing. */
const RECALLS_MIN = 50;
const LOOK_UPS_MIN = 100;
/** A stage that takes less of the time explains little. */
const SHARE_MIN = 0.3;
const EMBED_SECONDS_MIN = 0.005;
const HIT_RATIO_LOW = 0.7;
const CACHE_FULL = 0.8;
const KEY_HITS_LOW = 0.9;
/** What is searched for nothing costs at any share; below this it is not worth a change. */
const WIDE_SHARE_MIN = 0.15;
const EF_HIGH = 256;
const EF_LOW = 16;
/** What ef 64 computes stays below 1,500. */
const DISTANCES_HIGH = 2500;
const CANDIDATES_HIGH = 400;
const SPREAD_SECONDS_MIN = 0.0005;
const VISITS_ORDINARY = 1000;
const RESULTS_HIGH = 100;
const MIB = 1024 * 1024;

export const slowEmbedder: Rule = (facts) => {
  const TOPIC = "slow_embedder";
  const { count, meanSeconds, share } = stageOf(facts, "embed");
  if (!hasRemoteEmbedder(facts)) return fine(TOPIC, "texts are embedded inside, or by the callers");
  if (count === 0) return unavailableFor(TOPIC, "nothing was embedded");
  const evidence = `embedding took ${duration(meanSeconds)} on average, ${percent(share)} of the time of recalls and stores`;
  if (meanSeconds < EMBED_SECONDS_MIN || share < SHARE_MIN) return fine(TOPIC, evidence);
  return advice(TOPIC, {
    title: "The embedding server answers slowly",
    basis: "measured",
    weight: share,
    evidence,
    change:
      "Give the server more power or a smaller model; callers may send embeddings themselves, or POST batches",
    effect: `Recalls and stores get faster by up to ${duration(meanSeconds)}`,
  });
};

export const embeddingCache: Rule = (facts) => {
  const TOPIC = "embedding_cache";
  const { requests = 0, hits = 0, bytes = 0 } = facts.caches["embedding"] ?? {};
  const capacityMb = numberSetting(facts, "embedding.cache_mb");
  const { share, meanSeconds } = stageOf(facts, "embed");
  if (!hasRemoteEmbedder(facts))
    return fine(TOPIC, "texts are embedded inside, which costs less than a millisecond");
  if (capacityMb === 0 && meanSeconds >= EMBED_SECONDS_MIN) {
    return advice(TOPIC, {
      title: "There is no cache of embeddings",
      basis: "estimated",
      weight: share * 0.9,
      evidence: `embedding.cache_mb is 0, and an embedding took ${duration(meanSeconds)} on average`,
      change: "engram-appliance config set embedding.cache_mb 64, then restart",
      effect: "A text that was embedded lately is not sent to the server again",
    });
  }
  if (requests < LOOK_UPS_MIN)
    return unavailableFor(TOPIC, `only ${Math.round(requests)} texts were looked up`);
  const ratio = hits / requests;
  const evidence = `it answered ${percent(ratio)} of ${Math.round(requests)} look-ups`;
  const isFull = capacityMb === undefined || bytes >= capacityMb * MIB * CACHE_FULL;
  if (ratio >= HIT_RATIO_LOW || !isFull || share < SHARE_MIN) return fine(TOPIC, evidence);
  return advice(TOPIC, {
    title: "The cache of embeddings is too small",
    basis: "measured",
    // Before the slow server itself: this can be changed here.
    weight: Math.min(1, share * 1.05),
    evidence: `${evidence} and is full (${capacityMb ?? "?"} MiB a worker); embedding is ${percent(share)} of the time`,
    change: `engram-appliance config set embedding.cache_mb ${Math.max(64, 4 * (capacityMb ?? 16))}, then restart`,
    effect: "Texts that come again are not sent to the server again",
  });
};

export const keyCache: Rule = (facts) => {
  const TOPIC = "key_cache";
  const { requests = 0, hits = 0 } = facts.caches["keys"] ?? {};
  if (requests < LOOK_UPS_MIN) return unavailableFor(TOPIC, "hardly any API key was looked up");
  const evidence = `${percent(hits / requests)} of ${Math.round(requests)} keys were known already`;
  if (hits / requests >= KEY_HITS_LOW) return fine(TOPIC, evidence);
  return advice(TOPIC, {
    title: "API keys are verified again and again",
    basis: "measured",
    weight: 0.3,
    evidence: `${evidence}; each verification is an argon2id hash, tens of milliseconds of a core`,
    change: "Look for clients that send wrong or ever new keys: engram-appliance key list",
    effect: "A core is free for requests",
  });
};

export const wideSearch: Rule = (facts) => {
  const TOPIC = "wide_search";
  const recalls = facts.operations["recall"]?.count ?? 0;
  if (recalls < RECALLS_MIN) return unavailableFor(TOPIC, `only ${Math.round(recalls)} recalls`);
  const ef = numberSetting(facts, "index.ef_search");
  const walked = facts.recall.graphDistances / recalls;
  // With an ef as large as the space there is no point in walking: all vectors are gone over.
  const scanned = ef !== undefined && ef >= EF_HIGH ? facts.recall.scanDistances / recalls : 0;
  const distances = Math.max(walked, scanned);
  const { share } = stageOf(facts, "vector", "recall");
  const evidence = `a recall computed ${Math.round(distances)} distances ${walked >= scanned ? "in the graph" : "over all vectors"}; the vector search is ${percent(share)} of its time`;
  const isWide =
    ef === undefined ? distances >= DISTANCES_HIGH : ef >= EF_HIGH && distances >= DISTANCES_HIGH;
  const isAsked = ef !== undefined && ef < EF_HIGH && distances >= DISTANCES_HIGH * 2;
  if (share < WIDE_SHARE_MIN || (!isWide && !isAsked)) return fine(TOPIC, evidence);
  return advice(TOPIC, {
    title: "The graph is searched wider than answers need",
    basis: "estimated",
    weight: share * (1 - 64 / Math.max(128, ef ?? 256)),
    evidence: ef === undefined ? evidence : `${evidence}; index.ef_search is ${ef}`,
    change: isAsked
      ? "Callers send a high ef: let them send a lower one, or none"
      : "engram-appliance config set --live index.ef_search 64",
    effect: "The vector search gets faster nearly in proportion; check the recall of your own data",
  });
};

export const narrowSearch: Rule = (facts) => {
  const TOPIC = "narrow_search";
  const recalls = facts.operations["recall"]?.count ?? 0;
  const ef = numberSetting(facts, "index.ef_search");
  if (ef === undefined) return unavailableFor(TOPIC, "the settings that run can not be read with this key");
  if (facts.recall.graphDistances === 0) return unavailableFor(TOPIC, "no recall searched a graph");
  const distances = facts.recall.graphDistances / Math.max(1, recalls);
  const evidence = `index.ef_search is ${ef}, and a recall computed ${Math.round(distances)} distances in the graph`;
  if (ef >= EF_LOW) return fine(TOPIC, evidence);
  return advice(TOPIC, {
    title: "The graph is searched so narrowly that near memories are missed",
    basis: "estimated",
    weight: 0.25,
    evidence,
    change: "engram-appliance config set --live index.ef_search 64",
    effect: "Recalls find what is near; the vector search takes some tenths of a millisecond more",
  });
};

export const wideCandidates: Rule = (facts) => {
  const TOPIC = "wide_candidates";
  const recalls = facts.operations["recall"]?.count ?? 0;
  if (recalls < RECALLS_MIN) return unavailableFor(TOPIC, `only ${Math.round(recalls)} recalls`);
  const candidates = numberSetting(facts, "recall.candidates");
  if (candidates === undefined) {
    return unavailableFor(TOPIC, "the settings that run can not be read with this key");
  }
  const share = ["vector", "words", "fuse"].reduce(
    (sum, stage) => sum + stageOf(facts, stage, "recall").share,
    0,
  );
  const evidence = `recall.candidates is ${candidates}; searching and fusing is ${percent(share)} of a recall`;
  if (candidates < CANDIDATES_HIGH || share < SHARE_MIN) return fine(TOPIC, evidence);
  return advice(TOPIC, {
    title: "Each recall weighs far more candidates than it returns",
    basis: "estimated",
    weight: share * (1 - 100 / candidates) * 0.9,
    evidence: `${evidence}, for ${Number((facts.recall.results / recalls).toPrecision(2))} results on average`,
    change: "engram-appliance config set --live recall.candidates 100",
    effect: "Searching and fusing take less time; what ranks below 100 in both lists is no longer weighed",
  });
};

export const wideActivation: Rule = (facts) => {
  const TOPIC = "wide_activation";
  const { count, meanSeconds, share } = stageOf(facts, "spread", "recall");
  if (count < RECALLS_MIN) return unavailableFor(TOPIC, "activation hardly spread");
  const evidence = `spreading took ${duration(meanSeconds)} on average, ${percent(share)} of a recall`;
  const visits = numberSetting(facts, "activation.visits") ?? VISITS_ORDINARY;
  if (share < SHARE_MIN || meanSeconds < SPREAD_SECONDS_MIN || visits <= VISITS_ORDINARY) {
    return fine(TOPIC, evidence);
  }
  return advice(TOPIC, {
    title: "Activation spreads further than it tells anything",
    basis: "measured",
    weight: share,
    evidence: `${evidence}; activation.visits is ${visits}`,
    change: `engram-appliance config set activation.visits ${VISITS_ORDINARY}, and activation.hops 3; then restart`,
    effect: "Recalls get faster by most of that time",
  });
};

export const largeResults: Rule = (facts) => {
  const TOPIC = "large_results";
  const recalls = facts.operations["recall"]?.count ?? 0;
  if (recalls < RECALLS_MIN) return unavailableFor(TOPIC, `only ${Math.round(recalls)} recalls`);
  const results = facts.recall.results / recalls;
  const share = stageOf(facts, "fetch", "recall").share + stageOf(facts, "serialise", "recall").share;
  const evidence = `a recall returned ${Number(results.toPrecision(2))} memories; reading and writing them out is ${percent(share)} of its time`;
  if (results < RESULTS_HIGH || share < SHARE_MIN) return fine(TOPIC, evidence);
  return advice(TOPIC, {
    title: "Recalls return very many memories",
    basis: "measured",
    weight: share,
    evidence,
    change: "Let callers ask for a lower limit",
    effect: "Less is read, written out and sent",
  });
};
