import { expect, test } from "bun:test";
import { CostMeter, medianInterval } from "../../src/observe/cost-meter.ts";
import { MetricLane } from "../../src/observe/lane.ts";
import { localLaneCells } from "../../src/observe/metric-region.ts";
import { counterSeries, durationSeries, levelSeries } from "../../src/observe/series.ts";

test("medianInterval bounds the median by ranks", () => {
  const values = Array.from({ length: 100 }, (_, i) => i);
  expect(medianInterval(values)).toEqual({ low: 40, median: 50, high: 59 });
  expect(medianInterval([7])).toEqual({ low: 7, median: 7, high: 7 });
});

test("CostMeter says what recording took: records a second, times what one record takes", () => {
  let nowMs = 0;
  const own = localLaneCells();
  const block = localLaneCells();
  const busy = new MetricLane(block);
  // A clock whose every reading takes 20 ns.
  const cost = new CostMeter({ lane: new MetricLane(own), block, nowMs: () => (nowMs += 20e-6) });
  const flushes = durationSeries("engram_wal_flush_duration_seconds", {});
  const labels = { operation: "get", space_class: "small", outcome: "ok" } as const;
  const gets = counterSeries("engram_operations_total", labels);
  const median = levelSeries("engram_observe_recording_ratio", { bound: "median" });
  for (let second = 0; second < 12; second++) {
    if (second === 5) expect(own[median]).toBeNaN();
    nowMs += 1000;
    busy.recordMany(flushes, 1, 40_000);
    busy.add(gets, 60_000);
    cost.sample();
  }
  // 100,000 records of 20 ns in a second are 2 ms of it.
  expect(own[median]).toBeCloseTo(0.002, 6);
});
