/** `POST /api/v1/system/profile`: samples of what all threads are in, for some seconds. */
import { Elysia } from "elysia";
import { RequestError } from "../base/errors.ts";
import type { ApiContext } from "./api-context.ts";
import { jsonResponse } from "./json-text.ts";
import { checkedTakeProfile, PROFILE_SECONDS_MAX } from "./profile.contract.ts";
import { takeProfileDetail } from "./profile.docs.ts";
import { readJson } from "./request-body.ts";
import { type Call, guarded } from "./route.ts";

const ADMIN = { right: "admin", spaced: false } as const;

export function profileRoutes(api: ApiContext) {
  const take = async ({ request }: Call): Promise<Response> => {
    const { seconds } = checkedTakeProfile.check(await readJson(request, api.limits), "The body");
    const slice = await api.profile.take(seconds);
    if (slice !== "busy") return jsonResponse(JSON.stringify(slice));
    throw new RequestError({
      code: "profile-running",
      message: "Cannot profile: another profile is under way",
      retryAfterSeconds: PROFILE_SECONDS_MAX,
    });
  };
  return new Elysia({ name: "profile" }).post("/api/v1/system/profile", guarded(api, ADMIN, take), {
    parse: "none",
    detail: takeProfileDetail(),
  });
}
