/** A memory space of one thread, without log and threads: for tests of what the home writer and readers do to it. */

import { idKeyOf } from "../../src/engine/id-key.ts";
import { normalised } from "../../src/engine/normalise.ts";
import { SpaceKeeper } from "../../src/engine/space-keeper.ts";
import { SpaceReader } from "../../src/engine/space-reader.ts";
import { SpaceTable } from "../../src/engine/space-table.ts";
import type { SpaceWriter } from "../../src/engine/space-writer.ts";
import { PayloadEncoder, RememberView } from "../../src/engine/write-codec.ts";
import { ScoreAccumulator } from "../../src/index/word-index-reader.ts";
import { analyse } from "../../src/language/analyse.ts";
import { TermBuffer } from "../../src/language/term-buffer.ts";
import { FORGET_HEAD_BYTES } from "../../src/layout/log-payload.ts";
import { EpochReader, Epochs, makeEpochs } from "../../src/shm/epochs.ts";

export const DIMENSIONS = 8;

export class SpaceUnderTest {
  readonly table = new SpaceTable(SpaceTable.allocate(4));
  readonly epochBuffer = makeEpochs(2);
  readonly epochs = new Epochs(this.epochBuffer);
  readonly epoch = new EpochReader(this.epochBuffer, 0);
  readonly keeper: SpaceKeeper;
  readonly #first: SpaceWriter | undefined;
  readonly #reader: SpaceReader | undefined;
  readonly accumulator = new ScoreAccumulator();
  readonly #encoder = new PayloadEncoder();
  readonly #terms = new TermBuffer();
  #sequence = 0;

  /**
   * @param compactForgottenMin forgotten memories from which the space is compacted
   * @param options.empty without a space, for recovery to fill
   */
  constructor(compactForgottenMin?: number, options: { empty?: boolean; embedder?: string } = {}) {
    this.keeper = new SpaceKeeper({
      table: this.table,
      writerCount: 1,
      space: { policy: { hugePages: "off" }, writer: 0, M: 8, efConstruction: 32 },
      epochs: this.epochs,
      ...(compactForgottenMin === undefined ? {} : { compactForgottenMin }),
    });
    if (options.empty === true) return;
    this.#first = this.keeper.create(
      {
        spaceId: 1,
        name: "test",
        dimensions: DIMENSIONS,
        embedder: options.embedder ?? "none",
        language: "english",
        quantization: "bf16",
        createdAtMs: 1,
      },
      0,
    );
    this.#reader = new SpaceReader(this.#first.root, { k1: 1.2, b: 0.75 }, this.accumulator);
  }

  remember(memory: {
    id: string;
    content: string;
    tags?: string[];
    metadataJson?: string;
    vector?: Float32Array;
  }): number {
    const scaled = memory.vector === undefined ? undefined : normalised(memory.vector);
    if (scaled instanceof Error) throw scaled;
    const payload = this.#encoder.remember({
      id: memory.id,
      content: memory.content,
      metadataJson: memory.metadataJson,
      tags: memory.tags ?? [],
      timestampMs: 5,
      storedAtMs: 6,
      confidence: 0.7,
      vector: scaled?.unit,
      norm: scaled?.norm ?? 0,
      replaces: true,
    });
    analyse(memory.content, "english", this.#terms);
    return this.current.remember(
      new RememberView().open(payload),
      this.#terms,
      this.#terms.tokenCount,
      ++this.#sequence,
    );
  }

  forget(id: string): boolean {
    return this.current.forget(this.#encoder.forget(id).slice(), FORGET_HEAD_BYTES, ++this.#sequence);
  }

  /** The space as it was made. */
  get space(): SpaceWriter {
    return this.#first ?? this.current;
  }

  /** A reader of the space as it was made. */
  get reader(): SpaceReader {
    return this.#reader ?? this.currentReader();
  }

  /** The writing end in force: another one once the space was compacted. */
  get current(): SpaceWriter {
    return this.keeper.byId(1)!;
  }

  /** A reader of the image in force. */
  currentReader(): SpaceReader {
    const root = this.table.find("test");
    // A deleted space is still there for whoever is inside.
    if (this.#reader !== undefined && (root === undefined || this.#reader.isCurrent)) return this.#reader;
    if (root === undefined) throw new Error("there is no space");
    return new SpaceReader(root, { k1: 1.2, b: 0.75 }, this.accumulator);
  }

  /** The memory with this id, as a reader finds it. */
  get(id: string) {
    const reader = this.currentReader();
    const slot = reader.find(idKeyOf(id));
    return slot < 0 ? undefined : reader.memory(slot);
  }

  /** BM25 scores by slot of all live memories that hold a word of the query. */
  scores(query: string): Map<number, number> {
    const { root } = this.current;
    const reader = this.currentReader();
    analyse(query, "english", this.#terms);
    const liveCount = root.load("liveCount");
    reader.words.score(this.#terms, {
      nodeCount: root.load("nodeCount"),
      liveCount,
      averageTokens: Math.max(1, root.number("tokensTotal") / Math.max(1, liveCount)),
    });
    const found = new Map<number, number>();
    const { touched, touchedCount, scores } = this.accumulator;
    for (let i = 0; i < touchedCount; i++) {
      if (reader.isLive(touched[i]!)) found.set(touched[i]!, scores[touched[i]!]!);
    }
    this.accumulator.reset();
    return found;
  }
}
