/**
 * `GET /api/v1/memories`, `GET` and `DELETE /api/v1/memories/{id}`, `DELETE /api/v1/memories?id=`,
 * `GET /api/v1/memories/fading`, and
 * `POST /api/v1/memories/{id}/reinforce`.
 */
import { Elysia } from "elysia";
import type { Ack } from "../engine/engine.ts";
import { OPERATION } from "../layout/metric-codes.ts";
import type { ApiContext } from "./api-context.ts";
import { fadingText, forgottenText, jsonResponse, memoryText, reinforcedJson } from "./json-text.ts";
import {
  checkedFading,
  checkedForget,
  checkedForgetById,
  checkedList,
  FADING_QUERY_FORMS,
  FORGET_QUERY_FORMS,
  LIST_QUERY_FORMS,
} from "./memories.contract.ts";
import {
  fadingDetail,
  forgetByIdDetail,
  forgetDetail,
  getDetail,
  listDetail,
  reinforceDetail,
} from "./memories.docs.ts";
import { checkedTimeMs } from "./memory-fields.ts";
import { checkId } from "./memory-id.ts";
import { queryFields } from "./query-fields.ts";
import { type Call, guarded, pathTail, queryOf } from "./route.ts";
import { LIST_LIMIT_DEFAULT } from "./settings.ts";

const PATH = "/api/v1/memories";
const REINFORCE = "/reinforce";
const READ = { right: "read", spaced: true } as const;
const WRITE = { right: "write", spaced: true } as const;

export function memoryRoutes(api: ApiContext) {
  // The id is decoded here, not by the router: an id may hold any character, "/" and "%" among them.
  const idOf = (request: Request) => checkId(pathTail(request, `${PATH}/`), "id");

  const list = ({ request, space }: Call): Response => {
    const asked = checkedList.check(queryFields(queryOf(request.url), LIST_QUERY_FORMS), "The query");
    if (asked.id !== undefined) {
      const memory = api.engine.get(space, checkId(asked.id, "id"));
      return jsonResponse(`{"memories":[${memoryText(memory)}],"next_cursor":null}`);
    }
    const limit = asked.limit ?? LIST_LIMIT_DEFAULT;
    const page = api.engine.list(space, { cursor: asked.cursor, limit, kinds: asked.kind });
    const next = page.nextCursor === undefined ? "null" : JSON.stringify(page.nextCursor);
    return jsonResponse(`{"memories":[${page.memories.map(memoryText).join(",")}],"next_cursor":${next}}`);
  };
  const get = ({ request, space }: Call): Response =>
    jsonResponse(memoryText(api.engine.get(space, idOf(request))));
  const { meter, slow } = api.watch;
  const forgetMemory = async ({ watched, space }: Call, id: string, ack: Ack): Promise<Response> => {
    const trace = slow.begin(OPERATION.forget, space, meter.nowMs(), watched.context);
    trace.ack = ack;
    try {
      const forgotten = await api.engine.forget(space, id, { ack, trace });
      slow.end(trace, meter.nowMs());
      return jsonResponse(forgottenText(forgotten));
    } catch (error) {
      slow.end(trace, meter.nowMs(), error);
      throw error;
    }
  };
  const forget = (call: Call): Promise<Response> => {
    const fields = queryFields(queryOf(call.request.url), FORGET_QUERY_FORMS);
    const asked = checkedForget.check(fields, "The query");
    return forgetMemory(call, idOf(call.request), asked.ack ?? "fsync");
  };
  const forgetById = (call: Call): Promise<Response> => {
    const fields = queryFields(queryOf(call.request.url), FORGET_QUERY_FORMS);
    const asked = checkedForgetById.check(fields, "The query");
    return forgetMemory(call, checkId(asked.id, "id"), asked.ack ?? "fsync");
  };

  const reinforce = async ({ request, space }: Call): Promise<Response> => {
    const fields = queryFields(queryOf(request.url), FORGET_QUERY_FORMS);
    const { ack } = checkedForget.check(fields, "The query");
    const id = checkId(pathTail(request, `${PATH}/`, REINFORCE), "id");
    const reinforced = await api.engine.mind.reinforce(space, id, { ack: ack ?? "fsync" });
    return jsonResponse(JSON.stringify(reinforcedJson(reinforced)));
  };

  const fading = ({ request, space }: Call): Response => {
    const asked = checkedFading.check(queryFields(queryOf(request.url), FADING_QUERY_FORMS), "The query");
    const page = api.engine.mind.fading(space, {
      floor: asked.floor,
      atMs: asked.at === undefined ? undefined : checkedTimeMs(asked.at, "at"),
      limit: asked.limit ?? LIST_LIMIT_DEFAULT,
      cursor: asked.cursor,
    });
    return jsonResponse(fadingText(page));
  };

  return new Elysia({ name: "memories" })
    .get(`${PATH}/fading`, guarded(api, READ, fading), { detail: fadingDetail() })
    .get(PATH, guarded(api, READ, list), { detail: listDetail() })
    .delete(PATH, guarded(api, WRITE, forgetById), { detail: forgetByIdDetail() })
    .get(`${PATH}/:id`, guarded(api, READ, get), { detail: getDetail() })
    .delete(`${PATH}/:id`, guarded(api, WRITE, forget), { detail: forgetDetail() })
    .post(`${PATH}/:id${REINFORCE}`, guarded(api, WRITE, reinforce), {
      parse: "none",
      detail: reinforceDetail(),
    });
}
