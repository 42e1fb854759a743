import { describe, expect, test } from "bun:test";
import { Random } from "../../src/base/random.ts";
import { fanShare } from "../../src/cognition/fan.ts";
import { CURVE_CONSTANTS, retention } from "../../src/cognition/forgetting.ts";
import { batchFanShares, batchRetention } from "../../src/ffi/decay.ts";
import { FORGETTING_CURVE, type ForgettingCurve } from "../../src/layout/forgetting-curve.ts";

const BOUND = 1e-6;
const SEED = 9;
const CURVES = Object.keys(FORGETTING_CURVE) as ForgettingCurve[];
/** f32 has no normal numbers below it, so nothing there is within a part in a million of anything. */
const F32_NORMAL_MIN = 2 ** -126;

/** Ages and half-lives over many magnitudes, the ends among them. */
function memories(count: number): { ages: Float32Array; stabilities: Float32Array; left: Float32Array } {
  const random = new Random(SEED);
  const ages = Float32Array.from({ length: count }, () => 10 ** (random.float() * 10 - 4));
  const stabilities = Float32Array.from({ length: count }, () => 10 ** (random.float() * 8 - 2));
  [0, -3, 1e-30, 1, 1e9, 876_600].forEach((age, i) => {
    if (i < count) ages[i] = age;
  });
  return { ages, stabilities, left: new Float32Array(count) };
}

describe("batchRetention", () => {
  test("batchRetention agrees with the plain version within 1e-6 relative, for every curve and odd lengths", () => {
    for (const curve of CURVES) {
      for (const count of [1, 2, 3, 7, 8, 31, 1000, 10_001]) {
        const arrays = memories(count);
        batchRetention(curve, CURVE_CONSTANTS[curve], arrays, count);
        for (let i = 0; i < count; i++) {
          const plain = retention(curve, arrays.ages[i]!, arrays.stabilities[i]!);
          if (plain < F32_NORMAL_MIN) expect(arrays.left[i]!).toBeLessThanOrEqual(2 * F32_NORMAL_MIN);
          else expect(Math.abs(arrays.left[i]! - plain) / plain).toBeLessThan(BOUND);
        }
      }
    }
  });

  test("batchRetention writes as many as it was asked for, and no more", () => {
    const arrays = memories(20);
    arrays.left.fill(-1);
    batchRetention("power", CURVE_CONSTANTS.power, arrays, 13);
    expect(arrays.left.subarray(13).every((value) => value === -1)).toBe(true);
    batchRetention("power", CURVE_CONSTANTS.power, arrays, 0);
  });
});

test("batchFanShares agrees with fanShare within 1e-6 relative, in place and for odd lengths", () => {
  const random = new Random(SEED);
  for (const count of [1, 5, 8, 33, 4099]) {
    const activations = Float32Array.from({ length: count }, () => random.float());
    const fans = Uint32Array.from({ length: count }, () => random.below(10 ** random.below(8)));
    const plain = [...activations].map((activation, i) => fanShare(activation, fans[i]!));
    batchFanShares(activations, fans, activations, count);
    plain.forEach((share, i) => {
      expect(Math.abs(activations[i]! - share)).toBeLessThanOrEqual(BOUND * share);
    });
  }
});
