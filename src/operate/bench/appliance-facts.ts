/** What a load meant for the appliance, from its own metrics before and after. */
import type { WorkloadResult } from "./result.ts";

/** Samples of the Prometheus text, by name and labels as they stand there. */
export type Samples = ReadonlyMap<string, number>;

export function parseSamples(text: string): Samples {
  const samples = new Map<string, number>();
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const space = line.lastIndexOf(" ");
    samples.set(line.slice(0, space), Number(line.slice(space + 1)));
  }
  return samples;
}

export function factsBetween(before: Samples, after: Samples, requests: number): WorkloadResult["facts"] {
  const grown = (name: string): number | null => {
    const [from, to] = [before.get(name), after.get(name)];
    return from === undefined || to === undefined ? null : to - from;
  };
  const cpu = grown("process_cpu_seconds_total");
  return {
    cpuSecondsPerRequest: cpu === null || requests === 0 ? null : cpu / requests,
    flushP99Ms: flushQuantileMs(before, after, 0.99),
    tailMax: after.get("engram_index_tail_vectors_max") ?? null,
    residentBytes: after.get("process_resident_memory_bytes") ?? null,
  };
}

/** Upper bound of the bucket in which the quantile lies; null where nothing was flushed. */
function flushQuantileMs(before: Samples, after: Samples, share: number): number | null {
  const BUCKET = 'engram_wal_flush_duration_seconds_bucket{le="';
  const buckets = [...after]
    .filter(([name]) => name.startsWith(BUCKET))
    .map(([name, count]) => {
      const bound = name.slice(BUCKET.length, name.indexOf('"', BUCKET.length));
      return { seconds: bound === "+Inf" ? Infinity : Number(bound), count: count - (before.get(name) ?? 0) };
    })
    .sort((a, b) => a.seconds - b.seconds);
  const total = buckets.at(-1)?.count ?? 0;
  const found = buckets.find(({ count }) => total > 0 && count >= total * share);
  return found === undefined || !Number.isFinite(found.seconds) ? null : found.seconds * 1000;
}
