/**
 * A loop whose speed says how fast a core is right now: figures of two machines, or of one machine on two days, are
 * held against each other as ratios to it. Whole numbers, dependent on each other, in first-level cache.
 */
const TURNS = 200_000;
const ROUNDS = 15;

/** Turns a millisecond: the median of some rounds of about a millisecond. */
export function referencePerMs(nowMs: () => number): number {
  const words = new Uint32Array(4096);
  const found: number[] = [];
  let carry = 1;
  for (let round = 0; round < ROUNDS; round++) {
    const startedMs = nowMs();
    for (let turn = 0; turn < TURNS; turn++) {
      carry = (Math.imul(carry, 1_664_525) + 1_013_904_223 + words[carry >>> 20]!) | 0;
      words[turn & 4095] = carry;
    }
    found.push(TURNS / (nowMs() - startedMs));
  }
  return found.sort((a, b) => a - b)[ROUNDS >> 1]!;
}
