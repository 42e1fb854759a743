/** `GET` and `POST /api/v1/spaces`, `GET` and `DELETE /api/v1/spaces/{name}`. */
import { Elysia } from "elysia";
import { opens } from "./access.ts";
import type { ApiContext } from "./api-context.ts";
import { jsonResponse, spaceJson } from "./json-text.ts";
import { readJson } from "./request-body.ts";
import { type Call, checkSpaceName, guarded, pathTail } from "./route.ts";
import { checkedSpace } from "./spaces.contract.ts";
import { createSpaceDetail, deleteSpaceDetail, listSpacesDetail, showSpaceDetail } from "./spaces.docs.ts";

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
    const spec = checkedSpace.check(await readJson(request, api.limits), "The body");
    api.access.requireSpace(caller, spec.name, "name");
    return jsonResponse(JSON.stringify(spaceJson(await api.engine.createSpace(spec))), 201);
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
    .delete(`${PATH}/:name`, guarded(api, ADMIN, remove), { detail: deleteSpaceDetail() });
}
