/** A client of event streams that hands over one event after the other, and gives up after a while. */

export type StreamedEvent = {
  readonly event: string;
  readonly id: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into events of every shape
  readonly data: any;
};

const WAIT_MS_MAX = 10_000;

export class EventSourceClient {
  readonly response: Response;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #abort: AbortController;
  readonly #decoder = new TextDecoder();
  #text = "";
  /** lines that are comments, as heartbeats are */
  comments = 0;

  private constructor(response: Response, abort: AbortController) {
    this.response = response;
    this.#abort = abort;
    this.#chunks = response.body![Symbol.asyncIterator]();
  }

  /** @throws when the answer is no event stream */
  static async open(url: string, headers: Record<string, string> = {}): Promise<EventSourceClient> {
    const abort = new AbortController();
    const response = await fetch(url, { headers, signal: abort.signal });
    if (response.headers.get("content-type")?.startsWith("text/event-stream") !== true) {
      throw new Error(`${response.status} ${await response.text()}`);
    }
    return new EventSourceClient(response, abort);
  }

  /** The next event; undefined when the stream has ended. */
  async next(waitMsMax = WAIT_MS_MAX): Promise<StreamedEvent | undefined> {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end >= 0) {
        const frame = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        const event = this.#eventOf(frame);
        if (event !== undefined) return event;
        continue;
      }
      const read = await within(this.#chunks.next(), waitMsMax);
      if (read.done === true) return undefined;
      this.#text += this.#decoder.decode(read.value, { stream: true });
    }
  }

  async take(count: number): Promise<StreamedEvent[]> {
    const events: StreamedEvent[] = [];
    while (events.length < count) {
      const event = await this.next();
      if (event === undefined) throw new Error(`the stream ended after ${events.length} events`);
      events.push(event);
    }
    return events;
  }

  close(): void {
    this.#abort.abort();
  }

  /** @returns undefined for a frame without data */
  #eventOf(frame: string): StreamedEvent | undefined {
    const fields = new Map<string, string>();
    for (const line of frame.split("\n")) {
      if (line.startsWith(":")) this.comments += 1;
      const colon = line.indexOf(": ");
      if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 2));
    }
    const data = fields.get("data");
    if (data === undefined) return undefined;
    return { event: fields.get("event") ?? "message", id: fields.get("id"), data: JSON.parse(data) };
  }
}

async function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no event within ${ms} ms`)), ms);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
