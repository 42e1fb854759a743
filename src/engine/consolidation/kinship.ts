/**
 * Who is alike in a space, by the one measure of `concept-formation.ts`: the cut above chance, the concept each
 * memory would join, and the concepts that are one. Used inside an epoch.
 */
import { CentroidMover, pairSimilarity, type Spread } from "../../cognition/centroid.ts";
import {
  ConceptFormer,
  type ConceptProposal,
  type FormationRules,
  formationCut,
} from "../../cognition/concept-formation.ts";
import { Rows, similarities } from "../../ffi/centroids.ts";
import type { SpaceReader } from "../space-reader.ts";
import type { ConceptList } from "./concept-list.ts";
import { MEMBERS_MAX } from "./consolidation-rules.ts";
import { isReplayable } from "./replay-batch.ts";

/** Memories that the background is measured by: 33,000 pairs. */
const SAMPLE_MAX = 256;
/** Slots looked at for one of the sample. */
const SAMPLE_TRIES = 8;
/** Memories compared with all concepts at a time. */
const CHUNK = 64;
/** Two concepts become one, and one falls apart, only well beyond the cut, so that none does both in turns. */
const MERGE_ABOVE = 1.1;
const SPLIT_BELOW = 0.8;

export class Kinship {
  readonly mover: CentroidMover;
  readonly #dimensions: number;
  readonly #former: ConceptFormer;
  readonly #rows = new Rows(1024);
  readonly #centroid = new Rows(1);
  #similarities = new Float32Array(0);

  constructor(dimensions: number) {
    this.#dimensions = dimensions;
    this.#former = new ConceptFormer(dimensions);
    this.mover = new CentroidMover(dimensions);
  }

  /** Similarity above chance, from a sample of the space at equal steps. */
  cut(reader: SpaceReader, nodeCount: number, rules: FormationRules, threads: number): number {
    const rows = this.#rows;
    rows.clear();
    const step = Math.max(1, nodeCount / SAMPLE_MAX);
    const tries = Math.min(SAMPLE_TRIES, Math.floor(step));
    for (let at = 0; at < nodeCount && rows.count < SAMPLE_MAX; at += step) {
      const first = Math.floor(at);
      for (let slot = first; slot < first + Math.max(1, tries) && slot < nodeCount; slot++) {
        if (!isReplayable(reader, slot)) continue;
        rows.push(reader.vectors.address(slot));
        break;
      }
    }
    return formationCut(this.#former.background(rows, threads), rules);
  }

  /** For each slot the concept that it joins, or -1; of equals the lower one. */
  conceptsOf(reader: SpaceReader, slots: readonly number[], concepts: ConceptList, cut: number): Int32Array {
    const joined = new Int32Array(slots.length).fill(-1);
    const conceptCount = concepts.slots.length;
    if (conceptCount === 0) return joined;
    const centroids = concepts.rows();
    const coherences = new Float32Array(conceptCount);
    for (const [i, concept] of concepts.slots.entries()) {
      const { coherence, memberCount } = concepts.traits(concept);
      coherences[i] = memberCount < MEMBERS_MAX ? coherence : 0;
    }
    for (let from = 0; from < slots.length; from += CHUNK) {
      const to = Math.min(slots.length, from + CHUNK);
      const found = this.#compare(reader, slots.slice(from, to), centroids);
      for (let i = from; i < to; i++) {
        let most = cut;
        for (let c = 0, at = (i - from) * conceptCount; c < conceptCount; c++, at++) {
          const similarity = found[at]! * coherences[c]!;
          if (similarity < most || (similarity === most && joined[i]! >= 0)) continue;
          most = similarity;
          joined[i] = concepts.slots[c]!;
        }
      }
    }
    return joined;
  }

  /** Groups of memories that make a concept; members are places in `slots`. */
  proposals(
    reader: SpaceReader,
    slots: readonly number[],
    { cut, membersMin, threads }: { cut: number; membersMin: number; threads: number },
  ): ConceptProposal[] {
    const rows = this.#rows;
    rows.clear();
    for (const slot of slots) rows.push(reader.vectors.address(slot));
    return this.#former.form(rows, { cut, membersMin, threads });
  }

  /** The concept that another one is so like that they are one; undefined where there is none. */
  twinOf(reader: SpaceReader, concept: number, concepts: ConceptList, cut: number): number | undefined {
    const { coherence, memberCount } = concepts.traits(concept);
    const found = this.#compare(reader, [concept], concepts.rows());
    let twin: number | undefined;
    let most = cut * MERGE_ABOVE;
    for (const [c, other] of concepts.slots.entries()) {
      if (other === concept) continue;
      const traits = concepts.traits(other);
      if (memberCount + traits.memberCount > MEMBERS_MAX) continue;
      const similarity = found[c]! * coherence * traits.coherence;
      if (similarity < most) continue;
      most = similarity;
      twin = other;
    }
    return twin;
  }

  /** Which of a concept's members have nothing to do with it any more. */
  strangersTo(
    reader: SpaceReader,
    concept: number,
    concepts: ConceptList,
    members: readonly number[],
    cut: number,
  ): boolean[] {
    const { coherence } = concepts.traits(concept);
    this.#centroid.clear();
    this.#centroid.push(reader.vectors.address(concept));
    const found = this.#compare(reader, members, this.#centroid);
    return members.map((_, i) => found[i]! * coherence < cut * SPLIT_BELOW);
  }

  /** Whether the members of a concept are no more alike than strangers. */
  fallsApart(spread: Spread, cut: number): boolean {
    return pairSimilarity(spread) < cut * SPLIT_BELOW;
  }

  #compare(reader: SpaceReader, slots: readonly number[], centroids: Rows): Float32Array {
    const rows = this.#rows;
    rows.clear();
    for (const slot of slots) rows.push(reader.vectors.address(slot));
    const pairs = slots.length * centroids.count;
    if (this.#similarities.length < pairs) this.#similarities = new Float32Array(2 * pairs);
    similarities(rows, centroids, this.#dimensions, this.#similarities);
    return this.#similarities;
  }
}
