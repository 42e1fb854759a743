/**
 * One request to an OpenAI-compatible `/v1/embeddings`, and everything a server may answer to it.
 *
 * Vectors are asked for in base64, which is a quarter of the bytes of JSON numbers, and taken in either form.
 * Some servers refuse `encoding_format` or `dimensions`; what one refused is left out from then on.
 */
import type { OutgoingTrace } from "../base/trace-context.ts";
import type { ApiKey } from "./api-key.ts";

export type OpenaiTarget = {
  /** of the server; /v1/embeddings is added, or /embeddings where it ends in a version */
  readonly url: string;
  readonly model: string;
  /** what the vectors must have; asked of the server too, for models that can shorten theirs */
  readonly dimensions: number;
};

/** Why a request brought no vectors. */
export class EmbeddingFailure extends Error {
  override readonly name = "EmbeddingFailure";
  /**
   * down     the server did not answer, or said that it can not: try again later
   * busy     it asks for a pause (429)
   * key      it does not accept the key
   * refused  it does not accept these texts
   * address  nothing embeds at this address, or not with this model
   * wrong    its answer is not what the interface promises
   */
  readonly kind: "down" | "busy" | "key" | "refused" | "address" | "wrong";
  /** pause the server asked for, ms */
  readonly retryAfterMs: number | undefined;

  constructor(
    kind: EmbeddingFailure["kind"],
    message: string,
    details?: { retryAfterMs?: number | undefined },
  ) {
    super(message);
    this.kind = kind;
    this.retryAfterMs = details?.retryAfterMs;
  }
}

export type SendOptions = {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly trace: OutgoingTrace | undefined;
};

const ERROR_TEXT_MAX = 300;

export class OpenaiRequests {
  readonly #target: OpenaiTarget;
  readonly #key: ApiKey;
  readonly #endpoint: string;
  #asksBase64 = true;
  #asksDimensions = true;

  constructor(target: OpenaiTarget, key: ApiKey) {
    this.#target = target;
    this.#key = key;
    this.#endpoint = endpointOf(target.url);
  }

  /** Without what may be secret in it. */
  get address(): string {
    const url = new URL(this.#endpoint);
    return `${url.origin}${url.pathname}`;
  }

  /**
   * The vectors of `texts`, in their order.
   * @throws {EmbeddingFailure} for whatever the server or the way to it did
   * @throws the signal's reason when it was called off
   */
  async send(texts: readonly string[], options: SendOptions): Promise<Float32Array[]> {
    for (;;) {
      const asked = { base64: this.#asksBase64, dimensions: this.#asksDimensions };
      const { status, headers, body } = await this.#post(texts, options);
      if (status === 200) return this.#vectors(body, texts.length);
      const failure = this.#failureOf(status, headers, body);
      if (failure.kind !== "refused" || !this.#askLess(asked, body)) throw failure;
    }
  }

  async #post(
    texts: readonly string[],
    { signal, timeoutMs, trace }: SendOptions,
  ): Promise<{ status: number; headers: Headers; body: string }> {
    const timeout = AbortSignal.timeout(timeoutMs);
    const headers: Record<string, string> = {
      "content-type": "application/json",
      accept: "application/json",
    };
    if (this.#key.header !== undefined) headers["authorization"] = this.#key.header;
    if (trace !== undefined) headers["traceparent"] = trace.traceparent;
    if (trace?.tracestate !== undefined) headers["tracestate"] = trace.tracestate;
    try {
      const response = await fetch(this.#endpoint, {
        method: "POST",
        headers,
        redirect: "error",
        signal: AbortSignal.any([signal, timeout]),
        body: JSON.stringify({
          model: this.#target.model,
          input: texts,
          ...(this.#asksBase64 ? { encoding_format: "base64" } : { encoding_format: "float" }),
          ...(this.#asksDimensions ? { dimensions: this.#target.dimensions } : {}),
        }),
      });
      return { status: response.status, headers: response.headers, body: await response.text() };
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (timeout.aborted) throw new EmbeddingFailure("down", `no answer within ${timeoutMs} ms`);
      throw new EmbeddingFailure("down", this.#key.redact((error as Error).message));
    }
  }

  #failureOf(status: number, headers: Headers, body: string): EmbeddingFailure {
    const said = this.#key.redact(errorTextOf(body));
    const message = said === "" ? `HTTP ${status}` : `HTTP ${status}: ${said}`;
    if (status === 401 || status === 403) {
      const problem = this.#key.problem;
      return new EmbeddingFailure("key", problem === undefined ? message : `${message} (${problem})`);
    }
    const retryAfterMs = retryAfterOf(headers);
    if (status === 429) return new EmbeddingFailure("busy", message, { retryAfterMs });
    if (status >= 500 || status === 408) return new EmbeddingFailure("down", message, { retryAfterMs });
    const isAboutTexts = status === 400 || status === 413 || status === 422;
    return new EmbeddingFailure(isAboutTexts ? "refused" : "address", message);
  }

  /** Leaves out what the server named in its refusal; false when there is nothing left to leave out. */
  #askLess(asked: { base64: boolean; dimensions: boolean }, body: string): boolean {
    if (asked.base64 && /encoding[_ ]format|base64/i.test(body)) {
      this.#asksBase64 = false;
      return true;
    }
    if (asked.dimensions && /dimension|matryoshka/i.test(body)) {
      this.#asksDimensions = false;
      return true;
    }
    return false;
  }

  #vectors(body: string, textCount: number): Float32Array[] {
    const items = itemsOf(body);
    if (items.length !== textCount) {
      throw new EmbeddingFailure("wrong", `${items.length} vectors came for ${textCount} texts`);
    }
    const vectors = new Array<Float32Array | undefined>(textCount);
    for (let position = 0; position < items.length; position++) {
      const item = items[position]!;
      const index = item.index ?? position;
      if (!Number.isInteger(index) || index < 0 || index >= textCount || vectors[index] !== undefined) {
        throw new EmbeddingFailure("wrong", `the vectors are not numbered 0 to ${textCount - 1}, each once`);
      }
      vectors[index] = this.#checked(vectorOf(item.embedding));
    }
    return vectors as Float32Array[];
  }

  #checked(vector: Float32Array | undefined): Float32Array {
    if (vector === undefined) throw new EmbeddingFailure("wrong", "a vector is neither numbers nor base64");
    if (vector.length !== this.#target.dimensions) {
      const { model, dimensions } = this.#target;
      throw new EmbeddingFailure(
        "wrong",
        `the model ${model} makes ${vector.length} dimensions, embedding.dimensions says ${dimensions}`,
      );
    }
    let squared = 0;
    for (const value of vector) squared += value * value;
    if (!Number.isFinite(squared) || squared === 0) {
      throw new EmbeddingFailure("wrong", "a vector is all zero or holds what is no finite number");
    }
    return vector;
  }
}

/** A name for people and for spaces, without what may be secret: "openai/<model>". */
export function openaiId(model: string): string {
  return `openai/${model}`;
}

function endpointOf(address: string): string {
  const url = new URL(address);
  const path = url.pathname.replace(/\/+$/, "");
  if (!path.endsWith("/embeddings"))
    url.pathname = /\/v\d+$/.test(path) ? `${path}/embeddings` : `${path}/v1/embeddings`;
  return url.href;
}

type Item = { readonly index?: unknown; readonly embedding: unknown };

function itemsOf(body: string): { index: number | undefined; embedding: unknown }[] {
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    throw new EmbeddingFailure("wrong", "the answer is not JSON");
  }
  const data = (answer as { data?: unknown } | null)?.data;
  if (!Array.isArray(data)) throw new EmbeddingFailure("wrong", 'the answer has no list "data"');
  return data.map((item: Item | null) => ({
    index: typeof item?.index === "number" ? item.index : undefined,
    embedding: item?.embedding,
  }));
}

function vectorOf(embedding: unknown): Float32Array | undefined {
  if (Array.isArray(embedding)) {
    return embedding.every((value) => typeof value === "number") ? Float32Array.from(embedding) : undefined;
  }
  if (typeof embedding !== "string" || !/^[A-Za-z0-9+/]*={0,2}$/.test(embedding)) return undefined;
  const bytes = Buffer.from(embedding, "base64");
  if (bytes.length === 0 || bytes.length % 4 !== 0) return undefined;
  // A copy, because a Buffer may start anywhere and floats want an address divisible by 4.
  return new Float32Array(new Uint8Array(bytes).buffer);
}

function errorTextOf(body: string): string {
  let said = body;
  try {
    const answer = JSON.parse(body) as {
      error?: { message?: unknown } | string;
      message?: unknown;
      detail?: unknown;
    };
    const error = answer?.error;
    const text = typeof error === "string" ? error : (error?.message ?? answer?.message ?? answer?.detail);
    if (typeof text === "string") said = text;
  } catch {
    // Not JSON: the body itself is what was said.
  }
  const line = said.replace(/\s+/g, " ").trim();
  return line.length > ERROR_TEXT_MAX ? `${line.slice(0, ERROR_TEXT_MAX)}…` : line;
}

function retryAfterOf(headers: Headers): number | undefined {
  const value = headers.get("retry-after");
  if (value === null) return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}
