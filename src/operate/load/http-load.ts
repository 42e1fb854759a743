/**
 * A load generator for one HTTP/1.1 server on this machine: raw sockets, requests prepared beforehand.
 *
 * Client and server share the cores here, so the client must cost little: it writes bytes that are ready and
 * looks for the end of a reply, nothing more. Two ways to send:
 *
 *   closed   each connection sends its next request when the reply to the last one is in
 *   open     requests are due on a schedule; a late one counts from when it was due, so that waiting for a
 *            slow server is part of the latency (no coordinated omission)
 */
import type { Socket } from "bun";
import { startTicker, type TickSource } from "./ticker.ts";

export type LoadOptions = {
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  /** the bytes of request number `index`, from 0 */
  readonly request: (index: number) => Uint8Array;
  /** stops after so many requests */
  readonly requests?: number;
  /** stops sending after so long */
  readonly durationMs?: number;
  /** requests a second to send on schedule; closed loop where neither this nor `dueMs` is given */
  readonly rate?: number;
  /** when request number `index` is due, ms from the start, never before the one in front; in place of `rate` */
  readonly dueMs?: (index: number) => number;
  /** where the beat of the schedule comes from; a ticker of its own where absent */
  readonly ticks?: TickSource;
  /** TLS, with certificates checked */
  readonly isSecure?: boolean;
  /** looked at between requests: true ends the load early */
  readonly isCancelled?: () => boolean;
  /** called with each reply's status and body, which is valid only during the call */
  readonly onReply?: (
    index: number,
    status: number,
    body: Uint8Array,
    latencyMs: number,
    connectionIndex: number,
  ) => void;
};

export type LoadResult = {
  readonly sent: number;
  /** by status code; connection failures under 0 */
  readonly statuses: Readonly<Record<number, number>>;
  readonly elapsedMs: number;
  readonly perSecond: number;
  /** ms, in the order of completion */
  readonly latenciesMs: Float64Array;
  /** on schedule: how long after it was due each request was written, ms; the client's own share of the latency */
  readonly lagsMs: Float64Array;
};

/** A server that answers nothing for so long has hung, and the bench says so instead of waiting. */
const SILENCE_MS_MAX = 60_000;
/** Requests closer together than this are sent together. */
const TICK_MS_MIN = 0.25;

type Connection = {
  readonly number: number;
  socket: Socket<Connection> | undefined;
  busy: boolean;
  index: number;
  dueMs: number;
  buffer: Uint8Array;
  length: number;
  pending: Uint8Array | undefined;
};

/** A prepared POST of a JSON body. */
export function postRequest(
  path: string,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
): Uint8Array {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const extra = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${extra.join("")}Content-Length: ${bytes.byteLength}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), bytes]);
}

/** A prepared GET. */
export function getRequest(path: string, headers: Record<string, string> = {}): Uint8Array {
  const extra = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${extra.join("")}\r\n`);
}

export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { requests = Number.POSITIVE_INFINITY, durationMs = Number.POSITIVE_INFINITY, rate } = options;
  const dueAfterMs =
    options.dueMs ?? (rate === undefined ? undefined : (index: number) => (index * 1000) / rate);
  const statuses: Record<number, number> = {};
  const latencies = new Series();
  const lags = new Series();
  let sent = 0;
  let startedMs = 0;
  let heardMs = performance.now();
  const { promise: finished, resolve: finish, reject: fail } = Promise.withResolvers<void>();
  // First in, first out: every connection, and so every worker behind them, gets its turn.
  const idle: Connection[] = [];

  const record = (latencyMs: number, status: number): void => {
    heardMs = performance.now();
    latencies.push(latencyMs);
    statuses[status] = (statuses[status] ?? 0) + 1;
  };
  const isCancelled = options.isCancelled ?? (() => false);
  const mayIssue = (nowMs: number): boolean =>
    sent < requests && nowMs - startedMs < durationMs && !isCancelled();
  const issue = (connection: Connection, dueMs: number): void => {
    connection.busy = true;
    connection.index = sent++;
    connection.dueMs = dueMs;
    const bytes = options.request(connection.index);
    if (dueAfterMs !== undefined) lags.push(performance.now() - dueMs);
    const written = connection.socket!.write(bytes);
    connection.pending = written < bytes.byteLength ? bytes.subarray(Math.max(0, written)) : undefined;
  };
  const dueOf = (index: number): number => startedMs + dueAfterMs!(index);
  const next = (connection: Connection): void => {
    const nowMs = performance.now();
    if (dueAfterMs === undefined) {
      if (mayIssue(nowMs)) {
        issue(connection, nowMs);
        return;
      }
      connection.busy = false;
      if (connections.every((each) => !each.busy)) finish();
      return;
    }
    connection.busy = false;
    if (sent < requests && dueAfterMs(sent) < durationMs && !isCancelled()) {
      if (dueOf(sent) <= nowMs) issue(connection, dueOf(sent));
      else idle.push(connection);
    } else if (connections.every((each) => !each.busy)) finish();
  };

  const connections: Connection[] = [];
  for (let i = 0; i < options.connections; i++) {
    connections.push({
      number: i,
      socket: undefined,
      busy: false,
      index: -1,
      dueMs: 0,
      buffer: new Uint8Array(64 * 1024),
      length: 0,
      pending: undefined,
    });
  }
  await Promise.all(
    connections.map(async (connection) => {
      const socket = await Bun.connect<Connection>({
        hostname: options.host,
        port: options.port,
        ...(options.isSecure === true ? { tls: true } : {}),
        data: connection,
        socket: {
          data(_socket, chunk) {
            append(connection, chunk);
            for (;;) {
              const reply = takeReply(connection);
              if (reply === undefined) return;
              const latencyMs = performance.now() - connection.dueMs;
              record(latencyMs, reply.status);
              try {
                options.onReply?.(connection.index, reply.status, reply.body, latencyMs, connection.number);
              } catch (error) {
                fail(error);
                return;
              }
              next(connection);
            }
          },
          drain(socket) {
            if (connection.pending === undefined) return;
            const written = socket.write(connection.pending);
            connection.pending =
              written < connection.pending.byteLength
                ? connection.pending.subarray(Math.max(0, written))
                : undefined;
          },
          close() {
            if (!connection.busy) {
              const at = idle.indexOf(connection);
              if (at >= 0) idle.splice(at, 1);
              return;
            }
            record(performance.now() - connection.dueMs, 0);
            connection.busy = false;
            if (connections.every((each) => !each.busy)) finish();
          },
          error() {},
        },
      }).catch(() => undefined);
      connection.socket = socket;
      if (socket === undefined) record(0, 0);
    }),
  );
  startedMs = performance.now();
  const usable = connections.filter((each) => each.socket !== undefined);
  if (usable.length === 0) finish();
  let ticker: { readonly stop: () => void } | undefined;
  if (dueAfterMs === undefined) for (const connection of usable) next(connection);
  else {
    idle.push(...usable);
    const tick = (scheduleStartedMs: number): void => {
      startedMs = scheduleStartedMs;
      const nowMs = performance.now();
      while (
        idle.length > 0 &&
        sent < requests &&
        dueOf(sent) <= nowMs &&
        dueAfterMs(sent) < durationMs &&
        !isCancelled()
      ) {
        issue(idle.shift()!, dueOf(sent));
      }
      const over = sent >= requests || dueAfterMs(sent) >= durationMs || isCancelled();
      if (over && connections.every((each) => !each.busy)) finish();
    };
    const periodMs = rate === undefined ? TICK_MS_MIN : Math.max(TICK_MS_MIN, 1000 / rate);
    ticker = (options.ticks ?? startTicker)(periodMs, tick);
  }
  const watch = setInterval(() => {
    if (performance.now() - heardMs < SILENCE_MS_MAX) return;
    fail(new Error(`No reply for ${SILENCE_MS_MAX / 1000} s; ${sent} requests were sent`));
  }, 1000);
  try {
    await finished;
  } finally {
    clearInterval(watch);
    ticker?.stop();
    for (const { socket } of usable) socket?.end();
  }
  const elapsedMs = performance.now() - startedMs;
  return {
    sent,
    statuses,
    elapsedMs,
    perSecond: (latencies.count / elapsedMs) * 1000,
    latenciesMs: latencies.values(),
    lagsMs: lags.values(),
  };
}

/** Replies that were not a success: a status outside 200-299, or a connection that broke. */
export function failures({ statuses }: Pick<LoadResult, "statuses">): number {
  let count = 0;
  for (const [status, replies] of Object.entries(statuses)) {
    if (Number(status) < 200 || Number(status) > 299) count += replies;
  }
  return count;
}

/** Numbers that come one by one, however many. */
export class Series {
  count = 0;
  #values = new Float64Array(4096);

  push(value: number): void {
    if (this.count === this.#values.length) {
      const grown = new Float64Array(this.#values.length * 2);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.count++] = value;
  }

  values(): Float64Array {
    return this.#values.slice(0, this.count);
  }
}

/** The value below which the share `share` of `values` lies. */
export function quantile(values: Float64Array, share: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}

/** p50, p90, p99, p99.9 and the maximum, in ms. */
export function latencyText(latenciesMs: Float64Array): string {
  const at = (share: number): string => quantile(latenciesMs, share).toFixed(2);
  return `p50 ${at(0.5)} p90 ${at(0.9)} p99 ${at(0.99)} p99.9 ${at(0.999)} max ${at(1)} ms`;
}

function append(connection: Connection, chunk: Uint8Array): void {
  const needed = connection.length + chunk.byteLength;
  if (needed > connection.buffer.byteLength) {
    const grown = new Uint8Array(needed * 2);
    grown.set(connection.buffer.subarray(0, connection.length));
    connection.buffer = grown;
  }
  connection.buffer.set(chunk, connection.length);
  connection.length = needed;
}

const LENGTH_HEADER = Buffer.from("ontent-Length: ");

function takeReply(connection: Connection): { status: number; body: Uint8Array } | undefined {
  const { buffer, length } = connection;
  const headEnd = indexOfHeadEnd(buffer, length);
  if (headEnd < 0) return undefined;
  const end = headEnd + 4 + contentLength(buffer, headEnd);
  if (length < end) return undefined;
  // "HTTP/1.1 200": the status is bytes 9 to 11.
  const status = (buffer[9]! - 48) * 100 + (buffer[10]! - 48) * 10 + (buffer[11]! - 48);
  connection.length = length - end;
  if (length === end) return { status, body: buffer.subarray(headEnd + 4, end) };
  const body = buffer.slice(headEnd + 4, end);
  buffer.copyWithin(0, end, length);
  return { status, body };
}

function contentLength(buffer: Uint8Array, headEnd: number): number {
  const head = Buffer.from(buffer.buffer, buffer.byteOffset, headEnd + 2);
  let at = head.indexOf(LENGTH_HEADER);
  if (at < 0) at = head.indexOf("ontent-length: ");
  if (at < 0) return 0;
  let value = 0;
  for (let i = at + LENGTH_HEADER.length; i < headEnd && head[i]! >= 48 && head[i]! <= 57; i++) {
    value = value * 10 + head[i]! - 48;
  }
  return value;
}

function indexOfHeadEnd(buffer: Uint8Array, length: number): number {
  return Buffer.from(buffer.buffer, buffer.byteOffset, length).indexOf("\r\n\r\n");
}
