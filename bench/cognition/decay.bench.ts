/**
 * How long does it take to compute what is left of many memories, native against plain JavaScript?
 *
 * Sketch: an exponential of libm costs 5-10 ns, a power 20-40 ns. Written as polynomials without a call, four
 * run at once in AVX2: some 25 multiply-adds for 4 memories, 2-4 ns each, so 4 to 10 times faster. Fan division
 * is a root and a division, 8 at once: below 1 ns against 2 ns. A recall decays some 200 candidates.
 *
 *   bun bench/cognition/decay.bench.ts [--small] [--seed N] [--json FILE]
 */
import { Random } from "../../src/base/random.ts";
import { fanShare } from "../../src/cognition/fan.ts";
import { CURVE_CONSTANTS, retention } from "../../src/cognition/forgetting.ts";
import { batchFanShares, batchRetention } from "../../src/ffi/decay.ts";
import { FORGETTING_CURVE, type ForgettingCurve } from "../../src/layout/forgetting-curve.ts";
import { type Figure, type FigureBench, type FigureSize, runFigures } from "../support/figure.ts";

/** Times faster than plain at least; measured 5.8, 3.5, 4.0 and 6.3 beside others that used 1.2 of 2 cores. */
const TIMES_MIN = 2;

export const bench: FigureBench = {
  name: "cognition/decay",
  parameters: (size) => ({ memories: memoriesOf(size) }),
  calls: ({ isSmall }) => (isSmall ? 20 : 300),
  make: (size) => {
    const count = memoriesOf(size);
    const random = new Random(size.seed);
    const ages = Float32Array.from({ length: count }, () => 10 ** (random.float() * 5 - 1));
    const stabilities = Float32Array.from({ length: count }, () => 10 ** (random.float() * 3));
    const fans = Uint32Array.from({ length: count }, () => random.below(200));
    const activations = Float32Array.from({ length: count }, () => random.float());
    const left = new Float32Array(count);
    const checksum = (): number => left[0]! + left[count >>> 1]! + left[count - 1]!;
    const decay = (curve: ForgettingCurve): Figure => ({
      name: `retention, ${curve}`,
      operations: count,
      timesPlainMin: TIMES_MIN,
      run: () => {
        batchRetention(curve, CURVE_CONSTANTS[curve], { ages, stabilities, left }, count);
        return checksum();
      },
      plain: () => {
        for (let i = 0; i < count; i++) left[i] = retention(curve, ages[i]!, stabilities[i]!);
        return checksum();
      },
    });
    return [
      ...(Object.keys(FORGETTING_CURVE) as ForgettingCurve[]).map(decay),
      {
        name: "fan division",
        operations: count,
        timesPlainMin: TIMES_MIN,
        run: () => {
          batchFanShares(activations, fans, left, count);
          return checksum();
        },
        plain: () => {
          for (let i = 0; i < count; i++) left[i] = fanShare(activations[i]!, fans[i]!);
          return checksum();
        },
      },
    ];
  },
};

function memoriesOf({ isSmall }: FigureSize): number {
  return isSmall ? 2000 : 20_000;
}

if (import.meta.main) await runFigures(bench);
