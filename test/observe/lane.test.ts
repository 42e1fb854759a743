import { describe, expect, test } from "bun:test";
import { Random } from "../../src/base/random.ts";
import {
  DURATION_BUCKET_EXPONENT,
  DURATION_UNITS_PER_MS,
  HISTOGRAM_BUCKETS,
  HISTOGRAM_SUM,
} from "../../src/layout/metric-lane.ts";
import { bucketOf, MetricLane } from "../../src/observe/lane.ts";
import { laneCells, localLaneCells, mapMetricRegion, nodeCells } from "../../src/observe/metric-region.ts";
import { NodeRollup } from "../../src/observe/rollup.ts";
import {
  counterSeries,
  durationSeries,
  LANE_CELLS,
  LANE_METRICS,
  labelValuesOf,
  levelSeries,
  type RatioSeries,
  sizeSeries,
} from "../../src/observe/series.ts";
import { DURATIONS_MS } from "./lane-worker.ts";

const POLICY = { hugePages: "off", node: undefined, interleaveNodes: undefined, lock: false } as const;

describe("bucketOf", () => {
  test("bucketOf gives the smallest power of two that is not below the value", () => {
    for (let exponent = 0; exponent < 63; exponent++) {
      const bound = 2 ** exponent;
      expect(bucketOf(bound)).toBe(exponent);
      if (exponent >= 2) expect(bucketOf(bound * 0.75)).toBe(exponent);
      if (exponent >= 1 && exponent < 50) expect(bucketOf(bound + 0.5)).toBe(exponent + 1);
    }
  });

  test("bucketOf takes zero into the first bucket, and what is beyond the last into the last", () => {
    expect(bucketOf(0)).toBe(0);
    expect(bucketOf(0.3)).toBe(0);
    expect(bucketOf(2 ** 63)).toBe(63);
    expect(bucketOf(2 ** 64)).toBe(63);
    expect(bucketOf(Number.POSITIVE_INFINITY)).toBe(63);
  });

  test("bucketOf agrees with a naive search for random values", () => {
    const seed = 20261120;
    const random = new Random(seed);
    for (let round = 0; round < 20_000; round++) {
      const value = 2 ** (random.float() * 62) * (0.5 + random.float());
      let expected = 0;
      while (2 ** expected < Math.ceil(value) && expected < HISTOGRAM_BUCKETS - 1) expected++;
      expect(bucketOf(value), `seed ${seed}, value ${value}`).toBe(expected);
    }
  });
});

describe("MetricLane", () => {
  test("MetricLane keeps a share in the bucket of the power of two above it, and its sum as it is", () => {
    const cells = localLaneCells();
    // Any histogram's cells will do: what is asked is what recordRatio does to them.
    const series = sizeSeries("engram_recall_result_size", {}) as number as RatioSeries;
    const lane = new MetricLane(cells);
    for (const ratio of [0, 0.25, 0.26, 0.7, 1]) lane.recordRatio(series, ratio);
    const bucketBoundedBy = (bound: number) => cells[series + Math.log2(bound) - DURATION_BUCKET_EXPONENT];
    expect([0.25, 0.5, 1].map(bucketBoundedBy)).toEqual([1, 1, 2]);
    expect(cells[series]).toBe(1);
    expect(cells[series + HISTOGRAM_SUM]).toBeCloseTo(2.21, 12);
  });

  test("MetricLane keeps each series in cells of its own", () => {
    const taken = new Uint8Array(LANE_CELLS);
    for (const { at, stride, seriesCount } of LANE_METRICS) {
      for (let cell = at; cell < at + stride * seriesCount; cell++) {
        expect(taken[cell]).toBe(0);
        taken[cell] = 1;
      }
    }
  });

  test("labelValuesOf inverts where a series lies", () => {
    for (const metric of LANE_METRICS) {
      for (let ordinal = 0; ordinal < metric.seriesCount; ordinal++) {
        const values = labelValuesOf(metric, ordinal);
        let at = metric.at;
        values.forEach((value, label) => {
          at += metric.labelValues[label]!.indexOf(value) * metric.labelStrides[label]!;
        });
        expect(at).toBe(metric.at + ordinal * metric.stride);
      }
    }
  });

  test("MetricLane counts, sets and records", () => {
    const cells = localLaneCells();
    const lane = new MetricLane(cells);
    const counter = counterSeries("engram_http_responses_total", { status: "4xx" });
    lane.add(counter, 2);
    lane.add(counter, 1);
    expect(cells[counter]).toBe(3);
    const level = levelSeries("engram_wal_queue_requests", {});
    expect(cells[level]).toBeNaN();
    lane.set(level, 7);
    expect(cells[level]).toBe(7);

    const duration = durationSeries("engram_wal_flush_duration_seconds", {});
    lane.record(duration, 1000);
    lane.record(duration, -1);
    lane.record(duration, Number.NaN);
    lane.recordMany(duration, 500, 4);
    expect(cells[duration + bucketOf(1000 * DURATION_UNITS_PER_MS)]).toBe(1);
    expect(cells[duration + bucketOf(500 * DURATION_UNITS_PER_MS)]).toBe(4);
    expect(cells[duration]).toBe(2);
    expect(cells[duration + HISTOGRAM_SUM]).toBe(3000);

    const size = sizeSeries("engram_recall_result_size", {});
    for (const memories of [0, 1, 2, 3, 10]) lane.recordSize(size, memories);
    expect([...cells.subarray(size, size + 6)]).toEqual([2, 1, 1, 0, 1, 0]);
    expect(cells[size + HISTOGRAM_SUM]).toBe(16);
  });
});

describe("NodeRollup", () => {
  test("NodeRollup totals are exact in the end and never fall while threads record", async () => {
    const threads = 3;
    const rounds = 2_000_000;
    const region = mapMetricRegion(threads, POLICY);
    const block = nodeCells(region);
    const lanes = Array.from({ length: threads }, (_, lane) => laneCells(region, lane));
    const rollup = new NodeRollup(lanes, block);
    const bytes = counterSeries("engram_wal_appended_bytes_total", {});
    const flushes = durationSeries("engram_wal_flush_duration_seconds", {});
    let done = 0;
    const workers = lanes.map((_, lane) => {
      const worker = new Worker(new URL("./lane-worker.ts", import.meta.url).href, { smol: true });
      worker.onmessage = () => {
        done += 1;
      };
      worker.postMessage({ region, lane, rounds });
      return worker;
    });
    const before = new Float64Array(LANE_CELLS);
    let looks = 0;
    let between = 0;
    for (;;) {
      const finished = done === threads;
      rollup.roll();
      looks += 1;
      if (block[bytes]! > 0 && block[bytes]! < 3 * rounds * threads) between += 1;
      for (let cell = flushes; cell <= flushes + HISTOGRAM_SUM; cell++) {
        expect(block[cell]!).toBeGreaterThanOrEqual(before[cell]!);
      }
      expect(block[bytes]!).toBeGreaterThanOrEqual(before[bytes]!);
      before.set(block);
      if (finished) break;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(looks).toBeGreaterThan(2);
    expect(between).toBeGreaterThan(0);
    expect(block[bytes]).toBe(3 * rounds * threads);
    const each = DURATIONS_MS.map((_, kind) => Math.ceil((rounds - kind) / DURATIONS_MS.length) * threads);
    DURATIONS_MS.forEach((ms, kind) => {
      expect(block[flushes + bucketOf(ms * DURATION_UNITS_PER_MS)]).toBe(each[kind]!);
    });
    const sum = DURATIONS_MS.reduce((total, ms, kind) => total + ms * each[kind]!, 0);
    expect(block[flushes + HISTOGRAM_SUM]).toBe(sum);
    for (const worker of workers) worker.terminate();
  }, 60_000);

  test("NodeRollup adds levels that were measured and leaves the others unmeasured", () => {
    const one = localLaneCells();
    const two = localLaneCells();
    const block = localLaneCells();
    const queue = levelSeries("engram_wal_queue_requests", {});
    const cache = levelSeries("engram_cache_bytes", { cache: "embedding" });
    one[queue] = 2;
    two[queue] = 5;
    const rollup = new NodeRollup([one, two], block);
    rollup.roll();
    expect(block[queue]).toBe(7);
    expect(block[cache]).toBeNaN();
    two[queue] = Number.NaN;
    rollup.roll();
    expect(block[queue]).toBe(2);
  });
});
