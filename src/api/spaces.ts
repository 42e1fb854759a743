/** `GET` and `POST /api/v1/spaces`, `GET`, `PATCH` and `DELETE /api/v1/spaces/{name}`. */
import { Elysia } from "elysia";
import type { z } from "zod";
import type { SpaceForgetting } from "../engine/space-forgetting.ts";
import { opens } from "./access.ts";
import type { ApiContext } from "./api-context.ts";
import { jsonResponse, spaceJson } from "./json-text.ts";
import { readJson } from "./request-body.ts";
import { type Call, checkSpaceName, guarded, pathTail } from "./route.ts";
import { checkedSpace, checkedSpaceUpdate } from "./spaces.contract.ts";
import {
  createSpaceDetail,
  deleteSpaceDetail,
  listSpacesDetail,
  showSpaceDetail,
  updateSpaceDetail,
} from "./spaces.docs.ts";

const PATH = "/api/v1/spaces";
const READ = { right: "read", spaced: false } as const;
const ADMIN = { right: "admin", spaced: false } as const;

export function spaceRoutes(api: ApiContext) {
  const nameOf = ({ request, caller }: Call) => {
    const name = checkSpaceName(pathTail(request, `${PATH}/`), "name");
    api.access.requireSpace(caller, name, "name");
    return name;
  };
  const list = ({ caller }: Call): Response => {
    const spaces = api.engine.spaces().filter((space) => opens(caller.spaces, space.name));
    return jsonResponse(JSON.stringify({ spaces: spaces.map(spaceJson) }));
  };
  const create = async ({ request, caller }: Call): Promise<Response> => {
    const asked = checkedSpace.check(await readJson(request, api.limits), "The body");
    api.access.requireSpace(caller, asked.name, "name");
    const spec = { ...asked, forgetting: ownForgetting(asked.forgetting) };
    return jsonResponse(JSON.stringify(spaceJson(await api.engine.createSpace(spec))), 201);
  };
  const update = async (call: Call): Promise<Response> => {
    const name = nameOf(call);
    const asked = checkedSpaceUpdate.check(await readJson(call.request, api.limits), "The body");
    const space = await api.engine.updateSpace(name, { forgetting: ownForgetting(asked.forgetting) });
    return jsonResponse(JSON.stringify(spaceJson(space)));
  };
  const show = (call: Call): Response =>
    jsonResponse(JSON.stringify(spaceJson(api.engine.space(nameOf(call)))));
  const remove = async (call: Call): Promise<Response> => {
    const name = nameOf(call);
    await api.engine.deleteSpace(name);
    return jsonResponse(`{"name":"${name}","deleted":true}`);
  };

  return new Elysia({ name: "spaces" })
    .get(PATH, guarded(api, READ, list), { detail: listSpacesDetail() })
    .post(PATH, guarded(api, ADMIN, create), { parse: "none", detail: createSpaceDetail() })
    .get(`${PATH}/:name`, guarded(api, READ, show), { detail: showSpaceDetail() })
    .patch(`${PATH}/:name`, guarded(api, ADMIN, update), { parse: "none", detail: updateSpaceDetail() })
    .delete(`${PATH}/:name`, guarded(api, ADMIN, remove), { detail: deleteSpaceDetail() });
}

/** What a space says itself of forgetting, as the engine has it. */
function ownForgetting(
  asked: z.output<typeof checkedSpaceUpdate.schema>["forgetting"] | undefined,
): SpaceForgetting | undefined {
  if (asked === undefined) return undefined;
  const { curve, stability_hours: stabilityHours } = asked;
  return {
    ...(curve === undefined ? {} : { curve }),
    ...(stabilityHours === undefined ? {} : { stabilityHours }),
  };
}
