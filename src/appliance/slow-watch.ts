/**
 * Slow operations as an API worker keeps them: its file in the data directory, and where their figures come from.
 * A file that can not be opened is told to the log, and slow operations are only counted then.
 */
import { systemClock } from "../base/clock.ts";
import { OperatorError } from "../base/errors.ts";
import type { Settings } from "../config/schema.ts";
import type { EmbeddingProvider } from "../embedding/embedder.ts";
import { HISTOGRAM_SUM } from "../layout/metric-lane.ts";
import { STREAM_FACT } from "../layout/stream-facts.ts";
import type { MetricLane } from "../observe/lane.ts";
import { counterSeries, durationSeries } from "../observe/series.ts";
import {
  readSlowOperations,
  removeOtherWorkers,
  SlowFile,
  type SlowPlace,
  type SlowWanted,
} from "../observe/slow-file.ts";
import type { SlowOperation, SlowUsual } from "../observe/slow-operation.ts";
import { SlowWatch } from "../observe/slow-watch.ts";
import type { SpanWriter } from "../observe/span.ts";
import type { ThreadWindows } from "../observe/thread-windows.ts";
import { DiskError } from "../storage/disk.ts";
import { NativeDisk } from "../storage/native-disk.ts";
import type { Boot } from "./boot.ts";
import { openLaneCells } from "./metric-lanes.ts";
import { tellMain } from "./thread.ts";

const MIB = 1024 * 1024;

function slowPlace(boot: Boot): SlowPlace {
  return { disk: new NativeDisk(1), dataDirectory: boot.dataDirectory };
}

/** Reads the slow operations of all workers. */
export function openSlowReader(boot: Boot): (wanted: SlowWanted) => SlowOperation[] {
  const place = slowPlace(boot);
  return (wanted) => {
    try {
      return readSlowOperations(place, wanted);
    } catch (cause) {
      if (!(cause instanceof DiskError)) throw cause;
      throw new OperatorError({
        code: "file-operation-failed",
        message: `Cannot read the slow operations: ${cause.message}`,
        remedy: "Check the data directory and its disk: engram-appliance doctor",
        cause,
      });
    }
  };
}

export function openSlowWatch(
  boot: Boot,
  parts: {
    readonly lane: MetricLane;
    readonly nowMs: () => number;
    readonly windows: ThreadWindows;
    readonly embedder: EmbeddingProvider;
    readonly spans: SpanWriter | undefined;
  },
): SlowWatch {
  const { settings, ordinal, shared } = boot;
  const { monitoring, embedding } = settings;
  const { embedder } = parts;
  const streamFacts = shared.streamFacts.map((buffer) => new Float64Array(buffer));
  const warn = (text: string): void => tellMain({ type: "log", level: "warn", text });
  return new SlowWatch({
    ...parts,
    worker: ordinal,
    thresholdMs: slowThresholdMs(monitoring),
    keepsQueries: () => monitoring.slow_query_content,
    clock: systemClock,
    file: openedWhenNeeded(() => openFile(boot, warn), monitoring.enabled),
    warn,
    streamFacts,
    embedder: {
      id: embedder.id,
      isLocal: embedder.embedSync !== undefined,
      cache: () => {
        const counts = embedder.cacheCounts?.();
        return counts === undefined ? undefined : { ...counts, bytesMax: embedding.cache_mb * MIB };
      },
    },
    node: boot.placement.isPlaced && boot.writerCount > 1 ? boot.place.node : undefined,
    usual: usualOf(openLaneCells(boot), streamFacts),
  });
}

/** What counts as slow now; nothing does where nothing is recorded. */
export function slowThresholdMs(monitoring: Settings["monitoring"]): number {
  return monitoring.enabled ? monitoring.slow_query_threshold_ms : Number.POSITIVE_INFINITY;
}

/** The file opened now, or when recording has been switched on. */
function openedWhenNeeded(open: () => SlowFile | undefined, isNeeded: boolean): () => SlowFile | undefined {
  let file: SlowFile | undefined;
  let isOpened = false;
  const get = (): SlowFile | undefined => {
    if (!isOpened) file = open();
    isOpened = true;
    return file;
  };
  if (isNeeded) get();
  return get;
}

function openFile(boot: Boot, warn: (text: string) => void): SlowFile | undefined {
  const place = slowPlace(boot);
  const bytesMax = Math.floor((boot.settings.monitoring.slow_query_store_mb * MIB) / boot.apiWorkerCount);
  try {
    const file = new SlowFile(place, { worker: boot.ordinal, bytesMax });
    if (boot.ordinal === 0) removeOtherWorkers(place, boot.apiWorkerCount);
    return file;
  } catch (error) {
    warn(`Slow operations are not kept: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}

const VECTOR_STAGE = { operation: "recall", stage: "vector" } as const;
const VECTOR_MS = durationSeries("engram_operation_stage_duration_seconds", VECTOR_STAGE) + HISTOGRAM_SUM;
const IN_GRAPH = counterSeries("engram_vector_distances_total", { path: "graph" });
const IN_SCAN = counterSeries("engram_vector_distances_total", { path: "scan" });

/** What a distance takes in this thread, and a sync of any log, on average since the start. */
function usualOf(cells: Float64Array, streamFacts: readonly Float64Array[]): () => SlowUsual {
  return () => {
    const distances = cells[IN_GRAPH]! + cells[IN_SCAN]!;
    let syncMs = 0;
    let syncs = 0;
    for (const facts of streamFacts) {
      syncMs += facts[STREAM_FACT.syncMs]!;
      syncs += facts[STREAM_FACT.groupCount]!;
    }
    return {
      ...(distances > 0 ? { ns_per_distance: Math.round((cells[VECTOR_MS]! * 1e6) / distances) } : {}),
      ...(syncs > 0 ? { sync_ms: Math.round((syncMs / syncs) * 1000) / 1000 } : {}),
    };
  };
}
