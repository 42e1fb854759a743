/**
 * Priming in recall: a candidate bound to what was used a moment ago is raised by a bounded part of its score
 * (`cognition/priming.ts`).
 *
 *   score · (1 + weight · primed)
 *
 * Only the best PRIMED_MAX candidates look at their bindings, and none does in a space in which nothing was used
 * within the window: the root counts uses, and the stage remembers when it last saw the count grow.
 */
import { PRIMING_WINDOW_DECAYS, primedBoth, primedBy, primingLeft } from "../../cognition/priming.ts";
import { batchFanShares } from "../../ffi/decay.ts";
import type { PrimingSettings } from "../engine-settings.ts";
import { BindingList } from "../mind/binding-reader.ts";
import { readTraits } from "../mind/node-traits.ts";
import { type NodeTraits, TRAITS_AT_BIRTH } from "../mind/traits-record.ts";
import type { SpaceReader } from "../space-reader.ts";
import { type ExplainedWhy, isWeighed, type RecallStage, type RecallWork } from "./recall-work.ts";

export const PRIMED_MAX = 32;
/** Primes of one memory; with so many it is as good as fully primed. */
const PRIMES_MAX = 128;

type Primed = { readonly primed: number; readonly by: number };

export class PrimingStage implements RecallStage {
  readonly #settings: PrimingSettings;
  readonly #list = new BindingList();
  readonly #traits: NodeTraits = { ...TRAITS_AT_BIRTH };
  /** the primes of one memory: strength of the binding, what is left of the activation, fan */
  readonly #strengths = new Float32Array(PRIMES_MAX);
  readonly #activations = new Float32Array(PRIMES_MAX);
  readonly #fans = new Uint32Array(PRIMES_MAX);
  /** of the recall under way, by candidate */
  readonly #found = new Map<number, Primed>();
  /** by reader: uses counted so far, and when there were more than before */
  readonly #uses = new WeakMap<SpaceReader, { count: number; grewAtMs: number }>();

  constructor(settings: PrimingSettings) {
    this.#settings = settings;
  }

  /** Whether a candidate of the last recall was primed. */
  get hasPrimed(): boolean {
    return this.#found.size > 0;
  }

  run(work: RecallWork): void {
    this.#found.clear();
    const { enabled, weight } = this.#settings;
    if (!enabled || !isWeighed(work) || !this.#mayBePrimed(work)) return;
    const { candidates } = work;
    for (const candidate of candidates.best(PRIMED_MAX)) {
      const found = this.#primedOf(work, candidates.slots[candidate]!);
      if (found.primed === 0) continue;
      this.#found.set(candidate, found);
      candidates.scores[candidate]! *= 1 + weight * found.primed;
    }
  }

  explain(work: RecallWork, candidate: number, why: ExplainedWhy): void {
    const { enabled, weight } = this.#settings;
    if (!enabled || !isWeighed(work)) return;
    const { primed, by } = this.#found.get(candidate) ?? { primed: 0, by: 0 };
    why.priming = { primed, by, factor: 1 + weight * primed };
  }

  /** What the neighbours that were used lately give a memory, and how many of them do. */
  #primedOf({ reader, nodeCount, atMs }: RecallWork, slot: number): Primed {
    const list = this.#list;
    const decayMs = this.#settings.decaySeconds * 1000;
    const count = reader.bindings.read(slot, nodeCount, list);
    let by = 0;
    for (let i = 0; i < count; i++) {
      const neighbour = list.targets[i]!;
      const { lastUsedMs, lastActivation } = readTraits(reader.headers, neighbour, this.#traits);
      if (lastUsedMs === 0) continue;
      const left = lastActivation * primingLeft(lastUsedMs, atMs, decayMs);
      if (left === 0 || by === PRIMES_MAX) continue;
      this.#strengths[by] = list.strengths[i]!;
      this.#activations[by] = left;
      this.#fans[by] = reader.bindings.fanOut(neighbour);
      by += 1;
    }
    batchFanShares(this.#activations, this.#fans, this.#activations, by);
    let primed = 0;
    for (let i = 0; i < by; i++) {
      primed = primedBoth(primed, primedBy(this.#strengths[i]!, this.#activations[i]!));
    }
    return { primed, by };
  }

  #mayBePrimed({ reader, plan, atMs }: RecallWork): boolean {
    // What was used around a moment in the past is known of no memory that was used since.
    if (plan.query.asOfMs !== undefined) return true;
    const { root } = reader;
    const count = root.number("usesRetrieved") + root.number("usesReinforced");
    const seen = this.#uses.get(reader);
    if (seen === undefined || seen.count !== count) {
      this.#uses.set(reader, { count, grewAtMs: count === 0 ? Number.NEGATIVE_INFINITY : atMs });
      return count > 0;
    }
    return atMs - seen.grewAtMs <= this.#settings.decaySeconds * 1000 * PRIMING_WINDOW_DECAYS;
  }
}
