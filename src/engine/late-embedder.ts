/**
 * Gives memories that were stored while the embedding provider did not answer their vectors, once it does.
 *
 * Such a memory is stored again with its vector, in the place of the one without; the home writer does so only
 * if the memory is still the same one, so a change in between is never undone.
 */
import { RequestError } from "../base/errors.ts";
import type { Settings } from "../config/schema.ts";
import type { EmbeddingProvider } from "../embedding/embedder.ts";
import { ScoreAccumulator } from "../index/word-index-reader.ts";
import { analyse } from "../language/analyse.ts";
import { TermBuffer } from "../language/term-buffer.ts";
import { WRITE_OP } from "../layout/write-message.ts";
import type { EpochReader } from "../shm/epochs.ts";
import type { Memory } from "./engine.ts";
import { engineSettings } from "./engine-settings.ts";
import { normalised } from "./normalise.ts";
import { SpaceReader } from "./space-reader.ts";
import type { SpaceRoot, SpaceTable } from "./space-table.ts";
import type { WriteClient } from "./write-client.ts";
import { PayloadEncoder } from "./write-codec.ts";

const BATCH_MAX = 64;
/** After the provider failed. */
const PAUSE_MS = 2000;

type Pending = { readonly slot: number; readonly memory: Memory };

export class LateEmbedder {
  readonly #options: {
    readonly table: SpaceTable;
    readonly epoch: EpochReader;
    readonly client: WriteClient;
    readonly embedder: EmbeddingProvider;
    readonly settings: Settings;
  };
  readonly #encoder = new PayloadEncoder();
  readonly #terms = new TermBuffer();
  readonly #accumulator = new ScoreAccumulator();
  /** slots below were looked at, by space index and generation */
  readonly #seenBelow = new Map<string, number>();
  #pausedUntil = 0;

  constructor(options: {
    table: SpaceTable;
    epoch: EpochReader;
    client: WriteClient;
    embedder: EmbeddingProvider;
    settings: Settings;
  }) {
    this.#options = options;
  }

  /** Embeds one batch of each space that has memories waiting. */
  async turn(): Promise<void> {
    const { table, embedder } = this.#options;
    if (performance.now() < this.#pausedUntil) return;
    for (const root of table.roots) {
      if (!root.isOpen || root.load("pendingCount") === 0 || root.text("embedder") !== embedder.id) continue;
      try {
        await this.#space(root);
      } catch (error) {
        if (!(error instanceof RequestError)) throw error;
        this.#pausedUntil = performance.now() + PAUSE_MS;
        return;
      }
    }
  }

  async #space(root: SpaceRoot): Promise<void> {
    const { epoch, embedder, client, settings } = this.#options;
    const reader = new SpaceReader(root, engineSettings(settings).bm25, this.#accumulator);
    const pending = epoch.inside(() => this.#pending(reader));
    if (pending.length === 0) return;
    const vectors = await embedder.embed(
      pending.map(({ memory }) => memory.content),
      "memory",
      { language: reader.language },
    );
    for (const [i, { slot, memory }] of pending.entries()) {
      const vector = vectors[i]!;
      const scaled = vector.length === reader.dimensions ? normalised(vector) : undefined;
      if (scaled === undefined || scaled instanceof Error) continue;
      analyse(memory.content, reader.language, this.#terms);
      const payload = this.#encoder
        .remember({ ...memory, vector: scaled.unit, norm: scaled.norm, replaces: true, completesSlot: slot })
        .slice();
      await client.request(root.load("writer"), {
        op: WRITE_OP.remember,
        spaceIndex: root.spaceIndex,
        spaceGeneration: reader.generation,
        ack: "fsync",
        ifExists: "replace",
        payload,
        terms: this.#terms,
        tokenCount: this.#terms.tokenCount,
      });
    }
  }

  #pending(reader: SpaceReader): Pending[] {
    if (!reader.isCurrent) return [];
    const key = `${reader.root.spaceIndex}/${reader.generation}`;
    const nodeCount = reader.root.load("nodeCount");
    let slot = this.#seenBelow.get(key) ?? 0;
    const found: Pending[] = [];
    for (; slot < nodeCount && found.length < BATCH_MAX; slot++) {
      if (reader.isPending(slot)) found.push({ slot, memory: reader.memory(slot) });
    }
    // What could not be embedded stays pending, so the search begins anew once it has come to the end.
    this.#seenBelow.set(key, slot >= nodeCount ? 0 : slot);
    return found;
  }
}
