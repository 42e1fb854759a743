/** Learning what words mean, as the background thread does it: where it keeps it, and what it tells the metrics. */

import { MeaningLearner } from "../engine/meaning/meaning-learner.ts";
import { meaningSettings } from "../engine/meaning/meaning-settings.ts";
import type { SpaceTable } from "../engine/space-table.ts";
import type { MetricLane } from "../observe/lane.ts";
import { durationSeries, levelSeries } from "../observe/series.ts";
import { type EpochReader, Epochs } from "../shm/epochs.ts";
import type { Disk } from "../storage/disk.ts";
import type { Boot } from "./boot.ts";
import { memoryPolicy, tellMain } from "./thread.ts";

const LEARNINGS = {
  ok: durationSeries("engram_meaning_learning_duration_seconds", { outcome: "ok" }),
  failed: durationSeries("engram_meaning_learning_duration_seconds", { outcome: "failed" }),
};
const LEVELS = {
  spaces: levelSeries("engram_meaning_spaces", {}),
  terms: levelSeries("engram_meaning_terms", {}),
  memories: levelSeries("engram_meaning_memories", {}),
  bytes: levelSeries("engram_meaning_bytes", {}),
  ageSeconds: levelSeries("engram_meaning_age_seconds", {}),
} as const;

/** @returns one turn of learning, to be called from time to time once the writers have recovered */
export function startLearning(
  boot: Boot,
  parts: {
    readonly table: SpaceTable;
    readonly epoch: EpochReader;
    readonly disk: Disk;
    readonly lane: MetricLane;
  },
): () => void {
  const { lane, ...given } = parts;
  const learner = new MeaningLearner({
    ...given,
    epochs: new Epochs(boot.shared.epochs),
    settings: meaningSettings(boot.settings),
    policy: memoryPolicy(boot),
    dataDirectory: boot.dataDirectory,
    now: () => performance.now(),
    wallClock: () => Date.now(),
    log: (level, text) => tellMain({ type: "log", level, text }),
    onLearned: (workedMs, outcome) => lane.record(LEARNINGS[outcome], workedMs),
  });
  return () => {
    learner.turn(boot.settings.meaning.turn_ms);
    const totals = learner.totals();
    for (const name of Object.keys(LEVELS) as (keyof typeof LEVELS)[]) lane.set(LEVELS[name], totals[name]);
  };
}
