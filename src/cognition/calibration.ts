/**
 * Calibration: turning evidence into a probability that comes true as often as it says.
 *
 * Isotonic regression by pooling adjacent violators (Ayer et al. 1955; for classifiers Zadrozny & Elkan 2002):
 * the probability may only rise with the evidence, and is the share of right answers in each pool. A pool
 * keeps its counts, so that how sure the calibration itself is can be said, too (`interval.ts`).
 *
 * How well it holds is measured by the expected calibration error (Naeini, Cooper & Hauskrecht 2015).
 */
import { assert } from "../base/assert.ts";

/** Examples of about the same evidence. */
export type Pool = {
  /** mean evidence of its examples */
  readonly evidence: number;
  readonly count: number;
  /** how many of them were right */
  readonly rightCount: number;
};

/**
 * Fits pools to examples, ascending in evidence and in their smoothed share of right ones.
 *
 * @param poolMin examples a pool has at least, so that a share means something; the last may have fewer
 */
export function fitPools(
  examples: readonly { readonly evidence: number; readonly isRight: boolean }[],
  poolMin: number,
): Pool[] {
  assert(poolMin >= 1, "a pool has an example");
  const sorted = [...examples].sort((a, b) => a.evidence - b.evidence);
  const pools: { sum: number; count: number; rightCount: number }[] = [];
  for (let at = 0; at < sorted.length; at += poolMin) {
    const chunk = sorted.slice(at, at + poolMin);
    let pool = {
      sum: chunk.reduce((sum, { evidence }) => sum + evidence, 0),
      count: chunk.length,
      rightCount: chunk.filter(({ isRight }) => isRight).length,
    };
    // A pool that is not above the one before it says the same as that one.
    for (let last = pools.at(-1); last !== undefined && shareOf(last) >= shareOf(pool); last = pools.at(-1)) {
      pools.pop();
      pool = {
        sum: last.sum + pool.sum,
        count: last.count + pool.count,
        rightCount: last.rightCount + pool.rightCount,
      };
    }
    pools.push(pool);
  }
  return pools.map(({ sum, count, rightCount }) => ({ evidence: sum / count, count, rightCount }));
}

/** The probability at some evidence, straight between the pools; with the pool that lies nearest. */
export function calibrated(
  pools: readonly Pool[],
  evidence: number,
): { readonly probability: number; readonly pool: Pool } {
  assert(pools.length > 0, "a calibration has pools");
  const above = pools.findIndex((pool) => pool.evidence >= evidence);
  const last = pools[pools.length - 1]!;
  if (above < 0) return { probability: shareOf(last), pool: last };
  const high = pools[above]!;
  if (above === 0) return { probability: shareOf(high), pool: high };
  const low = pools[above - 1]!;
  const part = (evidence - low.evidence) / (high.evidence - low.evidence);
  return {
    probability: shareOf(low) + part * (shareOf(high) - shareOf(low)),
    pool: part < 0.5 ? low : high,
  };
}

/** Share of right ones by the rule of succession (Laplace): forty of forty is not certainty. */
function shareOf({ rightCount, count }: { readonly rightCount: number; readonly count: number }): number {
  return (rightCount + 1) / (count + 2);
}

/**
 * Expected calibration error: in bins of equal width, how far the mean probability lies from the share of
 * right ones, weighted by how many fall into the bin. 0 is perfect.
 */
export function expectedCalibrationError(
  predictions: readonly { readonly probability: number; readonly isRight: boolean }[],
  binCount = 10,
): number {
  if (predictions.length === 0) return 0;
  const bins = Array.from({ length: binCount }, () => ({ probability: 0, rightCount: 0 }));
  for (const { probability, isRight } of predictions) {
    const bin = bins[Math.min(binCount - 1, Math.floor(probability * binCount))]!;
    bin.probability += probability;
    bin.rightCount += isRight ? 1 : 0;
  }
  const apart = bins.reduce((sum, bin) => sum + Math.abs(bin.probability - bin.rightCount), 0);
  return apart / predictions.length;
}
