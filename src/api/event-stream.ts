/**
 * One client of an event stream: server-sent events (the `text/event-stream` of the HTML standard) with a bounded
 * buffer of its own.
 *
 *   send ──▶ taken by the connection at once, or waiting (up to BUFFER_CHARS_MAX), or lost and counted
 *
 * A client that reads too slowly loses the newest, and is told how many as soon as it has read what waited: an event
 * `warning`, which carries no id, so that a client that comes back is given what it lost, as far as it is still there.
 */

/** What may wait for a client that reads slowly; the kernel holds up to some megabytes more. */
const BUFFER_CHARS_MAX = 256 * 1024;
/** What a client that uses the standard's EventSource waits before it comes back. */
const RETRY_MS = 2000;

export type Warning = { readonly code: string; readonly message: string; readonly lost?: number };

export type StreamHears = {
  readonly wallMs: () => number;
  readonly counted: (outcome: "sent" | "lost", events: number) => void;
  /** Once, when the client went away or the stream was closed. */
  readonly gone: () => void;
};

export class EventStream {
  readonly response: Response;
  readonly #encoder = new TextEncoder();
  readonly #hears: StreamHears;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #waiting: string[] = [];
  #waitingChars = 0;
  #lostNow = 0;
  #isOpen = true;

  constructor(hears: StreamHears) {
    this.#hears = hears;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#flush(),
      cancel: () => this.#end(),
    });
    this.#put(`retry: ${RETRY_MS}\n\n`);
    this.response = new Response(body, {
      headers: {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-store",
        // A proxy that gathers a response before it sends it (nginx) is asked not to.
        "x-accel-buffering": "no",
      },
    });
  }

  /** @param data one line */
  send(event: string, id: string, data: string): void {
    if (this.#waitingChars > BUFFER_CHARS_MAX) {
      this.#lostNow += 1;
      this.#hears.counted("lost", 1);
      return;
    }
    this.#hears.counted("sent", 1);
    this.#put(`event: ${event}\nid: ${id}\ndata: ${data}\n\n`);
  }

  warn(warning: Warning): void {
    const time = new Date(this.#hears.wallMs()).toISOString();
    this.#put(`event: warning\ndata: ${JSON.stringify({ time, ...warning })}\n\n`);
  }

  /** A comment, which says to both ends that the connection still stands. */
  beat(): void {
    // A client that does not read is not sent ever more of them.
    if (this.#waiting.length === 0) this.#put(": still here\n\n");
  }

  /** @returns false where the client has not taken what was sent to it, so that the connection stays until it does */
  close(): boolean {
    if (!this.#isOpen) return true;
    const isTaken = (this.#controller.desiredSize ?? 0) > 0;
    this.#controller.close();
    this.#end();
    return isTaken;
  }

  #put(frame: string): void {
    if (!this.#isOpen) return;
    this.#waiting.push(frame);
    this.#waitingChars += frame.length;
    if ((this.#controller.desiredSize ?? 0) > 0) this.#flush();
  }

  #flush(): void {
    if (this.#waiting.length > 0) {
      const text = this.#waiting.join("");
      // Before it is handed over: the connection may ask for more while it takes it.
      this.#waiting = [];
      this.#waitingChars = 0;
      this.#controller.enqueue(this.#encoder.encode(text));
    }
    const lost = this.#lostNow;
    if (lost === 0) return;
    this.#lostNow = 0;
    this.warn({
      code: "client-slow",
      message: `${lost} events were lost because they were not read in time`,
      lost,
    });
  }

  #end(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#waiting = [];
    this.#hears.gone();
  }
}
