/** `docs/reference/metrics.md`, from the catalogue of metrics. */
import { declarationOf, METRIC_NAMES, type MetricName, THREAD_LABEL } from "../observe/catalogue.ts";
import type { Declaration, OpenLabel } from "../observe/declaration.ts";

/** Of a long list of values, this many are shown. */
const VALUES_SHOWN_MAX = 12;

export function metricsPage(note: string): string {
  const shown = METRIC_NAMES.filter((name) => declarationOf(name).awaits === undefined);
  const awaited = METRIC_NAMES.filter((name) => declarationOf(name).awaits !== undefined);
  return `${[
    "# Metrics",
    "",
    note,
    "",
    "`GET /metrics` answers with all of them: as Prometheus text, as OpenMetrics, or as protobuf with native",
    "histograms, by the header `Accept`. It needs a key with the right `read` where keys are needed.",
    "",
    "Counters and histograms are recorded by each thread for itself and summed up once a second. What was not or",
    "can not be measured is absent. A counter of more than eight series shows a series from its first event on.",
    "Histograms have power-of-two buckets, in full in protobuf; the range given here is what the text formats show.",
    ...shown.flatMap((name) => metricLines(name)),
    "",
    "## Metrics that wait for their part of the appliance",
    "",
    "Their names are settled, and nothing is shown for them yet.",
    "",
    ...awaited.map((name) => {
      const { awaits, help } = declarationOf(name);
      return `- \`${name}\`: ${help}. Waits for: ${awaits}`;
    }),
  ].join("\n")}\n`;
}

function metricLines(name: MetricName): string[] {
  const declaration = declarationOf(name);
  const { kind, unit, help, otlp, shown, untyped } = declaration;
  const lines = ["", `## \`${name}\``, "", `${help}.`, ""];
  lines.push(`- Kind: ${kind}${unit === "count" ? "" : `, in ${unit}`}`);
  if (untyped !== undefined) lines.push(`- Shown without a type: ${untyped}`);
  if (shown !== undefined) lines.push(`- Buckets shown: ${shown.map(boundText).join(" to ")} ${unit}`);
  for (const [label, values] of labelsOf(declaration))
    lines.push(`- Label \`${label}\`: ${valuesText(values)}`);
  lines.push(`- OpenTelemetry: \`${otlp}\``);
  return lines;
}

function labelsOf({ labels, perThread }: Declaration): [string, readonly string[] | OpenLabel][] {
  const declared = Object.entries(labels);
  return perThread === true ? [["thread", THREAD_LABEL], ...declared] : declared;
}

function valuesText(values: readonly string[] | OpenLabel): string {
  if ("countMax" in values) return `${values.about}; at most ${values.countMax}`;
  const texts = values.slice(0, VALUES_SHOWN_MAX).map((value) => `\`${value}\``);
  if (values.length <= VALUES_SHOWN_MAX) return texts.join(", ");
  return `${texts.slice(0, 3).join(", ")} … \`${values.at(-1)}\` (${values.length} values)`;
}

function boundText(exponent: number): string {
  return exponent >= 0 ? String(2 ** exponent) : `2^${exponent}`;
}
