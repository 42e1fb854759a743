/**
 * Gathers the texts of concurrent callers into batches, so that a server is asked seldom and much.
 *
 * A batch leaves when it is full, or when its first text has waited long enough; several may be under way.
 * The queue has a bound: beyond it callers are turned away at once, instead of all waiting longer.
 */
import { assert } from "../base/assert.ts";
import type { OutgoingTrace } from "../base/trace-context.ts";
import type { EmbedOptions } from "./embedder.ts";

export type BatcherOptions = {
  readonly batchMax: number;
  readonly waitMs: number;
  /** batches under way at once, at most */
  readonly underwayMax: number;
  /** texts waiting at once, at most */
  readonly queueMax: number;
  /**
   * Vectors of a batch, in order. One text's failure may be in its place; throwing fails them all.
   * @param trace of the first text that has one: a request belongs to one trace only
   */
  readonly send: (
    texts: readonly string[],
    trace: OutgoingTrace | undefined,
  ) => Promise<(Float32Array | Error)[]>;
};

type Waiting = {
  readonly text: string;
  readonly trace: OutgoingTrace | undefined;
  readonly resolve: (vector: Float32Array) => void;
  readonly reject: (reason: unknown) => void;
  isCalledOff: boolean;
};

export class TextBatcher {
  readonly #options: BatcherOptions;
  #queue: Waiting[] = [];
  #underway = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: BatcherOptions) {
    assert(options.batchMax >= 1 && options.underwayMax >= 1, "batches hold texts, and some are sent");
    this.#options = options;
  }

  /** texts that wait to be sent */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Whether `textCount` more texts may wait. */
  hasRoomFor(textCount: number): boolean {
    return this.#queue.length + textCount <= this.#options.queueMax;
  }

  /** The vector of one text, once its batch is back. */
  add(text: string, { signal, trace }: Pick<EmbedOptions, "signal" | "trace"> = {}): Promise<Float32Array> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const item: Waiting = { text, trace, resolve, reject, isCalledOff: false };
      signal?.addEventListener(
        "abort",
        () => {
          item.isCalledOff = true;
          reject(signal.reason);
        },
        { once: true },
      );
      this.#queue.push(item);
      this.#schedule();
    });
  }

  /** Fails every text that waits. */
  fail(reason: unknown): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const queue = this.#queue;
    this.#queue = [];
    for (const item of queue) item.reject(reason);
  }

  #schedule(): void {
    if (this.#queue.length >= this.#options.batchMax) this.#leave();
    else if (this.#timer === undefined && this.#queue.length > 0) {
      this.#timer = setTimeout(() => this.#leave(), this.#options.waitMs);
    }
  }

  #leave(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#underway < this.#options.underwayMax) {
      const batch: Waiting[] = [];
      while (batch.length < this.#options.batchMax && this.#queue.length > 0) {
        const item = this.#queue.shift()!;
        if (!item.isCalledOff) batch.push(item);
      }
      if (batch.length === 0) return;
      void this.#send(batch);
      // What is left is no full batch: it may wait for company.
      if (this.#queue.length < this.#options.batchMax) {
        this.#schedule();
        return;
      }
    }
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    this.#underway++;
    try {
      const texts = batch.map((item) => item.text);
      const { trace } = batch.find((item) => item.trace !== undefined) ?? batch[0]!;
      const vectors = await this.#options.send(texts, trace);
      assert(vectors.length === batch.length, "a batch brings something for each text");
      for (let i = 0; i < batch.length; i++) {
        const vector = vectors[i]!;
        if (vector instanceof Error) batch[i]!.reject(vector);
        else batch[i]!.resolve(vector);
      }
    } catch (error) {
      for (const item of batch) item.reject(error);
    } finally {
      this.#underway--;
      if (this.#queue.length > 0) this.#leave();
    }
  }
}
