/**
 * How sure a share is: the score interval of Wilson 1927, which stays inside 0 to 1 and is honest for few
 * examples and for shares near the ends, where the textbook interval p ± z √(pq/n) is neither
 * (Brown, Cai & DasGupta 2001).
 */
import { assert } from "../base/assert.ts";

/** Of the normal distribution, for 95 % of the cases. */
export const Z_95 = 1.959964;

export type Interval = { readonly low: number; readonly high: number };

/**
 * @param share 0 to 1
 * @param count how many cases it was seen in; a fraction where the cases count for less
 */
export function wilsonInterval(share: number, count: number, z = Z_95): Interval {
  assert(share >= 0 && share <= 1, "a share lies between 0 and 1");
  assert(count >= 0, "a share was seen in some cases, or in none");
  if (count === 0) return { low: 0, high: 1 };
  const square = (z * z) / count;
  const middle = (share + square / 2) / (1 + square);
  const half = (z / (1 + square)) * Math.sqrt((share * (1 - share)) / count + square / (4 * count));
  return { low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}
