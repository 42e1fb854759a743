/**
 * Puts the API on a port: one server in each API worker, all on the same port (SO_REUSEPORT), so that the kernel
 * spreads connections over the workers.
 *
 * What Bun's server enforces by itself: a request head of at most 16 KiB (answered 431, without words), and idle
 * connections. It does not count connections. What costs memory and time are the requests under way, of which a connection has one at a
 * time, so those are counted: above the limit they are answered 503, and idle connections are bounded by the idle
 * timeout and by the limit of file descriptors.
 *
 * Life of a server:   serving --stop()--> lingering --nothing arrives--> draining --no request left--> stopped
 *                       every request answered 503 ┘                            └── or the timeout ──┘
 */
import { systemClock } from "../base/clock.ts";
import { OperatorError, RequestError } from "../base/errors.ts";
import type { Settings } from "../config/schema.ts";
import type { Api } from "./create-api.ts";
import { listenFailed } from "./listen-failed.ts";
import { isLoopback } from "./local-guard.ts";
import { problemResponse } from "./problem.ts";
import { requestName } from "./request-watch.ts";
import type { AccessSettings, ApiSettings } from "./settings.ts";

/** Turns of the event loop, each with a look at all sockets, without a request: nothing sent before is unread. */
const QUIET_TURNS = 20;
/** Clients that go on sending do not put the stop off. */
const LINGER_MS_MAX = 1000;

const STREAM_BEAT_MS_MAX = 15_000;
const KIB = 1024;
const MIB = 1024 * KIB;

/** What the API needs of the settings. @param workerCount workers that share the port */
export function apiSettings(settings: Settings, workerCount: number): ApiSettings {
  const { server, limits, access, monitoring } = settings;
  return {
    host: server.host,
    port: server.port,
    drainTimeoutMs: server.drain_timeout_s * 1000,
    inFlightMax: Math.ceil(server.max_connections / workerCount),
    idleTimeoutSeconds: server.idle_timeout_s,
    limits: {
      bodyBytesMax: limits.body_mb * MIB,
      headerBytesMax: limits.header_kb * KIB,
      jsonDepthMax: limits.json_depth,
      batchCountMax: limits.batch_max,
      contentBytesMax: limits.content_kb * KIB,
      metadataBytesMax: limits.metadata_kb * KIB,
      tagCountMax: limits.tags_max,
      streamClientsMax: Math.ceil(monitoring.stream_clients / workerCount),
      // Before the connection counts as idle.
      streamBeatMs: Math.min(STREAM_BEAT_MS_MAX, server.idle_timeout_s * 500),
    },
    access: {
      requireKeys: access.require_keys,
      allowUnauthenticatedRemote: access.allow_unauthenticated_remote,
      failedLoginBurst: access.failed_login_burst,
      failedLoginDelayMs: access.failed_login_delay_ms,
    },
  };
}

/**
 * Refuses to listen where anyone could read and delete every memory.
 * @throws {OperatorError} `listen-refused`
 */
export function checkListening(host: string, access: AccessSettings, hasKeys: boolean): void {
  if (isLoopback(host) || hasKeys || access.requireKeys || access.allowUnauthenticatedRemote) return;
  throw new OperatorError({
    code: "listen-refused",
    message: `Cannot listen on ${host}: there is no API key, so anyone who reaches it could read and delete every memory`,
    remedy: "Make a key first: engram-appliance key create; or listen on 127.0.0.1",
  });
}

export type ApiServer = {
  /** the port really listened on */
  readonly port: number;
  /** requests under way */
  readonly inFlight: () => number;
  /** Takes no new requests, lets those under way finish within the timeout, then closes every connection. */
  readonly stop: (drainTimeoutMs?: number) => Promise<StopOutcome>;
};

/** How a stop ended: "drained", or "cut" when requests were still under way at the timeout. */
export type StopOutcome = "drained" | "cut";

export type ServeOptions = {
  readonly api: Api;
  readonly settings: ApiSettings;
  /** share the port with other workers */
  readonly reusePort: boolean;
};

/** @throws {OperatorError} `listen-failed` */
export function serveApi({ api, settings, reusePort }: ServeOptions): ApiServer {
  const { context } = api;
  let arrivedCount = 0;
  const serving = (request: Request, server: Bun.Server<undefined>): Response | Promise<Response> => {
    arrivedCount += 1;
    if (server.pendingRequests > settings.inFlightMax) {
      return problemResponse(tooMany(settings.inFlightMax), context.errors, requestName(request));
    }
    return api.fetch(request);
  };
  let server: Bun.Server<undefined>;
  try {
    server = Bun.serve({
      hostname: settings.host.replace(/^\[(.*)\]$/, "$1"),
      port: settings.port,
      reusePort,
      idleTimeout: settings.idleTimeoutSeconds,
      // Larger bodies are refused in request-body.ts, with an answer that says why; Bun's own has no words.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      development: false,
      fetch: serving,
      error: (error) => problemResponse(error, context.errors, "the HTTP server"),
    });
  } catch (cause) {
    throw listenFailed({ ...settings, setting: "server.port" }, cause);
  }
  context.access.remoteAddress = (request) => server.requestIP(request)?.address ?? "unknown";

  let stopping: Promise<StopOutcome> | undefined;
  const stop = async (drainTimeoutMs: number): Promise<StopOutcome> => {
    context.draining = true;
    // They would never end by themselves.
    const stalledCount = context.streams.close();
    // Stopping closes connections that look idle, with requests that were sent on them and not read yet. So for a
    // while everything that arrives is answered that the appliance shuts down, which also ends the connection.
    let seen = arrivedCount;
    let quietTurns = 0;
    const quiet = () => {
      quietTurns = arrivedCount === seen ? quietTurns + 1 : 0;
      seen = arrivedCount;
      return quietTurns >= QUIET_TURNS;
    };
    await settledWithin(quiet, Math.min(LINGER_MS_MAX, drainTimeoutMs));
    // Closes the listening socket at once; resolves when the connections are gone, idle ones included.
    const closed = server.stop(false);
    const outcome = await settledWithin(() => server.pendingRequests <= stalledCount, drainTimeoutMs);
    await server.stop(true);
    await closed;
    return outcome ? "drained" : "cut";
  };
  return {
    port: server.port ?? settings.port,
    inFlight: () => server.pendingRequests,
    stop: (drainTimeoutMs = settings.drainTimeoutMs) => {
      stopping ??= stop(drainTimeoutMs);
      return stopping;
    },
  };
}

/** Polls: a server tells nobody when its last request ends, and a stop happens once. */
async function settledWithin(settled: () => boolean, timeoutMs: number): Promise<boolean> {
  const startedAtNs = systemClock.nowNs();
  while (!settled()) {
    if (systemClock.nowNs() - startedAtNs >= timeoutMs * 1e6) return false;
    await Bun.sleep(5);
  }
  return true;
}

function tooMany(inFlightMax: number): RequestError {
  return new RequestError({
    code: "overloaded",
    message: `Cannot take another request: ${inFlightMax} are under way in this worker`,
    expected: `at most ${inFlightMax} at once`,
    received: "more",
    retryAfterSeconds: 1,
  });
}
