/** `POST /api/v1/episodes/remember` and `GET /api/v1/episodes/replay`. */
import { Elysia } from "elysia";
import { RequestError } from "../base/errors.ts";
import type { RememberInput } from "../engine/engine.ts";
import type { ApiContext } from "./api-context.ts";
import { readEmbedding } from "./embedding-field.ts";
import {
  type CheckedEpisode,
  checkedReplay,
  type EpisodeContracts,
  episodeContracts,
  REPLAY_QUERY_FORMS,
} from "./episodes.contract.ts";
import { rememberEpisodeDetail, replayDetail } from "./episodes.docs.ts";
import { jsonResponse, memoryText, rememberedFields } from "./json-text.ts";
import { checkContent, checkedTimeMs, checkWellFormed, metadataJson } from "./memory-fields.ts";
import { checkId } from "./memory-id.ts";
import { queryFields } from "./query-fields.ts";
import { readJson } from "./request-body.ts";
import { type Call, guarded, queryOf } from "./route.ts";
import { type ApiLimits, LIST_LIMIT_DEFAULT } from "./settings.ts";

const READ = { right: "read", spaced: true } as const;
const WRITE = { right: "write", spaced: true } as const;

export function episodeRoutes(api: ApiContext) {
  const contracts = episodeContracts(api.limits);
  return new Elysia({ name: "episodes" })
    .post("/api/v1/episodes/remember", guarded(api, WRITE, remember(api, contracts)), {
      parse: "none",
      detail: rememberEpisodeDetail(contracts),
    })
    .get("/api/v1/episodes/replay", guarded(api, READ, replay(api)), { detail: replayDetail() });
}

function remember(api: ApiContext, contracts: EpisodeContracts) {
  return async ({ request, space }: Call): Promise<Response> => {
    const asked = contracts.checkedEpisode.check(await readJson(request, api.limits), "The body");
    const input = episodeInput(asked, api.limits);
    const causes = (asked.caused_by ?? []).map((id, index) => checkCause(api, space, id, index));
    const ack = asked.ack ?? "fsync";
    const [result] = await api.engine.remember(space, [input], { ack });
    if (result === undefined) throw new TypeError("the engine answers one result per memory");
    if (result instanceof Error) throw result;
    for (const source of causes) {
      await api.engine.mind.link(
        space,
        { source, destination: result.id, kind: "cause", strength: 1 },
        { ack },
      );
    }
    return jsonResponse(`{${rememberedFields(result)}}`, 201);
  };
}

function replay(api: ApiContext) {
  return ({ request, space }: Call): Response => {
    const asked = checkedReplay.check(queryFields(queryOf(request.url), REPLAY_QUERY_FORMS), "The query");
    const page = api.engine.mind.replay(space, {
      fromMs: asked.from === undefined ? undefined : checkedTimeMs(asked.from, "from"),
      toMs: asked.to === undefined ? undefined : checkedTimeMs(asked.to, "to"),
      session: asked.session,
      who: asked.who,
      limit: asked.limit ?? LIST_LIMIT_DEFAULT,
      cursor: asked.cursor,
    });
    const next = page.nextCursor === undefined ? "null" : JSON.stringify(page.nextCursor);
    return jsonResponse(`{"episodes":[${page.episodes.map(memoryText).join(",")}],"next_cursor":${next}}`);
  };
}

function episodeInput(asked: CheckedEpisode, limits: ApiLimits): RememberInput {
  checkContent(asked.what, "what", limits);
  if (asked.id !== undefined) checkId(asked.id, "id");
  const { where, who, why, how, session } = asked;
  for (const [at, text] of Object.entries({ where, why, how, session })) {
    if (text !== undefined) checkWellFormed(text, at);
  }
  for (const [index, name] of (who ?? []).entries()) checkWellFormed(name, `who[${index}]`);
  return {
    content: asked.what,
    id: asked.id,
    embedding: asked.embedding === undefined ? undefined : readEmbedding(asked.embedding, "embedding"),
    confidence: asked.confidence,
    timestampMs: asked.when === undefined ? undefined : checkedTimeMs(asked.when, "when"),
    tags: asked.tags,
    metadataJson: asked.metadata === undefined ? undefined : metadataJson(asked.metadata, "metadata", limits),
    ifExists: asked.if_exists,
    kind: "episode",
    importance: asked.importance,
    valence: asked.valence,
    detailsJson: JSON.stringify({ where, who, why, how, session }),
  };
}

/** A cause has to be there before its consequence is stored. @throws {RequestError} `memory-not-found` */
function checkCause(api: ApiContext, space: string, id: string, index: number): string {
  const at = `caused_by[${index}]`;
  try {
    api.engine.get(space, checkId(id, at));
    return id;
  } catch (error) {
    if (!(error instanceof RequestError) || error.code !== "memory-not-found") throw error;
    throw new RequestError({
      code: "memory-not-found",
      message: error.message,
      expected: "the id of a memory in this space",
      received: id,
      at,
    });
  }
}
