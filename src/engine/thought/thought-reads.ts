/** What the verbs of thought read of a space beside recalls, straight from shared memory: probes, spreads, the canary. */
import { RequestError } from "../../base/errors.ts";
import type { RecallQuery } from "../engine.ts";
import type { EngineSettings } from "../engine-settings.ts";
import { idKeyOf } from "../id-key.ts";
import type { EngineMeter } from "../meters.ts";
import type { RecallPlan } from "../recall/recall-planner.ts";
import { activationOff } from "../recall/recall-planner.ts";
import { type Forgetting, forgettingOf } from "../space-forgetting.ts";
import type { SpaceReader } from "../space-reader.ts";
import { FalseMemoryCanary, type FalseMemoryFigures } from "./false-memory-canary.ts";
import { FamiliarityProbe, type ProbeFacts } from "./familiarity-probe.ts";
import { type Spread, SpreadProbe } from "./spread-probe.ts";
import type { Probe, SpreadOptions } from "./thought-engine.ts";

/** What the engine lends. */
export type ThoughtReadsOptions = {
  readonly settings: EngineSettings;
  readonly meter: EngineMeter;
  /** ms since the epoch */
  readonly wallClock: () => number;
  /** Runs a read inside an epoch. @throws {RequestError} `not-ready`, `shutting-down`, `space-not-found` */
  readonly read: <T>(space: string, action: (reader: SpaceReader) => T) => T;
  /** Embeds a query, as a recall does. */
  readonly plan: (space: string, query: RecallQuery) => Promise<RecallPlan>;
};

export class ThoughtReads {
  readonly #options: ThoughtReadsOptions;
  readonly #familiarity = new FamiliarityProbe();
  readonly #canary = new FalseMemoryCanary(this.#familiarity);
  readonly #spreadProbe: SpreadProbe;

  constructor(options: ThoughtReadsOptions) {
    this.#options = options;
    this.#spreadProbe = new SpreadProbe(options.settings.activation, options.meter);
  }

  /** What a probe meets. @throws {RequestError} as a recall by vector does */
  async probe(space: string, { text, embedding, kinds }: Probe): Promise<ProbeFacts> {
    const query = embedding === undefined ? text : undefined;
    const plan = await this.#options.plan(space, { query, embedding, mode: "vector", limit: 1 });
    return this.#options.read(space, (reader) =>
      this.#familiarity.run(reader, plan.vector!, { kinds, ...this.#conditions(reader) }),
    );
  }

  /** How a space fares that is asked for what it never met; undefined where it has no concepts. */
  falseMemory(space: string, seed: number): FalseMemoryFigures | undefined {
    return this.#options.read(space, (reader) =>
      this.#canary.run(reader, { seed, ...this.#conditions(reader) }),
    );
  }

  /** What activation reaches from some memories. @throws {RequestError} `memory-not-found`, `activation-off` */
  spread(space: string, ids: readonly string[], options: SpreadOptions): Spread {
    const { settings, wallClock, read } = this.#options;
    if (!settings.activation.enabled) throw activationOff();
    return read(space, (reader) => {
      const seeds = ids.map((id) => {
        const slot = reader.find(idKeyOf(id));
        if (slot >= 0) return slot;
        throw new RequestError({
          code: "memory-not-found",
          message: `The space "${space}" holds no memory with the id ${JSON.stringify(id)}`,
          expected: "the id of a memory in this space",
          received: id,
          at: "id",
        });
      });
      return this.#spreadProbe.run(reader, seeds, { ...options, atMs: wallClock() });
    });
  }

  close(): void {
    this.#familiarity.close();
  }

  #conditions(reader: SpaceReader): {
    readonly ef: number;
    readonly atMs: number;
    readonly forgetting: Forgetting | undefined;
  } {
    const { settings, wallClock } = this.#options;
    return {
      ef: settings.efSearch,
      atMs: wallClock(),
      forgetting: settings.forgetting.enabled ? forgettingOf(reader.root, settings.forgetting) : undefined,
    };
  }
}
