/**
 * An OpenAI-compatible server on port 0 that answers as a test tells it to.
 *
 * Its vectors are a function of the text, so that a test can tell whose vector it got.
 */
export const DIMENSIONS = 8;

export type Asked = {
  readonly input: string[];
  readonly model: string;
  readonly encoding_format?: string;
  readonly dimensions?: number;
};

export type Reply = (asked: Asked, request: Request) => Response | Promise<Response>;

export class FakeEmbeddingServer {
  readonly asked: Asked[] = [];
  readonly keys: (string | null)[] = [];
  /** replies for the next requests, in order; the honest one when there are none */
  readonly replies: Reply[] = [];
  /** stands in for the honest reply when set */
  always: Reply | undefined;
  readonly #server: ReturnType<typeof Bun.serve>;

  constructor() {
    this.#server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: async (request) => {
        if (new URL(request.url).pathname !== "/v1/embeddings")
          return new Response("not here", { status: 404 });
        const asked = (await request.json()) as Asked;
        this.asked.push(asked);
        this.keys.push(request.headers.get("authorization"));
        const reply = this.replies.shift() ?? this.always ?? honest;
        return reply(asked, request);
      },
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.port}`;
  }

  async stop(): Promise<void> {
    await this.#server.stop(true);
  }
}

/** The vector of a text: its code units, folded. Never all zero. */
export function vectorOf(text: string, dimensions = DIMENSIONS): Float32Array {
  const vector = new Float32Array(dimensions).fill(0.5);
  for (let i = 0; i < text.length; i++) vector[i % dimensions]! += text.charCodeAt(i) / 128;
  return vector;
}

export const honest: Reply = (asked) =>
  answer(
    asked.input.map((text, index) => ({ index, embedding: encoded(vectorOf(text), asked.encoding_format) })),
  );

export function answer(data: unknown): Response {
  return Response.json({ object: "list", data, model: "fake", usage: { prompt_tokens: 0, total_tokens: 0 } });
}

export function failing(status: number, message: string, headers?: Record<string, string>): Reply {
  return () =>
    Response.json({ error: { message } }, { status, ...(headers === undefined ? {} : { headers }) });
}

export function encoded(vector: Float32Array, format: string | undefined): string | number[] {
  return format === "base64" ? Buffer.from(vector.buffer).toString("base64") : [...vector];
}
