/** `GET /api/v1/query/probabilistic`: a recall that says how sure it is. */
import { Elysia } from "elysia";
import { CALIBRATION_EXAMPLES, CALIBRATION_QUESTIONS } from "../cognition/relevance.ts";
import { ASSESSED_RANK, type Assessed, assess } from "../engine/assess.ts";
import type { ApiContext } from "./api-context.ts";
import { jsonResponse, memoryFields, numberText } from "./json-text.ts";
import { checkedTimeMs } from "./memory-fields.ts";
import { checkedProbabilistic, PROBABILISTIC_QUERY_FORMS } from "./probabilistic.contract.ts";
import { probabilisticDetail } from "./probabilistic.docs.ts";
import { queryFields } from "./query-fields.ts";
import { type Call, guarded, queryOf } from "./route.ts";
import { RECALL_LIMIT_DEFAULT } from "./settings.ts";
import { timeText } from "./time-text.ts";

const ACCESS = { right: "read", spaced: true } as const;
const CALIBRATION = JSON.stringify({ examples: CALIBRATION_EXAMPLES, questions: CALIBRATION_QUESTIONS });

export function probabilisticRoutes(api: ApiContext) {
  const answer = async ({ request, space }: Call): Promise<Response> => {
    const fields = queryFields(queryOf(request.url), PROBABILISTIC_QUERY_FORMS);
    const asked = checkedProbabilistic.check(fields, "The query");
    const time = (name: "from" | "to" | "as_of") =>
      asked[name] === undefined ? undefined : checkedTimeMs(asked[name], name);
    const limit = asked.limit ?? RECALL_LIMIT_DEFAULT;
    const recalled = await api.engine.recall(space, {
      query: asked.query,
      // The evidence of the first is how far it stands above the tenth.
      limit: Math.max(limit, ASSESSED_RANK),
      mode: "hybrid",
      tags: asked.tags,
      fromMs: time("from"),
      toMs: time("to"),
      asOfMs: time("as_of"),
      explain: true,
    });
    const facts = api.engine.space(space);
    const results = assess(recalled, asked.query, facts, facts.forgetting.floor)
      .slice(0, limit)
      .filter(({ probability }) => probability >= (asked.min_probability ?? 0));
    const expected = results.reduce((sum, { probability }) => sum + probability, 0);
    const asOf = recalled.asOf === undefined ? "" : `,"as_of":"${timeText(recalled.asOf.atMs)}"`;
    return jsonResponse(
      `{"results":[${results.map(resultText).join(",")}],"expected_answers":${numberText(expected)},"space":"${space}"${asOf},"calibration":${CALIBRATION},"took_ms":${numberText(recalled.tookMs)}}`,
    );
  };
  return new Elysia({ name: "probabilistic" }).get(
    "/api/v1/query/probabilistic",
    guarded(api, ACCESS, answer),
    { detail: probabilisticDetail() },
  );
}

function resultText(memory: Assessed): string {
  const { score, probability, low, high, evidence, doubts } = memory;
  const interval = `{"low":${numberText(low)},"high":${numberText(high)},"level":0.95}`;
  return `{${memoryFields(memory)},"score":${numberText(score)},"probability":${numberText(probability)},"interval":${interval},"evidence":${JSON.stringify(evidence)},"uncertainty":${JSON.stringify(doubts)}}`;
}
