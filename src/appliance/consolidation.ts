/** The consolidator of the background thread, as it is put together. */

import { ConsolidationBoard } from "../engine/consolidation/consolidation-board.ts";
import { consolidationRules } from "../engine/consolidation/consolidation-rules.ts";
import { Consolidator } from "../engine/consolidation/consolidator.ts";
import { engineSettings } from "../engine/engine-settings.ts";
import type { SpaceTable } from "../engine/space-table.ts";
import type { WriteClient } from "../engine/write-client.ts";
import { ScoreAccumulator } from "../index/word-index-reader.ts";
import { RECALL_COUNT_AT, RECALL_COUNT_STRIDE } from "../layout/process-facts.ts";
import { STREAM_FACT } from "../layout/stream-facts.ts";
import { consolidationMeter } from "../observe/consolidation-meters.ts";
import type { MetricLane } from "../observe/lane.ts";
import type { EpochReader } from "../shm/epochs.ts";
import type { Boot } from "./boot.ts";
import { openEvents } from "./events.ts";

export function openConsolidator(
  boot: Boot,
  parts: {
    readonly table: SpaceTable;
    readonly epoch: EpochReader;
    readonly client: WriteClient;
    readonly lane: MetricLane;
  },
): Consolidator {
  const { settings, shared, apiWorkerCount } = boot;
  const { table, epoch, client, lane } = parts;
  const recallCounts = new Float64Array(shared.processFacts);
  const streams = shared.streamFacts.map((facts) => new Float64Array(facts));
  const events = openEvents(boot);
  return new Consolidator({
    table,
    epoch,
    client,
    board: new ConsolidationBoard(shared.consolidations),
    rules: consolidationRules(settings),
    bm25: engineSettings(settings).bm25,
    accumulator: new ScoreAccumulator(),
    meter: consolidationMeter(lane),
    operations: () => {
      let sum = streams.reduce((total, facts) => total + facts[STREAM_FACT.appendedSequence]!, 0);
      for (let worker = 0; worker < apiWorkerCount; worker++)
        sum += recallCounts[RECALL_COUNT_AT + worker * RECALL_COUNT_STRIDE]!;
      return sum;
    },
    told: (space, id, memories) => events.emit("consolidated", { space, id, memories }),
    now: () => performance.now(),
    wallClock: () => Date.now(),
  });
}
