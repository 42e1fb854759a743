/**
 * The event streams of one API worker: lets clients in up to a limit, sends heartbeats, looks now and then whether
 * they still may, and closes all when the worker drains.
 */
import { RequestError } from "../base/errors.ts";
import type { ApiMeter } from "../observe/meters.ts";
import type { Right } from "../storage/key-store.ts";
import type { Access } from "./access.ts";
import { EventStream } from "./event-stream.ts";
import type { ApiLimits } from "./settings.ts";

export type StreamDeskOptions = {
  readonly access: Access;
  readonly meter: Pick<ApiMeter, "streamClients" | "streamed">;
  readonly limits: Pick<ApiLimits, "streamClientsMax" | "streamBeatMs">;
  readonly wallMs: () => number;
};

/** Who asked for a stream, and by which right. */
export type StreamClaim = {
  readonly request: Request;
  readonly right: Right;
  /** the one space it is for; undefined where it is for none, or all the caller may see */
  readonly space: string | undefined;
};

type Client = { readonly stream: EventStream; readonly claim: StreamClaim };

export class StreamDesk {
  readonly #options: StreamDeskOptions;
  readonly #clients = new Set<Client>();
  #timer: Timer | undefined;

  constructor(options: StreamDeskOptions) {
    this.#options = options;
  }

  /**
   * @param feed starts to send, and returns what ends it
   * @throws {RequestError} `streams-full`
   */
  open(claim: StreamClaim, feed: (stream: EventStream) => () => void): Response {
    const { limits, meter, wallMs } = this.#options;
    if (this.#clients.size >= limits.streamClientsMax) throw streamsFull(limits.streamClientsMax);
    let end: () => void = () => undefined;
    const stream = new EventStream({
      wallMs,
      counted: meter.streamed,
      gone: () => this.#gone(client, end),
    });
    const client = { stream, claim };
    this.#clients.add(client);
    meter.streamClients(this.#clients.size);
    this.#timer ??= setInterval(() => this.#beat(), limits.streamBeatMs);
    end = feed(stream);
    return stream.response;
  }

  /** @returns clients that do not read: their connections will not end by themselves */
  close(): number {
    let stalledCount = 0;
    for (const { stream } of [...this.#clients]) if (!stream.close()) stalledCount += 1;
    return stalledCount;
  }

  #beat(): void {
    for (const { stream, claim } of [...this.#clients]) {
      if (this.#isStillAllowed(claim)) {
        stream.beat();
        continue;
      }
      stream.warn({ code: "access-ended", message: "The key does not open this stream any more" });
      stream.close();
    }
  }

  #isStillAllowed({ request, right, space }: StreamClaim): boolean {
    try {
      const caller = this.#options.access.admit(request, right, space);
      if (!(caller instanceof Promise)) return true;
      // A key that has to be verified again is not the one that was let in.
      caller.catch(() => undefined);
      return false;
    } catch {
      return false;
    }
  }

  #gone(client: Client, end: () => void): void {
    end();
    this.#clients.delete(client);
    this.#options.meter.streamClients(this.#clients.size);
    if (this.#clients.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function streamsFull(clientsMax: number): RequestError {
  return new RequestError({
    code: "streams-full",
    message: `Cannot open another event stream: ${clientsMax} are open in this worker`,
    expected: `at most ${clientsMax} at once`,
    received: "more",
    retryAfterSeconds: 5,
  });
}
