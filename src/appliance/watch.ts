/** What an API worker records of itself, and how it sees the metrics of all threads. */
import type { Watch } from "../api/api-context.ts";
import type { KeyRing } from "../api/key-ring.ts";
import type { RequestLogFields } from "../api/request-watch.ts";
import { systemClock } from "../base/clock.ts";
import { entropySeed, Random } from "../base/random.ts";
import { TraceContexts } from "../base/trace-context.ts";
import { VERSION } from "../base/version.ts";
import type { EmbeddingProvider } from "../embedding/embedder.ts";
import { type EngineMeter, SILENT_ENGINE_METER, switchedMeter } from "../engine/meters.ts";
import type { SpaceTable } from "../engine/space-table.ts";
import type { WriteClient } from "../engine/write-client.ts";
import { threadUsage } from "../ffi/threads.ts";
import { EventFeed } from "../observe/event-feed.ts";
import { HISTORY_SHAPE } from "../observe/history-layout.ts";
import { HistoryReader } from "../observe/history-reader.ts";
import { metricMetadata } from "../observe/history-source.ts";
import type { MetricLane } from "../observe/lane.ts";
import { apiMeter, engineMeter, SILENT_API_METER } from "../observe/meters.ts";
import { levelSeries } from "../observe/series.ts";
import type { SlowWatch } from "../observe/slow-watch.ts";
import { Snapshots } from "../observe/snapshot.ts";
import { SpanWriter } from "../observe/span.ts";
import { startThreadSampler } from "../observe/thread-sampler.ts";
import { ThreadWindows } from "../observe/thread-windows.ts";
import { openAlertBoard } from "./alerts.ts";
import type { Boot } from "./boot.ts";
import { openLane, openMeterClock } from "./metric-lanes.ts";
import { openSlowReader, openSlowWatch, slowThresholdMs } from "./slow-watch.ts";
import { type SwitchedSampler, switchedSampler } from "./switched-sampler.ts";
import { tellMain } from "./thread.ts";

export type ThreadWatch = Watch & {
  readonly slow: SlowWatch;
  readonly engineMeter: EngineMeter;
  /** Starts to sample, once a second, what nobody can count while it happens. */
  readonly sampleEachSecond: (parts: Omit<Sampled, "embedder">) => void;
  /** Records, or not, and keeps what is slow, as the settings say now. */
  readonly followSettings: () => void;
};

type Sampled = {
  readonly client: WriteClient;
  readonly embedder: EmbeddingProvider;
  readonly ring: KeyRing;
};

export function openWatch(boot: Boot, table: SpaceTable, embedder: EmbeddingProvider): ThreadWatch {
  const { monitoring, logging, otlp } = boot.settings;
  const lane = openLane(boot);
  const nowMs = openMeterClock();
  const snapshots = openSnapshots(boot, table);
  const windows = new ThreadWindows(threadUsage);
  const spanRing = boot.shared.spans[boot.ordinal];
  const spans =
    spanRing === undefined ? undefined : new SpanWriter(spanRing, { nowMs, wallMs: () => Date.now() });
  // The clock goes on: what is under way when recording begins was timed from its start.
  const api = switchedMeter(apiMeter(lane, nowMs), { ...SILENT_API_METER, nowMs }, monitoring.enabled);
  const engine = switchedMeter(
    engineMeter(lane, nowMs),
    { ...SILENT_ENGINE_METER, nowMs },
    monitoring.enabled,
  );
  const slow = openSlowWatch(boot, { lane, nowMs, windows, embedder, spans });
  let sampler: SwitchedSampler | undefined;
  return {
    meter: api.meter,
    engineMeter: engine.meter,
    slow,
    contexts: new TraceContexts(new Random(entropySeed()), spans === undefined ? 0 : otlp.sample_ratio),
    spans,
    log: logging.requests ? logRequest : undefined,
    slowOperations: openSlowReader(boot),
    snapshot: () => snapshots.take(),
    history: new HistoryReader(HISTORY_SHAPE, boot.shared.history),
    metadata: metricMetadata(),
    clock: systemClock,
    sampleEachSecond: (parts) => {
      sampler = switchedSampler(boot, () =>
        startThreadSampler(lane, nowMs, () => sample(lane, { ...parts, embedder }), windows),
      );
    },
    followSettings: () => {
      api.setOn(monitoring.enabled);
      engine.setOn(monitoring.enabled);
      slow.thresholdMs = slowThresholdMs(monitoring);
      sampler?.followSettings();
    },
    events: new EventFeed(boot.shared.events, boot.startedAtMs, systemClock),
    alerts: openAlertBoard(boot),
  };
}

function logRequest(text: string, fields: RequestLogFields): void {
  tellMain({ type: "log", level: "info", text, fields });
}

/** All metrics of the process, for any thread. */
export function openSnapshots({ shared, settings, startedAtMs }: Boot, table: SpaceTable): Snapshots {
  return new Snapshots({
    memory: shared.metrics,
    table,
    processFacts: new Float64Array(shared.processFacts),
    streamFacts: shared.streamFacts.map((buffer) => new Float64Array(buffer)),
    startedAtMs,
    tailMax: () => settings.index.tail_max,
    memoriesMax: settings.spaces.max_memories,
    version: VERSION,
  });
}

const QUEUE = levelSeries("engram_wal_queue_requests", {});
const EMBEDDINGS = { cache: "embedding" } as const;
const EMBEDDING_REQUESTS = levelSeries("engram_cache_requests_total", EMBEDDINGS);
const EMBEDDING_HITS = levelSeries("engram_cache_hits_total", EMBEDDINGS);
const EMBEDDING_BYTES = levelSeries("engram_cache_bytes", EMBEDDINGS);
const KEY_REQUESTS = levelSeries("engram_cache_requests_total", { cache: "keys" });
const KEY_HITS = levelSeries("engram_cache_hits_total", { cache: "keys" });

function sample(lane: MetricLane, { client, embedder, ring }: Sampled): void {
  lane.set(QUEUE, client.inFlight);
  const { requests, hits } = ring.cacheCounts;
  lane.set(KEY_REQUESTS, requests);
  lane.set(KEY_HITS, hits);
  const counts = embedder.cacheCounts?.();
  if (counts === undefined) return;
  lane.set(EMBEDDING_REQUESTS, counts.hits + counts.misses);
  lane.set(EMBEDDING_HITS, counts.hits);
  lane.set(EMBEDDING_BYTES, counts.bytes);
}
