/**
 * The loop of the background thread in which the mind works: what walks behind the writers gets its turns here, at a
 * pace that gives way to whoever asks the appliance for something.
 */
import { systemClock } from "../base/clock.ts";
import { associationSettings } from "../engine/association/association-settings.ts";
import { Associator } from "../engine/association/associator.ts";
import { BindingPruner } from "../engine/association/binding-pruner.ts";
import { engineSettings } from "../engine/engine-settings.ts";
import type { SpaceTable } from "../engine/space-table.ts";
import { WorkPace } from "../engine/work-pace.ts";
import type { WriteClient } from "../engine/write-client.ts";
import { RECALL_COUNT_AT, RECALL_COUNT_STRIDE } from "../layout/process-facts.ts";
import type { MetricLane } from "../observe/lane.ts";
import type { EpochReader } from "../shm/epochs.ts";
import type { Boot } from "./boot.ts";
import { openConsolidator } from "./consolidation.ts";

/** Between two looks while there is nothing to do. */
const NOTHING_MS = 250;

export type MindLoop = {
  /** Runs until it is stopped. */
  readonly run: () => Promise<void>;
  /** Ends after the turn under way. */
  readonly stop: () => void;
};

export function mindLoop(
  boot: Boot,
  parts: { table: SpaceTable; epoch: EpochReader; client: WriteClient; lane: MetricLane },
): MindLoop {
  const { table, epoch, client } = parts;
  const settings = associationSettings(boot.settings);
  const { bm25 } = engineSettings(boot.settings);
  const recallCounts = new Float64Array(boot.shared.processFacts);
  const operations = (): number => {
    let sum = 0;
    for (let worker = 0; worker < boot.apiWorkerCount; worker++) {
      sum += recallCounts[RECALL_COUNT_AT + worker * RECALL_COUNT_STRIDE]!;
    }
    for (const root of table.roots) if (root.isOpen) sum += root.load("nodeCount");
    return sum;
  };
  const pace = new WorkPace({ operations, nowMs: () => performance.now() });
  const associator = new Associator({ table, epoch, client, settings, bm25 });
  const wallClock = (): number => systemClock.wallMs();
  const pruner = new BindingPruner({ table, epoch, client, settings, bm25, wallClock });
  const consolidator = openConsolidator(boot, parts);
  let stopping = false;
  return {
    run: async () => {
      while (!stopping) {
        const { sliceMs, restMs } = pace.next();
        const done = (await associator.turn(sliceMs)) + (await pruner.turn());
        const hasConsolidated = await consolidator.turn();
        await Bun.sleep(done > 0 || hasConsolidated ? restMs : NOTHING_MS);
      }
      associator.close();
    },
    stop: () => {
      stopping = true;
    },
  };
}
