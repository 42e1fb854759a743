/**
 * What recording costs, as a metric: an estimate from what one record takes here and now, and how many there were.
 *
 * Once a second a short run of records into a lane of its own is timed, each with a reading of the clock as on the
 * real paths. The median over the last minute is the cost of one; its 95 % interval goes by ranks, which asks for
 * no distribution. Times the number of records of the node's threads that is the share of a core that recording
 * took, from above: a batch counts as many records as it has parts, and an operation that was not timed as one.
 *
 * What the collectors themselves take is measured by the kernel: engram_thread_cpu_seconds_total.
 */
import { HISTOGRAM_BUCKETS } from "../layout/metric-lane.ts";
import { MetricLane } from "./lane.ts";
import { localLaneCells } from "./metric-region.ts";
import { durationSeries, LANE_METRICS, laneMetric, levelSeries } from "./series.ts";

const RECORDS_PER_RUN = 500;
const RUNS_KEPT = 60;
/** The interval needs some runs; before, nothing is said. */
const RUNS_MIN = 10;

const SCRATCH = durationSeries("engram_observe_rollup_duration_seconds", {});
const SHARES = {
  low: levelSeries("engram_observe_recording_ratio", { bound: "low" }),
  median: levelSeries("engram_observe_recording_ratio", { bound: "median" }),
  high: levelSeries("engram_observe_recording_ratio", { bound: "high" }),
};

export class CostMeter {
  readonly #lane: MetricLane;
  readonly #block: Float64Array;
  readonly #nowMs: () => number;
  readonly #scratch = new MetricLane(localLaneCells());
  readonly #runsMs: number[] = [];
  #runCount = 0;
  #recordsBefore: number;
  #sampledAtMs: number;

  /** @param lane of the collector @param block of its node */
  constructor(options: { lane: MetricLane; block: Float64Array; nowMs: () => number }) {
    this.#lane = options.lane;
    this.#block = options.block;
    this.#nowMs = options.nowMs;
    this.#recordsBefore = recordsIn(options.block);
    this.#sampledAtMs = options.nowMs();
  }

  /** To be called once a second, after the block was brought up to date; takes some 20 us. */
  sample(): void {
    this.#runsMs[this.#runCount % RUNS_KEPT] = this.#timeOne();
    this.#runCount += 1;
    const records = recordsIn(this.#block);
    const now = this.#nowMs();
    const rate = (records - this.#recordsBefore) / (now - this.#sampledAtMs);
    this.#recordsBefore = records;
    this.#sampledAtMs = now;
    if (this.#runsMs.length < RUNS_MIN) return;
    const { low, median, high } = medianInterval(this.#runsMs);
    this.#lane.set(SHARES.low, rate * low);
    this.#lane.set(SHARES.median, rate * median);
    this.#lane.set(SHARES.high, rate * high);
  }

  /** @returns ms that one reading of the clock and one record took */
  #timeOne(): number {
    const nowMs = this.#nowMs;
    const scratch = this.#scratch;
    const startedAtMs = nowMs();
    let beforeMs = startedAtMs;
    for (let i = 0; i < RECORDS_PER_RUN; i++) {
      const atMs = nowMs();
      scratch.record(SCRATCH, atMs - beforeMs);
      beforeMs = atMs;
    }
    return (beforeMs - startedAtMs) / RECORDS_PER_RUN;
  }
}

/** The median and the bounds of its 95 % interval. */
export function medianInterval(values: readonly number[]): { low: number; median: number; high: number } {
  const sorted = [...values].sort((a, b) => a - b);
  const last = sorted.length - 1;
  const halfRanks = 0.98 * Math.sqrt(sorted.length);
  const at = (rank: number): number => sorted[Math.max(0, Math.min(last, Math.round(rank)))]!;
  return { low: at(last / 2 - halfRanks), median: at(last / 2), high: at(last / 2 + halfRanks) };
}

const OPERATIONS = laneMetric("engram_operations_total");

/** Histogram records and operations of all threads of the node. */
function recordsIn(block: Float64Array): number {
  let records = 0;
  for (const { cell, at, stride, seriesCount } of LANE_METRICS) {
    if (cell !== "histogram") continue;
    for (let ordinal = 0; ordinal < seriesCount; ordinal++) {
      const first = at + ordinal * stride;
      for (let bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) records += block[first + bucket]!;
    }
  }
  for (let ordinal = 0; ordinal < OPERATIONS.seriesCount; ordinal++)
    records += block[OPERATIONS.at + ordinal]!;
  return records;
}
