/** Gathers the vectors of rising instants into series. */
import { compareLabels, type Labels } from "./labels.ts";
import type { ResultSeries, Vector } from "./values.ts";

export class SeriesCollector {
  readonly #found = new Map<Labels, { readonly times: number[]; readonly values: number[] }>();

  add(atMs: number, vector: Vector): void {
    for (const { labels, value } of vector) {
      let series = this.#found.get(labels);
      if (series === undefined) {
        series = { times: [], values: [] };
        this.#found.set(labels, series);
      }
      series.times.push(atMs);
      series.values.push(value);
    }
  }

  /** In the order in which they were first seen. */
  series(): ResultSeries[] {
    return Array.from(this.#found, ([labels, samples]) => ({ labels, ...samples }));
  }

  /** In the order of their labels. */
  sorted(): ResultSeries[] {
    return this.series().sort((a, b) => compareLabels(a.labels, b.labels));
  }
}
