/**
 * `GET /api/v1/alerts`, `GET /api/v1/rules` (as Prometheus answers it), and `/api/v1/alerts/silences`.
 *
 * The collector shows the state of alerts on a board that every worker reads; silences are a file that the workers
 * change and the collector follows.
 */
import { Elysia } from "elysia";
import { RequestError } from "../base/errors.ts";
import { compileRegex } from "../observe/promql/matcher.ts";
import { alertsJson, rulesJson, silenceJson } from "./alert-reply.ts";
import { checkedSilence } from "./alerts.contract.ts";
import {
  alertsDetail,
  endSilenceDetail,
  listSilencesDetail,
  rulesDetail,
  silenceDetail,
} from "./alerts.docs.ts";
import type { ApiContext } from "./api-context.ts";
import { jsonResponse } from "./json-text.ts";
import { parametersOf } from "./query-parameters.ts";
import { readJson } from "./request-body.ts";
import { type Call, guarded, pathTail } from "./route.ts";
import { timeMs } from "./shared.contract.ts";

const PATH = "/api/v1/alerts";
const SILENCES = `${PATH}/silences`;
const READ = { right: "read", spaced: false } as const;
const ADMIN = { right: "admin", spaced: false } as const;

export function alertRoutes(api: ApiContext) {
  const { alerts: board, clock } = api.watch;

  const show = (): Response => jsonResponse(JSON.stringify(alertsJson(board, clock.wallMs())));

  const rules = async ({ request }: Call): Promise<Response> => {
    const wanted = (await parametersOf(request, api.limits)).get("type");
    const reply = rulesJson(board);
    // There are no recording rules.
    return jsonResponse(
      JSON.stringify(wanted === "record" ? { status: "success", data: { groups: [] } } : reply),
    );
  };

  const list = (): Response => {
    const nowMs = clock.wallMs();
    return jsonResponse(
      JSON.stringify({ silences: board.silences.all().map((each) => silenceJson(each, nowMs)) }),
    );
  };

  const silence = async ({ request }: Call): Promise<Response> => {
    const asked = checkedSilence.check(await readJson(request, api.limits), "The body");
    const nowMs = clock.wallMs();
    const untilMs = timeMs(asked.until);
    if (!(untilMs > nowMs)) throw notLater(asked.until);
    const matchers = asked.matchers.map(({ name, value, operator = "=" }, index) => {
      if (operator === "=~" || operator === "!~") checkRegex(value, index);
      return { name, operator, value };
    });
    const { author, comment } = asked;
    const made = await board.silences.add({ matchers, untilMs, author, comment }, nowMs);
    return jsonResponse(JSON.stringify(silenceJson(made, nowMs)), 201);
  };

  const end = async ({ request }: Call): Promise<Response> => {
    const nowMs = clock.wallMs();
    const ended = await board.silences.end(pathTail(request, `${SILENCES}/`), nowMs);
    return jsonResponse(JSON.stringify(silenceJson(ended, nowMs)));
  };

  return new Elysia({ name: "alerts" })
    .get(PATH, guarded(api, READ, show), { detail: alertsDetail() })
    .get("/api/v1/rules", guarded(api, READ, rules), { detail: rulesDetail() })
    .get(SILENCES, guarded(api, READ, list), { detail: listSilencesDetail() })
    .post(SILENCES, guarded(api, ADMIN, silence), { parse: "none", detail: silenceDetail() })
    .delete(`${SILENCES}/:id`, guarded(api, ADMIN, end), { detail: endSilenceDetail() });
}

function notLater(until: number | string): RequestError {
  return new RequestError({
    code: "request-invalid",
    message: "A silence ends later than it begins",
    at: "until",
    expected: "a time that is still to come",
    received: JSON.stringify(until),
  });
}

function checkRegex(source: string, index: number): void {
  try {
    compileRegex(source);
  } catch (cause) {
    throw new RequestError({
      code: "request-invalid",
      message: `The value of a matcher is no regular expression: ${cause instanceof Error ? cause.message : cause}`,
      at: `matchers[${index}].value`,
      expected: "an RE2 expression",
      received: JSON.stringify(source.slice(0, 100)),
      cause,
    });
  }
}
