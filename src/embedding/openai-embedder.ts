/**
 * Embeds through any OpenAI-compatible `/v1/embeddings` server: OpenAI, Ollama, vLLM, TEI, llama.cpp, …
 *
 *   embed() ─▶ TextBatcher ─▶ send with retries ─▶ OpenaiRequests ─▶ the server
 *                                  │
 *                            CircuitBreaker: a server that is down is not asked again at once
 *
 * A request that failed is repeated after a pause that doubles, with jitter, or after the pause the server
 * asked for. A refused key is read from its file again and tried once more. A batch that is refused for what
 * is in it is halved until the text in question stands alone, so that it fails alone.
 */
import type { Clock } from "../base/clock.ts";
import { RequestError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import type { OutgoingTrace } from "../base/trace-context.ts";
import { ApiKey } from "./api-key.ts";
import { CircuitBreaker } from "./circuit-breaker.ts";
import type { EmbedderState, EmbeddingProvider, EmbedKind, EmbedOptions } from "./embedder.ts";
import { EmbeddingFailure, OpenaiRequests, openaiId } from "./openai-request.ts";
import { TextBatcher } from "./text-batcher.ts";

export type OpenaiOptions = {
  readonly url: string;
  readonly model: string;
  readonly dimensions: number;
  /** "" for a server without keys */
  readonly keyFile: string;
  readonly batchMax: number;
  readonly batchWaitMs: number;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly clock: Clock;
  /** jitter of the pauses */
  readonly random: Random;
};

const UNDERWAY_MAX = 4;
const QUEUE_MAX = 8_192;
const PAUSE_MS_FIRST = 200;
const PAUSE_MS_MAX = 10_000;
/** Weight of the newest request in the running mean of latency. */
const LATENCY_GAIN = 0.1;

export class OpenaiEmbedder implements EmbeddingProvider {
  readonly id: string;
  readonly dimensions: number;
  readonly family = "learned";

  readonly #options: OpenaiOptions;
  readonly #key: ApiKey;
  readonly #requests: OpenaiRequests;
  readonly #breaker: CircuitBreaker;
  readonly #batcher: TextBatcher;
  readonly #closing = new AbortController();
  readonly #counts = { requests: 0, failed: 0, retried: 0, texts: 0 };
  #latencyMsMean = Number.NaN;
  #latencyMsLast = Number.NaN;
  #lastError: { readonly text: string; readonly atMs: number } | undefined;
  #lastSuccessMs: number | undefined;

  constructor(options: OpenaiOptions) {
    this.#options = options;
    this.id = openaiId(options.model);
    this.dimensions = options.dimensions;
    this.#key = new ApiKey(options.keyFile);
    this.#requests = new OpenaiRequests(options, this.#key);
    this.#breaker = new CircuitBreaker(options.clock);
    this.#batcher = new TextBatcher({
      batchMax: options.batchMax,
      waitMs: options.batchWaitMs,
      underwayMax: UNDERWAY_MAX,
      queueMax: QUEUE_MAX,
      send: (texts, trace) => this.#sendOrHalve(texts, trace),
    });
  }

  async embed(texts: readonly string[], _kind: EmbedKind, options?: EmbedOptions): Promise<Float32Array[]> {
    if (texts.length === 0) return [];
    if (this.#closing.signal.aborted) throw this.#unavailable("the appliance is shutting down");
    // While the circuit is open nobody waits for a batch; one caller is let through when it is time.
    if (this.#breaker.state !== "closed" && this.#breaker.waitMs() > 0) throw this.#circuitOpen();
    if (!this.#batcher.hasRoomFor(texts.length)) {
      throw this.#unavailable(`${this.#batcher.waiting} texts wait to be embedded already`, {
        retryAfterSeconds: 1,
      });
    }
    return await Promise.all(texts.map((text) => this.#batcher.add(text, options)));
  }

  state(): EmbedderState {
    const { state, failures } = this.#breaker;
    const detail = {
      provider: this.id,
      address: this.#requests.address,
      dimensions: this.dimensions,
      ...this.#counts,
      waiting: this.#batcher.waiting,
      circuit: state,
      failuresSinceSuccess: failures,
      ...(Number.isNaN(this.#latencyMsMean)
        ? {}
        : { latencyMsMean: round(this.#latencyMsMean), latencyMsLast: round(this.#latencyMsLast) }),
      ...(this.#lastSuccessMs === undefined ? {} : { lastSuccessAtMs: this.#lastSuccessMs }),
      ...(this.#lastError === undefined
        ? {}
        : { lastError: this.#lastError.text, lastErrorAtMs: this.#lastError.atMs }),
    };
    if (state !== "closed") return { status: "failed", reason: this.#lastError?.text, detail };
    if (failures > 0) return { status: "degraded", reason: this.#lastError?.text, detail };
    if (this.#key.problem !== undefined) return { status: "degraded", reason: this.#key.problem, detail };
    if (this.#lastSuccessMs === undefined) {
      return { status: "unavailable", reason: "the server was not asked yet", detail };
    }
    return { status: "ok", detail };
  }

  close(): void {
    const reason = this.#unavailable("the appliance is shutting down");
    this.#closing.abort(reason);
    this.#batcher.fail(reason);
  }

  async #sendOrHalve(
    texts: readonly string[],
    trace: OutgoingTrace | undefined,
  ): Promise<(Float32Array | Error)[]> {
    try {
      const vectors = await this.#sendWithRetries(texts, trace);
      this.#counts.texts += texts.length;
      return vectors;
    } catch (error) {
      if (!(error instanceof EmbeddingFailure)) throw error;
      const failure = this.#unavailable(error.message, {
        ...(error.retryAfterMs === undefined
          ? {}
          : { retryAfterSeconds: Math.ceil(error.retryAfterMs / 1000) }),
      });
      if (error.kind !== "refused" || texts.length === 1) return texts.map(() => failure);
      const middle = texts.length >>> 1;
      return [
        ...(await this.#sendOrHalve(texts.slice(0, middle), trace)),
        ...(await this.#sendOrHalve(texts.slice(middle), trace)),
      ];
    }
  }

  async #sendWithRetries(
    texts: readonly string[],
    trace: OutgoingTrace | undefined,
  ): Promise<Float32Array[]> {
    let isKeyRead = false;
    for (let attempt = 0; ; attempt++) {
      if (!this.#breaker.allows()) throw this.#circuitOpen();
      try {
        return await this.#sendOnce(texts, trace);
      } catch (error) {
        if (!(error instanceof EmbeddingFailure)) throw error;
        if (error.kind === "key" && !isKeyRead) {
          isKeyRead = true;
          if (this.#key.reload()) continue;
        }
        if (error.kind === "key") this.#breaker.failed();
        const isPassing = error.kind === "down" || error.kind === "busy" || error.kind === "wrong";
        const pauseMs = this.#pauseMs(attempt, error.retryAfterMs);
        if (!isPassing || attempt >= this.#options.retries || pauseMs > PAUSE_MS_MAX) throw error;
        this.#counts.retried++;
        await this.#pause(pauseMs);
      }
    }
  }

  async #sendOnce(texts: readonly string[], trace: OutgoingTrace | undefined): Promise<Float32Array[]> {
    const { clock, timeoutMs } = this.#options;
    const startNs = clock.nowNs();
    this.#counts.requests++;
    try {
      const vectors = await this.#requests.send(texts, { signal: this.#closing.signal, timeoutMs, trace });
      this.#breaker.succeeded();
      this.#lastSuccessMs = clock.wallMs();
      this.#measure((clock.nowNs() - startNs) / 1e6);
      return vectors;
    } catch (error) {
      this.#counts.failed++;
      if (!(error instanceof EmbeddingFailure)) {
        this.#breaker.undecided();
        throw error;
      }
      this.#lastError = { text: error.message, atMs: clock.wallMs() };
      // A server that refuses a text is there; a key may be mended by reading its file again.
      if (error.kind === "refused") this.#breaker.succeeded();
      else if (error.kind === "key") this.#breaker.undecided();
      else this.#breaker.failed();
      throw error;
    }
  }

  #measure(latencyMs: number): void {
    this.#latencyMsLast = latencyMs;
    this.#latencyMsMean = Number.isNaN(this.#latencyMsMean)
      ? latencyMs
      : this.#latencyMsMean + LATENCY_GAIN * (latencyMs - this.#latencyMsMean);
  }

  /** Half of the doubling pause and half by chance, so that callers do not come back all at once. */
  #pauseMs(attempt: number, retryAfterMs: number | undefined): number {
    const fullMs = Math.min(PAUSE_MS_FIRST * 2 ** attempt, PAUSE_MS_MAX);
    const jitteredMs = fullMs / 2 + (fullMs / 2) * this.#options.random.float();
    return retryAfterMs === undefined ? jitteredMs : Math.max(retryAfterMs, jitteredMs / 10);
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#closing;
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        signal.removeEventListener("abort", stop);
        resolve();
      }, ms);
      signal.addEventListener("abort", stop, { once: true });
      if (signal.aborted) stop();
    });
  }

  #circuitOpen(): RequestError {
    const waitSeconds = Math.max(1, Math.ceil(this.#breaker.waitMs() / 1000));
    const text = `${this.#breaker.failures} requests in a row failed, the last with: ${this.#lastError?.text ?? "?"}`;
    return this.#unavailable(text, { retryAfterSeconds: waitSeconds });
  }

  #unavailable(text: string, details?: { readonly retryAfterSeconds?: number }): RequestError {
    return new RequestError({
      code: "embedder-unavailable",
      message: `Cannot embed with ${this.id} at ${this.#requests.address}: ${text}`,
      ...details,
    });
  }
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
