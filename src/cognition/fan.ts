/**
 * The fan effect: what a node passes on is divided among all it is bound to (Anderson 1974).
 *
 * Anderson's subjects took longer to recognise "the hippie is in the park" the more they knew of hippies or
 * of parks. Here activation is divided by √fan-out, between the whole share of a node with one binding and
 * Anderson's 1/fan, so that a memory with a hundred bindings still passes on a tenth. Response times follow
 * from activation as in ACT-R (Anderson & Reder 1999): RT = I + F e^(-A), A = W Σ share over the cues.
 * test/cognition/fan.test.ts holds it against the nine cells of the 1974 table.
 */

/** What each of the bindings of a node gets of its activation. A node without bindings keeps it. */
export function fanShare(activation: number, fanOut: number): number {
  return fanOut <= 1 ? activation : activation / Math.sqrt(fanOut);
}
