/**
 * What using two memories together does to the binding between them: Hebb's rule (Hebb 1949) in the bounded form of
 * Rescorla & Wagner 1972, ΔV = α (λ - V) with λ = 1: the weaker it was, the more it gains, and it never passes 1.
 *
 * A pure function: the home writer calls it and logs the result.
 */

/** α: the share of what is missing to 1 that one use adds. */
export const CO_USE_ALPHA = 0.05;

/** @param strength 0 to 1 */
export function strengthAfterUse(strength: number): number {
  return Math.min(1, strength + CO_USE_ALPHA * (1 - strength));
}
