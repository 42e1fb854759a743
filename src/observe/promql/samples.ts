/**
 * What a query reads: series of samples, however they are kept.
 *
 * The history answers queries through `SampleStore`; tests hand in one over plain arrays.
 */
import type { Labels } from "./labels.ts";
import type { Matcher } from "./matcher.ts";

/** Samples of one series, in order of time. */
export type SeriesSamples = {
  readonly labels: Labels;
  /** ms since the epoch, rising */
  readonly times: Float64Array;
  readonly values: Float64Array;
  /**
   * Times, rising, at which the series was known to be gone: the mark that Prometheus writes when a target no longer
   * shows a series. Later samples bring it back.
   */
  readonly goneAt: Float64Array | undefined;
};

export interface SampleStore {
  /** Series that pass all matchers, with their samples from `fromMs` to `toMs`, both included. */
  select(matchers: readonly Matcher[], fromMs: number, toMs: number): SeriesSamples[];
}

/** A store that also says which series there are. */
export interface SeriesStore extends SampleStore {
  /** Labels of series that pass any of the lists of matchers (all, where there is none) and have samples in a time. */
  seriesBetween(selectors: readonly (readonly Matcher[])[], fromMs: number, toMs: number): Labels[];
}
