/** The provider `none`: callers bring their embeddings, and text alone can only be found by its words. */
import { RequestError } from "../base/errors.ts";
import type { EmbedderState, EmbeddingProvider } from "./embedder.ts";

export class NoEmbedder implements EmbeddingProvider {
  readonly id = "none";
  readonly family = "learned";
  readonly dimensions: number;

  constructor(dimensions: number) {
    this.dimensions = dimensions;
  }

  /** @throws {RequestError} `embedding-required`, always */
  async embed(): Promise<Float32Array[]> {
    throw new RequestError({
      code: "embedding-required",
      message: "Cannot embed: this appliance takes embeddings from its callers (embedding.provider is none)",
    });
  }

  state(): EmbedderState {
    return { status: "ok", detail: { provider: this.id, dimensions: this.dimensions } };
  }

  close(): void {}
}
