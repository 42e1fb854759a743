/**
 * The second port, where tools look for a Prometheus server: `/metrics` and Prometheus's query API, answered by the
 * same routes as on the main port, with the same keys and rights. Whatever else is asked for is not there, so a
 * firewall can open this port to those who watch without opening the memories to them.
 */
import { RequestError } from "../base/errors.ts";
import type { Api } from "./create-api.ts";
import { listenFailed } from "./listen-failed.ts";
import { problemResponse } from "./problem.ts";
import { pathOf, requestName } from "./request-watch.ts";

/** What a Prometheus server answers at the same paths. */
const PATHS = new Set([
  "/metrics",
  "/api/v1/query",
  "/api/v1/query_range",
  "/api/v1/labels",
  "/api/v1/series",
  "/api/v1/metadata",
  "/api/v1/rules",
  "/api/v1/alerts",
  "/api/v1/status/buildinfo",
]);
const LABEL_VALUES = /^\/api\/v1\/label\/[^/]+\/values$/;

export type PrometheusPort = { readonly port: number; readonly stop: () => Promise<void> };

/**
 * @param api whose main port is served already
 * @throws {OperatorError} `listen-failed`
 */
export function servePrometheusPort(options: {
  api: Api;
  host: string;
  port: number;
  idleTimeoutSeconds: number;
  reusePort: boolean;
}): PrometheusPort {
  const { api, host, port, idleTimeoutSeconds, reusePort } = options;
  const { context } = api;
  let server: Bun.Server<undefined>;
  try {
    server = Bun.serve({
      hostname: host.replace(/^\[(.*)\]$/, "$1"),
      port,
      reusePort,
      idleTimeout: idleTimeoutSeconds,
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      development: false,
      fetch: (request) =>
        isPrometheus(request)
          ? api.fetch(request)
          : problemResponse(notHere(request), context.errors, requestName(request)),
      error: (error) =>
        problemResponse(error, context.errors, "the HTTP server of monitoring.prometheus_port"),
    });
  } catch (cause) {
    throw listenFailed({ host, port, setting: "monitoring.prometheus_port" }, cause);
  }
  // Failed logins are counted by address, whichever port they come to.
  const atMainPort = context.access.remoteAddress;
  context.access.remoteAddress = (request) => server.requestIP(request)?.address ?? atMainPort(request);
  return { port: server.port ?? port, stop: () => server.stop(true) };
}

function isPrometheus(request: Request): boolean {
  const path = pathOf(request.url);
  return PATHS.has(path) || LABEL_VALUES.test(path);
}

function notHere(request: Request): RequestError {
  const path = pathOf(request.url).slice(0, 256);
  return new RequestError({
    code: "route-not-found",
    message: `There is no call ${request.method} ${path} on monitoring.prometheus_port, which answers what Prometheus does`,
    at: "path",
    expected: "/metrics or a path of Prometheus's query API; everything else is on server.port",
    received: path,
  });
}
