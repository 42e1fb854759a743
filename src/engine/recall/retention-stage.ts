/**
 * Retention in recall: what is left of a memory, by age, use and half-life, lowers its score by a bounded part.
 *
 *   score · (1 - weight · (1 - retention))
 *
 * With a weight of 0.15, a memory of which nothing is left still has 85 % of what its text earned: relevance leads,
 * and age and use decide between what fits about as well. A recall may leave out what has faded below the floor.
 */
import { HOUR_MS } from "../../cognition/forgetting.ts";
import type { EngineSettings } from "../engine-settings.ts";
import { forgettingOf } from "../space-forgetting.ts";
import { type ExplainedWhy, isWeighed, type RecallStage, type RecallWork } from "./recall-work.ts";

export class RetentionStage implements RecallStage {
  readonly #settings: Pick<EngineSettings, "forgetting" | "reconsolidation">;

  constructor(settings: Pick<EngineSettings, "forgetting" | "reconsolidation">) {
    this.#settings = settings;
  }

  run(work: RecallWork): void {
    const { reader, plan, candidates, retention, atMs } = work;
    const { slots, scores, count } = candidates;
    const { floor } = this.#settings.forgetting;
    const forgetting = forgettingOf(reader.root, this.#settings.forgetting);
    retention.read(reader.headers, slots, count, { atMs, forgetting });
    const { left } = retention;
    const weight = this.#weightIn(work);
    if (weight > 0) for (let i = 0; i < count; i++) scores[i]! *= factorOf(left[i]!, weight);
    if (plan.query.fading !== "exclude") return;
    for (let i = 0; i < count; i++) if (left[i]! < floor) candidates.drop(i);
  }

  explain(work: RecallWork, candidate: number, why: ExplainedWhy): void {
    const { retention, atMs } = work;
    const { left, ages, stabilities, useCounts, isRewound } = retention;
    const retained = left[candidate]!;
    why.strength = {
      retention: retained,
      ageHours: ages[candidate]!,
      stabilityHours: stabilities[candidate]!,
      uses: useCounts[candidate]!,
      factor: factorOf(retained, this.#weightIn(work)),
      ...(isRewound[candidate] === 1 ? { usedSince: true } : {}),
    };
    const { enabled: reconsolidates, windowHours } = this.#settings.reconsolidation;
    const lastUsedMs = retention.lastUsedMs[candidate]!;
    if (!reconsolidates || lastUsedMs === 0) return;
    const untilMs = lastUsedMs + windowHours * HOUR_MS;
    why.reconsolidation = { labile: untilMs > atMs, untilMs };
  }

  #weightIn(work: RecallWork): number {
    const { enabled, weight } = this.#settings.forgetting;
    return enabled && isWeighed(work) ? weight : 0;
  }
}

function factorOf(left: number, weight: number): number {
  return 1 - weight * (1 - left);
}
