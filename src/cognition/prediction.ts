/**
 * Prediction: what followed when something like this happened before.
 *
 * The context of an episode is bound to what came after it (temporal context: Howard & Kahana 2002), so a situation
 * that brings a context back brings its successors with it; summed over the situations that resemble the present one,
 * weighted by how much, this is one step of a successor representation (Dayan 1993; Gershman et al. 2012). A cause
 * points further than mere order does.
 */

/** Weight of a successor by what binds it to the situation. */
export const SUCCESSION: Readonly<Record<"cause" | "temporal" | "session", number>> = {
  cause: 1,
  temporal: 0.7,
  session: 0.3,
};

export type Succession = {
  /** of the situation that was met before */
  readonly situation: string;
  /** how much that situation resembles the present one, 0 to 1 */
  readonly weight: number;
  /** of what came after */
  readonly successor: string;
  readonly by: "cause" | "temporal" | "session";
  /** of the binding, 0 to 1 */
  readonly strength: number;
  readonly delayMs: number;
};

export type Predicted = {
  readonly id: string;
  /** share of the evidence that points to it, 0 to 1 */
  readonly probability: number;
  /** after the situation: mean over the evidence, by its weight */
  readonly delayMs: number;
  /** ids of the situations it followed, heaviest first */
  readonly evidence: readonly string[];
  readonly by: readonly Succession["by"][];
};

/** @param withinMs what followed later does not count, and what followed soon counts for more (halved at half of it) */
export function predictSuccessors(
  successions: readonly Succession[],
  withinMs: number,
  limit: number,
): Predicted[] {
  type Sum = { mass: number; delay: number; evidence: Map<string, number>; by: Set<Succession["by"]> };
  const sums = new Map<string, Sum>();
  let total = 0;
  for (const { situation, weight, successor, by, strength, delayMs } of successions) {
    if (delayMs < 0 || delayMs > withinMs) continue;
    const mass = weight * strength * SUCCESSION[by] * 2 ** ((-2 * delayMs) / withinMs);
    const sum = sums.get(successor) ?? { mass: 0, delay: 0, evidence: new Map(), by: new Set() };
    sum.mass += mass;
    sum.delay += mass * delayMs;
    sum.evidence.set(situation, (sum.evidence.get(situation) ?? 0) + mass);
    sum.by.add(by);
    sums.set(successor, sum);
    total += mass;
  }
  if (total === 0) return [];
  return [...sums]
    .sort(([idA, a], [idB, b]) => b.mass - a.mass || (idA < idB ? -1 : 1))
    .slice(0, limit)
    .map(([id, { mass, delay, evidence, by }]) => ({
      id,
      probability: mass / total,
      delayMs: delay / mass,
      evidence: [...evidence].sort((a, b) => b[1] - a[1]).map(([situation]) => situation),
      by: [...by],
    }));
}
