/**
 * An HTTP/1.1 connection of its own, for tests that count connections: `fetch` shares and limits them.
 *
 * One request at a time; a connection that ends before its answer is whole answers "closed".
 */
import type { Socket } from "bun";

export type RawReply = { readonly status: number; readonly body: string };

export class RawClient {
  readonly #host: string;
  #socket: Socket | undefined;
  #received = Buffer.alloc(0);
  #waiting: ((reply: RawReply | "closed") => void) | undefined;
  isOpen = false;

  private constructor(url: URL) {
    this.#host = url.host;
  }

  /** @throws where the connection is refused */
  static async connect(address: string): Promise<RawClient> {
    const url = new URL(address);
    const client = new RawClient(url);
    client.#socket = await Bun.connect({
      hostname: url.hostname,
      port: Number(url.port),
      socket: {
        data: (_, bytes) => client.#take(bytes),
        close: () => client.#end(),
        error: () => client.#end(),
      },
    });
    client.isOpen = true;
    return client;
  }

  /** @param body an object, sent as JSON */
  request(method: string, path: string, body?: unknown): Promise<RawReply | "closed"> {
    if (!this.isOpen) return Promise.resolve("closed");
    const text = body === undefined ? "" : JSON.stringify(body);
    const head = `${method} ${path} HTTP/1.1\r\nHost: ${this.#host}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n`;
    const { promise, resolve } = Promise.withResolvers<RawReply | "closed">();
    this.#waiting = resolve;
    this.#write(Buffer.from(head + text));
    return promise;
  }

  close(): void {
    this.#socket?.end();
    this.#end();
  }

  /** A socket takes what fits its buffer; the rest goes later. */
  #write(bytes: Buffer): void {
    const written = this.#socket!.write(bytes);
    if (written < bytes.length) setTimeout(() => this.isOpen && this.#write(bytes.subarray(written)), 1);
  }

  #take(bytes: Buffer): void {
    this.#received = Buffer.concat([this.#received, bytes]);
    const headEnd = this.#received.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const head = this.#received.toString("latin1", 0, headEnd);
    const length = Number(/^content-length:\s*(\d+)/im.exec(head)?.[1] ?? 0);
    if (this.#received.length < headEnd + 4 + length) return;
    const body = this.#received.toString("utf8", headEnd + 4, headEnd + 4 + length);
    this.#received = this.#received.subarray(headEnd + 4 + length);
    this.#answer({ status: Number(head.split(" ")[1]), body });
  }

  #end(): void {
    this.isOpen = false;
    this.#answer("closed");
  }

  #answer(reply: RawReply | "closed"): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(reply);
  }
}
