/** Retention and fan division of many memories at once through the shim (native/decay.c). */
import { ptr } from "bun:ffi";
import { assert } from "../base/assert.ts";
import { FORGETTING_CURVE, type ForgettingCurve } from "../layout/forgetting-curve.ts";
import { openShim } from "./library.ts";

const shim = openShim({
  shim_decay_retention: { args: ["u32", "ptr", "ptr", "ptr", "ptr", "u32"], returns: "i32" },
  shim_fan_divide: { args: ["ptr", "ptr", "ptr", "u32"], returns: "void" },
});

const constantsScratch = new Float64Array(3);

/**
 * Writes what is left of each memory into `left`: the same as `retention` of `cognition/forgetting.ts`, within
 * 1e-6 relative. 3 to 6 ns a memory by curve (bench/cognition/decay.bench.ts).
 *
 * @param constants of the curve (`CURVE_CONSTANTS`)
 * @param arrays `count` numbers each: ages since the last use and half-lives, in hours
 */
export function batchRetention(
  curve: ForgettingCurve,
  constants: readonly number[],
  arrays: { readonly ages: Float32Array; readonly stabilities: Float32Array; readonly left: Float32Array },
  count: number,
): void {
  const { ages, stabilities, left } = arrays;
  assert(Math.min(ages.length, stabilities.length, left.length) >= count, "the arrays hold every memory");
  if (count === 0) return;
  constantsScratch.set(constants);
  const code = shim.shim_decay_retention(
    FORGETTING_CURVE[curve],
    ptr(constantsScratch),
    ptr(ages),
    ptr(stabilities),
    ptr(left),
    count,
  );
  assert(code === 0, "the shim knows every curve");
}

/** Writes activation / √fan of each into `shares`, which may be `activations` itself: `fanShare` in a batch. */
export function batchFanShares(
  activations: Float32Array,
  fans: Uint32Array,
  shares: Float32Array,
  count: number,
): void {
  assert(Math.min(activations.length, fans.length, shares.length) >= count, "the arrays hold every node");
  if (count > 0) shim.shim_fan_divide(ptr(activations), ptr(fans), ptr(shares), count);
}
