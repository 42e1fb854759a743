/**
 * Concepts beside the memories of a recall, and how much of it rests on which store.
 *
 * They come in a field of their own: a client that asks for ten memories wants ten, and the gist of twenty it has not
 * asked for says something else than one of them. Those that the search by vector met are taken; a recall by words
 * takes the concepts that its best memories belong to. `kinds: ["concept"]` asks for concepts as memories.
 *
 * The blend (`complementary-learning.ts`) weighs every memory answered by its two traces, and the concepts by
 * their scores. Where a space has no concepts there is nothing to tell. Run inside the epoch of the recall.
 */
import { BlendSum } from "../../cognition/complementary-learning.ts";
import type { ConceptCache } from "../consolidation/concept-cache.ts";
import { readConcept } from "../consolidation/concept-desk.ts";
import { membershipOf } from "../consolidation/members.ts";
import type { RecalledConcept, RecallQuery } from "../engine.ts";
import type { EngineSettings } from "../engine-settings.ts";
import { scoreOfCosine } from "./fuse.ts";
import type { RecallWork } from "./recall-work.ts";

/** A blend, and the concepts; what a recall answers beside its memories. */
export type ConceptAnswer = {
  readonly concepts: readonly RecalledConcept[];
  readonly memorySystems: { readonly fast: number; readonly slow: number } | undefined;
};

export const CONCEPTS_DEFAULT = 3;
export const CONCEPTS_MAX = 16;
/** Members cited of each. */
const CITED_MAX = 3;
const HOUR_MS = 3_600_000;

/** How many concepts a recall wants beside; none where it filters, since a concept is of no tag and no time. */
export function conceptsWanted(query: RecallQuery, filter: Uint8Array | undefined): number {
  return filter === undefined ? Math.min(query.concepts ?? CONCEPTS_DEFAULT, CONCEPTS_MAX) : 0;
}

/** @returns undefined where the space has no concepts, or the recall wants none */
export function conceptAnswerOf(
  work: RecallWork,
  { rates }: Pick<EngineSettings, "rates">,
  cache: ConceptCache,
): ConceptAnswer | undefined {
  const { reader, plan, candidates, search, nodeCount, atMs } = work;
  const wanted = conceptsWanted(plan.query, work.filter);
  if (wanted === 0 || reader.root.load("conceptCount") === 0) return undefined;
  const { slots, scores, answered } = candidates;
  const found = new Map<number, number>();
  for (const { slot, similarity } of search.conceptsMet(wanted)) found.set(slot, scoreOfCosine(similarity));
  const sum = new BlendSum(rates);
  for (const candidate of answered) {
    const slot = slots[candidate]!;
    const score = scores[candidate]!;
    const membership = membershipOf(reader, slot, nodeCount);
    const likeness = membership?.likeness ?? 0;
    sum.add({ score, isConcept: false, ageHours: (atMs - reader.timestampMs(slot)) / HOUR_MS, likeness });
    if (plan.vector !== undefined || membership === undefined) continue;
    found.set(membership.concept, Math.max(found.get(membership.concept) ?? 0, score * likeness));
  }
  const concepts: RecalledConcept[] = [];
  for (const [slot, score] of [...found].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, wanted)) {
    if (!(score > 0) || !reader.isLive(slot)) continue;
    concepts.push({
      concept: cache.get(reader, slot, () => readConcept(reader, slot, nodeCount, CITED_MAX)),
      score,
    });
    sum.add({ score, isConcept: true, ageHours: 0, likeness: 0 });
  }
  return { concepts, memorySystems: sum.blend() };
}
