/**
 * Parameters of Prometheus's API: from the query, and of a POST from a form as well. Times are ms inside, and come as
 * seconds or as RFC 3339; durations come as seconds or as PromQL writes them.
 */
import { durationMs } from "../observe/promql/literals.ts";
import type { Matcher } from "../observe/promql/matcher.ts";
import { parsePromql } from "../observe/promql/parse.ts";
import { PromqlError } from "../observe/promql/promql-error.ts";
import { mediaType, readText, unsupported } from "./request-body.ts";
import { queryOf } from "./route.ts";
import type { ApiLimits } from "./settings.ts";

const FORM = "application/x-www-form-urlencoded";

/** @throws {RequestError} `media-type-unsupported`, `body-too-large`, `body-incomplete` */
export async function parametersOf(request: Request, limits: ApiLimits): Promise<URLSearchParams> {
  const parameters = new URLSearchParams(queryOf(request.url));
  if (request.method !== "POST" || request.body === null) return parameters;
  const type = mediaType(request);
  if (type !== FORM && type !== "") throw unsupported(type, FORM);
  for (const [name, value] of new URLSearchParams(await readText(request, limits))) {
    parameters.append(name, value);
  }
  return parameters;
}

export function invalid(name: string, why: string): PromqlError {
  return new PromqlError("bad_data", `invalid parameter "${name}": ${why}`);
}

/** A time in ms; `fallback` where the parameter is absent. @throws {PromqlError} `bad_data` */
export function timeOf(parameters: URLSearchParams, name: string, fallback?: number): number {
  const text = parameters.get(name) ?? "";
  if (text === "" && fallback !== undefined) return fallback;
  const seconds = NUMBER.test(text) ? Number(text) : Number.NaN;
  if (Number.isFinite(seconds) && Math.abs(seconds) <= SECONDS_MAX) return Math.round(seconds * 1000);
  const ms = RFC3339.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) {
    // Prometheus's two ways of saying it, for a time that may be left out and for one that may not.
    const opening = fallback === undefined ? "" : `Invalid time value for '${name}': `;
    throw invalid(name, `${opening}cannot parse "${text.slice(0, 100)}" to a valid timestamp`);
  }
  return ms;
}

/** A duration above zero in ms. @throws {PromqlError} `bad_data` */
export function durationOf(parameters: URLSearchParams, name: string, fallback?: number): number {
  const text = parameters.get(name) ?? "";
  if (text === "" && fallback !== undefined) return fallback;
  const ms = NUMBER.test(text) ? Number(text) * 1000 : durationMs(text);
  if (ms === undefined || !Number.isFinite(ms)) {
    throw invalid(name, `cannot parse "${text.slice(0, 100)}" to a valid duration`);
  }
  return ms;
}

/** How many results are wanted at most. @throws {PromqlError} `bad_data` */
export function limitOf(parameters: URLSearchParams, name = "limit"): number {
  const text = parameters.get(name) ?? "";
  if (text === "" || text === "0") return Number.POSITIVE_INFINITY;
  if (!/^\d{1,15}$/.test(text)) throw invalid(name, "limit must be a non-negative number");
  return Number(text);
}

/** The selectors in `match[]`. @throws {PromqlError} `bad_data` */
export function selectorsOf(parameters: URLSearchParams): (readonly Matcher[])[] {
  return parameters.getAll("match[]").map((text) => {
    const expression = parse(text);
    if (expression.kind === "vector-selector" && expression.offsetMs === 0 && expression.at === undefined) {
      return expression.matchers;
    }
    throw invalid("match[]", `1:1: parse error: expected a metric selector, got "${text.slice(0, 100)}"`);
  });
}

function parse(text: string) {
  try {
    return parsePromql(text);
  } catch (error) {
    throw error instanceof PromqlError ? invalid("match[]", error.message) : error;
  }
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;
/** Where a Date ends. */
const SECONDS_MAX = 8.64e12;
