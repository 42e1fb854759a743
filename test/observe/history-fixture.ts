/** Small histories for tests: a source that says what it is told, and rings that seal and overwrite all the time. */
import type { SampleSource } from "../../src/observe/history.ts";
import type { HistoryShape } from "../../src/observe/history-layout.ts";
import type { SeriesIdentity } from "../../src/observe/history-series.ts";

export const SMALL_SHAPE: HistoryShape = {
  seriesCountMax: 24,
  seriesTextBytes: 4096,
  rings: [
    { stepMs: 1000, retentionMs: 20_000, blockTicks: 5, arenaBytes: 8192 },
    { stepMs: 10_000, retentionMs: 400_000, blockTicks: 7, arenaBytes: 8192 },
  ],
};

/** A source whose series and values a test sets. */
export class ListSource implements SampleSource {
  readonly identities: SeriesIdentity[] = [];
  values = new Float64Array(0);

  sample(): number {
    return this.identities.length;
  }

  identity(index: number): SeriesIdentity {
    return this.identities[index]!;
  }

  add(name: string, labels: Record<string, string> = {}): number {
    this.identities.push({ name, labels });
    const values = new Float64Array(this.identities.length).fill(Number.NaN);
    values.set(this.values);
    this.values = values;
    return this.identities.length - 1;
  }
}

/** What a series is worth at a time, so that a reader can tell a right value from one of another time or series. */
export function valueFor(series: number, timeMs: number): number {
  if (series % 3 === 0) return series;
  return series % 3 === 1 ? Math.floor(timeMs / 1000) * (series + 1) : timeMs / 7 + series * 0.001;
}
