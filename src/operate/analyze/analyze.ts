/** Judges everything that is looked at: a pure function of the facts, so that tests can plant every one of them. */
import type { WorkFacts } from "./facts.ts";
import type { Judgement, Rule } from "./judgement.ts";
import {
  busyThread,
  cacheMisses,
  eventLoopDelay,
  falseSharing,
  hugePages,
  memoryBandwidth,
  remoteAccesses,
  simdShare,
} from "./rules-of-machine.ts";
import {
  embeddingCache,
  keyCache,
  largeResults,
  narrowSearch,
  slowEmbedder,
  wideActivation,
  wideCandidates,
  wideSearch,
} from "./rules-of-recall.ts";
import {
  groupCommit,
  slowDisk,
  slowIndexing,
  syncInterval,
  tailGrowth,
  writeAmplification,
  writerWaits,
} from "./rules-of-writing.ts";

const RULES: readonly Rule[] = [
  slowEmbedder,
  embeddingCache,
  keyCache,
  wideSearch,
  narrowSearch,
  wideCandidates,
  wideActivation,
  largeResults,
  slowDisk,
  syncInterval,
  groupCommit,
  writerWaits,
  writeAmplification,
  tailGrowth,
  slowIndexing,
  busyThread,
  eventLoopDelay,
  hugePages,
  cacheMisses,
  memoryBandwidth,
  remoteAccesses,
  simdShare,
  falseSharing,
];

const RANK = { advice: 0, fine: 1, unavailable: 2 } as const;

/** One judgement a matter: advice first, what weighs most before the rest; then what is fine, and what can not be told. */
export function analyze(facts: WorkFacts): Judgement[] {
  const weightOf = (each: Judgement): number => (each.verdict === "advice" ? each.weight : 0);
  return RULES.map((rule) => rule(facts)).sort(
    (a, b) => RANK[a.verdict] - RANK[b.verdict] || weightOf(b) - weightOf(a),
  );
}
