/**
 * What turns text into vectors, as the engine sees it: one provider per process, the same for all spaces
 * that name it.
 *
 * A provider's vectors need not be unit vectors (the engine normalises what it stores); each is finite, not
 * all zero, and `dimensions` long. Whatever goes wrong outside the process arrives as a `RequestError`
 * `embedder-unavailable`; words go on finding memories meanwhile.
 */
import type { OutgoingTrace } from "../base/trace-context.ts";
import type { Language } from "../language/languages.ts";

/** A memory to be stored, or a query to be compared with memories: some providers treat them differently. */
export type EmbedKind = "memory" | "query";

/**
 * How rare a term is in the space that is asked: its idf, 0 or more, by the halves of its hash
 * (`language/term-hash.ts`). Memories are embedded when they come and never again; what the space has
 * learned since is brought in on the side of the query.
 */
export type TermIdf = (hashLo: number, hashHi: number) => number;

export type EmbedOptions = {
  readonly signal?: AbortSignal | undefined;
  /** of the space; only the built-in embedder looks at it (default "english") */
  readonly language?: Language | undefined;
  /** for queries; only the built-in embedder looks at it */
  readonly idf?: TermIdf | undefined;
  /** of the request it is done for, handed on to a provider outside the process */
  readonly trace?: OutgoingTrace | undefined;
};

/**
 * What a provider's similarities are worth to the fusion with the word search.
 *
 *   hashed  words and parts of words: they see little that the word search does not see
 *   learned meaning: from a model, or brought by the caller
 */
export type VectorFamily = "hashed" | "learned";

/** A provider's true state, as health reports it. */
export type EmbedderState = {
  readonly status: "ok" | "degraded" | "failed" | "unavailable";
  readonly reason?: string | undefined;
  readonly detail?: Readonly<Record<string, unknown>> | undefined;
};

export type CacheCounts = {
  readonly hits: number;
  readonly misses: number;
  readonly entries: number;
  readonly bytes: number;
};

export interface EmbeddingProvider {
  /** provider and model, as spaces record it: "hash/1", "openai/<model>", "none" */
  readonly id: string;
  readonly dimensions: number;
  readonly family: VectorFamily;
  /**
   * A vector for each text, in order.
   * @throws {RequestError} `embedder-unavailable`, with the cause in its message, never a key
   */
  embed(texts: readonly string[], kind: EmbedKind, options?: EmbedOptions): Promise<Float32Array[]>;
  /** The same at once, where the provider needs nothing from outside the process. */
  embedSync?(
    texts: readonly string[],
    kind: EmbedKind,
    options?: Omit<EmbedOptions, "signal">,
  ): Float32Array[];
  state(): EmbedderState;
  /** what its cache was asked and found since the start, where it has one */
  cacheCounts?(): CacheCounts;
  /** Fails what is under way and takes no more. */
  close(): void;
}
