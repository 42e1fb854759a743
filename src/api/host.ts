/** `GET /api/v1/system/host`: what the kernel says of the process and the machine, for a profile. */
import { Elysia } from "elysia";
import { hostSnapshot } from "../observe/host-snapshot.ts";
import type { ApiContext } from "./api-context.ts";
import { hostDetail } from "./host.docs.ts";
import { jsonResponse } from "./json-text.ts";
import { guarded } from "./route.ts";

const ADMIN = { right: "admin", spaced: false } as const;

export function hostRoutes(api: ApiContext) {
  const show = (): Response => jsonResponse(JSON.stringify(hostSnapshot(api.watch.clock.wallMs())));
  return new Elysia({ name: "host" }).get("/api/v1/system/host", guarded(api, ADMIN, show), {
    detail: hostDetail(),
  });
}
