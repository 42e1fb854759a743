/**
 * Interference in recall: the best candidates compete where they are alike and near in time
 * (`cognition/interference.ts`), and each loses a bounded part of its score to its competitors.
 *
 *   score · (1 - weight · (1 - share))
 *
 * Only the best COMPETITORS_MAX are compared with each other, each pair once: 120 exact cosines; memories further
 * down do not decide what is answered first.
 */
import { HOUR_MS } from "../../cognition/forgetting.ts";
import { type Interference, interferenceOf, UNDISTURBED } from "../../cognition/interference.ts";
import type { InterferenceSettings } from "../engine-settings.ts";
import { type ExplainedWhy, isWeighed, type RecallStage, type RecallWork } from "./recall-work.ts";

export const COMPETITORS_MAX = 16;

export class InterferenceStage implements RecallStage {
  readonly #settings: InterferenceSettings;
  readonly #cosines = new Float32Array(COMPETITORS_MAX * COMPETITORS_MAX);
  readonly #slots = new Uint32Array(COMPETITORS_MAX);
  readonly #strengths = new Float64Array(COMPETITORS_MAX);
  readonly #timesMs = new Float64Array(COMPETITORS_MAX);
  #vector = new Float32Array(0);
  /** of the recall under way, by candidate */
  readonly #found = new Map<number, Interference>();

  constructor(settings: InterferenceSettings) {
    this.#settings = settings;
  }

  /** Whether memories competed in the last recall. */
  get hasCompeted(): boolean {
    return this.#found.size > 0;
  }

  run(work: RecallWork): void {
    this.#found.clear();
    const { enabled, weight, windowHours } = this.#settings;
    if (!enabled || !isWeighed(work)) return;
    const { candidates, reader, retention } = work;
    const best = candidates.best(COMPETITORS_MAX);
    const count = best.length;
    best.forEach((candidate, i) => {
      const slot = candidates.slots[candidate]!;
      this.#slots[i] = slot;
      this.#timesMs[i] = reader.timestampMs(slot);
      this.#strengths[i] = Math.max(retention.left[candidate]!, 1e-6);
    });
    this.#compare(work, count);
    const among = {
      count,
      strengths: this.#strengths,
      timesMs: this.#timesMs,
      cosines: this.#cosines,
    };
    best.forEach((candidate, i) => {
      const interference = interferenceOf(i, among, windowHours * HOUR_MS);
      if (interference === UNDISTURBED) return;
      this.#found.set(candidate, interference);
      candidates.scores[candidate]! *= 1 - weight * (1 - interference.share);
    });
  }

  explain(work: RecallWork, candidate: number, why: ExplainedWhy): void {
    const { enabled, weight } = this.#settings;
    if (!enabled || !isWeighed(work)) return;
    const found = this.#found.get(candidate) ?? UNDISTURBED;
    why.interference = { ...found, factor: 1 - weight * (1 - found.share) };
  }

  #compare({ reader, search, graph }: RecallWork, count: number): void {
    const { dimensions } = reader;
    if (this.#vector.length !== dimensions) this.#vector = new Float32Array(dimensions);
    const bytes = new Uint8Array(this.#vector.buffer);
    const cosines = this.#cosines;
    for (let i = 0; i < count - 1; i++) {
      const row = cosines.subarray(i * count + i + 1, (i + 1) * count);
      if (reader.hasVector(this.#slots[i]!)) {
        reader.vectors.readInto(this.#slots[i]!, bytes, dimensions * 4);
        search.compare(graph, this.#vector, this.#slots.subarray(i + 1, count), row.length, row);
      } else row.fill(Number.NaN);
      for (let j = i + 1; j < count; j++) cosines[j * count + i] = cosines[i * count + j]!;
    }
  }
}
