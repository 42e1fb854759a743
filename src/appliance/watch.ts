/** What an API worker records of itself, and how it sees the metrics of all threads. */
import type { Watch } from "../api/api-context.ts";
import { systemClock } from "../base/clock.ts";
import { VERSION } from "../base/version.ts";
import type { EmbeddingProvider } from "../embedding/embedder.ts";
import type { EngineMeter } from "../engine/meters.ts";
import type { SpaceTable } from "../engine/space-table.ts";
import type { WriteClient } from "../engine/write-client.ts";
import { HISTORY_SHAPE } from "../observe/history-layout.ts";
import { HistoryReader } from "../observe/history-reader.ts";
import { metricMetadata } from "../observe/history-source.ts";
import type { MetricLane } from "../observe/lane.ts";
import { apiMeter, engineMeter } from "../observe/meters.ts";
import { levelSeries } from "../observe/series.ts";
import { Snapshots } from "../observe/snapshot.ts";
import { startThreadSampler } from "../observe/thread-sampler.ts";
import type { Boot } from "./boot.ts";
import { openLane, openMeterClock } from "./metric-lanes.ts";

export type ThreadWatch = Watch & {
  readonly engineMeter: EngineMeter;
  /** Starts to sample, once a second, what nobody can count while it happens. */
  readonly sampleEachSecond: (parts: Sampled) => void;
};

type Sampled = { readonly client: WriteClient; readonly embedder: EmbeddingProvider };

export function openWatch(boot: Boot, table: SpaceTable): ThreadWatch {
  const lane = openLane(boot);
  const nowMs = openMeterClock();
  const snapshots = openSnapshots(boot, table);
  return {
    meter: apiMeter(lane, nowMs),
    engineMeter: engineMeter(lane, nowMs),
    snapshot: () => snapshots.take(),
    history: new HistoryReader(HISTORY_SHAPE, boot.shared.history),
    metadata: metricMetadata(),
    clock: systemClock,
    sampleEachSecond: (parts) => void startThreadSampler(lane, nowMs, () => sample(lane, parts)),
  };
}

/** All metrics of the process, for any thread. */
export function openSnapshots({ shared, settings, startedAtMs }: Boot, table: SpaceTable): Snapshots {
  return new Snapshots({
    memory: shared.metrics,
    table,
    processFacts: new Float64Array(shared.processFacts),
    streamFacts: shared.streamFacts.map((buffer) => new Float64Array(buffer)),
    startedAtMs,
    tailMax: settings.index.tail_max,
    memoriesMax: settings.spaces.max_memories,
    version: VERSION,
  });
}

const QUEUE = levelSeries("engram_wal_queue_requests", {});
const EMBEDDINGS = { cache: "embedding" } as const;
const REQUESTS = levelSeries("engram_cache_requests_total", EMBEDDINGS);
const HITS = levelSeries("engram_cache_hits_total", EMBEDDINGS);
const BYTES = levelSeries("engram_cache_bytes", EMBEDDINGS);

function sample(lane: MetricLane, { client, embedder }: Sampled): void {
  lane.set(QUEUE, client.inFlight);
  const counts = embedder.cacheCounts?.();
  if (counts === undefined) return;
  lane.set(REQUESTS, counts.hits + counts.misses);
  lane.set(HITS, counts.hits);
  lane.set(BYTES, counts.bytes);
}
