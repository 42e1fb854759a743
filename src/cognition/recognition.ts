/**
 * Recognition: whether something was met before, from two sources that come apart (Yonelinas 2002, for a review).
 *
 *   recollection   the trace of this very thing comes back, or does not: a threshold
 *   familiarity    how strongly all traces together answer the probe: graded, and what lures are taken in by
 *
 * Familiarity is the echo intensity of MINERVA 2 (Hintzman 1984, 1988): I = Σ Sᵢ³ Mᵢ over all traces, where Sᵢ is the
 * similarity of trace i to the probe and Mᵢ what is left of the trace. The cube makes a few close traces count for
 * more than many distant ones. Similarity is counted from what unrelated memories of the space have, since vectors of
 * one model all lie in a cone. I = 1 is the echo of one whole trace of the probe itself, and the criterion.
 *
 * Where nothing is recollected, that itself is evidence: who remembers the things like it well would remember this
 * one, too (distinctiveness heuristic: Schacter, Israel & Racine 1999; Dodson & Schacter 2002). It takes up to half
 * of the familiarity, by how well the traces that answer are retained: so lures are taken for old more often as the
 * true memories fade, which is what is found (McDermott 1996; Seamon et al. 2002).
 */

/** Sᵢ to the power of this: Hintzman's activation function. */
export const ECHO_EXPONENT = 3;
/** Spread of familiarity on the scale of ln I: equal-variance signal detection. */
export const FAMILIARITY_SD = 1;
/** Most of the familiarity that the lack of a recollection can take; halved false recognition in Israel & Schacter 1997. */
export const DISTINCTIVENESS_MAX = 0.5;
/** Similarity from which a trace is one of the probe itself, though it may be worded otherwise. */
export const IDENTITY_SIMILARITY = 0.995;
/** From here on something is called old. */
export const OLD_FROM = 0.5;

/** A memory that answers the probe. */
export type Trace = {
  /** cosine with the probe */
  readonly similarity: number;
  /** what is left of it, 0 to 1 */
  readonly retention: number;
  /** it is a memory of the probe itself: the same text */
  readonly isSame: boolean;
};

export type Recognition = {
  readonly isOld: boolean;
  /** of the probe having been met, 0 to 1 */
  readonly probability: number;
  /** in the answer, 0 (a guess) to 1 */
  readonly confidence: number;
  /** 0 to 1 */
  readonly recollection: number;
  /** 0 to 1 */
  readonly familiarity: number;
  /** echo intensity: 1 is one whole trace of the probe */
  readonly echo: number;
};

/**
 * @param traces the most similar memories; those further away add next to nothing
 * @param unrelatedSimilarity mean cosine of the probe with memories taken anywhere
 */
export function recognise(traces: readonly Trace[], unrelatedSimilarity: number): Recognition {
  let echo = 0;
  let retained = 0;
  let recollection = 0;
  for (const { similarity, retention, isSame } of traces) {
    const share = normalisedSimilarity(similarity, unrelatedSimilarity) ** ECHO_EXPONENT;
    echo += share * retention;
    retained += share * retention * retention;
    if (isSame || similarity >= IDENTITY_SIMILARITY) recollection = Math.max(recollection, retention);
  }
  const familiarity = echo > 0 ? normalCdf(Math.log(echo) / FAMILIARITY_SD) : 0;
  // Retention of the traces that answer, each by its part in the echo.
  const meanRetention = echo > 0 ? retained / echo : 0;
  const missed = familiarity * (1 - DISTINCTIVENESS_MAX * meanRetention);
  const probability = recollection + (1 - recollection) * missed;
  return {
    isOld: probability >= OLD_FROM,
    probability,
    confidence: Math.abs(2 * probability - 1),
    recollection,
    familiarity,
    echo,
  };
}

/** Similarity on a scale where unrelated memories have 0 and the same one has 1. */
export function normalisedSimilarity(similarity: number, unrelatedSimilarity: number): number {
  const ceiling = 1 - unrelatedSimilarity;
  return ceiling <= 0 ? 0 : Math.min(1, Math.max(0, (similarity - unrelatedSimilarity) / ceiling));
}

/** Φ: Abramowitz & Stegun 1964, 7.1.26; off by at most 1.5e-7. */
export function normalCdf(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const poly =
    t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const tail = (poly * Math.exp(-x * x)) / 2;
  return z >= 0 ? 1 - tail : tail;
}

/** z of a share, the inverse of Φ (Acklam 2003; relative error 1.2e-9). @param share strictly between 0 and 1 */
export function normalQuantile(share: number): number {
  const A = [
    -39.6968302866538, 220.946098424521, -275.928510446969, 138.357751867269, -30.6647980661472,
    2.50662827745924,
  ];
  const B = [-54.4760987982241, 161.585836858041, -155.698979859887, 66.8013118877197, -13.2806815528857];
  const C = [
    -0.00778489400243029, -0.322396458041136, -2.40075827716184, -2.54973253934373, 4.37466414146497,
    2.93816398269878,
  ];
  const D = [0.00778469570904146, 0.32246712907004, 2.445134137143, 3.75440866190742];
  const horner = (terms: readonly number[], x: number): number =>
    terms.reduce((sum, term) => sum * x + term, 0);
  const LOW = 0.02425;
  if (share < LOW || share > 1 - LOW) {
    const q = Math.sqrt(-2 * Math.log(Math.min(share, 1 - share)));
    const z = horner(C, q) / (horner(D, q) * q + 1);
    return share < LOW ? z : -z;
  }
  const q = share - 0.5;
  const r = q * q;
  return (horner(A, r) * q) / (horner(B, r) * r + 1);
}

/**
 * d′: how far hits and false alarms lie apart on the scale of familiarity. Shares of 0 and 1 have no z, so the counts
 * are corrected (log-linear: Hautus 1995).
 */
export function dPrime(
  hits: { share: number; count: number },
  falseAlarms: { share: number; count: number },
): number {
  const corrected = ({ share, count }: { share: number; count: number }): number =>
    (share * count + 0.5) / (count + 1);
  return normalQuantile(corrected(hits)) - normalQuantile(corrected(falseAlarms));
}
