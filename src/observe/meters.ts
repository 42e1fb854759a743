/**
 * The meters that the engine's parts are handed, recording into the lane of their thread.
 *
 * Cells are found here, once; on the way in there are only additions.
 */
import { assert } from "../base/assert.ts";
import type { EngineMeter, IndexMeter, WriterMeter } from "../engine/meters.ts";
import { OPERATIONS, RECALL_MODES, REMEMBERED, SPREAD_ENDS, spaceClassOf } from "../layout/metric-codes.ts";
import { USE_HOWS } from "../layout/mind-record.ts";
import type { STREAM_OUTCOMES } from "./catalogue.ts";
import type { MetricLane } from "./lane.ts";
import {
  type CounterSeries,
  counterSeries,
  type DurationSeries,
  durationSeries,
  laneMetric,
  levelSeries,
  ratioSeries,
  sizeSeries,
} from "./series.ts";

/** What the API tells of the requests it answers. */
export type ApiMeter = {
  readonly nowMs: () => number;
  /** @param operation an OPERATION @param stage a STAGE */
  readonly stage: (operation: number, stage: number, tookMs: number) => void;
  /** A guarded call was answered. */
  readonly responded: (status: number) => void;
  /** `/metrics` was. */
  readonly scraped: (tookMs: number) => void;
  /** So many clients read event streams now. */
  readonly streamClients: (count: number) => void;
  readonly streamed: (outcome: (typeof STREAM_OUTCOMES)[number], events: number) => void;
};

export const SILENT_API_METER: ApiMeter = {
  nowMs: () => 0,
  stage: () => undefined,
  responded: () => undefined,
  scraped: () => undefined,
  streamClients: () => undefined,
  streamed: () => undefined,
};

/** @param nowMs monotonic ms */
export function engineMeter(lane: MetricLane, nowMs: () => number): EngineMeter {
  const total = laneMetric("engram_operations_total");
  const durations = laneMetric("engram_memory_operation_duration_seconds");
  assert(total.labelNames.join() === durations.labelNames.join(), "operations are counted and timed alike");
  const [operationStride, classStride, outcomeStride] = total.labelStrides as [number, number, number];
  const ordinalOf = (operation: number, liveCount: number, outcome: number): number =>
    operation * operationStride + spaceClassOf(liveCount) * classStride + outcome * outcomeStride;
  const resultSize = sizeSeries("engram_recall_result_size", {});
  const modes = RECALL_MODES.map((mode) => counterSeries("engram_recall_modes_total", { mode }));
  const weights = {
    fast: ratioSeries("engram_recall_memory_system_weight", { system: "fast" }),
    slow: ratioSeries("engram_recall_memory_system_weight", { system: "slow" }),
  };
  const remembered = REMEMBERED.map((outcome) =>
    counterSeries("engram_memories_remembered_total", { outcome }),
  );
  const passedOver = counterSeries("engram_recalls_passed_over_total", {});
  const cacheRequests = counterSeries("engram_activation_cache_requests_total", {});
  const cacheHits = counterSeries("engram_activation_cache_hits_total", {});
  const inGraph = counterSeries("engram_vector_distances_total", { path: "graph" });
  const inScan = counterSeries("engram_vector_distances_total", { path: "scan" });
  const spreads = SPREAD_ENDS.map((end) => counterSeries("engram_activation_spreads_total", { end }));
  const visits = counterSeries("engram_activation_visits_total", {});
  const hopsTotal = counterSeries("engram_activation_hops_total", {});
  const retention = ratioSeries("engram_recall_retention", {});
  const interfered = counterSeries("engram_recalls_weighed_total", { by: "interference" });
  const primedRecalls = counterSeries("engram_recalls_weighed_total", { by: "priming" });
  return {
    nowMs,
    operation: (operation, liveCount, outcome, tookMs) => {
      const ordinal = ordinalOf(operation, liveCount, outcome);
      lane.add((total.at + ordinal) as CounterSeries, 1);
      lane.record((durations.at + ordinal * durations.stride) as DurationSeries, tookMs);
    },
    untimed: (operation, liveCount, outcome) => {
      lane.add((total.at + ordinalOf(operation, liveCount, outcome)) as CounterSeries, 1);
    },
    stage: stageRecorder(lane),
    recalled: (mode, memories) => {
      lane.add(modes[mode] as CounterSeries, 1);
      lane.recordSize(resultSize, memories);
    },
    blended: (fast, slow) => {
      lane.recordRatio(weights.fast, fast);
      lane.recordRatio(weights.slow, slow);
    },
    searched: (distancesInGraph, distancesInScan) => {
      lane.add(inGraph, distancesInGraph);
      lane.add(inScan, distancesInScan);
    },
    activated: (visited, hops, end, isKept) => {
      lane.add(cacheRequests, 1);
      if (isKept) lane.add(cacheHits, 1);
      lane.add(spreads[end] as CounterSeries, 1);
      lane.add(visits, visited);
      lane.add(hopsTotal, hops);
    },
    weighed: (left, competed, primed) => {
      lane.recordRatio(retention, left);
      if (competed) lane.add(interfered, 1);
      if (primed) lane.add(primedRecalls, 1);
    },
    passedOver: (recalls) => lane.add(passedOver, recalls),
    remembered: (outcome, memories) => lane.add(remembered[outcome] as CounterSeries, memories),
  };
}

export function apiMeter(lane: MetricLane, nowMs: () => number): ApiMeter {
  const classes = (["2xx", "3xx", "4xx", "5xx"] as const).map((status) =>
    counterSeries("engram_http_responses_total", { status }),
  );
  const scrapes = durationSeries("engram_observe_scrape_duration_seconds", {});
  const clients = levelSeries("engram_stream_clients", {});
  const streamed = {
    sent: counterSeries("engram_stream_events_total", { outcome: "sent" }),
    lost: counterSeries("engram_stream_events_total", { outcome: "lost" }),
  };
  return {
    nowMs,
    stage: stageRecorder(lane),
    responded: (status) => {
      const series = classes[Math.floor(status / 100) - 2];
      if (series !== undefined) lane.add(series, 1);
    },
    scraped: (tookMs) => lane.record(scrapes, tookMs),
    streamClients: (count) => lane.set(clients, count),
    streamed: (outcome, events) => lane.add(streamed[outcome], events),
  };
}

export function writerMeter(lane: MetricLane): WriterMeter {
  const bytesTotal = counterSeries("engram_wal_appended_bytes_total", {});
  const recordsTotal = counterSeries("engram_wal_appended_records_total", {});
  const flushes = durationSeries("engram_wal_flush_duration_seconds", {});
  const groups = sizeSeries("engram_wal_group_records", {});
  const uses = USE_HOWS.map((how) => counterSeries("engram_memory_uses_total", { how }));
  return {
    appended: (bytes) => {
      lane.add(recordsTotal, 1);
      lane.add(bytesTotal, bytes);
    },
    flushed: (tookMs, records) => {
      lane.record(flushes, tookMs);
      lane.recordSize(groups, records);
    },
    used: (done) => {
      for (const [how, count] of done.entries()) lane.add(uses[how] as CounterSeries, count);
    },
  };
}

export function indexMeter(lane: MetricLane, nowMs: () => number): IndexMeter {
  const inserts = durationSeries("engram_index_insert_duration_seconds", {});
  const rebuilds = counterSeries("engram_index_rebuilds_total", {});
  return {
    nowMs,
    inserted: (tookMs, count) => lane.recordMany(inserts, tookMs / count, count),
    rebuilt: () => lane.add(rebuilds, 1),
  };
}

/** Stages of remember and recall: the first two operations, which is how the metric's label lists them. */
function stageRecorder(lane: MetricLane): EngineMeter["stage"] {
  const stages = laneMetric("engram_operation_stage_duration_seconds");
  const [operationStride, stageStride] = stages.labelStrides as [number, number];
  return (operation, stage, tookMs) =>
    lane.record((stages.at + operation * operationStride + stage * stageStride) as DurationSeries, tookMs);
}

const staged = laneMetric("engram_operation_stage_duration_seconds").labelValues[0]!;
assert(
  staged.every((operation, code) => OPERATIONS[code] === operation),
  "operations that have stages come first in OPERATIONS",
);
