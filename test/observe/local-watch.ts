/** A watch whose lane is the only one, for APIs that are tested or measured without an appliance around them. */
import type { Watch } from "../../src/api/api-context.ts";
import { FamilySet } from "../../src/observe/family.ts";
import { MetricLane } from "../../src/observe/lane.ts";
import { addLaneFamilies } from "../../src/observe/lane-families.ts";
import { apiMeter } from "../../src/observe/meters.ts";
import { localLaneCells } from "../../src/observe/metric-region.ts";

export function localWatch(): Watch {
  const cells = localLaneCells();
  return {
    meter: apiMeter(new MetricLane(cells), () => performance.now()),
    snapshot: () => {
      const set = new FamilySet();
      addLaneFamilies(set, [cells], [{ thread: "api-0", cells }]);
      return set.families();
    },
  };
}
