/** The meter that consolidation is handed, recording into the lane of its thread. */
import type { ConsolidationMeter } from "../engine/consolidation/consolidation-meter.ts";
import type { MetricLane } from "./lane.ts";
import { counterSeries, durationSeries, levelSeries } from "./series.ts";

export function consolidationMeter(lane: MetricLane): ConsolidationMeter {
  const cycles = {
    ok: durationSeries("engram_consolidation_cycle_duration_seconds", { outcome: "ok" }),
    failed: durationSeries("engram_consolidation_cycle_duration_seconds", { outcome: "failed" }),
  };
  const replayed = counterSeries("engram_consolidation_replayed_total", {});
  const consolidating = counterSeries("engram_consolidation_promotions_total", { phase: "consolidating" });
  const remote = counterSeries("engram_consolidation_promotions_total", { phase: "remote" });
  const coherence = levelSeries("engram_concept_coherence", {});
  return {
    cycled: (outcome, tookMs, figures) => {
      lane.record(cycles[outcome], tookMs);
      lane.add(replayed, figures.replayed);
      lane.add(consolidating, figures.consolidating);
      lane.add(remote, figures.remote);
    },
    concepts: (mean) => lane.set(coherence, mean ?? Number.NaN),
  };
}
