/** A thread that records into its lane as fast as it can, for tests of concurrent recording. */
import { MetricLane } from "../../src/observe/lane.ts";
import { laneCells, type MetricRegion } from "../../src/observe/metric-region.ts";
import { counterSeries, durationSeries } from "../../src/observe/series.ts";

declare const self: Worker;

export type LaneOrder = { readonly region: MetricRegion; readonly lane: number; readonly rounds: number };

/** Recorded durations go through these, in ms; all are whole multiples of 2^-10, so that sums are exact. */
export const DURATIONS_MS = [0.0009765625, 0.25, 1, 7.5, 1024, 5_000_000];

self.onmessage = ({ data }: MessageEvent<LaneOrder>) => {
  const lane = new MetricLane(laneCells(data.region, data.lane));
  const appended = counterSeries("engram_wal_appended_bytes_total", {});
  const flushed = durationSeries("engram_wal_flush_duration_seconds", {});
  for (let round = 0; round < data.rounds; round++) {
    lane.add(appended, 3);
    lane.record(flushed, DURATIONS_MS[round % DURATIONS_MS.length]!);
  }
  postMessage("done");
};
