/**
 * Memory spaces by name: finding, making, deleting and describing them.
 *
 * The home writer of a space follows from its name, so two requests that make the same space at once meet in
 * the same writer, and one of them is told that it exists.
 */
import { RequestError } from "../base/errors.ts";
import type { EmbeddingProvider } from "../embedding/embedder.ts";
import { isLanguage, type Language } from "../language/languages.ts";
import { NODE_UNBOUND } from "../layout/space-root.ts";
import { WRITE_OP, WRITE_OUTCOME } from "../layout/write-message.ts";
import type { EpochReader } from "../shm/epochs.ts";
import type { IndexInfo, IndexRebuild, MeaningInfo, SpaceInfo, SpaceSpec, SpaceUpdate } from "./engine.ts";
import type { EngineSettings } from "./engine-settings.ts";
import { homeWriterOf } from "./home-of.ts";
import { MeaningReader } from "./meaning/meaning-reader.ts";
import { forgettingOf } from "./space-forgetting.ts";
import { quantizationOf } from "./space-geometry.ts";
import { encodeSpaceChange, encodeSpaceName, encodeSpacePlan } from "./space-keeper.ts";
import type { SpaceRoot, SpaceTable } from "./space-table.ts";
import type { WriteClient } from "./write-client.ts";

export type SpaceDirectoryOptions = {
  readonly table: SpaceTable;
  readonly client: WriteClient;
  readonly settings: EngineSettings;
  readonly embedder: EmbeddingProvider;
  readonly epoch: EpochReader;
  readonly writerCount: number;
  readonly wallClock: () => number;
};

/** The open space of that name. @throws {RequestError} `space-not-found` */
export function existingSpace(table: SpaceTable, name: string): SpaceRoot {
  const root = table.find(name);
  if (root !== undefined) return root;
  throw new RequestError({
    code: "space-not-found",
    message: `There is no memory space "${name}"`,
    expected: "the name of a memory space",
    received: name,
    at: "X-Memory-Space",
  });
}

const NONE = "none";
/** Callers' embeddings are told from the provider's by the space's embedder. */

export class SpaceDirectory {
  readonly #options: SpaceDirectoryOptions;
  readonly #meanings = new MeaningReader();

  constructor(options: SpaceDirectoryOptions) {
    this.#options = options;
  }

  /** @throws {RequestError} `space-not-found` */
  existing(name: string): SpaceRoot {
    return existingSpace(this.#options.table, name);
  }

  /** The space of that name; made now where it is missing and may be. */
  async forWriting(name: string): Promise<SpaceRoot> {
    const root = this.#options.table.find(name);
    if (root !== undefined) return root;
    if (!this.#options.settings.autoCreate) return this.existing(name);
    try {
      await this.create({ name });
    } catch (error) {
      // Somebody else's first write made it meanwhile.
      if (!(error instanceof RequestError) || error.code !== "space-exists") throw error;
    }
    return this.existing(name);
  }

  async create(spec: SpaceSpec): Promise<SpaceInfo> {
    const { client, settings, embedder, wallClock, table } = this.#options;
    const configured = embedder.id;
    const asked = spec.embedder ?? configured;
    if (asked !== configured && asked !== NONE) {
      throw new RequestError({
        code: "embedder-mismatch",
        message: `The appliance embeds with ${configured}, not with ${asked}`,
        expected: `"${configured}" or "${NONE}"`,
        received: asked,
        at: "embedder",
      });
    }
    const dimensions = spec.dimensions ?? settings.dimensions;
    if (asked !== NONE && dimensions !== embedder.dimensions) {
      throw new RequestError({
        code: "dimensions-mismatch",
        message: `The embedder ${configured} makes ${embedder.dimensions} dimensions, not ${dimensions}`,
        expected: String(embedder.dimensions),
        received: String(dimensions),
        at: "dimensions",
        remedy: `Leave "dimensions" out, or make the space with "embedder": "${NONE}" and bring embeddings`,
      });
    }
    const language = spec.language ?? settings.defaultLanguage;
    if (!isLanguage(language)) {
      throw new RequestError({
        code: "request-invalid",
        message: `"${language}" is no language that words can be stemmed in`,
        expected: "a language as in spaces.default_language",
        received: language,
        at: "language",
      });
    }
    const { outcome } = await client.request(homeWriterOf(spec.name, this.#options.writerCount), {
      op: WRITE_OP.createSpace,
      spaceIndex: 0,
      spaceGeneration: 0,
      ack: "fsync",
      ifExists: "error",
      payload: encodeSpacePlan({
        name: spec.name,
        dimensions,
        embedder: asked,
        language: language as Language,
        quantization: settings.quantization,
        createdAtMs: wallClock(),
        ...(spec.forgetting === undefined ? {} : { forgetting: spec.forgetting }),
      }),
    });
    switch (outcome) {
      case WRITE_OUTCOME.done: {
        const root = table.find(spec.name);
        if (root === undefined)
          throw new RequestError({
            code: "space-not-found",
            message: `The space "${spec.name}" was deleted meanwhile`,
          });
        return this.info(root);
      }
      case WRITE_OUTCOME.spaceExists:
        throw new RequestError({
          code: "space-exists",
          message: `A memory space "${spec.name}" exists already`,
          expected: "a new name",
          received: spec.name,
          at: "name",
        });
      case WRITE_OUTCOME.spaceLimit:
        throw new RequestError({
          code: "space-limit-reached",
          message: `There are ${settings.spacesMax} memory spaces already, or none is left for the space's home node`,
        });
      default:
        throw new RequestError({
          code: "disk-full",
          message: "The log has no room on its disk; no space was made",
          retryAfterSeconds: 10,
        });
    }
  }

  async update(name: string, update: SpaceUpdate): Promise<SpaceInfo> {
    const root = this.existing(name);
    const { outcome } = await this.#options.client.request(root.load("writer"), {
      op: WRITE_OP.describeSpace,
      spaceIndex: root.spaceIndex,
      spaceGeneration: root.load("generation"),
      ack: "fsync",
      ifExists: "error",
      payload: encodeSpaceChange(update),
    });
    if (outcome === WRITE_OUTCOME.diskFull) {
      throw new RequestError({
        code: "disk-full",
        message: "The log has no room on its disk; the space stays as it was",
        retryAfterSeconds: 10,
      });
    }
    return this.info(this.existing(name));
  }

  async delete(name: string): Promise<void> {
    const root = this.existing(name);
    const { outcome } = await this.#options.client.request(root.load("writer"), {
      op: WRITE_OP.deleteSpace,
      spaceIndex: root.spaceIndex,
      spaceGeneration: root.load("generation"),
      ack: "fsync",
      ifExists: "error",
      payload: encodeSpaceName(name),
    });
    if (outcome === WRITE_OUTCOME.done) return;
    if (outcome === WRITE_OUTCOME.diskFull) {
      throw new RequestError({
        code: "disk-full",
        message: "The log has no room on its disk; the space stays",
        retryAfterSeconds: 10,
      });
    }
    this.existing(name);
  }

  async rebuild(name: string, options: IndexRebuild): Promise<IndexInfo> {
    const root = this.existing(name);
    const payload = new Uint8Array(8);
    const view = new DataView(payload.buffer);
    view.setUint32(0, options.M ?? this.#inUse(root, "graphM"), true);
    view.setUint32(4, options.efConstruction ?? this.#inUse(root, "graphEfConstruction"), true);
    await this.#options.client.request(root.load("writer"), {
      op: WRITE_OP.rebuildIndex,
      spaceIndex: root.spaceIndex,
      spaceGeneration: root.load("generation"),
      ack: "memory",
      ifExists: "error",
      payload,
    });
    return this.index(root);
  }

  list(): SpaceInfo[] {
    return this.#options.table.open().map((root) => this.info(root));
  }

  info(root: SpaceRoot): SpaceInfo {
    const node = root.load("node");
    return {
      name: root.text("name"),
      dimensions: root.load("dimensions"),
      embedder: root.text("embedder"),
      language: root.text("language"),
      quantization: quantizationOf(root.load("quantization")),
      node: node === NODE_UNBOUND ? 0 : node,
      memories: root.load("liveCount") - root.load("conceptCount"),
      episodes: root.load("episodeCount"),
      concepts: root.load("conceptCount"),
      unconsolidated: Math.max(0, root.load("nodeCount") - root.load("consolidatedCount")),
      forgotten: root.load("forgottenCount"),
      indexed: root.load("indexedCount"),
      tail: Math.max(0, root.load("nodeCount") - root.load("indexedCount")),
      pendingEmbedding: root.load("pendingCount"),
      unassociated: Math.max(0, root.load("nodeCount") - root.load("associatedCount")),
      bindings: root.load("bindingCount"),
      terms: root.load("termCount"),
      memoryBytes: root.number("mappedBytes") + root.number("graphBytes"),
      meaning: this.#meaningOf(root),
      createdAtMs: root.number("createdAtMs"),
      forgetting: {
        ...forgettingOf(root, this.#options.settings.forgetting),
        floor: this.#options.settings.forgetting.floor,
      },
    };
  }

  /** The block is read inside an epoch: the learner may replace it at any moment. */
  #meaningOf(root: SpaceRoot): MeaningInfo | undefined {
    return this.#options.epoch.inside(() => {
      const view = root.isOpen ? this.#meanings.follow(root) : undefined;
      if (view === undefined) return undefined;
      return {
        version: view.number("version"),
        dimensions: view.number("dimensions"),
        terms: view.number("rowCount"),
        covered: view.covered,
        learnedFrom: view.number("learnedFrom"),
        learnedAtMs: view.number("learnedAtMs"),
        contextGain: view.number("contextGain"),
      };
    });
  }

  index(root: SpaceRoot): IndexInfo {
    const requested = root.load("rebuildRequested");
    const rebuilding = requested !== root.load("rebuildDone");
    return {
      space: root.text("name"),
      M: this.#inUse(root, "graphM"),
      efConstruction: this.#inUse(root, "graphEfConstruction"),
      efSearch: this.#options.settings.efSearch,
      quantization: quantizationOf(root.load("quantization")),
      indexed: root.load("indexedCount"),
      tail: Math.max(0, root.load("nodeCount") - root.load("indexedCount")),
      bytes: root.number("graphBytes"),
      ...(rebuilding
        ? {
            rebuild: {
              done: root.load("rebuildProgress"),
              total: root.load("indexedCount"),
              M: root.load("rebuildM"),
              efConstruction: root.load("rebuildEfConstruction"),
            },
          }
        : {}),
    };
  }

  /** Why the appliance can not embed text for this space, where that is so. */
  cannotEmbed(root: SpaceRoot): RequestError | undefined {
    const { embedder } = this.#options;
    const wanted = root.text("embedder");
    if (wanted === NONE) {
      return new RequestError({
        code: "embedding-required",
        message: `The space "${root.text("name")}" takes embeddings from its callers`,
        expected: `an embedding of ${root.load("dimensions")} numbers`,
        received: "text only",
        at: "embedding",
      });
    }
    if (wanted === embedder.id) return undefined;
    return new RequestError({
      code: "embedder-mismatch",
      message: `The space "${root.text("name")}" was made with the embedder ${wanted}, the appliance now embeds with ${embedder.id}`,
      expected: wanted,
      received: embedder.id,
      at: "embedding",
    });
  }

  /** A graph's own figure, or the setting while there is no graph. */
  #inUse(root: SpaceRoot, word: "graphM" | "graphEfConstruction"): number {
    const { settings } = this.#options;
    return root.load(word) || (word === "graphM" ? settings.M : settings.efConstruction);
  }
}
