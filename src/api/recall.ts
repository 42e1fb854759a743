/** `GET` and `POST /api/v1/memories/recall`. */
import { Elysia } from "elysia";
import type { z } from "zod";
import { RequestError } from "../base/errors.ts";
import type { RecallQuery } from "../engine/engine.ts";
import type { OperationTrace } from "../engine/operation-trace.ts";
import { OPERATION, STAGE } from "../layout/metric-codes.ts";
import type { ApiContext } from "./api-context.ts";
import { readEmbedding } from "./embedding-field.ts";
import { jsonResponse, recalledText } from "./json-text.ts";
import { checkedTimeMs } from "./memory-fields.ts";
import { queryFields } from "./query-fields.ts";
import { checkedRecall, RECALL_QUERY_FORMS } from "./recall.contract.ts";
import { recallGetDetail, recallPostDetail } from "./recall.docs.ts";
import { parseJson, readJsonText } from "./request-body.ts";
import { type Call, guarded, queryOf } from "./route.ts";
import { RECALL_LIMIT_DEFAULT } from "./settings.ts";

const ACCESS = { right: "read", spaced: true } as const;
const PATH = "/api/v1/memories/recall";

type AskedRecall = z.output<typeof checkedRecall.schema>;

export function recallRoutes(api: ApiContext) {
  const { meter, slow } = api.watch;
  const answer = async (call: Call, asked: AskedRecall, startedAtMs: number): Promise<Response> => {
    const { watched, space } = call;
    const trace = slow.begin(OPERATION.recall, space, startedAtMs, watched.context);
    try {
      const query = recallQuery(asked, trace);
      trace.query = query;
      const parsedAtMs = meter.nowMs();
      meter.stage(OPERATION.recall, STAGE.parse, parsedAtMs - startedAtMs);
      trace.stage(STAGE.parse, parsedAtMs - startedAtMs, parsedAtMs);
      const recalled = await api.engine.recall(space, query);
      const recalledAtMs = meter.nowMs();
      const text = recalledText(recalled);
      const response = jsonResponse(text);
      const endedAtMs = meter.nowMs();
      meter.stage(OPERATION.recall, STAGE.serialise, endedAtMs - recalledAtMs);
      trace.stage(STAGE.serialise, endedAtMs - recalledAtMs, endedAtMs);
      trace.replyLength = text.length;
      slow.end(trace, endedAtMs);
      return response;
    } catch (error) {
      slow.end(trace, meter.nowMs(), error);
      throw error;
    }
  };
  const fromBody = async (call: Call): Promise<Response> => {
    const text = await readJsonText(call.request, api.limits);
    const startedAtMs = meter.nowMs();
    const body = parseJson(text, api.limits, "The body", undefined);
    return answer(call, checkedRecall.check(body, "The body"), startedAtMs);
  };
  const fromQuery = async (call: Call): Promise<Response> => {
    const startedAtMs = meter.nowMs();
    const fields = queryFields(queryOf(call.request.url), RECALL_QUERY_FORMS);
    return answer(call, checkedRecall.check(fields, "The query"), startedAtMs);
  };
  return new Elysia({ name: "recall" })
    .get(PATH, guarded(api, ACCESS, fromQuery), { detail: recallGetDetail() })
    .post(PATH, guarded(api, ACCESS, fromBody), { parse: "none", detail: recallPostDetail() });
}

function recallQuery(asked: AskedRecall, trace: OperationTrace): RecallQuery {
  const mode = asked.mode ?? "hybrid";
  const embedding = asked.embedding === undefined ? undefined : readEmbedding(asked.embedding, "embedding");
  if (asked.query === undefined && (embedding === undefined || mode === "words")) {
    throw new RequestError({
      code: "request-invalid",
      message: "There is nothing to look for",
      at: "query",
      expected: mode === "words" ? 'a query, which mode "words" looks for' : "a query or an embedding",
      received: "absent",
    });
  }
  return {
    query: asked.query,
    embedding,
    limit: asked.limit ?? RECALL_LIMIT_DEFAULT,
    mode,
    tags: asked.tags,
    fromMs: asked.from === undefined ? undefined : checkedTimeMs(asked.from, "from"),
    toMs: asked.to === undefined ? undefined : checkedTimeMs(asked.to, "to"),
    minConfidence: asked.min_confidence,
    asOfMs: asked.as_of === undefined ? undefined : checkedTimeMs(asked.as_of, "as_of"),
    fading: asked.fading,
    threshold: asked.threshold,
    kinds: asked.kinds,
    concepts: asked.concepts,
    explain: asked.explain,
    meaning: asked.meaning,
    ef: asked.ef,
    activation: activationAsked(asked),
    trace,
  };
}

/** What the recall asks of activation; undefined where it leaves all of it to the settings. */
function activationAsked(asked: AskedRecall): RecallQuery["activation"] {
  const overrides = {
    seeds: asked.activation_seeds,
    hops: asked.activation_hops,
    decay: asked.activation_decay,
    threshold: asked.activation_threshold,
    visits: asked.activation_visits,
    timeMs: asked.activation_time_ms,
    weight: asked.activation_weight,
    speakerWeight: asked.speaker_weight,
  };
  return Object.values(overrides).some((value) => value !== undefined) ? overrides : undefined;
}
