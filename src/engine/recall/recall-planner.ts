/**
 * What a recall will do: decided from the query and the space, with the query embedded where that takes an
 * embedding. It may await the embedding provider, so it runs outside every epoch.
 */
import { RequestError } from "../../base/errors.ts";
import type { EmbeddingProvider, VectorFamily } from "../../embedding/embedder.ts";
import { inverseDocumentFrequency } from "../../index/bm25.ts";
import { OPERATION, STAGE } from "../../layout/metric-codes.ts";
import type { EpochReader } from "../../shm/epochs.ts";
import type { RecallQuery, SearchMode } from "../engine.ts";
import type { EngineMeter } from "../meters.ts";
import { normalised } from "../normalise.ts";
import type { OperationTrace } from "../operation-trace.ts";
import type { SpaceReader } from "../space-reader.ts";

export type RecallPlan = {
  readonly query: RecallQuery;
  /** what will be done: less than was asked for where `degraded` says why */
  readonly mode: SearchMode;
  readonly degraded: string | undefined;
  /** unit vector; undefined in words mode */
  readonly vector: Float32Array | undefined;
  readonly family: VectorFamily;
};

export class RecallPlanner {
  readonly #embedder: EmbeddingProvider;
  readonly #epoch: EpochReader;
  readonly #meter: EngineMeter;
  readonly #spreads: boolean;

  /** @param options.spreads whether activation is switched on */
  constructor(options: {
    embedder: EmbeddingProvider;
    epoch: EpochReader;
    meter: EngineMeter;
    spreads: boolean;
  }) {
    this.#spreads = options.spreads;
    this.#embedder = options.embedder;
    this.#epoch = options.epoch;
    this.#meter = options.meter;
  }

  /** Decides what can be done, and embeds the query where that takes an embedding. */
  async plan(reader: SpaceReader, query: RecallQuery): Promise<RecallPlan> {
    const family: VectorFamily = query.embedding !== undefined ? "learned" : this.#embedder.family;
    if (query.mode === "spreading" && !this.#spreads) throw activationOff();
    const hasText = query.query !== undefined;
    // Activation starts from what both lists find.
    const mode = query.mode === "spreading" ? "hybrid" : query.mode;
    if (query.mode === "words") {
      if (!hasText) throw missing("query", "A recall by words needs words");
      return { query, mode: "words", degraded: undefined, vector: undefined, family };
    }
    if (query.embedding !== undefined) {
      const vector = checkedQuery(query.embedding, reader);
      return { query, mode: hasText ? mode : "vector", degraded: undefined, vector, family };
    }
    if (!hasText) throw missing("query", "A recall needs a query or an embedding");
    const text = query.query!;
    try {
      const startedAtMs = this.#meter.nowMs();
      const vector = await this.#embedQuery(reader, text, query.trace);
      const endedAtMs = this.#meter.nowMs();
      this.#meter.stage(OPERATION.recall, STAGE.embed, endedAtMs - startedAtMs);
      query.trace?.stage(STAGE.embed, endedAtMs - startedAtMs, endedAtMs);
      return { query, mode, degraded: undefined, vector, family };
    } catch (error) {
      if (!(error instanceof RequestError) || query.mode === "vector") throw error;
      return { query, mode: "words", degraded: error.message, vector: undefined, family };
    }
  }

  async #embedQuery(
    reader: SpaceReader,
    text: string,
    trace: OperationTrace | undefined,
  ): Promise<Float32Array> {
    const embedder = this.#embedder;
    if (reader.embedder === "none") {
      throw new RequestError({
        code: "embedding-required",
        message: `The space "${reader.name}" takes embeddings from its callers`,
        expected: `an embedding of ${reader.dimensions} numbers`,
        received: "text only",
        at: "embedding",
      });
    }
    if (reader.embedder !== embedder.id) {
      throw new RequestError({
        code: "embedder-mismatch",
        message: `The space "${reader.name}" was made with the embedder ${reader.embedder}, the appliance now embeds with ${embedder.id}`,
        expected: reader.embedder,
        received: embedder.id,
      });
    }
    const liveCount = reader.root.load("liveCount");
    const { language } = reader;
    if (embedder.embedSync === undefined) {
      const [vector] = await embedder.embed([text], "query", { language, trace: trace?.outgoing() });
      return checkedQuery(vector!, reader);
    }
    // How rare a word is stands in shared memory, so it is asked for inside an epoch.
    const [vector] = this.#epoch.inside(() => {
      // A space deleted since it was found gives no figures; the recall itself will say that it is gone.
      const { isCurrent } = reader;
      return embedder.embedSync!([text], "query", {
        language,
        idf: (lo, hi) =>
          inverseDocumentFrequency({
            memoryCount: liveCount,
            withTermCount: isCurrent ? reader.words.liveCount(lo, hi) : 0,
          }),
      });
    });
    return checkedQuery(vector!, reader);
  }
}

function checkedQuery(embedding: Float32Array, reader: SpaceReader): Float32Array {
  if (embedding.length !== reader.dimensions) {
    throw new RequestError({
      code: "dimensions-mismatch",
      message: `The query has ${embedding.length} dimensions, the space "${reader.name}" has ${reader.dimensions}`,
      expected: `${reader.dimensions} numbers`,
      received: `${embedding.length} numbers`,
      at: "embedding",
    });
  }
  const scaled = normalised(embedding);
  if (scaled instanceof Error) throw scaled;
  return scaled.unit;
}

function missing(at: string, message: string): RequestError {
  return new RequestError({ code: "request-invalid", message, expected: `a ${at}`, received: "none", at });
}

export function activationOff(): RequestError {
  return new RequestError({
    code: "activation-off",
    message: "Cannot recall by activation: it is switched off",
    expected: "mode hybrid, vector or words",
    received: "spreading",
    at: "mode",
  });
}
