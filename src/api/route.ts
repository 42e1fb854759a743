/**
 * One way through every call: name the space, let the caller in, do it, turn errors into problems.
 *
 * Handlers are plain functions of a `Call`. The path is synchronous as long as nothing has to be waited for: a
 * verified key and a read from shared memory cost no promise.
 */
import { RequestError } from "../base/errors.ts";
import { SPACE_NAME } from "../layout/space-name.ts";
import type { Right } from "../storage/key-store.ts";
import type { Caller } from "./access.ts";
import type { ApiContext } from "./api-context.ts";
import { problemResponse } from "./problem.ts";
import { pathOf, requestName, type WatchedRequest } from "./request-watch.ts";
import { SPACE_DEFAULT } from "./settings.ts";

/** A request that was let in. */
export type Call = {
  readonly request: Request;
  readonly watched: WatchedRequest;
  readonly caller: Caller;
  /** the memory space it works on; "default" where the call works on none */
  readonly space: string;
};

export type Handle = (call: Call) => Response | Promise<Response>;

export type RouteAccess = {
  readonly right: Right;
  /** whether the call works on the space that X-Memory-Space names */
  readonly spaced: boolean;
  /** whether `?space=` names it too, where the header does not */
  readonly spaceInQuery?: boolean;
};

/** The Elysia handler of a guarded call. */
export function guarded(api: ApiContext, access: RouteAccess, handle: Handle) {
  const failed = (error: unknown, watched: WatchedRequest, space: string | undefined) =>
    problemResponse(error, api.errors, requestName(watched.request), api.requests.fieldsOf(watched, space));
  return ({ request }: { request: Request }): Response | Promise<Response> => {
    const watched = api.requests.begin(request);
    let known: string | undefined;
    const ended = (response: Response) => api.requests.ended(watched, response, known);
    try {
      if (api.draining) throw shuttingDown();
      checkHeaderBytes(request, api.limits.headerBytesMax);
      const space = access.spaced ? spaceOf(request, access.spaceInQuery === true) : SPACE_DEFAULT;
      if (access.spaced) known = space;
      const caller = api.access.admit(request, access.right, access.spaced ? space : undefined);
      const reply =
        caller instanceof Promise
          ? caller.then((admitted) => handle({ request, watched, caller: admitted, space }))
          : handle({ request, watched, caller, space });
      return reply instanceof Promise
        ? reply.then(ended, (error: unknown) => ended(failed(error, watched, known)))
        : ended(reply);
    } catch (error) {
      return ended(failed(error, watched, known));
    }
  };
}

/** The Elysia handler of a call that anyone may make. */
export function open(api: ApiContext, handle: (request: Request) => Response) {
  return ({ request }: { request: Request }): Response => {
    try {
      return handle(request);
    } catch (error) {
      return problemResponse(error, api.errors, requestName(request));
    }
  };
}

/** What follows `?`; empty where nothing does. */
export function queryOf(url: string): string {
  const start = url.indexOf("?");
  return start < 0 ? "" : url.slice(start + 1);
}

/**
 * Text that was percent-encoded into the path behind `prefix`, and before `suffix`.
 * @throws {RequestError} `request-invalid` when it does not decode to UTF-8
 */
export function pathTail(request: Request, prefix: string, suffix = ""): string {
  const path = pathOf(request.url);
  const raw = path.slice(prefix.length, path.length - suffix.length);
  try {
    return decodeURIComponent(raw);
  } catch (cause) {
    throw new RequestError({
      code: "request-invalid",
      message: "The path can not be decoded",
      at: "path",
      expected: "percent-encoded UTF-8",
      received: JSON.stringify(raw.slice(0, 128)),
      cause,
    });
  }
}

/** @throws {RequestError} `request-invalid` */
export function checkSpaceName(name: string, at: string): string {
  if (SPACE_NAME.test(name)) return name;
  throw new RequestError({
    code: "request-invalid",
    message: "The name of the memory space is not allowed",
    at,
    expected: "1 to 64 letters, digits, dots, hyphens and underscores, the first a letter or digit",
    received: name.length <= 128 ? JSON.stringify(name) : `a text of ${name.length} characters`,
  });
}

function spaceOf(request: Request, inQuery: boolean): string {
  const name = request.headers.get("x-memory-space");
  if (name !== null) return checkSpaceName(name, "X-Memory-Space");
  const asked = inQuery ? new URLSearchParams(queryOf(request.url)).get("space") : null;
  return asked === null ? SPACE_DEFAULT : checkSpaceName(asked, "space");
}

/**
 * The HTTP server itself refuses more than 16 KiB of headers; a lower limit is held here, on the names and values
 * as they are parsed.
 */
const SERVER_HEADER_BYTES_MAX = 16 * 1024;

function checkHeaderBytes(request: Request, bytesMax: number): void {
  if (bytesMax >= SERVER_HEADER_BYTES_MAX) return;
  let bytes = 0;
  for (const [name, value] of request.headers) bytes += name.length + value.length + 4;
  if (bytes <= bytesMax) return;
  throw new RequestError({
    code: "headers-too-large",
    message: `The headers have ${bytes} bytes, and ${bytesMax} are read at most`,
    expected: `at most ${bytesMax} bytes`,
    received: `${bytes} bytes`,
  });
}

export function shuttingDown(): RequestError {
  return new RequestError({
    code: "shutting-down",
    message: "The appliance takes no new requests",
    retryAfterSeconds: 5,
  });
}
