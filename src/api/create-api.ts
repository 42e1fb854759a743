/**
 * The HTTP API as one Elysia app: one instance per resource, and around them what holds for all.
 *
 * `fetch` is what an HTTP server calls. Elysia routes; access, limits and errors are those of `route.ts`.
 */
import { Elysia } from "elysia";
import { RequestError } from "../base/errors.ts";
import type { ConceptDesk } from "../engine/consolidation/concept-desk.ts";
import type { Engine } from "../engine/engine.ts";
import type { ThoughtEngine } from "../engine/thought/thought-engine.ts";
import type { Access } from "./access.ts";
import { alertRoutes } from "./alerts.ts";
import type { ApiContext, ProfileTaker, SettingsDesk, Watch } from "./api-context.ts";
import { conceptRoutes } from "./concepts.ts";
import { docsRoutes } from "./docs.ts";
import { episodeRoutes } from "./episodes.ts";
import { hostRoutes } from "./host.ts";
import { linkRoutes } from "./links.ts";
import { memoryRoutes } from "./memories.ts";
import { metricsRoutes } from "./metrics.ts";
import { pageRoutes } from "./page.ts";
import { probabilisticRoutes } from "./probabilistic.ts";
import { type ErrorSink, MethodNotAllowed, problemResponse } from "./problem.ts";
import { profileRoutes } from "./profile.ts";
import { queryRoutes } from "./query.ts";
import { recallRoutes } from "./recall.ts";
import { rememberRoutes } from "./remember.ts";
import { pathOf, RequestWatch, requestName } from "./request-watch.ts";
import { runningSettingsRoutes } from "./running-settings.ts";
import type { ApiLimits } from "./settings.ts";
import { slowQueryRoutes } from "./slow-queries.ts";
import { spaceRoutes } from "./spaces.ts";
import { statementRoutes } from "./statement.ts";
import { StreamDesk } from "./stream-desk.ts";
import { streamRoutes } from "./streams.ts";
import { systemRoutes } from "./system.ts";
import { thoughtRoutes } from "./thought.ts";
import { vectorIndexRoutes } from "./vector-index.ts";

export type ApiOptions = {
  readonly engine: Engine;
  readonly concepts: ConceptDesk;
  readonly thought: ThoughtEngine;
  readonly limits: ApiLimits;
  readonly access: Access;
  readonly errors: ErrorSink;
  readonly version: string;
  readonly watch: Watch;
  readonly settings: SettingsDesk;
  readonly profile: ProfileTaker;
};

export type Api = {
  readonly context: ApiContext;
  /** answers a request; never rejects */
  readonly fetch: (request: Request) => Response | Promise<Response>;
  /** each call's method and path, as `POST /api/v1/memories/remember` */
  readonly calls: readonly string[];
};

export function createApi(options: ApiOptions): Api {
  const { access, limits, watch } = options;
  const streams = new StreamDesk({ access, limits, meter: watch.meter, wallMs: () => watch.clock.wallMs() });
  const requests = new RequestWatch({ ...watch, meter: watch.meter });
  const context: ApiContext = { ...options, streams, requests, draining: false };
  // Registered before the routes, because Elysia applies a hook only to what follows it.
  const app = new Elysia({ name: "api", aot: true, strictPath: true, normalize: false })
    .onError(({ error, code, request }) => {
      const watched = requests.begin(request);
      const why = code === "NOT_FOUND" ? notFound(request, routes()) : error;
      const response = problemResponse(
        why,
        options.errors,
        requestName(request),
        requests.fieldsOf(watched, undefined),
      );
      response.headers.set("traceparent", watched.context.traceparent);
      return response;
    })
    .use(systemRoutes(context))
    .use(rememberRoutes(context))
    .use(recallRoutes(context))
    .use(probabilisticRoutes(context))
    .use(memoryRoutes(context))
    .use(episodeRoutes(context))
    .use(linkRoutes(context))
    .use(spaceRoutes(context))
    .use(vectorIndexRoutes(context))
    .use(conceptRoutes(context))
    .use(metricsRoutes(context))
    .use(queryRoutes(context))
    .use(slowQueryRoutes(context))
    .use(runningSettingsRoutes(context))
    .use(hostRoutes(context))
    .use(profileRoutes(context))
    .use(streamRoutes(context))
    .use(alertRoutes(context))
    .use(thoughtRoutes(context))
    .use(statementRoutes(context))
    .use(pageRoutes())
    .use(docsRoutes(options.version))
    .compile();
  const routes = () => app.routes.map(({ method, path }) => ({ method, path }));
  requests.routeOf = (request) =>
    routes().find(({ method, path }) => method === request.method && matches(path, pathOf(request.url)))
      ?.path ?? "unknown";
  return {
    context,
    fetch: (request) => app.fetch(withLongHost(request)),
    calls: routes().map(({ method, path }) => `${method} ${path}`),
  };
}

type Route = { readonly method: string; readonly path: string };

/** An error that tells a wrong path from a wrong method. */
function notFound(request: Request, routes: readonly Route[]): RequestError {
  const path = pathOf(request.url);
  const allowed = [
    ...new Set(routes.filter((route) => matches(route.path, path)).map((route) => route.method)),
  ];
  if (allowed.length > 0) return new MethodNotAllowed(request.method, allowed);
  return new RequestError({
    code: "route-not-found",
    message: `There is no call ${request.method} ${path.slice(0, 256)}`,
    at: "path",
    received: path.slice(0, 256),
  });
}

function matches(pattern: string, path: string): boolean {
  const wanted = pattern.split("/");
  const given = path.split("/");
  return (
    wanted.length === given.length &&
    wanted.every((part, i) => (part.startsWith(":") ? given[i] !== "" : part === given[i]))
  );
}

/** Where Elysia begins to look for the path: behind "http://" and four characters of a host. */
const PATH_FROM = 11;

/**
 * The request, whose `url` has a host that Elysia can read the path behind. `Host: db` would leave it none. The
 * object stays the same: Bun knows by it where the request came from.
 */
function withLongHost(request: Request): Request {
  const { url } = request;
  const pathAt = url.indexOf("/", "http://".length);
  if (pathAt < 0 || pathAt >= PATH_FROM) return request;
  return Object.defineProperty(request, "url", { value: `http://localhost${url.slice(pathAt)}` });
}
