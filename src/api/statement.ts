/** `POST /api/v1/query/engram`: one statement of the query language. */
import { Elysia } from "elysia";
import { parseStatement } from "../engine/statement/parse-statement.ts";
import { runStatement, type StatementResult } from "../engine/statement/run-statement.ts";
import type { Spread } from "../engine/thought/spread-probe.ts";
import type { Imagined, Prediction } from "../engine/thought/thought-engine.ts";
import { requireRight } from "./access.ts";
import type { ApiContext } from "./api-context.ts";
import { type ConsolidationRunReply, runJson } from "./concepts.ts";
import { jsonResponse, memoryText, recalledText, rounded } from "./json-text.ts";
import { readJson } from "./request-body.ts";
import { type Call, guarded } from "./route.ts";
import { checkedStatement } from "./statement.contract.ts";
import { statementDetail } from "./statement.docs.ts";
import { completedJson } from "./thought.ts";

const READ = { right: "read", spaced: true } as const;
/** A statement answers with what was consolidated by then; a longer run goes on behind. */
const CONSOLIDATE_WAIT_MS = 10_000;
const CYCLES_DEFAULT = 1;

export function statementRoutes(api: ApiContext) {
  const run = async ({ request, caller, space }: Call): Promise<Response> => {
    const asked = checkedStatement.check(await readJson(request, api.limits), "The body");
    const statement = parseStatement(asked.statement, asked.parameters);
    if (statement.verb === "consolidate") requireRight(caller.rights, "admin");
    const result = await runStatement(space, statement, {
      engine: api.engine,
      thought: api.thought,
      consolidate: async (name, cyclesMax = CYCLES_DEFAULT) =>
        runJson(await api.concepts.consolidate(name, { cyclesMax, waitMs: CONSOLIDATE_WAIT_MS })),
    });
    return jsonResponse(`{"verb":"${result.verb}","space":"${space}",${answerField(result)}}`);
  };
  return new Elysia({ name: "statement" }).post("/api/v1/query/engram", guarded(api, READ, run), {
    parse: "none",
    detail: statementDetail(),
  });
}

function answerField(result: StatementResult<ConsolidationRunReply>): string {
  switch (result.verb) {
    case "recall":
      return `"recall":${recalledText(result.recalled)}`;
    case "spread":
      if (result.recalled !== undefined) return `"recall":${recalledText(result.recalled)}`;
      return `"spread":${spreadText(result.spread!)}`;
    case "complete":
      return `"complete":${JSON.stringify(completedJson(result.completed))}`;
    case "consolidate":
      return `"consolidate":${JSON.stringify(result.run)}`;
    case "imagine":
      return `"imagine":${JSON.stringify(imaginedJson(result.imagined))}`;
    case "predict":
      return `"predict":${predictionText(result.prediction)}`;
  }
}

function spreadText({ reached, report }: Spread): string {
  const shown = reached.map(({ memory, activation, path }) => {
    const way = path === undefined ? "" : `,"path":${JSON.stringify(path)}`;
    return `{"memory":${memoryText(memory)},"activation":${rounded(activation)}${way}}`;
  });
  const { seeds, visited, hops, reached: met, budgetExhausted } = report;
  const activation = { seeds, visited, hops, reached: met, budget_exhausted: budgetExhausted };
  return `{"reached":[${shown.join(",")}],"activation":${JSON.stringify(activation)}}`;
}

function imaginedJson({ scenes, tookMs }: Imagined) {
  return {
    scenes: scenes.map(({ parts, plausibility }) => ({ parts, plausibility: rounded(plausibility) })),
    took_ms: rounded(tookMs),
  };
}

function predictionText({ situations, predictions, tookMs }: Prediction): string {
  const shown = predictions.map(
    ({ memory, probability, delayMs, evidence, by }) =>
      `{"memory":${memoryText(memory)},"probability":${rounded(probability)},"delay_ms":${rounded(delayMs)},"evidence":${JSON.stringify(evidence)},"by":${JSON.stringify(by)}}`,
  );
  const like = situations.map(({ id, weight }) => ({ id, weight: rounded(weight) }));
  return `{"situations":${JSON.stringify(like)},"predictions":[${shown.join(",")}],"took_ms":${rounded(tookMs)}}`;
}
