/** `GET` and `PATCH /api/v1/system/settings`: the settings that run, and changing those that are live. */
import { Elysia } from "elysia";
import { RequestError } from "../base/errors.ts";
import { type ChangeProblem, checkChanges } from "../config/live-settings.ts";
import { SETTINGS, settingValue } from "../config/schema.ts";
import type { ApiContext } from "./api-context.ts";
import { jsonResponse } from "./json-text.ts";
import { readJson } from "./request-body.ts";
import { type Call, guarded } from "./route.ts";
import { checkedChangeSettings } from "./running-settings.contract.ts";
import { changeSettingsDetail, showSettingsDetail } from "./running-settings.docs.ts";

const PATH = "/api/v1/system/settings";
const ADMIN = { right: "admin", spaced: false } as const;

export function runningSettingsRoutes(api: ApiContext) {
  const { settings: desk } = api;
  const show = (): Response => {
    const running = desk.running();
    const settings = SETTINGS.map(({ path, facts, default: standard }) => ({
      name: path,
      value: settingValue(running, path),
      default: standard,
      live: facts.live === true,
    }));
    return jsonResponse(JSON.stringify({ settings }));
  };
  const change = async ({ request }: Call): Promise<Response> => {
    const values = checkedChangeSettings.check(await readJson(request, api.limits), "The body");
    const checked = checkChanges(desk.running(), values);
    if ("problem" in checked) throw refused(checked.problem, values[checked.problem.path]);
    await desk.change(checked.changes);
    const changed = checked.changes.map(({ path, from, to }) => ({ name: path, from, to }));
    return jsonResponse(JSON.stringify({ changed }));
  };
  return new Elysia({ name: "running-settings" })
    .get(PATH, guarded(api, ADMIN, show), { detail: showSettingsDetail() })
    .patch(PATH, guarded(api, ADMIN, change), { parse: "none", detail: changeSettingsDetail() });
}

function refused({ path, kind, message, expected }: ChangeProblem, value: unknown): RequestError {
  return new RequestError({
    code: kind === "not-live" ? "setting-not-live" : "request-invalid",
    message,
    at: path.slice(0, 256),
    expected,
    received: JSON.stringify(value).slice(0, 256),
  });
}
