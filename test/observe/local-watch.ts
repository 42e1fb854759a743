/** A watch whose lane is the only one, for APIs that are tested or measured without an appliance around them. */
import type { AlertBoard, Watch } from "../../src/api/api-context.ts";
import { systemClock } from "../../src/base/clock.ts";
import { entropySeed, Random } from "../../src/base/random.ts";
import { TraceContexts } from "../../src/base/trace-context.ts";
import { threadUsage } from "../../src/ffi/threads.ts";
import { Silences } from "../../src/observe/alerts/silences.ts";
import { EventFeed } from "../../src/observe/event-feed.ts";
import { FamilySet } from "../../src/observe/family.ts";
import { metricMetadata } from "../../src/observe/history-source.ts";
import { MetricLane } from "../../src/observe/lane.ts";
import { addLaneFamilies } from "../../src/observe/lane-families.ts";
import { apiMeter } from "../../src/observe/meters.ts";
import { localLaneCells } from "../../src/observe/metric-region.ts";
import type { SeriesStore } from "../../src/observe/promql/samples.ts";
import { SlowWatch } from "../../src/observe/slow-watch.ts";
import { ThreadWindows } from "../../src/observe/thread-windows.ts";
import { type EventMemory, makeEventMemory } from "../../src/shm/event-writer.ts";
import { NativeDisk } from "../../src/storage/native-disk.ts";

const NO_HISTORY: SeriesStore = { select: () => [], seriesBetween: () => [] };

const NO_ALERTS: AlertBoard = {
  view: () => undefined,
  silences: {
    all: () => [],
    holdingFor: () => [],
    add: () => Promise.reject(new Error("silences are kept by an appliance")),
    end: () => Promise.reject(new Error("silences are kept by an appliance")),
  },
  isEnabled: false,
  intervalS: 5,
};

/** Alerts that nothing evaluates, with silences that are kept in a directory. */
export function localAlerts(directory: string): AlertBoard {
  return { ...NO_ALERTS, silences: new Silences(new NativeDisk(1), directory, (ms) => Bun.sleep(ms)) };
}

export function localWatch(
  history: SeriesStore = NO_HISTORY,
  memory: EventMemory = makeEventMemory(1),
): Watch {
  const cells = localLaneCells();
  const lane = new MetricLane(cells);
  return {
    slow: new SlowWatch({
      worker: 0,
      thresholdMs: Number.POSITIVE_INFINITY,
      keepsQueries: () => false,
      lane,
      nowMs: () => performance.now(),
      clock: systemClock,
      file: () => undefined,
      warn: () => undefined,
      windows: new ThreadWindows(threadUsage),
      streamFacts: [],
      embedder: { id: "none", isLocal: true, cache: () => undefined },
      node: undefined,
      usual: () => ({}),
    }),
    slowOperations: () => [],
    contexts: new TraceContexts(new Random(entropySeed()), 0),
    spans: undefined,
    log: undefined,
    history,
    metadata: metricMetadata(),
    clock: systemClock,
    meter: apiMeter(lane, () => performance.now()),
    events: new EventFeed(memory, 1_000_000, systemClock),
    alerts: NO_ALERTS,
    snapshot: () => {
      const set = new FamilySet();
      addLaneFamilies(set, [cells], [{ thread: "api-0", cells }]);
      return set.families();
    },
  };
}
