/** Carries a statement out with the verbs of the engine: one verb each, and nothing of its own. */
import type { Engine, Recalled } from "../engine.ts";
import type { Spread } from "../thought/spread-probe.ts";
import type { Completed, Imagined, Prediction, ThoughtEngine } from "../thought/thought-engine.ts";
import type { Conditions, RecallStatement, SpreadStatement, Statement } from "./statement.ts";

/** What was answered, by the verb that was asked. */
export type StatementResult<Run> =
  | { readonly verb: "recall"; readonly recalled: Recalled }
  | { readonly verb: "spread"; readonly recalled?: Recalled; readonly spread?: Spread }
  | { readonly verb: "complete"; readonly completed: Completed }
  | { readonly verb: "consolidate"; readonly run: Run }
  | { readonly verb: "imagine"; readonly imagined: Imagined }
  | { readonly verb: "predict"; readonly prediction: Prediction };

export type StatementEngines<Run> = {
  readonly engine: Engine;
  readonly thought: ThoughtEngine;
  /** @param cyclesMax undefined where the statement names no limit */
  readonly consolidate: (space: string, cyclesMax: number | undefined) => Promise<Run>;
};

const LIMIT_DEFAULT = 10;
const SCENES_DEFAULT = 3;
const WITHIN_MS_DEFAULT = 86_400_000;

export async function runStatement<Run>(
  space: string,
  statement: Statement,
  { engine, thought, consolidate }: StatementEngines<Run>,
): Promise<StatementResult<Run>> {
  switch (statement.verb) {
    case "recall":
      return { verb: "recall", recalled: await recall(engine, space, statement) };
    case "spread":
      return spread(engine, thought, space, statement);
    case "complete": {
      const { fragment, limit } = statement;
      const { who, ...others } = fragment;
      // "Ada, Rui" names two.
      const people = who === undefined ? {} : { who: who.split(",").map((name) => name.trim()) };
      return {
        verb: "complete",
        completed: await thought.complete(space, { ...others, ...people }, { alternatives: limit }),
      };
    }
    case "consolidate":
      return { verb: "consolidate", run: await consolidate(space, statement.limit) };
    case "imagine": {
      const { text, where, limit = SCENES_DEFAULT } = statement;
      return { verb: "imagine", imagined: await thought.imagine(space, text, { where, limit }) };
    }
    case "predict": {
      const { after, withinMs = WITHIN_MS_DEFAULT, limit = LIMIT_DEFAULT } = statement;
      return { verb: "predict", prediction: await thought.predict(space, after, { withinMs, limit }) };
    }
  }
}

function recall(engine: Engine, space: string, statement: RecallStatement): Promise<Recalled> {
  const { text, where, mode = "hybrid", asOfMs, limit = LIMIT_DEFAULT, explain } = statement;
  return engine.recall(space, { query: text, mode, asOfMs, limit, explain, ...filtersOf(where) });
}

async function spread(
  engine: Engine,
  thought: ThoughtEngine,
  space: string,
  statement: SpreadStatement,
): Promise<Extract<StatementResult<never>, { verb: "spread" }>> {
  const { from, hops, decay, threshold, limit = LIMIT_DEFAULT, explain } = statement;
  const overrides = { hops, decay, threshold };
  if ("ids" in from) {
    return { verb: "spread", spread: thought.spread(space, from.ids, { overrides, limit, explain }) };
  }
  const recalled = await engine.recall(space, {
    query: from.text,
    mode: "spreading",
    activation: overrides,
    limit,
    explain,
  });
  return { verb: "spread", recalled };
}

function filtersOf({ tags, kinds, fromMs, toMs, minConfidence, minScore }: Conditions) {
  return { tags, kinds, fromMs, toMs, minConfidence, threshold: minScore };
}
