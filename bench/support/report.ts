/**
 * What a bench prints: the machine, seed and parameters first, then lines as they are measured, then a verdict
 * for each number that was promised. The same goes as JSON into `--json FILE`.
 *
 *   PASS recalls per core, share of raw usearch: 0.71 (at least 0.6)
 *   MISS p99 at 1,000 a second: 2.41 ms (at most 2 ms)
 *
 * A miss is a finding, not a failure of the bench: it ends with 0 either way, and with 1 when an answer was wrong.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { parseArgs } from "node:util";
import { machineText } from "../../src/base/machine-text.ts";
import { quantile } from "../../src/operate/load/http-load.ts";

/** Ticks of /proc/stat and /proc/PID/stat a second: 100 wherever Bun runs. */
export const TICKS_PER_SECOND = 100;

export type BenchArguments = {
  readonly isSmall: boolean;
  readonly seed: number;
  readonly jsonFile: string | undefined;
  /** the executable to measure; the one in dist or the sources where absent */
  readonly binary: string | undefined;
  /** further options of the bench, as they were given */
  readonly given: Readonly<Record<string, string | undefined>>;
};

export type Target = {
  readonly name: string;
  readonly figure: number;
  readonly unit: string;
  readonly atLeast?: number;
  readonly atMost?: number;
};

/** `--small --seed N --json FILE --binary FILE`, and `further` options that take a value. */
export function benchArguments(...further: string[]): BenchArguments {
  const { values } = parseArgs({
    options: {
      small: { type: "boolean", default: false },
      seed: { type: "string", default: "1" },
      json: { type: "string" },
      binary: { type: "string" },
      ...Object.fromEntries(further.map((name) => [name, { type: "string" } as const])),
    },
  });
  const given = values as Record<string, string | boolean | undefined>;
  return {
    isSmall: values.small,
    seed: Number(values.seed),
    jsonFile: values.json,
    binary: values.binary,
    given: Object.fromEntries(further.map((name) => [name, given[name] as string | undefined])),
  };
}

export class Report {
  readonly #name: string;
  readonly #head: Record<string, unknown>;
  readonly #figures: Record<string, unknown> = {};
  readonly #targets: (Target & { readonly isMet: boolean })[] = [];
  readonly #jsonFile: string | undefined;
  readonly #startedAtMs = performance.now();
  readonly #othersAtStart = otherSeconds();

  constructor(options: {
    name: string;
    arguments: BenchArguments;
    /** what was measured over HTTP; absent where the bench calls what it measures */
    server?: string;
    parameters: Readonly<Record<string, string | number>>;
  }) {
    const { name, parameters, server } = options;
    const { isSmall, seed, jsonFile } = options.arguments;
    this.#name = name;
    this.#jsonFile = jsonFile;
    const machine = `${machineText()}, kernel ${release()}`;
    this.#head = { bench: name, size: isSmall ? "small" : "full", machine, server, seed, parameters };
    console.log(
      `bench       ${name}${isSmall ? " (small size: shows that it works, not how fast it is)" : ""}`,
    );
    console.log(`machine     ${machine}`);
    if (server !== undefined) {
      console.log(`server      ${server}, a process of its own; the client runs beside it`);
    }
    console.log(`seed        ${seed}`);
    console.log(
      `parameters  ${Object.entries(parameters)
        .map(([key, value]) => `${key} ${value}`)
        .join(", ")}`,
    );
  }

  line(label: string, text: string): void {
    console.log(`${label.padEnd(11)} ${text}`);
  }

  /** Keeps a figure for the JSON. */
  figure(name: string, value: number | string | Readonly<Record<string, number>>): void {
    this.#figures[name] = value;
  }

  /** Keeps percentiles of a series, and answers them as text. */
  percentiles(name: string, ms: Float64Array): string {
    const at = (share: number): number => quantile(ms, share);
    const found = {
      p50: at(0.5),
      p90: at(0.9),
      p99: at(0.99),
      p999: at(0.999),
      max: at(1),
      count: ms.length,
    };
    this.figure(name, found);
    const text = (value: number): string => value.toFixed(2);
    return `p50 ${text(found.p50)} p90 ${text(found.p90)} p99 ${text(found.p99)} p99.9 ${text(found.p999)} max ${text(found.max)} ms`;
  }

  target(target: Target): void {
    const { name, figure, unit, atLeast, atMost } = target;
    const isMet = (atLeast === undefined || figure >= atLeast) && (atMost === undefined || figure <= atMost);
    this.#targets.push({ ...target, isMet });
    const bound = atLeast !== undefined ? `at least ${short(atLeast)}` : `at most ${short(atMost!)}`;
    const suffix = unit === "" ? "" : ` ${unit}`;
    console.log(`${isMet ? "PASS" : "MISS"} ${name}: ${short(figure)}${suffix} (${bound}${suffix})`);
  }

  /** To be called when the server has ended, since its processor time is known only then. */
  finish(): void {
    const elapsedSeconds = (performance.now() - this.#startedAtMs) / 1000;
    const others = (otherSeconds() - this.#othersAtStart) / elapsedSeconds;
    this.figure("others_cores", others);
    this.line(
      "others",
      `other processes used ${others.toFixed(2)} of ${cpus().length} cores meanwhile; nothing was held back for the bench`,
    );
    if (this.#jsonFile === undefined) return;
    const result = { ...this.#head, figures: this.#figures, targets: this.#targets };
    writeFileSync(this.#jsonFile, `${JSON.stringify(result, null, 2)}\n`);
    this.line("json", `${this.#name} written`);
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}

/** Processor seconds the machine has spent on anything but this process and the children it has waited for. */
function otherSeconds(): number {
  const machine = readFileSync("/proc/stat", "utf8").split("\n")[0]!.split(/\s+/).slice(1).map(Number);
  const [user, nice, system, , , irq, softirq, steal] = machine;
  const stat = readFileSync("/proc/self/stat", "utf8");
  // utime, stime, cutime and cstime are fields 14 to 17; the name in parentheses is the second.
  const own = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 15)
    .map(Number);
  const busy = user! + nice! + system! + irq! + softirq! + steal!;
  return (busy - own.reduce((sum, ticks) => sum + ticks, 0)) / TICKS_PER_SECOND;
}

/** Three figures that count, and thousands apart. */
function short(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(3)));
}
