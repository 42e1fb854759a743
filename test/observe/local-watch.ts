/** A watch whose lane is the only one, for APIs that are tested or measured without an appliance around them. */
import type { Watch } from "../../src/api/api-context.ts";
import { systemClock } from "../../src/base/clock.ts";
import { FamilySet } from "../../src/observe/family.ts";
import { metricMetadata } from "../../src/observe/history-source.ts";
import { MetricLane } from "../../src/observe/lane.ts";
import { addLaneFamilies } from "../../src/observe/lane-families.ts";
import { apiMeter } from "../../src/observe/meters.ts";
import { localLaneCells } from "../../src/observe/metric-region.ts";
import type { SeriesStore } from "../../src/observe/promql/samples.ts";

const NO_HISTORY: SeriesStore = { select: () => [], seriesBetween: () => [] };

export function localWatch(history: SeriesStore = NO_HISTORY): Watch {
  const cells = localLaneCells();
  return {
    history,
    metadata: metricMetadata(),
    clock: systemClock,
    meter: apiMeter(new MetricLane(cells), () => performance.now()),
    snapshot: () => {
      const set = new FamilySet();
      addLaneFamilies(set, [cells], [{ thread: "api-0", cells }]);
      return set.families();
    },
  };
}
