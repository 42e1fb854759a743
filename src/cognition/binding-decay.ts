/**
 * How strong a binding is now: as strong as when it was used last, halved for every half-life since.
 *
 * Read for every binding that activation meets, so the age is taken to the power of two below it, in seconds, and
 * the factor from a table: a look-up in the place of an exponential, and the same number in `native/spread.c`. At
 * the middle of its octave a factor is exact; at the ends it is that of an age a third shorter or half as long
 * again. Ages under some 68 minutes count as none, so that a recall asked twice is answered alike.
 */
import { assert } from "../base/assert.ts";

/** Factors by the octave of the age: 2^0 to 2^31 seconds. */
export const AGE_OCTAVES = 32;
/** Octaves below do not count: 2^12 seconds. */
const FADES_FROM_OCTAVE = 12;

/** Factors for a half-life; all 1 for an infinite one. */
export function bindingDecayTable(halfLifeSeconds: number): Float64Array {
  assert(halfLifeSeconds > 0, "a half-life is above 0");
  return Float64Array.from({ length: AGE_OCTAVES }, (_, octave) =>
    octave < FADES_FROM_OCTAVE ? 1 : 2 ** -((1.5 * 2 ** octave) / halfLifeSeconds),
  );
}

/**
 * @param lastUsedSeconds since the epoch; 0 for a binding without a time, which does not fade
 * @returns rounded to f32, as strengths are kept
 */
export function strengthNow(
  strength: number,
  lastUsedSeconds: number,
  nowSeconds: number,
  table: Float64Array,
): number {
  if (lastUsedSeconds === 0 || lastUsedSeconds >= nowSeconds) return strength;
  const octave = 31 - Math.clz32(nowSeconds - lastUsedSeconds);
  return Math.fround(strength * table[octave]!);
}
