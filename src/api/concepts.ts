/** `GET /api/v1/concepts`, `POST /api/v1/consolidate` and `GET /api/v1/consolidations`. */
import { Elysia } from "elysia";
import { type ConsolidationRun, hasEnded } from "../engine/consolidation/consolidation-board.ts";
import { opens } from "./access.ts";
import type { ApiContext } from "./api-context.ts";
import {
  CONCEPT_MEMBERS_DEFAULT,
  CONCEPTS_QUERY_FORMS,
  CONSOLIDATIONS_QUERY_FORMS,
  CYCLES_DEFAULT,
  checkedConcepts,
  checkedConsolidate,
  checkedConsolidateQuery,
  checkedConsolidations,
  RUNS_DEFAULT,
} from "./concepts.contract.ts";
import { conceptsDetail, consolidateDetail, consolidationsDetail } from "./concepts.docs.ts";
import { conceptFields, jsonResponse } from "./json-text.ts";
import { queryFields } from "./query-fields.ts";
import { readJson } from "./request-body.ts";
import { type Call, guarded, queryOf } from "./route.ts";
import { LIST_LIMIT_DEFAULT } from "./settings.ts";
import { timeText } from "./time-text.ts";

const READ = { right: "read", spaced: true, spaceInQuery: true } as const;
const READ_ALL = { right: "read", spaced: false } as const;
const ADMIN = { right: "admin", spaced: true, spaceInQuery: true } as const;

export function conceptRoutes(api: ApiContext) {
  const list = ({ request, space }: Call): Response => {
    const asked = checkedConcepts.check(queryFields(queryOf(request.url), CONCEPTS_QUERY_FORMS), "The query");
    const page = api.concepts.concepts(space, {
      cursor: asked.cursor,
      limit: asked.limit ?? LIST_LIMIT_DEFAULT,
      members: asked.members ?? CONCEPT_MEMBERS_DEFAULT,
    });
    const concepts = page.concepts.map((concept) => `{${conceptFields(concept)}}`);
    const next = page.nextCursor === undefined ? "null" : JSON.stringify(page.nextCursor);
    return jsonResponse(`{"concepts":[${concepts.join(",")}],"next_cursor":${next}}`);
  };
  const consolidate = async ({ request, space }: Call): Promise<Response> => {
    checkedConsolidateQuery.check(queryFields(queryOf(request.url), { space: "text" }), "The query");
    const asked = checkedConsolidate.check(await readJson(request, api.limits), "The body");
    const run = await api.concepts.consolidate(space, {
      cyclesMax: asked.max_cycles ?? CYCLES_DEFAULT,
      waitMs: asked.wait_ms ?? 0,
    });
    return jsonResponse(JSON.stringify(runJson(run)), hasEnded(run) ? 200 : 202);
  };
  const runs = ({ request, caller }: Call): Response => {
    const fields = queryFields(queryOf(request.url), CONSOLIDATIONS_QUERY_FORMS);
    const asked = checkedConsolidations.check(fields, "The query");
    // What a key may not read it does not hear of either.
    const shown = api.concepts
      .runs()
      .filter(({ space }) => opens(caller.spaces, space) && (asked.space ?? space) === space)
      .slice(0, asked.limit ?? RUNS_DEFAULT);
    return jsonResponse(JSON.stringify({ consolidations: shown.map(runJson) }));
  };
  return new Elysia({ name: "concepts" })
    .get("/api/v1/concepts", guarded(api, READ, list), { detail: conceptsDetail() })
    .post("/api/v1/consolidate", guarded(api, ADMIN, consolidate), {
      parse: "none",
      detail: consolidateDetail(),
    })
    .get("/api/v1/consolidations", guarded(api, READ_ALL, runs), { detail: consolidationsDetail() });
}

export type ConsolidationRunReply = ReturnType<typeof runJson>;

export function runJson(run: ConsolidationRun) {
  const { figures } = run;
  return {
    id: run.id,
    space: run.space,
    state: run.state,
    reason: run.reason === "" ? undefined : run.reason,
    requested: run.isRequested,
    requested_at: timeText(run.requestedAtMs),
    started_at: run.startedAtMs === 0 ? null : timeText(run.startedAtMs),
    ended_at: !hasEnded(run) ? null : timeText(run.endedAtMs),
    paused_ms: Math.round(run.pausedMs),
    cycles: figures.cycles,
    replayed: figures.replayed,
    concepts: {
      formed: figures.formed,
      grown: figures.grown,
      merged: figures.merged,
      split: figures.split,
      retired: figures.retired,
    },
    promoted: { consolidating: figures.consolidating, remote: figures.remote },
    unconsolidated: run.unconsolidated,
  };
}
