/** `GET /api/v1/index` and `POST /api/v1/index/rebuild`, of the space that X-Memory-Space or `?space=` names. */
import { Elysia } from "elysia";
import type { ApiContext } from "./api-context.ts";
import { indexJson, jsonResponse } from "./json-text.ts";
import { queryFields } from "./query-fields.ts";
import { readJson } from "./request-body.ts";
import { type Call, guarded, queryOf } from "./route.ts";
import { checkedIndexQuery, checkedRebuild } from "./vector-index.contract.ts";
import { rebuildDetail, showIndexDetail } from "./vector-index.docs.ts";

const READ = { right: "read", spaced: true, spaceInQuery: true } as const;
const ADMIN = { right: "admin", spaced: true, spaceInQuery: true } as const;

export function vectorIndexRoutes(api: ApiContext) {
  const show = ({ request, space }: Call): Response => {
    checkedIndexQuery.check(queryFields(queryOf(request.url), {}), "The query");
    return jsonResponse(JSON.stringify(indexJson(api.engine.index(space))));
  };
  const rebuild = async ({ request, space }: Call): Promise<Response> => {
    checkedIndexQuery.check(queryFields(queryOf(request.url), {}), "The query");
    const asked = checkedRebuild.check(await readJson(request, api.limits), "The body");
    const index = await api.engine.rebuildIndex(space, { M: asked.M, efConstruction: asked.ef_construction });
    return jsonResponse(JSON.stringify(indexJson(index)), 202);
  };
  return new Elysia({ name: "vector-index" })
    .get("/api/v1/index", guarded(api, READ, show), { detail: showIndexDetail() })
    .post("/api/v1/index/rebuild", guarded(api, ADMIN, rebuild), { parse: "none", detail: rebuildDetail() });
}
