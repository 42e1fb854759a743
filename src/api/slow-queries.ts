/** `GET /api/v1/slow-queries`: the operations that took long, with where their time went. */
import { Elysia } from "elysia";
import { opens } from "./access.ts";
import type { ApiContext } from "./api-context.ts";
import { jsonResponse } from "./json-text.ts";
import { checkedTimeMs } from "./memory-fields.ts";
import { queryFields } from "./query-fields.ts";
import { type Call, guarded, queryOf } from "./route.ts";
import { SLOW_LIMIT_DEFAULT } from "./settings.ts";
import { checkedSlowQuery, SLOW_QUERY_FORMS } from "./slow-queries.contract.ts";
import { slowQueriesDetail } from "./slow-queries.docs.ts";

const READ = { right: "read", spaced: false } as const;

export function slowQueryRoutes(api: ApiContext) {
  const { slow, slowOperations } = api.watch;
  const list = ({ request, caller }: Call): Response => {
    const asked = checkedSlowQuery.check(queryFields(queryOf(request.url), SLOW_QUERY_FORMS), "The query");
    const operations = slowOperations({
      tookMsMin: asked.threshold ?? 0,
      sinceMs: asked.since === undefined ? Number.NEGATIVE_INFINITY : checkedTimeMs(asked.since, "since"),
      operation: asked.operation,
      // What a key may not read it does not hear of either.
      isWanted: (space) =>
        opens(caller.spaces, space) && (asked.space === undefined || asked.space === space),
      limit: asked.limit ?? SLOW_LIMIT_DEFAULT,
    });
    return jsonResponse(JSON.stringify({ threshold_ms: finite(slow.thresholdMs), operations }));
  };
  return new Elysia({ name: "slow-queries" }).get("/api/v1/slow-queries", guarded(api, READ, list), {
    detail: slowQueriesDetail(),
  });
}

/** JSON has no infinity, which is the threshold where nothing is recorded. */
function finite(ms: number): number | null {
  return Number.isFinite(ms) ? ms : null;
}
