/**
 * Fuses what the vectors, the words and their learned meaning say about the candidates of one recall into one score.
 *
 * Each candidate comes with both of its scores, so nothing is guessed from ranks: equal-weight rank fusion of
 * BM25 with hashed vectors lost 2 points of recall on real conversations. Scores are combined instead (Bruch,
 * Gai & Ingber 2023, "An Analysis of Fusion Functions for Hybrid Retrieval": a convex combination of
 * normalised scores beats rank fusion), and the normalisation is what keeps a weak list from harming:
 *
 *   value = (score − floor) / (score of rank 10 − floor)
 *
 * A list whose best stand far above its tenth gives them values of 2 and more; a list that can not tell its
 * best from its tenth (common words, a poor model) gives everything about 1, which changes no order. So a
 * list earns its weight by the query, not by its name. Only what it can earn at most depends on its family:
 * hashed vectors see little that the words do not see.
 *
 *   floor     the score of rank 100: what so many have says nothing, and models put all texts into a narrow
 *             cone, in which only differences mean something. Hashed vectors, whose cosine is near 0 where
 *             nothing is shared, and words with fewer finds: 0
 *   fused     share · vector value + (1 − share) · words value + 1.5 · closeness in time
 *
 * What the space has learned of its words (`cognition/meaning/`) takes its own share m of the first two:
 *
 *   fused     m · meaning value + (1 − m) · (share · vector value + …) + 1.5 · closeness in time
 *
 * bench/retrieval/offline.ts: recall@10 of words 62.8 and hashed vectors 60.7 is 64.1 fused; of learned
 * vectors simulated at 84.7 it is 91.0; of these at 87.8 with words crippled to 22.7 it is 87.1.
 *
 * The result is 0 to 1: the fused value relative to the best one, times how well the best one matches in
 * absolute terms, so that scores of different queries can be held against one threshold.
 */
import { assert } from "../../base/assert.ts";
import type { VectorFamily } from "../../embedding/embedder.ts";

/** Candidates of one recall, as parallel arrays; entries at and beyond `count` are not read. */
export type Candidates = {
  readonly count: number;
  /** 0 where none of the query's words occur */
  readonly bm25: Float32Array;
  /** exact cosine with the query's vector; NaN where the memory has no vector yet, or the query none */
  readonly cosines: Float32Array;
  /** cosine with the query's learned meaning, 0 where it is not known; absent where nothing was learned */
  readonly meanings?: Float32Array | undefined;
  /** 0 to 1, how near a memory's time is to the times the query names; absent where it names none */
  readonly closeness?: Float32Array | undefined;
};

export type FusionFacts = {
  readonly family: VectorFamily;
  /** sum of the idf of the query's terms, those that no memory has included; 0 without terms */
  readonly queryMass: number;
  /** k1 of the BM25 scores: with the mass, it bounds them */
  readonly k1: number;
  /** the most that meaning may weigh, 0 to 1; of use only with `meanings` */
  readonly meaningShare?: number | undefined;
};

/** What the parts weighed; all but time add up to 1. */
export type FusionWeights = {
  readonly vector: number;
  readonly words: number;
  readonly meaning: number;
  readonly time: number;
};

/** What the vectors are worth beside words that are as sharp as they are. */
const VECTOR_SHARE: Readonly<Record<VectorFamily, number>> = { hashed: 0.3, learned: 0.55 };
const TIME_WEIGHT = 1.5;
const REFERENCE_RANK = 10;
const FLOOR_RANK = 100;
/** A tenth lower than this share of the best counts as this share: one hit alone is not beyond measure. */
const REFERENCE_SHARE_MIN = 0.15;

/** Arrays that `fuse` works in; one per thread, growing to the largest recall. */
export class FusionScratch {
  sorted = new Float32Array(512);

  reserve(count: number): void {
    if (count > this.sorted.length) this.sorted = new Float32Array(Math.max(count, this.sorted.length * 2));
  }
}

/**
 * Writes the score of each candidate into `scores`. About 5 µs for 200 candidates.
 *
 * @param scores at least `count` long; results are 0 to 1
 */
export function fuse(
  candidates: Candidates,
  facts: FusionFacts,
  scores: Float32Array,
  scratch: FusionScratch,
): FusionWeights {
  const { count, bm25, cosines, meanings, closeness } = candidates;
  assert(scores.length >= count, "there is room for every candidate's score");
  if (count === 0) return { vector: 0, words: 0, meaning: 0, time: 0 };
  scratch.reserve(count);

  const words = scaleOf(bm25, count, "words", scratch);
  const vector = scaleOf(cosines, count, facts.family, scratch);
  // Meaning, like hashed vectors, has cosines near 0 where texts have nothing to do with each other.
  const meaning = meanings === undefined ? undefined : scaleOf(meanings, count, "hashed", scratch);
  const meaningShare = meaning === undefined ? 0 : (facts.meaningShare ?? 0);
  const rest = 1 - meaningShare;
  const share = vector === undefined ? 0 : words === undefined ? 1 : VECTOR_SHARE[facts.family];
  const vectorShare = rest * share;
  const wordsShare = rest * (1 - share);

  let highest = 0;
  for (let i = 0; i < count; i++) {
    let fused = 0;
    if (words !== undefined) fused += wordsShare * measured(bm25[i]!, words);
    if (vector !== undefined) fused += vectorShare * measured(cosines[i]!, vector);
    if (meaning !== undefined) fused += meaningShare * measured(meanings![i]!, meaning);
    if (closeness !== undefined) fused += TIME_WEIGHT * closeness[i]!;
    scores[i] = fused;
    if (fused > highest) highest = fused;
  }

  const wordsFit = words === undefined ? 0 : scoreOfWords(words.best, facts);
  const vectorFit = vector === undefined ? 0 : scoreOfCosine(vector.best);
  const meaningFit = meaning === undefined ? 0 : scoreOfCosine(meaning.best);
  const fit = vectorShare * vectorFit + wordsShare * wordsFit + meaningShare * meaningFit;
  const scale = highest > 0 ? fit / highest : 0;
  for (let i = 0; i < count; i++) scores[i]! *= scale;
  return {
    vector: vectorShare,
    words: words === undefined ? 0 : wordsShare,
    meaning: meaningShare,
    time: closeness === undefined ? 0 : TIME_WEIGHT,
  };
}

/** The score of a memory found by words alone, 0 to 1: its BM25 as a part of the most a memory could have. */
export function scoreOfWords(bm25: number, facts: Pick<FusionFacts, "queryMass" | "k1">): number {
  const bound = facts.queryMass * (facts.k1 + 1);
  return bound > 0 ? Math.min(1, bm25 / bound) : 0;
}

/** The score of a memory found by its vector alone, 0 to 1. */
export function scoreOfCosine(cosine: number): number {
  return cosine > 0 ? Math.min(1, cosine) : 0;
}

type Scale = { readonly floor: number; readonly unit: number; readonly best: number };

function measured(score: number, scale: Scale): number {
  return score > scale.floor ? (score - scale.floor) / scale.unit : 0;
}

/** How a list is measured; undefined for one that says nothing. */
function scaleOf(
  values: Float32Array,
  count: number,
  list: "words" | VectorFamily,
  scratch: FusionScratch,
): Scale | undefined {
  const { sorted } = scratch;
  let length = 0;
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    if (list === "learned" ? !Number.isNaN(value) : value > 0) sorted[length++] = value;
  }
  if (length === 0) return undefined;
  const ascending = sorted.subarray(0, length).sort();
  const best = ascending[length - 1]!;
  const floor = floorOf(ascending, list);
  const height = best - floor;
  // Too few to have a tenth, or all alike: the best is the unit.
  const reference = length > REFERENCE_RANK ? ascending[length - 1 - REFERENCE_RANK]! - floor : 0;
  const unit = Math.max(reference, height * REFERENCE_SHARE_MIN);
  return unit > 0 ? { floor, unit, best } : { floor: Math.min(0, floor), unit: Math.max(best, 1e-6), best };
}

function floorOf(ascending: Float32Array, list: "words" | VectorFamily): number {
  if (list === "hashed" || ascending.length === 0) return 0;
  if (ascending.length >= FLOOR_RANK) return ascending[ascending.length - FLOOR_RANK]!;
  return list === "words" ? 0 : ascending[0]!;
}
