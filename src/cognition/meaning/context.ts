/**
 * What stands around a text belongs to what its words mean.
 *
 * A word is known by the company it keeps (Firth 1957), and in what people tell, that company does not end with
 * the message: an answer says what the question was about. So a text is learned from together with those stored
 * just before and after it, which fade with distance (the drifting context of M. W. Howard and M. J. Kahana, "A
 * distributed representation of temporal context", Journal of Mathematical Psychology 46, 2002, with their ρ):
 *
 *   context(i) = text(i) + 0.4 g · Σ_d ρ^d · (text(i − d) + text(i + d)),    d = 1 … WIDTH
 *
 * Where neighbours have nothing to do with each other (a list, several writers at once), their company says
 * nothing and mixing it in does harm. So g is measured: how much more alike neighbours are than texts drawn at
 * random. In three conversations neighbours are four to five times as alike, and g is 1; in manual pages they
 * are no more alike than others, and g is 0. Neighbours at full part (in place of 0.4) in conversations put in a random
 * order made their recall@10 fall from 66.7 to 60.4. In their own order full part finds a point less by meaning
 * alone, in the conversations as in Perl's messages, and repeats what activation finds along bindings.
 */
import type { Random } from "../../base/random.ts";
import type { TextMatrix } from "./text-matrix.ts";

/** ρ: what is left of a text's part in the context of one a step further away. */
export const RHO = 0.7;
export const WIDTH = 2;
/** What g = 1 makes of a neighbour's part. */
const SHARE = 0.4;
/** Neighbours this much more alike than others (the excess, in units of the others' likeness) give g = 1. */
const EXCESS_FULL = 2;
const PAIRS_MAX = 2000;
/** Fewer pairs than this measure nothing. */
const PAIRS_MIN = 32;

/** How neighbours are mixed in, by distance from 1: 0.4 g · ρ^d. */
export type ContextWeights = Float32Array;

export function contextWeights(gain: number): ContextWeights {
  return Float32Array.from({ length: WIDTH }, (_, i) => SHARE * gain * RHO ** (i + 1));
}

/** g, 0 to 1: whether neighbours speak of the same things. */
export function contextGain(matrix: TextMatrix, random: Random): number {
  const { textCount, runs } = matrix;
  if (textCount <= PAIRS_MIN) return 0;
  const dense = new Float32Array(matrix.termCount);
  const step = Math.max(1, Math.floor(textCount / PAIRS_MAX));
  let neighbours = 0;
  let neighbourPairs = 0;
  let others = 0;
  let otherPairs = 0;
  for (let text = 0; text + 1 < textCount; text += step) {
    spread(matrix, text, dense);
    if (runs[text] === runs[text + 1]) {
      neighbours += product(matrix, text + 1, dense);
      neighbourPairs += 1;
    }
    const other = random.below(textCount);
    if (Math.abs(other - text) > 2 * WIDTH) {
      others += product(matrix, other, dense);
      otherPairs += 1;
    }
    clear(matrix, text, dense);
  }
  if (neighbourPairs < PAIRS_MIN || otherPairs < PAIRS_MIN) return 0;
  const likeness = others / otherPairs;
  const excess = neighbours / neighbourPairs - likeness;
  return Math.min(1, Math.max(0, excess / Math.max(1e-6, EXCESS_FULL * likeness)));
}

/** 1 / length of the context of each text from `from` on, into `inverses`. */
export function contextLengths(
  matrix: TextMatrix,
  context: ContextWeights,
  from: number,
  to: number,
  inverses: Float32Array,
): void {
  const dense = denseScratch(matrix.termCount);
  const { textCount, runs, starts, terms, weights } = matrix;
  for (let text = from; text < to; text++) {
    const first = Math.max(0, text - context.length);
    const last = Math.min(textCount - 1, text + context.length);
    let squared = 0;
    for (let near = first; near <= last; near++) {
      if (runs[near] !== runs[text]) continue;
      const share = near === text ? 1 : context[Math.abs(near - text) - 1]!;
      for (let at = starts[near]!; at < starts[near + 1]!; at++) {
        const before = dense[terms[at]!]!;
        const after = before + share * weights[at]!;
        squared += after * after - before * before;
        dense[terms[at]!] = after;
      }
    }
    for (let near = first; near <= last; near++) clear(matrix, near, dense);
    inverses[text] = squared > 1e-12 ? 1 / Math.sqrt(squared) : 0;
  }
}

let scratch = new Float32Array(0);

/** Zeroes for `length` terms; whoever fills them clears them. */
function denseScratch(length: number): Float32Array {
  if (scratch.length < length) scratch = new Float32Array(length);
  return scratch;
}

function spread({ starts, terms, weights }: TextMatrix, text: number, dense: Float32Array): void {
  for (let at = starts[text]!; at < starts[text + 1]!; at++) dense[terms[at]!] = weights[at]!;
}

function clear({ starts, terms }: TextMatrix, text: number, dense: Float32Array): void {
  for (let at = starts[text]!; at < starts[text + 1]!; at++) dense[terms[at]!] = 0;
}

function product({ starts, terms, weights }: TextMatrix, text: number, dense: Float32Array): number {
  let sum = 0;
  for (let at = starts[text]!; at < starts[text + 1]!; at++) sum += weights[at]! * dense[terms[at]!]!;
  return sum;
}
