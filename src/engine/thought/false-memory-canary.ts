/**
 * A canary for false memory: whether a space takes for an experience what it only knows from many.
 *
 * The prototype of what was met is taken for old though it never was (Posner & Keele 1968), as the critical lure of a
 * list is (Deese 1959; Roediger & McDermott 1995). Here the prototypes are at hand: a concept is the centroid of its
 * members and no member itself. So, for some concepts of a space, in turn:
 *
 *   studied     the embedding of one of its members, met once
 *   lure        the embedding of the concept, never met
 *   unrelated   the lure's numbers in another order: as long, as spread, and about nothing
 *
 * Each is put to the same recognition that clients are answered with. Nothing is stored, and nothing is strengthened.
 */
import { Random } from "../../base/random.ts";
import { dPrime, recognise } from "../../cognition/recognition.ts";
import { BINDING_KIND } from "../../layout/binding.ts";
import { NODE_KIND } from "../../layout/node-header.ts";
import { BindingList } from "../mind/binding-reader.ts";
import type { Forgetting } from "../space-forgetting.ts";
import type { SpaceReader } from "../space-reader.ts";
import type { FamiliarityProbe } from "./familiarity-probe.ts";

/** Concepts looked at in one space: their mean is known to a few hundredths. */
const CONCEPTS_MAX = 32;

export type FalseMemoryFigures = {
  readonly concepts: number;
  /** mean probability with which members are taken for old */
  readonly hits: number;
  /** the same of lures: the false-memory rate */
  readonly falseAlarms: number;
  readonly unrelated: number;
  /** of members against lures */
  readonly dPrime: number;
};

export class FalseMemoryCanary {
  readonly #probe: FamiliarityProbe;
  readonly #list = new BindingList();

  constructor(probe: FamiliarityProbe) {
    this.#probe = probe;
  }

  /** To be called inside an epoch. @returns undefined where the space has no concept to ask about */
  run(
    reader: SpaceReader,
    options: {
      readonly ef: number;
      readonly atMs: number;
      readonly forgetting: Forgetting | undefined;
      readonly seed: number;
    },
  ): FalseMemoryFigures | undefined {
    const random = new Random(options.seed);
    const concepts = this.#conceptsOf(reader, random);
    if (concepts.length === 0) return undefined;
    let [hits, falseAlarms, unrelated] = [0, 0, 0];
    for (const { concept, member } of concepts) {
      const lure = vectorOf(reader, concept);
      hits += this.#probability(reader, vectorOf(reader, member), options);
      falseAlarms += this.#probability(reader, lure, options);
      unrelated += this.#probability(reader, shuffled(lure, random), options);
    }
    const count = concepts.length;
    const [hitShare, lureShare] = [hits / count, falseAlarms / count];
    return {
      concepts: count,
      hits: hitShare,
      falseAlarms: lureShare,
      unrelated: unrelated / count,
      dPrime: dPrime({ share: hitShare, count }, { share: lureShare, count }),
    };
  }

  #probability(
    reader: SpaceReader,
    vector: Float32Array,
    options: { readonly ef: number; readonly atMs: number; readonly forgetting: Forgetting | undefined },
  ): number {
    const { traces, unrelatedSimilarity } = this.#probe.run(reader, vector, options);
    return recognise(
      traces.map(({ similarity, retention }) => ({ similarity, retention, isSame: false })),
      unrelatedSimilarity,
    ).probability;
  }

  /** Some concepts, each with one of its members, taken by chance. */
  #conceptsOf(reader: SpaceReader, random: Random): { readonly concept: number; readonly member: number }[] {
    if (reader.root.load("conceptCount") === 0) return [];
    const nodeCount = reader.root.load("nodeCount");
    const found: number[] = [];
    for (let slot = 0; slot < nodeCount; slot++) {
      if (reader.kind(slot) === NODE_KIND.concept && reader.isLive(slot) && reader.hasVector(slot))
        found.push(slot);
    }
    random.shuffle(found);
    const chosen: { concept: number; member: number }[] = [];
    for (const concept of found) {
      if (chosen.length === CONCEPTS_MAX) break;
      const members = this.#membersOf(reader, concept, nodeCount);
      if (members.length > 0) chosen.push({ concept, member: members[random.below(members.length)]! });
    }
    return chosen;
  }

  #membersOf(reader: SpaceReader, concept: number, nodeCount: number): number[] {
    const list = this.#list;
    const count = reader.bindings.read(concept, nodeCount, list);
    const members: number[] = [];
    for (let i = 0; i < count; i++) {
      const slot = list.targets[i]!;
      if (list.kinds[i] !== BINDING_KIND.member || reader.kind(slot) === NODE_KIND.concept) continue;
      if (reader.isLive(slot) && reader.hasVector(slot)) members.push(slot);
    }
    return members;
  }
}

function vectorOf(reader: SpaceReader, slot: number): Float32Array {
  const vector = new Float32Array(reader.dimensions);
  reader.vectors.readInto(slot, new Uint8Array(vector.buffer), vector.byteLength);
  return vector;
}

function shuffled(vector: Float32Array, random: Random): Float32Array {
  const order = Array.from(vector);
  random.shuffle(order);
  return Float32Array.from(order);
}
