/**
 * Imagination: scenes that did not happen, put together from parts of episodes that did (constructive episodic
 * simulation: Schacter & Addis 2007). Details are taken from different episodes and recombined, as in the
 * recombination paradigm of Addis, Pan, Vu, Laiser & Schacter 2009; each keeps the name of its source.
 *
 * A scene is plausible as far as its parts go together elsewhere: for every two parts from different episodes, the
 * share of the weight of episodes holding either that holds both, or that lies in the same session. It is new: no
 * episode holds the same event, people and place.
 */
import { type Field, folded, type Pattern } from "./completion.ts";

/** Parts that a scene is made of, and the one that says what it is about. */
const PARTS = ["what", "who", "where"] as const satisfies readonly Field[];
/** Pairs that nothing speaks for are not impossible. */
const PRIOR = 0.1;

export type Source = {
  readonly id: string;
  readonly pattern: Pattern;
  readonly session: string | undefined;
  /** how well it answers what is to be imagined, above 0 */
  readonly weight: number;
};

export type Scene = {
  readonly parts: readonly {
    readonly field: Field;
    readonly value: string | readonly string[];
    readonly source: string;
  }[];
  readonly plausibility: number;
};

/** Scenes by plausibility times how well their parts answer; none where fewer than two episodes have parts to give. */
export function imagineScenes(sources: readonly Source[], limit: number): Scene[] {
  const total = sources.reduce((sum, { weight }) => sum + weight, 0);
  const givers = (field: Field): Source[] => sources.filter(({ pattern }) => pattern[field] !== undefined);
  const known = new Set(sources.map(({ pattern }) => keyOf(PARTS.map((field) => pattern[field]))));
  const scenes = new Map<string, Scene & { readonly rank: number }>();
  for (const what of givers("what")) {
    for (const who of orNone(givers("who"))) {
      for (const where of orNone(givers("where"))) {
        const chosen = [what, who, where];
        const distinct = new Set(chosen.filter((each) => each !== undefined));
        if (distinct.size < 2) continue;
        const values = PARTS.map((field, at) => chosen[at]?.pattern[field]);
        const key = keyOf(values);
        if (known.has(key) || scenes.has(key)) continue;
        const parts = PARTS.flatMap((field, at) => {
          const value = values[at];
          return value === undefined ? [] : [{ field, value, source: chosen[at]!.id }];
        });
        const plausibility = plausibilityOf(parts, sources);
        const weight = [...distinct].reduce((sum, each) => sum + each.weight, 0) / (distinct.size * total);
        scenes.set(key, { parts, plausibility, rank: plausibility * weight });
      }
    }
  }
  return [...scenes.values()]
    .sort((a, b) => b.rank - a.rank)
    .slice(0, limit)
    .map(({ parts, plausibility }) => ({ parts, plausibility }));
}

function plausibilityOf(parts: Scene["parts"], sources: readonly Source[]): number {
  let product = 1;
  let pairs = 0;
  for (let a = 0; a < parts.length; a++) {
    for (let b = a + 1; b < parts.length; b++) {
      product *= togetherness(parts[a]!, parts[b]!, sources);
      pairs += 1;
    }
  }
  return pairs === 0 ? 0 : product ** (1 / pairs);
}

function togetherness(
  a: Scene["parts"][number],
  b: Scene["parts"][number],
  sources: readonly Source[],
): number {
  let either = 0;
  let both = 0;
  const sessionsOfA = new Set<string>();
  for (const source of sources)
    if (source.session !== undefined && holds(source, a)) sessionsOfA.add(source.session);
  for (const source of sources) {
    const [holdsA, holdsB] = [holds(source, a), holds(source, b)];
    if (holdsA || holdsB) either += source.weight;
    const isNear = holdsB && source.session !== undefined && sessionsOfA.has(source.session);
    if (holdsA && holdsB) both += source.weight;
    else if (isNear) both += source.weight / 2;
  }
  return either === 0 ? PRIOR : PRIOR + (1 - PRIOR) * (both / either);
}

function holds({ pattern }: Source, { field, value }: Scene["parts"][number]): boolean {
  return pattern[field] !== undefined && keyOf([pattern[field]]) === keyOf([value]);
}

function keyOf(values: readonly (string | readonly string[] | undefined)[]): string {
  return values
    .map((value) =>
      value === undefined
        ? ""
        : typeof value === "string"
          ? folded(value)
          : value.map(folded).sort().join("+"),
    )
    .join("\0");
}

function orNone(sources: readonly Source[]): readonly (Source | undefined)[] {
  return sources.length === 0 ? [undefined] : sources;
}
