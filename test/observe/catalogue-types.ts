/** Read by the compiler alone: each marked line has to be an error, or the check of types fails. */
import { counterSeries, durationSeries } from "../../src/observe/series.ts";

export function neverCalled(): void {
  // @ts-expect-error no such metric
  counterSeries("engram_nothing_total", {});
  // @ts-expect-error no such value
  counterSeries("engram_http_responses_total", { status: "6xx" });
  // @ts-expect-error a label is missing
  counterSeries("engram_http_responses_total", {});
  // @ts-expect-error a histogram is no counter
  counterSeries("engram_wal_flush_duration_seconds", {});
  durationSeries("engram_wal_flush_duration_seconds", {});
}
