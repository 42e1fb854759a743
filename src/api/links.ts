/** `POST`, `GET` and `DELETE /api/v1/links`. */
import { Elysia } from "elysia";
import type { LinkKind, LinkSpec } from "../engine/mind-engine.ts";
import type { ApiContext } from "./api-context.ts";
import { bindingJson, jsonResponse, linkJson } from "./json-text.ts";
import {
  checkedLink,
  checkedLinks,
  checkedUnlink,
  LINKS_QUERY_FORMS,
  UNLINK_QUERY_FORMS,
} from "./links.contract.ts";
import { linkDetail, linksDetail, unlinkDetail } from "./links.docs.ts";
import { checkId } from "./memory-id.ts";
import { queryFields } from "./query-fields.ts";
import { readJson } from "./request-body.ts";
import { type Call, guarded, queryOf } from "./route.ts";
import { LIST_LIMIT_DEFAULT } from "./settings.ts";

const PATH = "/api/v1/links";
const READ = { right: "read", spaced: true } as const;
const WRITE = { right: "write", spaced: true } as const;

export function linkRoutes(api: ApiContext) {
  const { mind } = api.engine;
  const link = async ({ request, space }: Call): Promise<Response> => {
    const asked = checkedLink.check(await readJson(request, api.limits), "The body");
    const spec = { ...linkSpec(asked), strength: asked.strength };
    const made = await mind.link(space, spec, { ack: asked.ack ?? "fsync" });
    return jsonResponse(JSON.stringify(linkJson(made)), made.isNew ? 201 : 200);
  };
  const links = ({ request, space }: Call): Response => {
    const asked = checkedLinks.check(queryFields(queryOf(request.url), LINKS_QUERY_FORMS), "The query");
    const id = checkId(asked.id, "id");
    const bindings = mind.bindings(space, id, {
      kinds: asked.kind,
      limit: asked.limit ?? LIST_LIMIT_DEFAULT,
    });
    return jsonResponse(JSON.stringify({ id, space, links: bindings.map(bindingJson) }));
  };
  const unlink = async ({ request, space }: Call): Promise<Response> => {
    const asked = checkedUnlink.check(queryFields(queryOf(request.url), UNLINK_QUERY_FORMS), "The query");
    const { ack, ...ends } = await mind.unlink(space, linkSpec(asked), { ack: asked.ack ?? "fsync" });
    return jsonResponse(JSON.stringify({ ...ends, space, ack, removed: true }));
  };

  return new Elysia({ name: "links" })
    .post(PATH, guarded(api, WRITE, link), { parse: "none", detail: linkDetail() })
    .get(PATH, guarded(api, READ, links), { detail: linksDetail() })
    .delete(PATH, guarded(api, WRITE, unlink), { detail: unlinkDetail() });
}

function linkSpec(asked: { source: string; destination: string; kind?: LinkKind | undefined }): LinkSpec {
  return {
    source: checkId(asked.source, "source"),
    destination: checkId(asked.destination, "destination"),
    kind: asked.kind ?? "link",
  };
}
