/** The indexer's thread: links new vectors as long as there are any, and sleeps on its doorbell otherwise. */

import { IndexPace } from "../engine/index-pace.ts";
import { Indexer } from "../engine/indexer.ts";
import { SILENT_INDEX_METER, switchedMeter } from "../engine/meters.ts";
import { SpaceTable } from "../engine/space-table.ts";
import { RECALL_COUNT_AT, RECALL_COUNT_STRIDE } from "../layout/process-facts.ts";
import { indexMeter } from "../observe/meters.ts";
import { startThreadSampler } from "../observe/thread-sampler.ts";
import { Doorbell } from "../shm/doorbell.ts";
import { EpochReader, Epochs } from "../shm/epochs.ts";
import type { Boot, ToThread } from "./boot.ts";
import { epochReaderIndex } from "./epoch-readers.ts";
import { openLane, openMeterClock } from "./metric-lanes.ts";
import { switchedSampler } from "./switched-sampler.ts";
import { aliveMarker, failThread, tellMain } from "./thread.ts";

/** Also wakes it to free what a rebuild left behind. */
const SLEEP_MS_MAX = 250;

export async function startIndexer(boot: Boot): Promise<(message: ToThread) => void> {
  const { shared, ordinal, indexerCount } = boot;
  const recallCounts = new Float64Array(shared.processFacts);
  const pace = new IndexPace({
    get tailMax() {
      return boot.settings.index.tail_max;
    },
    recalls: () => {
      let sum = 0;
      for (let worker = 0; worker < boot.apiWorkerCount; worker++) {
        sum += recallCounts[RECALL_COUNT_AT + worker * RECALL_COUNT_STRIDE]!;
      }
      return sum;
    },
    now: () => performance.now(),
  });
  const lane = openLane(boot);
  const nowMs = openMeterClock();
  const { monitoring } = boot.settings;
  const meter = switchedMeter(indexMeter(lane, nowMs), { ...SILENT_INDEX_METER, nowMs }, monitoring.enabled);
  const indexer = new Indexer({
    table: new SpaceTable(shared.spaceTable),
    epoch: new EpochReader(shared.epochs, epochReaderIndex(boot)),
    epochs: new Epochs(shared.epochs),
    ordinal,
    count: indexerCount,
    pace,
    interleaveNodes: boot.place.interleaveNodes,
    meter: meter.meter,
  });
  const sampler = switchedSampler(boot, () => startThreadSampler(lane, nowMs));
  const doorbell = new Doorbell(shared.indexDoorbells[ordinal]!);
  const alive = aliveMarker(boot);
  let stopping = false;

  const loop = async (): Promise<void> => {
    while (!stopping) {
      const seen = doorbell.read();
      alive();
      pace.begin();
      if (indexer.turn() === 0) await doorbell.waitAsync(seen, SLEEP_MS_MAX);
      else if (pace.restMs >= 1) await Bun.sleep(pace.restMs);
      // Between turns the event loop has a look, so that a message to stop is heard.
      else await new Promise((resolve) => setImmediate(resolve));
    }
    tellMain({ type: "stopped" });
  };
  loop().catch(failThread);
  tellMain({ type: "ready" });
  return (message) => {
    if (message.type === "settings") {
      meter.setOn(monitoring.enabled);
      sampler.followSettings();
    }
    if (message.type !== "shutdown") return;
    stopping = true;
    doorbell.ring();
  };
}
