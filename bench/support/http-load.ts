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
  /** requests a second to send on schedule; closed loop where absent */
  readonly rate?: number;
  /** called with each reply's status and body bytes */
  readonly onReply?: (index: number, status: number, body: Uint8Array) => void;
};

export type LoadResult = {
  readonly sent: number;
  /** by status code; connection failures under 0 */
  readonly statuses: Readonly<Record<number, number>>;
  readonly elapsedMs: number;
  readonly perSecond: number;
  /** ms, in the order of completion */
  readonly latenciesMs: Float64Array;
};

type Connection = {
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
  const statuses: Record<number, number> = {};
  let latencies = new Float64Array(65_536);
  let completed = 0;
  let sent = 0;
  let startedMs = 0;
  const { promise: finished, resolve: finish } = Promise.withResolvers<void>();
  const idle: Connection[] = [];

  const record = (latencyMs: number, status: number): void => {
    if (completed === latencies.length) {
      const grown = new Float64Array(latencies.length * 2);
      grown.set(latencies);
      latencies = grown;
    }
    latencies[completed++] = latencyMs;
    statuses[status] = (statuses[status] ?? 0) + 1;
  };
  const mayIssue = (nowMs: number): boolean => sent < requests && nowMs - startedMs < durationMs;
  const issue = (connection: Connection, dueMs: number): void => {
    connection.busy = true;
    connection.index = sent++;
    connection.dueMs = dueMs;
    const bytes = options.request(connection.index);
    const written = connection.socket!.write(bytes);
    connection.pending = written < bytes.byteLength ? bytes.subarray(Math.max(0, written)) : undefined;
  };
  const dueOf = (index: number): number => startedMs + (index * 1000) / rate!;
  const next = (connection: Connection): void => {
    const nowMs = performance.now();
    if (rate === undefined) {
      if (mayIssue(nowMs)) {
        issue(connection, nowMs);
        return;
      }
      connection.busy = false;
      if (connections.every((each) => !each.busy)) finish();
      return;
    }
    connection.busy = false;
    if (sent < requests && dueOf(sent) - startedMs < durationMs) {
      if (dueOf(sent) <= nowMs) issue(connection, dueOf(sent));
      else idle.push(connection);
    } else if (connections.every((each) => !each.busy)) finish();
  };

  const connections: Connection[] = [];
  for (let i = 0; i < options.connections; i++) {
    connections.push({
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
      connection.socket = await Bun.connect<Connection>({
        hostname: options.host,
        port: options.port,
        data: connection,
        socket: {
          data(_socket, chunk) {
            append(connection, chunk);
            for (;;) {
              const reply = takeReply(connection);
              if (reply === undefined) return;
              record(performance.now() - connection.dueMs, reply.status);
              options.onReply?.(connection.index, reply.status, reply.body);
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
            if (!connection.busy) return;
            record(performance.now() - connection.dueMs, 0);
            connection.busy = false;
            if (connections.every((each) => !each.busy)) finish();
          },
          error() {},
        },
      });
    }),
  );
  startedMs = performance.now();
  let timer: Timer | undefined;
  if (rate === undefined) for (const connection of connections) next(connection);
  else {
    idle.push(...connections);
    const tick = (): void => {
      const nowMs = performance.now();
      while (
        idle.length > 0 &&
        sent < requests &&
        dueOf(sent) <= nowMs &&
        dueOf(sent) - startedMs < durationMs
      ) {
        issue(idle.pop()!, dueOf(sent));
      }
      const over = sent >= requests || dueOf(sent) - startedMs >= durationMs;
      if (over && connections.every((each) => !each.busy)) finish();
    };
    timer = setInterval(tick, 1);
  }
  await finished;
  clearInterval(timer);
  const elapsedMs = performance.now() - startedMs;
  for (const { socket } of connections) socket?.end();
  return {
    sent,
    statuses,
    elapsedMs,
    perSecond: (completed / elapsedMs) * 1000,
    latenciesMs: latencies.slice(0, completed),
  };
}

/** The value below which the share `quantile` of `values` lies. */
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

function takeReply(connection: Connection): { status: number; body: Uint8Array } | undefined {
  const { buffer, length } = connection;
  const headEnd = indexOfHeadEnd(buffer, length);
  if (headEnd < 0) return undefined;
  const head = Buffer.from(buffer.buffer, 0, headEnd).toString("latin1");
  const contentLength = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
  const end = headEnd + 4 + contentLength;
  if (length < end) return undefined;
  const body = buffer.slice(headEnd + 4, end);
  buffer.copyWithin(0, end, length);
  connection.length = length - end;
  return { status: Number(head.slice(9, 12)), body };
}

function indexOfHeadEnd(buffer: Uint8Array, length: number): number {
  for (let i = 0; i + 3 < length; i++) {
    if (buffer[i] === 13 && buffer[i + 1] === 10 && buffer[i + 2] === 13 && buffer[i + 3] === 10) return i;
  }
  return -1;
}
