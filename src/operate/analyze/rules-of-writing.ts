/** What stores wait for: the disk, the log, the home writer, the index behind them. */
import { numberSetting, stageOf, textSetting, type WorkFacts } from "./facts.ts";
import { advice, bytesText, duration, fine, percent, type Rule, unavailableFor } from "./judgement.ts";

const SHARE_MIN = 0.3;
const FLUSHES_MIN = 20;
/** A disk of today syncs in 0.1 to 2 ms. */
const SYNC_SECONDS_SLOW = 0.005;
const INTERVAL_MS_LONG = 20;
/** The log is synced without a pause. */
const SYNCING_MOST = 0.7;
const RECORDS_FEW = 2;
/** A write waits for the sync under way and for its own: three are more than that. */
const SYNCS_WAITED = 3;
const WAIT_SECONDS_MIN = 0.002;
const CHECKPOINT_SHARE_HIGH = 0.05;
const CHECKPOINT_EVERY_SECONDS = 10;
const AMPLIFICATION_HIGH = 3;
const BYTES_MIN = 4 * 1024 * 1024;
const TAIL_LONG = 2048;
const TAIL_FILL_HIGH = 0.5;
const SCAN_SHARE_HIGH = 0.5;
const INSERT_SECONDS_SLOW = 0.002;
const EF_CONSTRUCTION_ORDINARY = 256;

const syncsInBatches = (facts: WorkFacts): boolean => textSetting(facts, "wal.sync_mode") === "batch";

const meanOf = ({ count, totalSeconds }: { count: number; totalSeconds: number }): number =>
  count === 0 ? 0 : totalSeconds / count;

export const slowDisk: Rule = (facts) => {
  const TOPIC = "slow_disk";
  const { flush } = facts.log;
  if (flush.count < FLUSHES_MIN)
    return unavailableFor(TOPIC, `the log was synced ${Math.round(flush.count)} times`);
  const { share } = stageOf(facts, "log");
  const mean = meanOf(flush);
  const evidence = `a sync of the log took ${duration(mean)} on average, P99 ${duration(flush.p99Seconds)}; waiting for the log is ${percent(share)} of the time of recalls and stores`;
  if (mean < SYNC_SECONDS_SLOW || share < SHARE_MIN) return fine(TOPIC, evidence);
  return advice(TOPIC, {
    title: "Writes wait for a slow disk",
    basis: "measured",
    weight: share,
    evidence,
    change:
      "Put data.dir on a disk with power-loss protection; callers that may lose the newest writes ask with ack=wal",
    effect: "A store takes little more than one sync",
  });
};

export const syncInterval: Rule = (facts) => {
  const TOPIC = "sync_interval";
  if (!("value" in facts.settings)) return unavailableFor(TOPIC, facts.settings.unavailable);
  if (!syncsInBatches(facts)) return fine(TOPIC, "the log is synced as soon as a write waits for it");
  const intervalMs = numberSetting(facts, "wal.flush_interval_ms") ?? 0;
  const { share, meanSeconds } = stageOf(facts, "log");
  const evidence = `wal.sync_mode is "batch" with wal.flush_interval_ms ${intervalMs}; a store waited ${duration(meanSeconds)} for the log, ${percent(share)} of the time`;
  if (intervalMs < INTERVAL_MS_LONG || share < SHARE_MIN || meanSeconds * 1000 < intervalMs / 4) {
    return fine(TOPIC, evidence);
  }
  return advice(TOPIC, {
    title: "Writes wait for the interval between two syncs",
    basis: "measured",
    weight: Math.min(1, share * 1.1),
    evidence,
    change: "engram-appliance config set --live wal.sync_mode immediate",
    effect: "A store waits for the disk alone; groups still form while one is synced",
  });
};

export const groupCommit: Rule = (facts) => {
  const TOPIC = "group_commit";
  const { flush, records } = facts.log;
  if (flush.count < FLUSHES_MIN)
    return unavailableFor(TOPIC, `the log was synced ${Math.round(flush.count)} times`);
  const each = records / flush.count;
  const busy = flush.totalSeconds / facts.windowSeconds;
  const evidence = `a sync made ${Number(each.toPrecision(3))} records durable; syncs took ${percent(busy)} of the time`;
  if (busy < SYNCING_MOST || each >= RECORDS_FEW) return fine(TOPIC, evidence);
  return advice(TOPIC, {
    title: "Every write pays for a sync of its own",
    basis: "measured",
    weight: 0.5 * Math.min(1, busy),
    evidence,
    change:
      "Send writes over several connections or as batches (/api/v1/memories/remember/batch): they share a sync",
    effect: "More writes a second at the same number of syncs",
  });
};

/** Locks there are none; what a write waits for beside syncs is its turn at the home writer and the bells between. */
export const writerWaits: Rule = (facts) => {
  const TOPIC = "writer_waits";
  const log = stageOf(facts, "log");
  if (log.count < FLUSHES_MIN) return unavailableFor(TOPIC, `only ${Math.round(log.count)} stores`);
  const sync = meanOf(facts.log.flush);
  const interval = syncsInBatches(facts) ? (numberSetting(facts, "wal.flush_interval_ms") ?? 0) / 1000 : 0;
  const over = log.meanSeconds - SYNCS_WAITED * sync - interval;
  const evidence = `a store waited ${duration(log.meanSeconds)} for home writer and log, where a sync takes ${duration(sync)}`;
  if (over < WAIT_SECONDS_MIN || log.share < SHARE_MIN) return fine(TOPIC, evidence);
  const { now, capacity } = facts.tail;
  const isFull = capacity > 0 && now >= capacity * 0.9;
  return advice(TOPIC, {
    title: isFull ? "Writes wait for room in the tail" : "Writes wait for their turn at the home writer",
    basis: "estimated",
    weight: log.share * Math.min(1, over / log.meanSeconds),
    evidence: `${evidence}; ${duration(over)} were neither`,
    change: isFull
      ? "Raise thread_pools.index_workers where cores are idle, or lower index.ef_construction; then restart"
      : "Give the home writer a core: lower thread_pools.api_workers, or keep other programs off its cores (AllowedCPUs= of the unit)",
    effect: "A store waits for the disk alone",
  });
};

export const writeAmplification: Rule = (facts) => {
  const TOPIC = "write_amplification";
  const { log, checkpoints, data, windowSeconds } = facts;
  const written = log.bytes + checkpoints.bytes;
  if (written < BYTES_MIN) return unavailableFor(TOPIC, `only ${bytesText(written)} were written`);
  // Against what came in: the growth of the data, and at least what the log took of it.
  const useful = Math.max(data.grownBytes, log.bytes);
  const factor = written / useful;
  const timeShare = checkpoints.totalSeconds / windowSeconds;
  const evidence = `${bytesText(log.bytes)} of log and ${bytesText(checkpoints.bytes)} of checkpoints were written for ${bytesText(useful)} that came in: ${Number(factor.toPrecision(2))} times; ${Math.round(checkpoints.count)} checkpoints took ${percent(timeShare)} of the time`;
  const every = checkpoints.count === 0 ? Number.POSITIVE_INFINITY : windowSeconds / checkpoints.count;
  const isOften = every < CHECKPOINT_EVERY_SECONDS && timeShare >= CHECKPOINT_SHARE_HIGH;
  if (factor < AMPLIFICATION_HIGH && !isOften) return fine(TOPIC, evidence);
  return advice(TOPIC, {
    title: "Checkpoints write much more than comes in",
    basis: "measured",
    weight: Math.min(0.9, Math.max(timeShare, (factor - 1) / 20)),
    evidence,
    change: "engram-appliance config set --live checkpoint.interval_s 300, and checkpoint.log_mb 512",
    effect: "The disk is free for syncs of the log; a start after a crash replays some seconds more",
  });
};

export const tailGrowth: Rule = (facts) => {
  const TOPIC = "tail_growth";
  const { now, longest, perSecond, capacity } = facts.tail;
  const fill = capacity === 0 ? 0 : now / capacity;
  const evidence = `${Math.round(now)} vectors wait for the graph (${Math.round(longest)} at most, ${percent(fill)} of index.tail_max), ${perSecond >= 0 ? "growing" : "shrinking"} by ${Number(Math.abs(perSecond).toPrecision(2))} a second`;
  const { graphDistances, scanDistances } = facts.recall;
  const scanned = scanDistances / Math.max(1, graphDistances + scanDistances);
  const isScanned = scanned >= SCAN_SHARE_HIGH;
  const isLong = now >= TAIL_LONG && (perSecond > 1 || fill >= TAIL_FILL_HIGH || isScanned);
  if (!isLong) return fine(TOPIC, evidence);
  const indexers = numberSetting(facts, "thread_pools.index_workers") ?? 1;
  return advice(TOPIC, {
    title: "Vectors come in faster than they are indexed",
    basis: "measured",
    weight: Math.max(0.3, Math.min(0.9, isScanned ? scanned : fill)),
    evidence: `${evidence}; ${percent(scanned)} of the distances of recalls were not in a graph`,
    change: `engram-appliance config set thread_pools.index_workers ${indexers + 1} where cores are idle and there are several spaces, or index.ef_construction 128; then restart`,
    effect: "Recalls go over a shorter tail, and writers are not slowed",
  });
};

export const slowIndexing: Rule = (facts) => {
  const TOPIC = "slow_indexing";
  const { insert } = facts.index;
  if (insert.count < 100) return unavailableFor(TOPIC, "hardly any vector was indexed");
  const mean = meanOf(insert);
  const ef = numberSetting(facts, "index.ef_construction");
  const evidence = `linking a vector into the graph took ${duration(mean)} on average${ef === undefined ? "" : `; index.ef_construction is ${ef}`}`;
  const busy = insert.totalSeconds / facts.windowSeconds;
  if (mean < INSERT_SECONDS_SLOW || busy < SHARE_MIN) return fine(TOPIC, evidence);
  if (ef !== undefined && ef <= EF_CONSTRUCTION_ORDINARY) return fine(TOPIC, evidence);
  return advice(TOPIC, {
    title: "Vectors are linked into the graph with more effort than pays",
    basis: "measured",
    weight: 0.4 * Math.min(1, busy),
    evidence: `${evidence}; it kept a core busy for ${percent(Math.min(1, busy))} of the time`,
    change: "engram-appliance config set index.ef_construction 128, then restart",
    effect:
      "The tail is worked off faster, and a core is free for requests; graphs that exist stay as they are",
  });
};
