/**
 * The stage of a recall that listens to who: a memory counts more when it was said by someone the query names.
 *
 * A cue brings back what was stored together with it (Tulving & Thomson 1973, "Encoding specificity and retrieval
 * processes in episodic memory"), and who said something is stored with it. Words alone can not tell: "Hey John"
 * says John's name, and is said by the other one.
 */
import { nameWords } from "../../language/speaker.ts";
import type { SpaceReader } from "../space-reader.ts";
import { type ActivationSettings, activationOf } from "./activation-settings.ts";
import type { ExplainedWhy, RecallStage, RecallWork } from "./recall-work.ts";
import { SpeakerNames, speakerMatcher } from "./speaker-names.ts";

export class SpeakerStage implements RecallStage {
  readonly #settings: ActivationSettings;
  readonly #names = new WeakMap<SpaceReader, SpeakerNames>();

  constructor(settings: ActivationSettings) {
    this.#settings = settings;
  }

  run(work: RecallWork): void {
    const { candidates, plan, reader } = work;
    const { scores, slots } = candidates;
    const weight = this.#weight(work);
    if (weight === 0 || candidates.count === 0) return;
    const { limit } = plan.query;
    const best = candidates.best(limit);
    const top = scores[best[0]!]!;
    // Whoever said it, what is not within the weight of the last one answered stays behind it.
    const floor = best.length < limit ? 0 : scores[best[limit - 1]!]! / (1 + weight);
    const names = this.#namesOf(reader);
    const isNamed = speakerMatcher(nameWords(plan.query.query!));
    for (let candidate = 0; candidate < candidates.count; candidate++) {
      if (!(scores[candidate]! > 0) || scores[candidate]! < floor) continue;
      const speaker = names.of(reader, slots[candidate]!);
      if (speaker !== undefined && isNamed(speaker)) scores[candidate]! *= 1 + weight;
    }
    candidates.rescale(top);
  }

  explain(work: RecallWork, candidate: number, why: ExplainedWhy): void {
    if (this.#weight(work) === 0) return;
    const speaker = this.#namesOf(work.reader).of(work.reader, work.candidates.slots[candidate]!);
    if (speaker === undefined) return;
    if (speakerMatcher(nameWords(work.plan.query.query!))(speaker)) why.speaker = speaker;
  }

  /** 0 where the stage has nothing to do. */
  #weight({ plan }: RecallWork): number {
    const { query } = plan;
    if (!this.#settings.enabled || query.query === undefined) return 0;
    if (query.mode !== "hybrid" && query.mode !== "spreading") return 0;
    const asked = activationOf(this.#settings, query.activation);
    return asked.hops === 0 ? 0 : asked.speakerWeight;
  }

  #namesOf(reader: SpaceReader): SpeakerNames {
    let names = this.#names.get(reader);
    if (names === undefined) {
      names = new SpeakerNames();
      this.#names.set(reader, names);
    }
    return names;
  }
}
