/**
 * Finds the threads whose counters a collector reads: those whose lanes lie in its node's region, once each has
 * said which one it is to the kernel.
 */
import { THREAD_PLACE_AT, threadPlaceOf } from "../layout/process-facts.ts";
import { HardwareWatch, missingLines, type WatchedThread } from "../observe/hardware-watch.ts";
import { MetricLane } from "../observe/lane.ts";
import { laneCells } from "../observe/metric-region.ts";
import type { Boot, ThreadRole } from "./boot.ts";
import { tellMain, threadIndex } from "./thread.ts";
import { threadCounts } from "./threads-alive.ts";

/** A thread whose lane this collector's node holds, and where it says who it is. */
type NodeThread = {
  readonly role: ThreadRole;
  readonly ordinal: number;
  readonly placeAt: number;
  readonly lane: MetricLane;
};

/** @param lane of this collector @returns what to call once a second, before the lanes are summed up */
export function openHardwareWatch(boot: Boot, lane: MetricLane): { sample: () => void; close: () => void } {
  const facts = new Float64Array(boot.shared.processFacts);
  const threads = threadsOfNode(boot);
  const watch = new HardwareWatch(lane);
  let told = "";
  const sample = (): void => {
    const started = threads.flatMap(({ role, ordinal, placeAt, lane }): WatchedThread[] => {
      const place = threadPlaceOf(facts[placeAt]!);
      return place === undefined ? [] : [{ role, ordinal, ...place, lane }];
    });
    const counted = watch.sample(started);
    // A starting thread would be told of twice.
    if (counted === undefined || started.length < threads.length) return;
    const lines = missingLines(counted).join("\n");
    if (told !== "" || lines === "") return;
    told = lines;
    for (const text of lines.split("\n")) tellMain({ type: "log", level: "info", text });
  };
  return { sample, close: () => watch.close() };
}

function threadsOfNode(boot: Boot): NodeThread[] {
  const { regions, lanes } = boot.shared.metrics;
  const own = lanes[threadIndex(boot)]!.region;
  return threadCounts(boot).flatMap(([role, count]) =>
    Array.from({ length: count }, (_, ordinal) => ordinal).flatMap((ordinal): NodeThread[] => {
      const index = threadIndex({ ...boot, role, ordinal });
      const { region, lane } = lanes[index]!;
      if (region !== own) return [];
      return [
        {
          role,
          ordinal,
          placeAt: THREAD_PLACE_AT + index,
          lane: new MetricLane(laneCells(regions[region]!, lane)),
        },
      ];
    }),
  );
}
