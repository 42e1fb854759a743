/**
 * The canary for false memory and for completion, run from time to time by the first API worker: it asks the space
 * what clients ask it, knows the right answers, and feeds the metrics and through them the alerts.
 *
 * One space a turn, each in its turn, some tens of milliseconds of one worker; off with `monitoring.canary_interval_s`
 * at 0. It reads, and changes nothing.
 */
import { RequestError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import { FIELDS, folded, type Pattern } from "../cognition/completion.ts";
import type { Engine, Memory } from "../engine/engine.ts";
import type { FalseMemoryFigures } from "../engine/thought/false-memory-canary.ts";
import type { ThoughtEngine } from "../engine/thought/thought-engine.ts";
import type { MetricLane } from "../observe/lane.ts";
import { levelSeries, ratioSeries } from "../observe/series.ts";

/** Fields of an episode that a completion can be held to: names, not sentences. */
const HIDDEN = ["who", "where"] as const;
const EPISODES_MAX = 16;
const EPISODES_READ = 500;
const PLAUSIBILITY = {
  yes: ratioSeries("engram_completion_plausibility", { correct: "yes" }),
  no: ratioSeries("engram_completion_plausibility", { correct: "no" }),
};
const RATE = levelSeries("engram_false_memory_rate", {});

export type CanaryOptions = {
  readonly engine: Engine;
  readonly thought: ThoughtEngine;
  readonly falseMemory: (space: string, seed: number) => FalseMemoryFigures | undefined;
  readonly lane: MetricLane;
  readonly random: Random;
  /** told of what went wrong; the next turn tries again */
  readonly failed: (error: unknown) => void;
};

export class Canary {
  readonly #options: CanaryOptions;
  #turn = 0;

  constructor(options: CanaryOptions) {
    this.#options = options;
  }

  /** Looks at the next space that has something to look at. */
  async turn(): Promise<void> {
    const { engine, failed } = this.#options;
    try {
      const spaces = engine.spaces().filter(({ memories }) => memories > 0);
      for (let tried = 0; tried < spaces.length; tried++) {
        const { name } = spaces[this.#turn++ % spaces.length]!;
        const asked = this.#falseMemory(name);
        const completed = await this.#completions(name);
        if (asked || completed > 0) return;
      }
    } catch (error) {
      // A space that was deleted meanwhile, or an appliance that stops.
      if (!(error instanceof RequestError)) failed(error);
    }
  }

  #falseMemory(space: string): boolean {
    const { falseMemory, lane, random } = this.#options;
    const figures = falseMemory(space, random.u32());
    if (figures === undefined) return false;
    lane.set(RATE, figures.falseAlarms);
    return true;
  }

  /** Hides a field of some episodes and has it completed from the others. @returns how many were answered */
  async #completions(space: string): Promise<number> {
    const { engine, thought, lane, random } = this.#options;
    const { episodes } = engine.mind.replay(space, { limit: EPISODES_READ });
    let answered = 0;
    for (const episode of random.shuffle([...episodes]).slice(0, EPISODES_MAX)) {
      const hidden = hiddenOf(episode);
      if (hidden === undefined) continue;
      const { field, truth, fragment } = hidden;
      try {
        const { filled, plausibility } = await thought.complete(space, fragment, {
          without: episode.id,
          isPassive: true,
        });
        const value = filled.find((each) => each.field === field)?.value;
        if (value === undefined) continue;
        lane.recordRatio(sameValue(value, truth) ? PLAUSIBILITY.yes : PLAUSIBILITY.no, plausibility);
        answered += 1;
      } catch (error) {
        // Too little to go by is an honest answer, and no completion.
        if (!(error instanceof RequestError && error.code === "completion-insufficient")) throw error;
      }
    }
    return answered;
  }
}

type Hidden = {
  readonly field: (typeof HIDDEN)[number];
  readonly truth: string | readonly string[];
  readonly fragment: Pattern;
};

function hiddenOf({ content, detailsJson }: Memory): Hidden | undefined {
  const details = JSON.parse(detailsJson ?? "{}") as Pattern;
  const field = HIDDEN.find((name) => details[name] !== undefined);
  if (field === undefined) return undefined;
  const others = FIELDS.filter((name) => name !== field && details[name] !== undefined);
  return {
    field,
    truth: details[field]!,
    fragment: { what: content, ...Object.fromEntries(others.map((name) => [name, details[name]!])) },
  };
}

function sameValue(a: string | readonly string[], b: string | readonly string[]): boolean {
  const key = (value: string | readonly string[]): string =>
    (typeof value === "string" ? [value] : value).map(folded).sort().join("\0");
  return key(a) === key(b);
}
