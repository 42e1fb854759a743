/**
 * `/livez`, `/readyz`, `GET /api/v1/system/health` and `GET /api/v1/system/version`.
 *
 * livez and readyz are for supervisors and load balancers: open to anyone, and saying one word. Health says
 * everything, so it needs the right to read.
 */
import { Elysia } from "elysia";
import type { Health } from "../engine/engine.ts";
import type { ApiContext } from "./api-context.ts";
import { jsonResponse } from "./json-text.ts";
import { guarded, open } from "./route.ts";
import { healthDetail, liveDetail, readyDetail, versionDetail } from "./system.docs.ts";

const READ = { right: "read", spaced: false } as const;

export function systemRoutes(api: ApiContext) {
  const live = (): Response => jsonResponse('{"status":"live"}');
  const ready = (): Response => {
    if (api.draining) return jsonResponse('{"status":"not-ready","reason":"shutting down"}', 503);
    const health = api.engine.health();
    if (health.ready) return jsonResponse('{"status":"ready"}');
    return jsonResponse(JSON.stringify({ status: "not-ready", reason: notReadyReason(health) }), 503);
  };
  const health = (): Response => {
    const { uptimeSeconds, ...rest } = api.engine.health();
    const text = JSON.stringify({ ...rest, uptime_seconds: uptimeSeconds });
    return jsonResponse(text, rest.status === "failed" ? 503 : 200);
  };
  const version = (): Response =>
    jsonResponse(
      JSON.stringify({
        name: "engram-appliance",
        version: api.version,
        bun: Bun.version,
        platform: `${process.platform}-${process.arch}`,
      }),
    );

  return new Elysia({ name: "system" })
    .get("/livez", open(api, live), { detail: liveDetail() })
    .get("/readyz", open(api, ready), { detail: readyDetail() })
    .get("/api/v1/system/health", guarded(api, READ, health), { detail: healthDetail() })
    .get("/api/v1/system/version", guarded(api, READ, version), { detail: versionDetail() });
}

/** The first part that is not well, by name; its reason may hold what only a reader of health should see. */
function notReadyReason(health: Health): string {
  const part = Object.entries(health.parts).find(
    ([, { status }]) => status !== "ok" && status !== "unavailable",
  );
  return part === undefined ? "recovering" : `${part[0]} is ${part[1].status}`;
}
