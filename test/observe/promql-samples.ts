/**
 * Made-up samples with what makes PromQL hard: resets, gaps, NaN and infinities, series that begin or end in the
 * middle, histograms, labels to join by. The same for every run.
 */
import { Random } from "../../src/base/random.ts";
import { Labels } from "../../src/observe/promql/labels.ts";
import { allMatch, type Matcher } from "../../src/observe/promql/matcher.ts";
import { valueText } from "../../src/observe/promql/number-text.ts";
import type { SampleStore, SeriesSamples } from "../../src/observe/promql/samples.ts";

export const START_MS = 1_700_000_000_000;
export const STEP_MS = 15_000;
export const TICKS = 480;
export const END_MS = START_MS + STEP_MS * (TICKS - 1);

/** Samples in plain arrays. */
export class ArrayStore implements SampleStore {
  readonly series: readonly SeriesSamples[];

  constructor(series: readonly SeriesSamples[]) {
    this.series = series;
  }

  select(matchers: readonly Matcher[], fromMs: number, toMs: number): SeriesSamples[] {
    return this.series
      .filter(({ labels }) => allMatch(matchers, labels))
      .map(({ labels, times, values, goneAt }) => {
        const from = times.findIndex((time) => time >= fromMs);
        const to = times.findLastIndex((time) => time <= toMs) + 1;
        const isEmpty = from < 0 || to <= from;
        return {
          labels,
          times: isEmpty ? new Float64Array(0) : times.slice(from, to),
          values: isEmpty ? new Float64Array(0) : values.slice(from, to),
          goneAt,
        };
      });
  }
}

export function seriesOf(
  name: string,
  labels: Record<string, string>,
  valueAt: (tick: number) => number | undefined,
): SeriesSamples {
  const times: number[] = [];
  const values: number[] = [];
  for (let tick = 0; tick < TICKS; tick++) {
    const value = valueAt(tick);
    if (value === undefined) continue;
    times.push(START_MS + tick * STEP_MS);
    values.push(value);
  }
  return {
    labels: new Labels([["__name__", name], ...Object.entries(labels)]),
    times: Float64Array.from(times),
    values: Float64Array.from(values),
    goneAt: undefined,
  };
}

/** Everything that the comparison with Prometheus asks about. */
export function madeUpSeries(): SeriesSamples[] {
  const random = new Random(20_231_114);
  const made: SeriesSamples[] = [];
  for (const job of ["api", "db"]) {
    for (const instance of ["a:1", "b:2", "c:3"]) {
      for (const code of ["200", "404", "500"]) {
        let count = Math.floor(random.float() * 50);
        const pace = 1 + random.float() * 40;
        made.push(
          seriesOf("requests_total", { job, instance, code }, (tick) => {
            count += Math.floor(random.float() * pace);
            if (random.float() < 0.01) count = Math.floor(random.float() * 5);
            // One has gaps, one begins late, one ends early.
            if (instance === "b:2" && tick % 40 < 6) return undefined;
            if (instance === "c:3" && code === "404" && tick < 200) return undefined;
            return instance === "c:3" && code === "500" && tick > 300 ? undefined : count;
          }),
        );
      }
      made.push(
        seriesOf("temperature", { job, instance }, (tick) => {
          if (tick % 97 === 13) return Number.NaN;
          if (tick === 222) return Number.POSITIVE_INFINITY;
          if (tick === 223) return Number.NEGATIVE_INFINITY;
          return Math.sin(tick / 17) * 30 + random.float() * 5;
        }),
      );
      made.push(
        seriesOf("memory_bytes", { job, instance, region: instance < "b" ? "eu" : "us" }, () =>
          Math.floor(1e9 + random.float() * 1e9),
        ),
      );
    }
    const counts = new Array<number>(8).fill(0);
    const bounds = ["0.005", "0.01", "0.05", "0.1", "0.5", "1", "5", "+Inf"];
    const ticks = Array.from({ length: TICKS }, () => {
      const observations = Math.floor(random.float() * 30);
      for (let i = 0; i < observations; i++) {
        const reached = Math.floor(random.float() * random.float() * 8);
        for (let bucket = reached; bucket < 8; bucket++) counts[bucket]! += 1;
      }
      return [...counts];
    });
    for (const [index, le] of bounds.entries()) {
      made.push(seriesOf("latency_seconds_bucket", { job, le }, (tick) => ticks[tick]![index]!));
    }
    made.push(seriesOf("latency_seconds_count", { job }, (tick) => ticks[tick]![7]!));
    made.push(seriesOf("latency_seconds_sum", { job }, (tick) => ticks[tick]![7]! * 0.123));
    made.push(seriesOf("build_info", { job, version: job === "api" ? "1.2.3" : "2.0.0-rc1" }, () => 1));
    made.push(seriesOf("up", { job }, (tick) => (job === "db" && tick % 50 > 44 ? 0 : 1)));
  }
  made.push(seriesOf("tiny", {}, (tick) => tick * 1e-9));
  made.push(seriesOf("huge", { host: 'quo"ted\\back' }, (tick) => tick * 1e21));
  made.push(seriesOf("constant", {}, () => 42));
  made.push(seriesOf("line", {}, (tick) => 3 + tick * 0.25));
  return made;
}

/** The samples as OpenMetrics, which `promtool tsdb create-blocks-from` reads. */
export function openMetricsText(series: readonly SeriesSamples[]): string {
  const lines: string[] = [];
  for (const { labels, times, values } of series) {
    const inner = labels.pairs
      .filter(([name]) => name !== "__name__")
      .map(([name, value]) => `${name}=${JSON.stringify(value)}`);
    const shown = `${labels.name}${inner.length === 0 ? "" : `{${inner.join(",")}}`}`;
    for (const [index, time] of times.entries()) {
      lines.push(`${shown} ${valueText(values[index]!)} ${time / 1000}`);
    }
  }
  return `${lines.join("\n")}\n# EOF\n`;
}
