/** The provider that the settings ask for. */
import type { Clock } from "../base/clock.ts";
import { OperatorError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import { MIB } from "../base/units.ts";
import { CachedEmbedder } from "./cached-embedder.ts";
import type { EmbeddingProvider } from "./embedder.ts";
import { HashEmbedder } from "./hash-embedder.ts";
import { NoEmbedder } from "./no-embedder.ts";
import { OpenaiEmbedder } from "./openai-embedder.ts";

/** `embedding` of the settings, as `config/sections/recalling.ts` declares it. */
export type EmbeddingSettings = {
  readonly provider: string;
  readonly dimensions: number;
  readonly cache_mb: number;
  readonly openai: {
    readonly url: string;
    readonly model: string;
    readonly key_file: string;
    readonly batch_max: number;
    readonly batch_wait_ms: number;
    readonly timeout_ms: number;
    readonly retries: number;
  };
};

/** @throws {OperatorError} `config-invalid` when the provider lacks what it needs */
export function createEmbedder(
  settings: EmbeddingSettings,
  means: { readonly clock: Clock; readonly random: Random },
): EmbeddingProvider {
  const { provider, dimensions, openai } = settings;
  if (provider === "hash") return new HashEmbedder(dimensions);
  if (provider === "none") return new NoEmbedder(dimensions);
  for (const name of ["url", "model"] as const) {
    if (openai[name] !== "") continue;
    throw new OperatorError({
      code: "config-invalid",
      message: `Cannot embed with an OpenAI-compatible server: embedding.openai.${name} is empty`,
      remedy: `Set embedding.openai.${name}, or embedding.provider = "hash"`,
    });
  }
  const inner = new OpenaiEmbedder({
    url: openai.url,
    model: openai.model,
    dimensions,
    keyFile: openai.key_file,
    batchMax: openai.batch_max,
    batchWaitMs: openai.batch_wait_ms,
    timeoutMs: openai.timeout_ms,
    retries: openai.retries,
    ...means,
  });
  return settings.cache_mb > 0 ? new CachedEmbedder(inner, settings.cache_mb * MIB) : inner;
}
