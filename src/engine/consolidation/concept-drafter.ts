/**
 * Writes down what a concept now is: one compound with its node, its figures, its bindings to new members, and the
 * phases that these members come into. Applied as a whole or not at all, so no crash leaves a concept without its
 * members, or members bound to what is not there. Used inside an epoch.
 */
import { ptr } from "bun:ffi";
import type { Hash64 } from "../../base/hash64.ts";
import { type LearningRates, phaseAfterReplay } from "../../cognition/complementary-learning.ts";
import { type GistWord, gistOf } from "../../cognition/gist.ts";
import { Rows, similarities } from "../../ffi/centroids.ts";
import { inverseDocumentFrequency } from "../../index/bm25.ts";
import { analyseWords } from "../../language/analyse.ts";
import { BINDING_KIND } from "../../layout/binding.ts";
import { NODE_PHASE } from "../../layout/node-header.ts";
import type { CompoundBuilder } from "../mind/compound.ts";
import { type NodeTraits, TRAITS_AT_BIRTH } from "../mind/traits-record.ts";
import type { SpaceReader } from "../space-reader.ts";
import { hashText, PayloadEncoder } from "../write-codec.ts";
import { MEMBERS_MAX } from "./consolidation-rules.ts";
import type { Replay } from "./replay-batch.ts";

/** What a concept is to be. */
export type ConceptDraft = {
  readonly id: string;
  /** whether there is one of this id already */
  readonly replaces: boolean;
  /** unit vector */
  readonly direction: Float32Array;
  readonly coherence: number;
  /** all of them */
  readonly members: readonly Replay[];
  /** those that are not bound to it yet */
  readonly joining: readonly Replay[];
};

/** Members whose words the gist is made from, the most central ones. */
const GIST_MEMBERS = 12;

export class ConceptDrafter {
  readonly #rates: LearningRates;
  readonly #encoder = new PayloadEncoder();
  readonly #rows = new Rows(MEMBERS_MAX);
  readonly #centroid = new Rows(1);
  readonly #likenesses = new Float32Array(MEMBERS_MAX);
  readonly #traits: NodeTraits = { ...TRAITS_AT_BIRTH };

  constructor(rates: LearningRates) {
    this.#rates = rates;
  }

  /** Adds a concept to a compound. @returns how many of its new members came into each phase */
  write(reader: SpaceReader, draft: ConceptDraft, nowMs: number, compound: CompoundBuilder): number[] {
    const { id, replaces, direction, coherence, members, joining } = draft;
    const likeness = this.#likenessesOf(reader, members, direction);
    const figures = this.#figuresOf(reader, members);
    const gist = gistFrom(
      reader,
      [...members].sort((a, b) => likeness.get(b.slot)! - likeness.get(a.slot)! || a.slot - b.slot),
    );
    compound.remember(
      this.#encoder.remember({
        id,
        content: gist.text,
        metadataJson: undefined,
        detailsJson: JSON.stringify({ terms: gist.terms }),
        tags: [],
        timestampMs: figures.timestampMs,
        storedAtMs: nowMs,
        confidence: figures.confidence,
        vector: direction,
        norm: 1,
        replaces,
        kind: "concept",
        importance: figures.importance,
        valence: figures.valence,
      }),
    );
    const node: Hash64 = { low: 0, high: 0 };
    hashText(id, node);
    compound.traits(node, { coherence, memberCount: members.length });
    const reached = [0, 0, 0];
    for (const member of joining) {
      const strength = Math.min(1, Math.max(MEMBER_STRENGTH_MIN, likeness.get(member.slot)!));
      compound.bind({
        source: node,
        destination: member.node,
        kind: BINDING_KIND.member,
        strength,
        lastUsedSeconds: Math.floor(nowMs / 1000),
        useCount: 0,
      });
      const phase = phaseAfterReplay({ ...member, likeness: strength }, this.#rates);
      if (phase === member.phase) continue;
      compound.traits(member.node, { phase });
      reached[phase]! += 1;
    }
    return reached;
  }

  /** Adds that a concept is no more, and that its members belong to none. */
  retire(id: string, members: readonly Replay[], compound: CompoundBuilder): void {
    compound.forget(this.#encoder.forget(id));
    for (const { node, phase } of members) {
      if (phase === NODE_PHASE.remote) compound.traits(node, { phase: NODE_PHASE.consolidating });
    }
  }

  /** Adds that memories belong to a concept no more. */
  unbind(concept: Hash64, members: readonly Replay[], compound: CompoundBuilder): void {
    for (const { node, phase } of members) {
      compound.bind({
        source: concept,
        destination: node,
        kind: BINDING_KIND.member,
        strength: 0,
        lastUsedSeconds: 0,
        useCount: 0,
      });
      if (phase !== NODE_PHASE.consolidating) compound.traits(node, { phase: NODE_PHASE.consolidating });
    }
  }

  #likenessesOf(
    reader: SpaceReader,
    members: readonly Replay[],
    direction: Float32Array,
  ): Map<number, number> {
    this.#rows.clear();
    for (const { slot } of members) this.#rows.push(reader.vectors.address(slot));
    this.#centroid.clear();
    this.#centroid.push(ptr(direction));
    similarities(this.#rows, this.#centroid, direction.length, this.#likenesses);
    return new Map(members.map(({ slot }, i) => [slot, this.#likenesses[i]!]));
  }

  /** A concept is as recent as its newest member, as important as its most important one, and as sure as all. */
  #figuresOf(reader: SpaceReader, members: readonly Replay[]) {
    let timestampMs = 0;
    let importance = 0;
    let confidence = 0;
    let valence = 0;
    for (const { slot } of members) {
      const traits = reader.traits(slot, this.#traits);
      timestampMs = Math.max(timestampMs, reader.timestampMs(slot));
      importance = Math.max(importance, traits.importance);
      valence += traits.valence / members.length;
      confidence += reader.confidence(slot) / members.length;
    }
    return { timestampMs, importance, confidence: Math.min(1, confidence), valence };
  }
}

/** A binding of strength 0 would be none. */
const MEMBER_STRENGTH_MIN = 0.001;

/** @param members the most central one first */
function gistFrom(reader: SpaceReader, members: readonly Replay[]) {
  const { language, root, words } = reader;
  const memoryCount = root.load("liveCount");
  const idfs = new Map<string, number>();
  let central = "";
  const texts = members.slice(0, GIST_MEMBERS).map(({ slot }, i): GistWord[] => {
    const { content } = reader.memory(slot);
    if (i === 0) central = content;
    const found: GistWord[] = [];
    for (const { surface, term, lo, hi } of analyseWords(content, language)) {
      if (term === undefined) continue;
      found.push({ surface, term });
      if (!idfs.has(term)) {
        const withTermCount = words.liveCount(lo, hi);
        idfs.set(term, inverseDocumentFrequency({ memoryCount, withTermCount }));
      }
    }
    return found;
  });
  return gistOf(texts, central, (term) => idfs.get(term) ?? 0);
}
