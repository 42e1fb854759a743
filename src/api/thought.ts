/** `POST /api/v1/recognize` and `POST /api/v1/complete`. */
import { Elysia } from "elysia";
import { RequestError } from "../base/errors.ts";
import type { Completed, Recognised } from "../engine/thought/thought-engine.ts";
import type { ApiContext } from "./api-context.ts";
import { readEmbedding } from "./embedding-field.ts";
import { jsonResponse, rounded } from "./json-text.ts";
import { readJson } from "./request-body.ts";
import { type Call, guarded } from "./route.ts";
import { checkedComplete, checkedRecognize } from "./thought.contract.ts";
import { completeDetail, recognizeDetail } from "./thought.docs.ts";

const READ = { right: "read", spaced: true } as const;

export function thoughtRoutes(api: ApiContext) {
  const recognize = async ({ request, space }: Call): Promise<Response> => {
    const asked = checkedRecognize.check(await readJson(request, api.limits), "The body");
    const embedding = asked.embedding === undefined ? undefined : readEmbedding(asked.embedding, "embedding");
    if (asked.content === undefined && embedding === undefined) {
      throw new RequestError({
        code: "request-invalid",
        message: "There is nothing to recognize",
        at: "content",
        expected: "a content or an embedding",
        received: "absent",
      });
    }
    const recognised = await api.thought.recognise(space, {
      text: asked.content,
      embedding,
      kinds: asked.kinds,
    });
    return jsonResponse(JSON.stringify(recognisedJson(recognised)));
  };
  const complete = async ({ request, space }: Call): Promise<Response> => {
    const { alternatives, ...fragment } = checkedComplete.check(
      await readJson(request, api.limits),
      "The body",
    );
    const completed = await api.thought.complete(space, fragment, { alternatives });
    return jsonResponse(JSON.stringify(completedJson(completed)));
  };
  return new Elysia({ name: "thought" })
    .post("/api/v1/recognize", guarded(api, READ, recognize), { parse: "none", detail: recognizeDetail() })
    .post("/api/v1/complete", guarded(api, READ, complete), { parse: "none", detail: completeDetail() });
}

function recognisedJson(recognised: Recognised) {
  return {
    recognized: recognised.isOld ? "old" : "new",
    probability: rounded(recognised.probability),
    confidence: rounded(recognised.confidence),
    recollection: rounded(recognised.recollection),
    familiarity: rounded(recognised.familiarity),
    echo: rounded(recognised.echo),
    unrelated_similarity: rounded(recognised.unrelatedSimilarity),
    traces: recognised.traces.map(({ id, similarity, retention, isSame }) => ({
      id,
      similarity: rounded(similarity),
      retention: rounded(retention),
      same: isSame,
    })),
    space: recognised.space,
    took_ms: rounded(recognised.tookMs),
  };
}

export function completedJson(completed: Completed) {
  const { filled, fragment } = completed;
  return {
    episode: { ...fragment, ...Object.fromEntries(filled.map(({ field, value }) => [field, value])) },
    filled: filled.map(({ field, value, confidence, sources, alternatives }) => ({
      field,
      value,
      confidence: rounded(confidence),
      sources,
      alternatives: alternatives.map((each) => ({ ...each, share: rounded(each.share) })),
    })),
    unknown: completed.unknown,
    confidence: rounded(completed.confidence),
    plausibility: rounded(completed.plausibility),
    evidence: rounded(completed.evidence),
    space: completed.space,
    took_ms: rounded(completed.tookMs),
  };
}
