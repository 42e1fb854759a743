/**
 * Pattern completion: a fragment of an episode, and from the episodes that resemble it the fields that are missing.
 *
 * What the hippocampus' area CA3 is held to do (Marr 1971; Treves & Rolls 1994): stored patterns that share a part
 * with the cue are brought up in proportion to how much of it they hold, and compete. Here the competition is a
 * softmax over evidence, the weight of each episode is lessened by what is left of it, and a field takes the value
 * with the most weight behind it.
 *
 *   evidence of an episode   how well it holds the fields that are given, 0 to 1, each by how much it tells
 *   confidence of a field    share of the weight behind its value, times the evidence of the best episode behind it
 *   plausibility             whether the filled fields belong together: the weight of episodes that hold them jointly
 *                            by the weight of those that hold them at all; 1 where one episode tells it all
 */
import { assert } from "../base/assert.ts";

export const FIELDS = ["what", "who", "where", "when", "why", "how"] as const;
export type Field = (typeof FIELDS)[number];
/** What is known of an episode; `who` may be several. */
export type Pattern = Readonly<Partial<Record<Field, string | readonly string[]>>>;

/** How steeply evidence decides: at 12, evidence of .8 outweighs .6 elevenfold. */
export const SOFTMAX_GAIN = 12;
/** Below this much evidence for the best episode nothing is completed. */
export const EVIDENCE_MIN = 0.35;
/** How much each given field tells: an event tells most, a reason or manner is worded anew each time. */
export const FIELD_WEIGHTS: Readonly<Record<Field, number>> = {
  what: 1,
  who: 0.8,
  where: 0.8,
  when: 0.6,
  why: 0.4,
  how: 0.4,
};
const ALTERNATIVES_MAX = 5;

export type Candidate = {
  readonly id: string;
  readonly pattern: Pattern;
  /** how well its event answers the fragment's, 0 to 1; of no account where the fragment has none */
  readonly whatMatch: number;
  /** what is left of it, 0 to 1 */
  readonly retention: number;
};

export type Filled = {
  readonly field: Field;
  readonly value: string | readonly string[];
  readonly confidence: number;
  /** ids of the episodes behind it, heaviest first */
  readonly sources: readonly string[];
  readonly alternatives: readonly {
    readonly value: string | readonly string[];
    readonly share: number;
    readonly sources: readonly string[];
  }[];
};

export type Completion = {
  readonly filled: readonly Filled[];
  /** fields that no episode with a part in it tells */
  readonly unknown: readonly Field[];
  /** over the filled fields */
  readonly confidence: number;
  readonly plausibility: number;
  /** of the best episode, 0 to 1 */
  readonly evidence: number;
};

export type TooLittle = {
  readonly evidence: number;
  /** fields that would tell the candidates apart, the most telling first */
  readonly wouldHelp: readonly Field[];
};

type Weighted = { readonly candidate: Candidate; readonly evidence: number; readonly weight: number };

/** @returns what would help, where the evidence is too little */
export function completePattern(fragment: Pattern, candidates: readonly Candidate[]): Completion | TooLittle {
  const given = FIELDS.filter((field) => fragment[field] !== undefined);
  assert(given.length > 0, "a fragment gives a field");
  const weighted = weigh(fragment, given, candidates);
  const best = weighted[0];
  if (best === undefined || best.evidence < EVIDENCE_MIN) {
    return { evidence: best?.evidence ?? 0, wouldHelp: tellingFields(given, weighted) };
  }
  const missing = FIELDS.filter((field) => fragment[field] === undefined);
  const filled: Filled[] = [];
  for (const field of missing) {
    const found = fill(field, weighted);
    if (found !== undefined) filled.push(found);
  }
  return {
    filled,
    unknown: missing.filter((field) => !filled.some((each) => each.field === field)),
    confidence:
      filled.length === 0 ? 0 : filled.reduce((sum, each) => sum + each.confidence, 0) / filled.length,
    plausibility: plausibilityOf(filled, weighted),
    evidence: best.evidence,
  };
}

/** Episodes by their weight, heaviest first; the weights make 1. */
function weigh(fragment: Pattern, given: readonly Field[], candidates: readonly Candidate[]): Weighted[] {
  const scored = candidates.map((candidate) => {
    const evidence = evidenceOf(fragment, given, candidate);
    return { candidate, evidence, mass: Math.exp(SOFTMAX_GAIN * (evidence - 1)) * candidate.retention };
  });
  const total = scored.reduce((sum, { mass }) => sum + mass, 0);
  if (total === 0) return [];
  return scored
    .map(({ candidate, evidence, mass }) => ({ candidate, evidence, weight: mass / total }))
    .sort((a, b) => b.weight - a.weight || (a.candidate.id < b.candidate.id ? -1 : 1));
}

function evidenceOf(fragment: Pattern, given: readonly Field[], { pattern, whatMatch }: Candidate): number {
  let held = 0;
  let asked = 0;
  for (const field of given) {
    const weight = FIELD_WEIGHTS[field];
    asked += weight;
    const value = pattern[field];
    if (field === "what") held += weight * whatMatch;
    else if (value !== undefined) held += weight * matchOf(field, fragment[field]!, value);
  }
  return held / asked;
}

/** How much of what is asked a value holds, 0 to 1. */
export function matchOf(
  field: Field,
  asked: string | readonly string[],
  value: string | readonly string[],
): number {
  if (field === "when") return timeMatch(String(asked), String(value));
  if (field === "who") {
    const wanted = listOf(asked).map(folded);
    const present = new Set(listOf(value).map(folded));
    return wanted.filter((name) => present.has(name)).length / wanted.length;
  }
  return wordOverlap(String(asked), String(value));
}

/** Exponential in the distance: a day apart leaves 1/e; the same day by date alone is the same. */
function timeMatch(asked: string, value: string): number {
  const [a, b] = [Date.parse(asked), Date.parse(value)];
  if (Number.isNaN(a) || Number.isNaN(b)) return folded(asked) === folded(value) ? 1 : 0;
  // A date without an hour means the whole day.
  if (/^\d{4}-\d{2}-\d{2}$/.test(asked) && value.startsWith(asked)) return 1;
  return Math.exp(-Math.abs(a - b) / 86_400_000);
}

/** Dice coefficient of the words. */
function wordOverlap(a: string, b: string): number {
  const [left, right] = [wordsOf(a), wordsOf(b)];
  if (left.size === 0 || right.size === 0) return 0;
  let shared = 0;
  for (const word of left) if (right.has(word)) shared += 1;
  return (2 * shared) / (left.size + right.size);
}

function fill(field: Field, weighted: readonly Weighted[]): Filled | undefined {
  type Vote = { value: string | readonly string[]; weight: number; evidence: number; sources: string[] };
  const votes = new Map<string, Vote>();
  let total = 0;
  for (const { candidate, evidence, weight } of weighted) {
    const value = candidate.pattern[field];
    if (value === undefined || evidence < EVIDENCE_MIN) continue;
    const key = listOf(value).map(folded).sort().join("\0");
    const vote = votes.get(key) ?? { value, weight: 0, evidence: 0, sources: [] };
    vote.weight += weight;
    vote.evidence = Math.max(vote.evidence, evidence);
    vote.sources.push(candidate.id);
    votes.set(key, vote);
    total += weight;
  }
  const [first, ...others] = [...votes.values()].sort((a, b) => b.weight - a.weight);
  if (first === undefined) return undefined;
  return {
    field,
    value: first.value,
    confidence: (first.weight / total) * first.evidence,
    sources: first.sources,
    alternatives: others
      .slice(0, ALTERNATIVES_MAX)
      .map(({ value, weight, sources }) => ({ value, share: weight / total, sources })),
  };
}

function plausibilityOf(filled: readonly Filled[], weighted: readonly Weighted[]): number {
  if (filled.length === 0) return 0;
  let jointly = 0;
  let atAll = 0;
  for (const { candidate, weight } of weighted) {
    const held = filled.filter(({ sources }) => sources.includes(candidate.id)).length;
    if (held === 0) continue;
    atAll += weight;
    jointly += weight * (held / filled.length);
  }
  return atAll === 0 ? 0 : jointly / atAll;
}

/** Fields not given, by how differently the candidates fill them: entropy of their values. */
function tellingFields(given: readonly Field[], weighted: readonly Weighted[]): Field[] {
  const entropyOf = (field: Field): number => {
    const shares = new Map<string, number>();
    for (const { candidate, weight } of weighted) {
      const value = candidate.pattern[field];
      if (value === undefined) continue;
      const key = listOf(value).map(folded).join("\0");
      shares.set(key, (shares.get(key) ?? 0) + weight);
    }
    return [...shares.values()].reduce((sum, share) => (share > 0 ? sum - share * Math.log2(share) : sum), 0);
  };
  return FIELDS.filter((field) => !given.includes(field))
    .map((field) => ({ field, telling: entropyOf(field) * FIELD_WEIGHTS[field] }))
    .sort((a, b) => b.telling - a.telling || FIELD_WEIGHTS[b.field] - FIELD_WEIGHTS[a.field])
    .map(({ field }) => field)
    .slice(0, 3);
}

function listOf(value: string | readonly string[]): readonly string[] {
  return typeof value === "string" ? [value] : value;
}

/** Case, spaces and the form of letters aside. */
export function folded(text: string): string {
  return text.normalize("NFKC").toLowerCase().replace(/\s+/g, " ").trim();
}

function wordsOf(text: string): Set<string> {
  return new Set(folded(text).match(/[\p{L}\p{N}]+/gu) ?? []);
}
