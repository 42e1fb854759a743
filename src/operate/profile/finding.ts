/** A bottleneck as a profile names it. */
import type { Measured } from "./measured.ts";

export const BOTTLENECKS = [
  "slow_embedding",
  "starved_cache",
  "slow_disk",
  "tail_flood",
  "high_ef",
  "low_ef",
  "saturated_worker",
  "run_queue",
  "no_huge_pages",
  "remote_memory",
  "noisy_tenant",
  "gc_pressure",
  "hot_function",
  "slow_operations",
] as const;
export type Bottleneck = (typeof BOTTLENECKS)[number];

export type Finding = {
  readonly cause: Bottleneck;
  readonly title: string;
  /** how much of the time it accounts for, 0 to 1; what comes first weighs most */
  readonly weight: number;
  /** measured: a clock or counter stood on both sides; estimated: a share of one was divided up */
  readonly basis: "measured" | "estimated";
  /** one sentence with the figures */
  readonly evidence: string;
  readonly likely: string;
  /** what to type or change */
  readonly command: string;
};

export type Rule = (measured: Measured) => Finding | undefined;

export function percent(share: number): string {
  return `${Number((share * 100).toPrecision(2))} %`;
}

/** Seconds as a person reads them: "0.21 ms", "3.4 s". */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "unknown";
  if (seconds >= 10) return `${Math.round(seconds)} s`;
  if (seconds >= 1) return `${Number(seconds.toPrecision(2))} s`;
  if (seconds >= 0.001) return `${Number((seconds * 1000).toPrecision(2))} ms`;
  return `${Number((seconds * 1e6).toPrecision(2))} µs`;
}

export function bytesText(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${Number(value.toPrecision(3))} ${units[unit]}`;
}
