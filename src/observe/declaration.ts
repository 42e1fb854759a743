/**
 * How one metric is declared. `catalogue.ts` is made of these; everything that shows, keeps or checks metrics
 * reads them.
 *
 * A label is closed (its values are listed, and others do not compile) or open (its values come from the
 * machine, and there are never more than `countMax`). So the number of series is bounded by construction.
 */

export type Kind = "counter" | "gauge" | "histogram";

/**
 * Where the values come from.
 *
 * `lane`: threads record them, each into its own lane. `derived`: computed from a recorded metric when somebody
 * looks, at no cost to who records. `sampled`: read from shared facts or the kernel when somebody looks.
 */
export type Source = "lane" | "derived" | "sampled";

/** What a value counts; the name of the metric ends in it where it is a base unit. */
export type Unit = "seconds" | "bytes" | "ratio" | "count";

export type OpenLabel = { readonly countMax: number; readonly about: string };
export type Labels = Readonly<Record<string, readonly string[] | OpenLabel>>;

export type Declaration<L extends Labels = Labels, K extends Kind = Kind, S extends Source = Source> = {
  readonly kind: K;
  readonly unit: Unit;
  /** one sentence, shown as HELP and in the reference */
  readonly help: string;
  readonly labels: L;
  /** the OpenTelemetry name */
  readonly otlp: string;
  readonly source: S;
  /** one series for each thread (label `thread`) instead of the sum over all; lane metrics only */
  readonly perThread?: boolean;
  /** a counter kept elsewhere, whose total is set from time to time; absent until it was, as gauges are */
  readonly isRead?: boolean;
  /**
   * Of a histogram: exponents of the lowest and highest power of two shown as a classic `le` bucket. All
   * buckets are kept, and sent to those who take native histograms.
   */
  readonly shown?: readonly [number, number];
  /** shown without a type, because the name breaks a rule for typed ones; says which */
  readonly untyped?: string;
  /** the part of the appliance it waits for: nothing is shown until that part records it */
  readonly awaits?: string;
};

/** Threads an appliance can have: what bounds the label `thread`. */
export const THREADS: OpenLabel = { countMax: 512, about: "threads, as `api-0`" };
