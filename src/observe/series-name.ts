/** Which metric a series' name belongs to: for documents, rules and queries, whose names are text. */
import { CATALOGUE, type MetricName } from "./catalogue.ts";

const HISTOGRAM_ENDINGS = ["_bucket", "_sum", "_count"] as const;

/** The metric whose series are called so; undefined where the catalogue has none. */
export function metricOfSeries(name: string): MetricName | undefined {
  if (isMetric(name)) return name;
  for (const ending of HISTOGRAM_ENDINGS) {
    if (!name.endsWith(ending)) continue;
    const metric = name.slice(0, -ending.length);
    if (isMetric(metric) && CATALOGUE[metric].kind === "histogram") return metric;
  }
  return undefined;
}

function isMetric(name: string): name is MetricName {
  return Object.hasOwn(CATALOGUE, name);
}
