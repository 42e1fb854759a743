/** What an analysis says of one matter: advice, nothing wrong, or why it can not be told. */
import type { WorkFacts } from "./facts.ts";

/** What is looked at, in the order in which matters of equal weight are told. */
export const TOPICS = [
  "slow_embedder",
  "embedding_cache",
  "key_cache",
  "wide_search",
  "narrow_search",
  "wide_candidates",
  "wide_activation",
  "large_results",
  "slow_disk",
  "sync_interval",
  "group_commit",
  "writer_waits",
  "write_amplification",
  "tail_growth",
  "slow_indexing",
  "busy_thread",
  "event_loop_delay",
  "huge_pages",
  "cache_misses",
  "memory_bandwidth",
  "remote_accesses",
  "simd_share",
  "false_sharing",
] as const;
export type Topic = (typeof TOPICS)[number];

/** measured: a clock or a counter says it; estimated: a figure was divided up, or its cause is inferred. */
export type Basis = "measured" | "estimated";

export type Advice = {
  readonly topic: Topic;
  readonly verdict: "advice";
  readonly basis: Basis;
  readonly title: string;
  /** how much depends on it, 0 to 1; what comes first weighs most */
  readonly weight: number;
  /** one sentence with the figures */
  readonly evidence: string;
  /** what to type or change */
  readonly change: string;
  /** what that should do */
  readonly effect: string;
};

export type Judgement =
  | Advice
  | {
      readonly topic: Topic;
      readonly verdict: "fine";
      readonly basis: Basis;
      readonly evidence: string;
    }
  | { readonly topic: Topic; readonly verdict: "unavailable"; readonly reason: string };

/** Judges one matter by the facts alone. */
export type Rule = (facts: WorkFacts) => Judgement;

export function fine(topic: Topic, evidence: string, basis: Basis = "measured"): Judgement {
  return { topic, verdict: "fine", basis, evidence };
}

export function unavailableFor(topic: Topic, reason: string): Judgement {
  return { topic, verdict: "unavailable", reason };
}

export function advice(topic: Topic, told: Omit<Advice, "topic" | "verdict">): Advice {
  return { topic, verdict: "advice", ...told };
}

export function percent(share: number): string {
  return `${Number((share * 100).toPrecision(2))} %`;
}

/** "0.21 ms", "3.4 s" */
export function duration(seconds: number): string {
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
