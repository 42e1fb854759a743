/**
 * `GET /metrics`: every metric, in the format that the scraper likes best (`observe/exposition.ts`).
 *
 * It needs the right to read, like everything that tells of what is kept. It answers while the appliance
 * recovers, too.
 */
import { Elysia } from "elysia";
import { expose } from "../observe/exposition.ts";
import type { ApiContext } from "./api-context.ts";
import { metricsDetail } from "./metrics.docs.ts";
import { type Call, guarded } from "./route.ts";

const READ = { right: "read", spaced: false } as const;

export function metricsRoutes(api: ApiContext) {
  const { meter, snapshot } = api.watch;
  const metrics = ({ request }: Call): Response => {
    const startedAtMs = meter.nowMs();
    const { contentType, body } = expose(snapshot(), request.headers.get("accept"));
    const response = new Response(body, {
      headers: { "content-type": contentType, "cache-control": "no-store", vary: "accept" },
    });
    meter.scraped(meter.nowMs() - startedAtMs);
    return response;
  };
  return new Elysia({ name: "metrics" }).get("/metrics", guarded(api, READ, metrics), {
    detail: metricsDetail(),
  });
}
