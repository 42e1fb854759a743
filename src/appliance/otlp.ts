/**
 * OTLP as the first collector's thread runs it: nobody records there but itself, and no request waits for it.
 *
 * OpenTelemetry's packages are loaded only where something is exported: they take some megabytes and tens of
 * milliseconds.
 */
import { readFileSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { OperatorError } from "../base/errors.ts";
import { VERSION } from "../base/version.ts";
import { SpaceTable } from "../engine/space-table.ts";
import type { MetricLane } from "../observe/lane.ts";
import type { OtlpExport } from "../observe/otlp/otlp-export.ts";
import type { Boot } from "./boot.ts";
import { tellMain } from "./thread.ts";
import { openSnapshots } from "./watch.ts";

const HEADER_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e]*)$/;
/** Bits of a file's mode that let others than its owner read it. */
const OTHERS_READ = 0o044;

/** @returns undefined where nothing is exported @throws {OperatorError} `otlp-headers-refused` */
export async function openOtlp(boot: Boot, lane: MetricLane): Promise<OtlpExport | undefined> {
  const { settings, shared, port, startedAtMs } = boot;
  const { otlp } = settings;
  if (otlp.endpoint === "") return undefined;
  const headers = readHeaders(otlp.headers_file);
  const { OtlpExport } = await import("../observe/otlp/otlp-export.ts");
  const snapshots = openSnapshots(boot, new SpaceTable(shared.spaceTable));
  return new OtlpExport({
    endpoint: otlp.endpoint,
    headers,
    intervalMs: otlp.interval_s * 1000,
    timeoutMs: otlp.timeout_s * 1000,
    resource: {
      "service.name": "engram-appliance",
      "service.version": VERSION,
      "service.instance.id": `${hostname()}:${port}`,
      "host.name": hostname(),
      "process.pid": process.pid,
    },
    scope: { name: "engram-appliance", version: VERSION },
    startedAtMs,
    snapshot: () => snapshots.take(),
    spanRings: shared.spans,
    lane,
    log: (level, text) => tellMain({ type: "log", level, text }),
  });
}

/**
 * Headers, a line each; empty lines and those that begin with # say nothing.
 * @throws {OperatorError} `otlp-headers-refused`
 */
export function readHeaders(path: string): Record<string, string> {
  if (path === "") return {};
  let text: string;
  try {
    if ((statSync(path).mode & OTHERS_READ) !== 0) throw refused(path, "others than its owner may read it");
    text = readFileSync(path, "utf8");
  } catch (cause) {
    if (cause instanceof OperatorError) throw cause;
    throw refused(path, cause instanceof Error ? cause.message : String(cause), cause);
  }
  const lines = text.split("\n").map((line) => line.trim());
  const headers: Record<string, string> = {};
  for (const [index, line] of lines.entries()) {
    if (line === "" || line.startsWith("#")) continue;
    const found = HEADER_LINE.exec(line);
    // The line itself may be the secret.
    if (found === null) throw refused(path, `line ${index + 1} is no header`);
    headers[found[1]!.toLowerCase()] = found[2]!;
  }
  return headers;
}

function refused(path: string, why: string, cause?: unknown): OperatorError {
  return new OperatorError({
    code: "otlp-headers-refused",
    message: `Cannot use the headers in ${path}: ${why}`,
    remedy: `Put one header on a line, as "authorization: Bearer …", then: chmod 600 ${path}`,
    cause,
  });
}
