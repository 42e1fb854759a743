import { expect, test } from "bun:test";
import { FamilySet } from "../../src/observe/family.ts";
import { MetricLane } from "../../src/observe/lane.ts";
import { addLaneFamilies } from "../../src/observe/lane-families.ts";
import { MetricFeed, quantileOf } from "../../src/observe/metric-feed.ts";
import { localLaneCells } from "../../src/observe/metric-region.ts";
import { counterSeries, durationSeries, levelSeries } from "../../src/observe/series.ts";

test("MetricFeed.frame gives counters a rate and histograms quantiles of the time since the frame before", () => {
  const cells = localLaneCells();
  const lane = new MetricLane(cells);
  const feed = new MetricFeed((name) =>
    ["engram_http_responses_total", "engram_wal_flush_duration_seconds", "engram_stream_clients"].includes(
      name,
    ),
  );
  const frame = (nowMs: number) => {
    const set = new FamilySet();
    addLaneFamilies(set, [cells], []);
    // biome-ignore lint/suspicious/noExplicitAny: the frame is JSON
    return JSON.parse(feed.frame(set.families(), nowMs)) as any[];
  };
  const status = counterSeries("engram_http_responses_total", { status: "4xx" });
  const flush = durationSeries("engram_wal_flush_duration_seconds", {});
  lane.add(status, 100);
  lane.set(levelSeries("engram_stream_clients", {}), 3);
  // Slow ones of before must not show in the quantiles of after.
  for (let i = 0; i < 1000; i++) lane.record(flush, 4000);
  const first = frame(10_000);
  expect(JSON.stringify(first)).not.toContain("rate");
  lane.add(status, 50);
  for (let i = 0; i < 100; i++) lane.record(flush, i < 95 ? 0.9 : 100);
  const [responses, clients, flushes] = frame(12_000);
  expect(responses.series.find((each: { value: number }) => each.value === 150).rate).toBe(25);
  expect(clients.series).toEqual([{ labels: {}, value: 3 }]);
  const { count, rate, mean, p50, p99 } = flushes.series[0];
  expect(count).toBe(1100);
  expect(rate).toBe(50);
  expect(mean).toBeCloseTo((95 * 0.0009 + 5 * 0.1) / 100, 9);
  expect(p50).toBeWithin(2 ** -11, 2 ** -10);
  expect(p99).toBeWithin(2 ** -4, 2 ** -3);
  const quiet = frame(13_000)[2].series[0];
  expect(quiet.rate).toBe(0);
  expect(quiet.p50).toBeUndefined();
});

test("quantileOf interpolates inside the bucket, from zero in the first", () => {
  const buckets = new Float64Array(64);
  buckets[0] = 10;
  buckets[3] = 10;
  expect(quantileOf({ buckets, count: 20 }, 0.25, 0)).toBe(0.5);
  expect(quantileOf({ buckets, count: 20 }, 0.75, 0)).toBe(6);
  expect(quantileOf({ buckets, count: 20 }, 1, 0)).toBe(8);
});
