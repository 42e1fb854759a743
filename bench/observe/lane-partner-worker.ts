/** The second writer of `record.bench.ts`: records into the lane beside the measured one until it is ended. */
import { MetricLane } from "../../src/observe/lane.ts";
import { laneCells, type MetricRegion } from "../../src/observe/metric-region.ts";
import { counterSeries, durationSeries } from "../../src/observe/series.ts";

declare const self: Worker;

self.onmessage = ({ data }: MessageEvent<{ region: MetricRegion; lane: number }>) => {
  const lane = new MetricLane(laneCells(data.region, data.lane));
  const counter = counterSeries("engram_http_responses_total", { status: "2xx" });
  const duration = durationSeries("engram_wal_flush_duration_seconds", {});
  postMessage("recording");
  for (let round = 0; ; round++) {
    lane.add(counter, 1);
    lane.record(duration, (round & 1023) * 0.01);
  }
};
