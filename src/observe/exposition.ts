/** Which format a scraper gets, by its Accept header: the one it likes best of those we write. */
import { PROTOBUF_TYPE, protobufExposition } from "./exposition-protobuf.ts";
import { OPENMETRICS_TYPE, openMetricsText, prometheusText, TEXT_TYPE } from "./exposition-text.ts";
import type { Family } from "./family.ts";

export type Format = "text" | "openmetrics" | "protobuf";

export type Exposition = { readonly contentType: string; readonly body: string | Uint8Array<ArrayBuffer> };

export function expose(families: readonly Family[], accept: string | null): Exposition {
  switch (formatFor(accept)) {
    case "protobuf":
      return { contentType: PROTOBUF_TYPE, body: protobufExposition(families) };
    case "openmetrics":
      return { contentType: OPENMETRICS_TYPE, body: openMetricsText(families) };
    case "text":
      return { contentType: TEXT_TYPE, body: prometheusText(families) };
  }
}

/** Text where the header is absent or asks for nothing we have, as Prometheus's own clients do. */
export function formatFor(accept: string | null): Format {
  let best: Format = "text";
  let bestQuality = 0;
  for (const range of (accept ?? "").split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    const parameter = (name: string): string | undefined =>
      parameters
        .find((one) => one.startsWith(`${name}=`))
        ?.slice(name.length + 1)
        .replaceAll('"', "");
    const format = formatOf(type, parameter);
    const quality = Number(parameter("q") ?? "1");
    if (format === undefined || !(quality > bestQuality)) continue;
    best = format;
    bestQuality = quality;
  }
  return best;
}

function formatOf(type: string, parameter: (name: string) => string | undefined): Format | undefined {
  switch (type) {
    case "application/vnd.google.protobuf":
      if (parameter("proto") !== "io.prometheus.client.metricfamily") return undefined;
      return (parameter("encoding") ?? "delimited") === "delimited" ? "protobuf" : undefined;
    case "application/openmetrics-text":
      return ["1.0.0", "0.0.1", undefined].includes(parameter("version")) ? "openmetrics" : undefined;
    case "text/plain":
    case "text/*":
    case "*/*":
      return "text";
    default:
      return undefined;
  }
}
