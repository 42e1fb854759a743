/**
 * Families as text: Prometheus's format 0.0.4 and OpenMetrics 1.0, which differ in the names of counters' heads,
 * in the type of what has none, in timestamps (none is sent), and in the mark at the end.
 *
 * Histograms show the power-of-two buckets that the catalogue says are worth showing; what lies below the first
 * is counted in it, what lies above the last in +Inf. The set of buckets of a metric never changes.
 */
import { HISTOGRAM_BUCKETS } from "../layout/metric-lane.ts";
import type { Declaration } from "./declaration.ts";
import { type Family, firstExponentOf, type HistogramSample } from "./family.ts";

export const TEXT_TYPE = "text/plain; version=0.0.4; charset=utf-8";
export const OPENMETRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8";

export function prometheusText(families: readonly Family[]): string {
  return families.map((family) => familyText(family, false)).join("");
}

export function openMetricsText(families: readonly Family[]): string {
  return `${families.map((family) => familyText(family, true)).join("")}# EOF\n`;
}

/**
 * A number as Go writes it, because a bound is part of a series' name: a server that takes our native histograms
 * writes the bounds itself, and both have to be the same text.
 */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
  const size = Math.abs(value);
  if (size === 0 || (size >= 1e-4 && size < 1e21)) return String(value);
  return value.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
}

/** The classic buckets of a histogram: upper bounds, and cumulative counts without the one for +Inf. */
export function classicBuckets(
  declaration: Declaration,
  sample: HistogramSample,
): { readonly bounds: number[]; readonly counts: number[] } {
  const first = firstExponentOf(declaration);
  const [low, high] = declaration.shown ?? [first, first + HISTOGRAM_BUCKETS - 1];
  const bounds: number[] = [];
  const counts: number[] = [];
  let count = 0;
  for (let bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
    const exponent = bucket + first;
    if (exponent > high) break;
    count += sample.buckets[bucket]!;
    if (exponent < low) continue;
    bounds.push(2 ** exponent);
    counts.push(count);
  }
  return { bounds, counts };
}

function familyText(family: Family, isOpenMetrics: boolean): string {
  const { name, declaration } = family;
  const type = typeText(declaration, isOpenMetrics);
  // OpenMetrics names the family of a counter without the ending that its samples carry.
  const head = isOpenMetrics && type === "counter" ? name.replace(/_total$/, "") : name;
  let text = `# HELP ${head} ${declaration.help.replaceAll("\\", "\\\\")}\n# TYPE ${head} ${type}\n`;
  for (const { labels, value } of family.samples) {
    text += `${name}${labels.text === "" ? "" : `{${labels.text}}`} ${numberText(value)}\n`;
  }
  for (const sample of family.histograms) text += histogramText(name, declaration, sample);
  return text;
}

function histogramText(name: string, declaration: Declaration, sample: HistogramSample): string {
  const { bounds, counts } = classicBuckets(declaration, sample);
  const { text } = sample.labels;
  const open = `${name}_bucket{${text === "" ? "" : `${text},`}le="`;
  const braced = text === "" ? "" : `{${text}}`;
  let lines = "";
  for (let i = 0; i < bounds.length; i++) lines += `${open}${numberText(bounds[i]!)}"} ${counts[i]!}\n`;
  return `${lines}${open}+Inf"} ${sample.count}\n${name}_sum${braced} ${numberText(sample.sum)}\n${name}_count${braced} ${sample.count}\n`;
}

function typeText(declaration: Declaration, isOpenMetrics: boolean): string {
  if (declaration.untyped !== undefined) return isOpenMetrics ? "unknown" : "untyped";
  return declaration.kind;
}
