/**
 * How likely a recalled memory answers the query: its evidence as one number, calibrated to a probability.
 *
 * The evidence is a logistic regression (Cox 1958; as calibration Platt 1999) of three facts that any recall has,
 * whatever its scores are made of:
 *
 *   evidence = BIAS + LEAD · lead + COVERAGE · coverage + RANK · ln rank
 *
 *   lead      how far the score stands above the tenth, as a part of the best: what a list can tell apart
 *   coverage  part of the query's words that the memory says
 *   rank      from 1
 *
 * and isotonic pools (`calibration.ts`) turn it into the share of right answers among examples of such evidence. Weights
 * and pools are fitted to the answers to 431 questions about three long conversations, ten memories each
 * (bench/retrieval/calibration.bench.ts). Fitted on two of them and asked of the third, the expected calibration error
 * is 0.016 to 0.029, over all 0.011; the raw score taken for a probability errs by 0.07.
 */
import { calibrated, type Pool } from "./calibration.ts";
import { type Interval, wilsonInterval } from "./interval.ts";

export type RelevanceFacts = {
  /** 0 to 1 */
  readonly lead: number;
  /** 0 to 1 */
  readonly coverage: number;
  /** from 1 */
  readonly rank: number;
};

export type RelevanceWeights = {
  readonly bias: number;
  readonly lead: number;
  readonly coverage: number;
  readonly rank: number;
};
export type RelevanceModel = { readonly weights: RelevanceWeights; readonly pools: readonly Pool[] };

export const RELEVANCE_WEIGHTS: RelevanceWeights = {
  bias: -3.3257,
  lead: 2.8206,
  coverage: 2.0732,
  rank: -0.5855,
};

/** Evidence, examples, and how many of them were right. */
export const RELEVANCE_POOLS: readonly Pool[] = (
  [
    [-4.3755, 150, 2],
    [-3.9761, 600, 15],
    [-3.6502, 600, 17],
    [-3.4325, 300, 9],
    [-3.3184, 150, 5],
    [-3.2479, 150, 7],
    [-2.8553, 1050, 56],
    [-2.363, 150, 13],
    [-2.095, 300, 30],
    [-1.7474, 150, 17],
    [-1.4384, 150, 22],
    [-1.0794, 150, 28],
    [-0.677, 150, 50],
    [-0.074, 150, 72],
    [0.6707, 110, 91],
  ] as const
).map(([evidence, count, rightCount]) => ({ evidence, count, rightCount }));

/** Ten memories came from each question, and were not independent: they count as one case. */
const EXAMPLES_PER_QUESTION = 10;

export const CALIBRATION_EXAMPLES: number = RELEVANCE_POOLS.reduce((sum, { count }) => sum + count, 0);
export const CALIBRATION_QUESTIONS: number = CALIBRATION_EXAMPLES / EXAMPLES_PER_QUESTION;

export type Relevance = Interval & { readonly probability: number };

/** The facts as one number, log odds before calibration. */
export function relevanceEvidence(
  { lead, coverage, rank }: RelevanceFacts,
  weights: RelevanceWeights = RELEVANCE_WEIGHTS,
): number {
  return weights.bias + weights.lead * lead + weights.coverage * coverage + weights.rank * Math.log(rank);
}

/** The calibrated probability, and the pool of examples it comes from. */
export function calibratedRelevance(
  facts: RelevanceFacts,
  { weights, pools }: RelevanceModel = { weights: RELEVANCE_WEIGHTS, pools: RELEVANCE_POOLS },
): { readonly probability: number; readonly pool: Pool } {
  return calibrated(pools, relevanceEvidence(facts, weights));
}

/**
 * The probability that a memory answers the query, and the 95 % interval of it.
 *
 * @param trust 0 to 1: how far the case is like those that the calibration has seen; less makes the interval wider
 */
export function relevanceOf(facts: RelevanceFacts, trust: number): Relevance {
  const { probability, pool } = calibratedRelevance(facts);
  const cases = (pool.count / EXAMPLES_PER_QUESTION) * trust;
  return { probability, ...wilsonInterval(probability, cases) };
}
