/**
 * A provider with a memory: texts embedded lately are not sent again, and a text that is on its way already
 * is waited for instead of being sent twice.
 *
 * Only for providers outside the process; the built-in one is quicker than a look into the cache.
 */
import type {
  CacheCounts,
  EmbedderState,
  EmbeddingProvider,
  EmbedKind,
  EmbedOptions,
  VectorFamily,
} from "./embedder.ts";
import { VectorCache } from "./vector-cache.ts";

export class CachedEmbedder implements EmbeddingProvider {
  readonly id: string;
  readonly dimensions: number;
  readonly family: VectorFamily;
  readonly #inner: EmbeddingProvider;
  readonly #cache: VectorCache;
  readonly #underway = new Map<string, Promise<Float32Array>>();

  constructor(inner: EmbeddingProvider, cacheBytesMax: number) {
    this.id = inner.id;
    this.dimensions = inner.dimensions;
    this.family = inner.family;
    this.#inner = inner;
    this.#cache = new VectorCache(cacheBytesMax);
  }

  async embed(texts: readonly string[], kind: EmbedKind, options?: EmbedOptions): Promise<Float32Array[]> {
    const vectors = new Array<Float32Array | Promise<Float32Array>>(texts.length);
    const missing: string[] = [];
    const missingAt: number[] = [];
    for (let i = 0; i < texts.length; i++) {
      const key = keyOf(texts[i]!, kind);
      // A caller that may call off waits for nobody else's request, and nobody waits for its.
      const known =
        this.#cache.get(key) ?? (options?.signal === undefined ? this.#underway.get(key) : undefined);
      if (known !== undefined) {
        vectors[i] = known;
        continue;
      }
      missing.push(texts[i]!);
      missingAt.push(i);
    }
    if (missing.length > 0) {
      const coming = this.#inner.embed(missing, kind, options);
      for (let i = 0; i < missing.length; i++) {
        vectors[missingAt[i]!] = this.#follow(
          keyOf(missing[i]!, kind),
          coming,
          i,
          options?.signal === undefined,
        );
      }
    }
    return await Promise.all(vectors);
  }

  state(): EmbedderState {
    const inner = this.#inner.state();
    return {
      ...inner,
      detail: { ...inner.detail, cache: { ...this.#cache.counts, bytesMax: this.#cache.bytesMax } },
    };
  }

  cacheCounts(): CacheCounts {
    return this.#cache.counts;
  }

  close(): void {
    this.#inner.close();
    this.#cache.clear();
  }

  async #follow(
    key: string,
    coming: Promise<readonly Float32Array[]>,
    position: number,
    isShared: boolean,
  ): Promise<Float32Array> {
    const one = coming.then((vectors) => vectors[position]!);
    if (isShared) this.#underway.set(key, one);
    try {
      const vector = await one;
      this.#cache.put(key, vector);
      return vector;
    } finally {
      if (isShared && this.#underway.get(key) === one) this.#underway.delete(key);
    }
  }
}

function keyOf(text: string, kind: EmbedKind): string {
  return `${kind === "query" ? "q" : "m"}${text}`;
}
