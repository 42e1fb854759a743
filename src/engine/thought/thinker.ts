/**
 * The verbs of thought over the engine: each recalls what it needs, and leaves the deciding to a pure function of
 * `cognition/`.
 */
import { RequestError } from "../../base/errors.ts";
import { completePattern, FIELDS, type Field, folded, type Pattern } from "../../cognition/completion.ts";
import { imagineScenes, type Source } from "../../cognition/imagination.ts";
import { predictSuccessors, type SUCCESSION, type Succession } from "../../cognition/prediction.ts";
import { recognise } from "../../cognition/recognition.ts";
import { OPERATION } from "../../layout/metric-codes.ts";
import type { Engine, Memory, RecalledMemory, RecallQuery } from "../engine.ts";
import type { Conditions } from "../statement/statement.ts";
import type { ProbeFacts } from "./familiarity-probe.ts";
import type { Spread } from "./spread-probe.ts";
import type {
  Completed,
  CompleteOptions,
  Imagined,
  PredictedMemory,
  Prediction,
  Probe,
  Recognised,
  ThoughtEngine,
} from "./thought-engine.ts";

export type ThinkerOptions = {
  readonly engine: Engine;
  /** what a probe meets; @throws {RequestError} as a recall by vector does */
  readonly probe: (space: string, probe: Probe) => Promise<ProbeFacts>;
  readonly spread: ThoughtEngine["spread"];
  /** runs an operation and tells of it */
  readonly measured: <T>(operation: number, space: string, act: () => Promise<T>) => Promise<T>;
  /** monotonic, ms */
  readonly now: () => number;
};

const TRACES_SHOWN = 10;
/** Episodes that compete to complete a fragment. */
const CANDIDATES = 40;
/** Episodes whose parts are recombined: 12 × 12 × 12 scenes are looked at. */
const IMAGINED_FROM = 12;
const SITUATIONS = 12;
const BINDINGS_FOLLOWED = 64;

export class Thinker implements ThoughtEngine {
  readonly #options: ThinkerOptions;

  constructor(options: ThinkerOptions) {
    this.#options = options;
  }

  recognise(space: string, probe: Probe): Promise<Recognised> {
    return this.#timed(OPERATION.recognize, space, async () => {
      const { traces: met, unrelatedSimilarity } = await this.#options.probe(space, probe);
      const text = probe.text === undefined ? undefined : folded(probe.text);
      const traces = met.map(({ id, content, similarity, retention }) => ({
        id,
        similarity,
        retention,
        isSame: text !== undefined && folded(content) === text,
      }));
      return {
        ...recognise(traces, unrelatedSimilarity),
        space,
        traces: traces.slice(0, TRACES_SHOWN),
        unrelatedSimilarity,
      };
    });
  }

  complete(space: string, fragment: Pattern, options: CompleteOptions = {}): Promise<Completed> {
    return this.#timed(OPERATION.complete, space, async () => {
      const given = FIELDS.filter((field) => fragment[field] !== undefined);
      if (given.length === 0) throw nothingGiven();
      const episodes = await this.#episodesLike(space, cueOf(fragment), {
        limit: CANDIDATES,
        kinds: ["episode"],
        explain: true,
        isPassive: options.isPassive,
      });
      const candidates = episodes
        .filter(({ id }) => id !== options.without)
        .map((episode) => ({
          id: episode.id,
          pattern: patternOf(episode),
          whatMatch: matchOfRecall(episode),
          retention: episode.why?.strength?.retention ?? 1,
        }));
      const result = completePattern(fragment, candidates);
      if ("wouldHelp" in result) throw tooLittle(given, result, candidates.length);
      const filled = result.filled.map((field) => ({
        ...field,
        alternatives: field.alternatives.slice(0, options.alternatives ?? field.alternatives.length),
      }));
      return { ...result, filled, space, fragment };
    });
  }

  imagine(
    space: string,
    text: string,
    { where, limit }: { readonly where: Conditions; readonly limit: number },
  ): Promise<Imagined> {
    return this.#timed(OPERATION.imagine, space, async () => {
      const episodes = await this.#episodesLike(space, text, {
        ...filtersOf(where),
        kinds: where.kinds ?? ["episode"],
        limit: IMAGINED_FROM,
      });
      const sources: Source[] = episodes.map((episode) => ({
        id: episode.id,
        pattern: patternOf(episode),
        session: detailsOf(episode).session,
        weight: Math.max(1e-6, episode.score),
      }));
      if (sources.length < 2) {
        throw new RequestError({
          code: "imagination-insufficient",
          message: `The space "${space}" holds ${sources.length} episodes that have to do with it, and a scene takes parts of two`,
          expected: "at least two episodes, stored with POST /api/v1/episodes/remember",
          received: `${sources.length} episodes`,
        });
      }
      return { space, scenes: imagineScenes(sources, limit) };
    });
  }

  spread(...asked: Parameters<ThoughtEngine["spread"]>): Spread {
    return this.#options.spread(...asked);
  }

  predict(
    space: string,
    after: { readonly id: string } | { readonly text: string },
    { withinMs, limit }: { readonly withinMs: number; readonly limit: number },
  ): Promise<Prediction> {
    return this.#timed(OPERATION.predict, space, async () => {
      const { engine } = this.#options;
      const situations = await this.#situationsLike(space, after);
      const successions: Succession[] = [];
      const memories = new Map<string, Memory>();
      for (const { memory, weight } of situations) {
        for (const binding of engine.mind.bindings(space, memory.id, {
          kinds: ["cause", "temporal", "session"],
          limit: BINDINGS_FOLLOWED,
        })) {
          // Order in time needs no direction; a cause has one.
          if (binding.kind === "cause" && binding.direction === "in") continue;
          const successor = memories.get(binding.id) ?? read(engine, space, binding.id);
          if (successor === undefined) continue;
          memories.set(binding.id, successor);
          const delayMs = successor.timestampMs - memory.timestampMs;
          if (delayMs <= 0 && binding.kind !== "cause") continue;
          successions.push({
            situation: memory.id,
            weight,
            successor: binding.id,
            by: binding.kind as keyof typeof SUCCESSION,
            strength: binding.strength,
            delayMs: Math.max(0, delayMs),
          });
        }
      }
      const predictions: PredictedMemory[] = predictSuccessors(successions, withinMs, limit).map((found) => ({
        ...found,
        memory: memories.get(found.id)!,
      }));
      return {
        space,
        situations: situations.map(({ memory, weight }) => ({ id: memory.id, weight })),
        predictions,
      };
    });
  }

  async #situationsLike(
    space: string,
    after: { readonly id: string } | { readonly text: string },
  ): Promise<{ readonly memory: Memory; readonly weight: number }[]> {
    if ("id" in after) return [{ memory: this.#options.engine.get(space, after.id), weight: 1 }];
    const found = await this.#episodesLike(space, after.text, {
      limit: SITUATIONS,
      kinds: ["memory", "episode"],
    });
    const best = found[0]?.score ?? 0;
    if (best <= 0) return [];
    // Squared: what resembles the situation half as much has a quarter of the say.
    return found.map((memory) => ({ memory, weight: (memory.score / best) ** 2 }));
  }

  async #episodesLike(
    space: string,
    query: string,
    options: Pick<
      RecallQuery,
      "limit" | "kinds" | "explain" | "tags" | "fromMs" | "toMs" | "minConfidence" | "threshold" | "isPassive"
    >,
  ): Promise<readonly RecalledMemory[]> {
    const { memories } = await this.#options.engine.recall(space, { query, mode: "hybrid", ...options });
    return memories;
  }

  #timed<T>(
    operation: number,
    space: string,
    act: () => Promise<T>,
  ): Promise<T & { readonly tookMs: number }> {
    const { measured, now } = this.#options;
    const startedAtMs = now();
    return measured(operation, space, async () => {
      const result = await act();
      return { ...result, tookMs: now() - startedAtMs };
    });
  }
}

type Details = {
  readonly session?: string;
  readonly where?: string;
  readonly who?: readonly string[];
  readonly why?: string;
  readonly how?: string;
};

function detailsOf({ detailsJson }: Memory): Details {
  return JSON.parse(detailsJson ?? "{}") as Details;
}

/** An episode as completion and imagination see it. */
function patternOf(episode: Memory): Pattern {
  const { who, where, why, how } = detailsOf(episode);
  return {
    what: episode.content,
    when: new Date(episode.timestampMs).toISOString(),
    ...(who === undefined ? {} : { who }),
    ...(where === undefined ? {} : { where }),
    ...(why === undefined ? {} : { why }),
    ...(how === undefined ? {} : { how }),
  };
}

/** All that the fragment says, as one text to recall by. */
function cueOf(fragment: Pattern): string {
  return FIELDS.flatMap((field) => fragment[field] ?? []).join(" ");
}

/** How well an episode's event answers the cue: the better of its similarity and its share of the cue's words. */
function matchOfRecall({ score, why }: RecalledMemory): number {
  return Math.min(1, Math.max(0, score, why?.vector?.similarity ?? 0));
}

function filtersOf({ tags, fromMs, toMs, minConfidence, minScore }: Conditions) {
  return { tags, fromMs, toMs, minConfidence, threshold: minScore };
}

function read(engine: Engine, space: string, id: string): Memory | undefined {
  try {
    return engine.get(space, id);
  } catch (error) {
    // Forgotten since its binding was read.
    if (error instanceof RequestError && error.code === "memory-not-found") return undefined;
    throw error;
  }
}

function nothingGiven(): RequestError {
  return new RequestError({
    code: "completion-insufficient",
    message: "The fragment gives no field",
    expected: `at least one of ${FIELDS.join(", ")}`,
    received: "none",
  });
}

function tooLittle(
  given: readonly Field[],
  { evidence, wouldHelp }: { readonly evidence: number; readonly wouldHelp: readonly Field[] },
  candidateCount: number,
): RequestError {
  const found =
    candidateCount === 0
      ? "no episode has to do with it"
      : `the episode that fits best holds ${Math.round(evidence * 100)} % of it`;
  return new RequestError({
    code: "completion-insufficient",
    message: `Too little is known to complete the fragment: ${found}`,
    expected: wouldHelp.length === 0 ? "other words" : `also ${wouldHelp.join(", or ")}`,
    received: given.join(", "),
  });
}
