/**
 * How sure a recall is of each memory it answers: a calibrated probability with its interval, the evidence it rests
 * on, and what makes it unsure. Computed from an explained recall, which it does not change.
 *
 * Each source of uncertainty takes a part of the trust in the calibration, so the interval says how many there are:
 * the probability stays what comes true most often, the interval how much is known about it.
 */
import { type Relevance, type RelevanceFacts, relevanceOf } from "../cognition/relevance.ts";
import { analyseWords } from "../language/analyse.ts";
import type { Language } from "../language/languages.ts";
import type { Recalled, RecalledMemory, SpaceInfo } from "./engine.ts";

/** The rank whose score the others are held against. */
export const ASSESSED_RANK = 10;

/** What makes a recall unsure of a memory, or of all of them; how much trust each leaves. */
const TRUST_LEFT = {
  /** less than half of the query's words occur in it */
  few_words: 0.7,
  /** another memory is about as likely */
  competing: 0.8,
  /** memories like it, near in time, take more than a tenth of its strength */
  interference: 0.8,
  /** it has faded below forgetting.floor */
  faded: 0.6,
  /** its storer was less than half sure of it */
  unsure_storer: 0.5,
  /** it has no embedding yet, so only its words count */
  no_embedding: 0.5,
  /** it was found by a walk through the graph, which may pass by a better one */
  approximate_index: 0.95,
  /** fewer memories than the calibration was made among */
  small_space: 0.6,
  /** the query could not be embedded: words alone */
  degraded: 0.5,
  /** the calibration was made with another embedder */
  other_embedder: 0.7,
  /** it was used after the moment asked for, so its strength then is a guess */
  past_unknown: 0.7,
} as const;

export type Doubt = keyof typeof TRUST_LEFT;
export const DOUBTS = Object.keys(TRUST_LEFT) as readonly Doubt[];

export type Evidence = {
  readonly kind: "lead" | "coverage" | "similarity" | "words" | "retention" | "uses" | "storer";
  readonly value: number;
  readonly detail?: readonly string[];
};

export type Assessed = RecalledMemory &
  Relevance & { readonly evidence: readonly Evidence[]; readonly doubts: readonly Doubt[] };

/** Two that are this near in probability compete, where the other is worth considering. */
const COMPETING_SHARE = 0.8;
const COMPETING_MIN = 0.1;
const SMALL_SPACE = 50;
const CALIBRATED_EMBEDDER = "hash/";

/**
 * @param recalled explained, with at least ASSESSED_RANK memories asked for
 * @param floor forgetting.floor
 */
export function assess(recalled: Recalled, query: string, space: SpaceInfo, floor: number): Assessed[] {
  const { memories } = recalled;
  const asked = new Set(analyseWords(query, space.language as Language).flatMap(({ term }) => term ?? []));
  const best = memories[0]?.score ?? 0;
  const reference = memories.length < ASSESSED_RANK ? 0 : memories[ASSESSED_RANK - 1]!.score;
  const facts = memories.map((memory, i) => ({
    lead: best > 0 ? Math.max(0, (memory.score - reference) / best) : 0,
    coverage: asked.size === 0 ? 0 : Math.min(1, (memory.why?.words?.terms.length ?? 0) / asked.size),
    rank: i + 1,
  }));
  const likely = facts.map((each) => relevanceOf(each, 1).probability);
  return memories.map((memory, i) => {
    const doubts = [
      ...doubtsOfAll(recalled, space),
      ...doubtsOf(memory, floor),
      ...(facts[i]!.coverage < 0.5 ? (["few_words"] as const) : []),
      ...(competes(likely, i) ? (["competing"] as const) : []),
    ];
    const trust = doubts.reduce((left, doubt) => left * TRUST_LEFT[doubt], 1);
    return {
      ...memory,
      ...relevanceOf(facts[i]!, trust),
      evidence: evidenceOf(memory, facts[i]!),
      doubts,
    };
  });
}

function doubtsOfAll(recalled: Recalled, space: SpaceInfo): Doubt[] {
  return [
    ...(recalled.degraded === undefined ? [] : (["degraded"] as const)),
    ...(space.memories < SMALL_SPACE ? (["small_space"] as const) : []),
    ...(space.embedder.startsWith(CALIBRATED_EMBEDDER) ? [] : (["other_embedder"] as const)),
  ];
}

function doubtsOf({ why, confidence }: RecalledMemory, floor: number): Doubt[] {
  const doubts: Doubt[] = [];
  if (confidence < 0.5) doubts.push("unsure_storer");
  if (why?.vector?.similarity === 0) doubts.push("no_embedding");
  if (why?.vector?.via === "index") doubts.push("approximate_index");
  if (why?.strength !== undefined && why.strength.retention < floor) doubts.push("faded");
  if (why?.strength?.usedSince === true) doubts.push("past_unknown");
  if (why?.interference !== undefined && why.interference.share < 0.9) doubts.push("interference");
  return doubts;
}

function competes(likely: readonly number[], at: number): boolean {
  return likely.some(
    (other, i) =>
      i !== at &&
      other >= COMPETING_MIN &&
      Math.min(other, likely[at]!) >= COMPETING_SHARE * Math.max(other, likely[at]!),
  );
}

function evidenceOf({ why, confidence }: RecalledMemory, { lead, coverage }: RelevanceFacts): Evidence[] {
  const evidence: Evidence[] = [
    { kind: "lead", value: lead },
    { kind: "coverage", value: coverage },
  ];
  if (why?.vector !== undefined) evidence.push({ kind: "similarity", value: why.vector.similarity });
  if (why?.words !== undefined) {
    evidence.push({ kind: "words", value: why.words.bm25, detail: why.words.terms });
  }
  if (why?.strength !== undefined) {
    evidence.push({ kind: "retention", value: why.strength.retention });
    evidence.push({ kind: "uses", value: why.strength.uses });
  }
  evidence.push({ kind: "storer", value: confidence });
  return evidence;
}
