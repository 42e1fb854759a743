/**
 * What is done with a learned meaning: texts are given vectors through it, and it is given a weight.
 *
 * A text's vector is the sum of its terms' vectors, each times its gain and tf' (folding in: Deerwester et al.
 * 1990), at length 1. So a text that came after the learning has one at once, and so has a query.
 */
import { assert } from "../../base/assert.ts";
import type { LearnedMeaning } from "./learn.ts";
import { occurrenceWeight } from "./text-matrix.ts";

/** The most meaning may weigh beside words and hashed vectors, by what its text gave it to learn from. */
const SHARE_ALONE = 0.3;
const SHARE_IN_CONTEXT = 0.6;
/** Where activation spreads to the neighbours as well, which know the context better than its words do. */
const SHARE_WITH_ACTIVATION = 0.25;

/**
 * How much of a recall's score meaning may make up.
 *
 * Where texts stand in the context of their neighbours it has seen company that no single text shows: 0.6 is
 * best for each of four texts when chosen on the other three. Learned from texts one by one it repeats more of what
 * the words say, and beyond 0.3 the conversations lose (bench/retrieval/meaning.ts). Where activation carries scores
 * to neighbouring memories, it brings the context by itself: over HTTP the conversations are found to 75.5 with 0.25,
 * 74.3 with 0.6 and as much without meaning (bench/retrieval/retrieval.bench.ts).
 */
export function meaningShare(contextGain: number, isActivated: boolean): number {
  assert(contextGain >= 0 && contextGain <= 1, "a gain is 0 to 1");
  if (isActivated) return SHARE_WITH_ACTIVATION;
  return SHARE_ALONE + (SHARE_IN_CONTEXT - SHARE_ALONE) * contextGain;
}

export type FoldedTerm = { readonly term: number; readonly occurrences: number };

/** A text's vector, at length 1; zeros where none of its terms is known. */
export function foldText(
  { dimensions, vectors }: Pick<LearnedMeaning, "dimensions" | "vectors">,
  gains: Float32Array,
  terms: Iterable<FoldedTerm>,
): Float32Array {
  const sum = new Float64Array(dimensions);
  for (const { term, occurrences } of terms) {
    const weight = gains[term]! * occurrenceWeight(occurrences);
    for (let i = 0; i < dimensions; i++) sum[i]! += weight * vectors[term * dimensions + i]!;
  }
  let squared = 0;
  for (let i = 0; i < dimensions; i++) squared += sum[i]! ** 2;
  const scale = squared > 1e-12 ? 1 / Math.sqrt(squared) : 0;
  return Float32Array.from(sum, (value) => value * scale);
}
