/**
 * The stage of a recall in which activation spreads: from the best candidates along bindings, and into the scores.
 *
 *   start      (score of a seed / best score)³, so that a clear best candidate leads, and ten equals lead alike
 *   hybrid     score / best + weight · what arrived; a memory that only activation reached becomes a candidate
 *   spreading  start + weight · what arrived, and nothing for what activation did not touch
 *
 * What a space's words were learned to mean brings up some of what belongs together by itself, so activation's weight
 * shrinks by the share that meaning has in the fusion: at full weight beside it, 1.5 points of recall@10 were lost.
 *
 * The best memory keeps the score the best one had: how well the query is matched in absolute terms is not for
 * activation to say. `bench/retrieval/association.ts` measures what it earns.
 */
import type { ActivationReport, RecallQuery } from "../engine.ts";
import type { EngineMeter } from "../meters.ts";
import type { SpaceReader } from "../space-reader.ts";
import { type ActivationSettings, activationOf } from "./activation-settings.ts";
import type { Candidates, ExplainedWhy, RecallStage, RecallWork } from "./recall-work.ts";
import { SEEDS_MAX, Spreader } from "./spreader.ts";

const START_POWER = 3;
/** Memories that only activation reached, taken into the recall at most. */
const REACHED_MAX = 1024;

export class ActivationStage implements RecallStage {
  readonly #settings: ActivationSettings;
  readonly #spreader: Spreader;
  readonly #seeds = {
    count: 0,
    slots: new Uint32Array(SEEDS_MAX),
    activations: new Float64Array(SEEDS_MAX),
  };
  readonly #reached = new Uint32Array(REACHED_MAX);
  /** what the last recall's activation did; undefined where none spread */
  report: ActivationReport | undefined;

  constructor(settings: ActivationSettings, meter: EngineMeter) {
    this.#settings = settings;
    this.#spreader = new Spreader(settings, meter);
  }

  /** Whether activation will spread in a hybrid recall that finds something. */
  spreadsIn({ root }: SpaceReader, { activation }: RecallQuery): boolean {
    const { hops } = activationOf(this.#settings, activation);
    return this.#settings.enabled && hops > 0 && root.load("bindingCount") > 0;
  }

  run(work: RecallWork): void {
    this.report = undefined;
    const { plan, candidates, reader } = work;
    const asked = activationOf(this.#settings, plan.query.activation);
    const isSpreading = plan.query.mode === "spreading";
    if (!(isSpreading || plan.query.mode === "hybrid") || candidates.count === 0) return;
    if (!this.#settings.enabled || asked.hops === 0) return;
    const hasBindings = reader.root.load("bindingCount") > 0;
    if (!hasBindings && !isSpreading) return;
    const best = candidates.best(Math.max(asked.seeds, plan.query.limit));
    const top = candidates.scores[best[0]!]!;
    if (!(top > 0)) return;
    this.#sow(candidates, best, top, asked.seeds);
    if (hasBindings) this.report = this.#spreader.spread(reader, this.#seeds, asked, work);
    this.#score(work, { best, top, asked, isSpreading, hasBindings });
  }

  explain(work: RecallWork, candidate: number, why: ExplainedWhy): void {
    if (this.report === undefined) return;
    const { result } = this.#spreader;
    const slot = work.candidates.slots[candidate]!;
    const node = result.slots.subarray(0, result.count).indexOf(slot);
    if (node < 0 || !this.#spreader.isReached(node)) return;
    const path = this.#spreader.path(work.reader, node);
    why.activation = { received: result.received[node]!, path };
  }

  /** Fills in the seeds: the best candidates that have a score. */
  #sow(candidates: Candidates, best: readonly number[], top: number, seedsMax: number): void {
    const seeds = this.#seeds;
    seeds.count = 0;
    for (let i = 0; i < best.length && seeds.count < Math.min(seedsMax, SEEDS_MAX); i++) {
      const score = candidates.scores[best[i]!]!;
      if (!(score > 0)) break;
      seeds.slots[seeds.count] = candidates.slots[best[i]!]!;
      seeds.activations[seeds.count] = (score / top) ** START_POWER;
      seeds.count += 1;
    }
  }

  /** Puts what arrived into the scores, in units of the best one, and takes in what was reached. */
  #score(
    work: RecallWork,
    facts: {
      readonly best: readonly number[];
      readonly top: number;
      readonly asked: ActivationSettings;
      readonly isSpreading: boolean;
      readonly hasBindings: boolean;
    },
  ): void {
    const { candidates, plan } = work;
    const { scores } = candidates;
    const { best, top, asked, isSpreading, hasBindings } = facts;
    const last = best[plan.query.limit - 1];
    // What stays below the last that will be answered can not be answered either, whoever said it.
    const floor = last === undefined || isSpreading ? 0 : scores[last]! / top / (1 + asked.speakerWeight);
    if (isSpreading) this.#keepSeeds(candidates);
    else for (let i = 0; i < candidates.count; i++) scores[i]! /= top;
    if (hasBindings) this.#takeIn(work, asked.weight * (1 - work.weights.meaning), floor);
    if (isSpreading) {
      for (let i = 0; i < candidates.count; i++) if (!(scores[i]! > 0)) candidates.drop(i);
    }
    candidates.rescale(top);
  }

  /** In spreading mode a candidate counts for what it started with, and not at all where it started with nothing. */
  #keepSeeds(candidates: Candidates): void {
    const { count, slots, activations } = this.#seeds;
    candidates.scores.fill(0, 0, candidates.count);
    for (let i = 0; i < count; i++) candidates.scores[candidates.placeOf(slots[i]!)] = activations[i]!;
  }

  #takeIn(work: RecallWork, weight: number, floor: number): void {
    const { candidates, search } = work;
    const { result } = this.#spreader;
    let reached = 0;
    for (let node = 0; node < result.count; node++) {
      const level = weight * result.received[node]!;
      if (!(level > 0)) continue;
      const at = candidates.placeOf(result.slots[node]!);
      if (at >= 0) candidates.scores[at]! += level;
      else if (level >= floor && reached < REACHED_MAX) this.#reached[reached++] = node;
    }
    if (reached === 0) return;
    const slots = Uint32Array.from(this.#reached.subarray(0, reached), (node) => result.slots[node]!);
    const passes = work.filter === undefined ? undefined : search.passing(slots, reached, work);
    const from = candidates.count;
    for (let i = 0; i < reached; i++) {
      if (passes !== undefined && passes[i] === 0) continue;
      const at = candidates.add(slots[i]!);
      candidates.bm25[at] = search.bm25(slots[i]!);
      candidates.scores[at] = weight * result.received[this.#reached[i]!]!;
    }
    if (work.plan.query.explain === true) search.compareFrom(from, work.plan, work.graph, candidates);
  }
}
