/**
 * The associator: walks behind the writers over the memories of every space, and binds each new one to what it
 * belongs to.
 *
 *   stored ──▶ looked at (space-associator.ts) ──▶ one compound: its bindings, and how far the walk has come
 *                                                        └──▶ home writer ──▶ log, arenas, `associatedCount`
 *
 * Progress travels with the bindings, so a walk that was interrupted goes on where they end, and no memory is bound
 * twice or missed. Without its settings' consent it does nothing, and starts where it stood when it gets it back.
 * How much is done in one turn is its caller's to say, in milliseconds.
 */
import { RequestError } from "../../base/errors.ts";
import { VectorSearcher } from "../../index/vector-searcher.ts";
import { type Bm25Settings, ScoreAccumulator } from "../../index/word-index-reader.ts";
import type { EpochReader } from "../../shm/epochs.ts";
import { BindingList } from "../mind/binding-reader.ts";
import { CompoundBuilder } from "../mind/compound.ts";
import { sendCompound } from "../mind/mind-client.ts";
import { sequenceOf } from "../mind/node-traits.ts";
import { SpaceReader } from "../space-reader.ts";
import type { SpaceRoot, SpaceTable } from "../space-table.ts";
import type { WriteClient } from "../write-client.ts";
import type { AssociationSettings } from "./association-settings.ts";
import type { Tie } from "./neighbours.ts";
import { SpaceAssociator } from "./space-associator.ts";

/** Memories in one compound at most; the time of a turn ends it earlier. */
const BATCH_MAX = 256;
/** After the writer refused: a full disk is not asked again at once. */
const PAUSE_MS = 5000;
const SIMILAR_MAX = 32;

type Batch = { readonly payload: Uint8Array; readonly memories: number; readonly generation: number };

export class Associator {
  readonly #table: SpaceTable;
  readonly #epoch: EpochReader;
  readonly #client: WriteClient;
  readonly #settings: AssociationSettings;
  readonly #bm25: Bm25Settings;
  readonly #accumulator = new ScoreAccumulator();
  readonly #searcher = new VectorSearcher(SIMILAR_MAX);
  readonly #compound = new CompoundBuilder();
  readonly #list = new BindingList();
  readonly #known = new Map<number, SpaceAssociator>();
  #pausedUntilMs = 0;

  constructor(options: {
    table: SpaceTable;
    epoch: EpochReader;
    client: WriteClient;
    settings: AssociationSettings;
    bm25: Bm25Settings;
  }) {
    this.#table = options.table;
    this.#epoch = options.epoch;
    this.#client = options.client;
    this.#settings = options.settings;
    this.#bm25 = options.bm25;
  }

  /**
   * Gives each space that has new memories one batch, as long as time is left.
   *
   * @param sliceMs about as long as the turn may take
   * @returns memories looked at; 0 when there was nothing to do
   */
  async turn(sliceMs: number): Promise<number> {
    const startedAtMs = performance.now();
    if (!this.#settings.enabled || startedAtMs < this.#pausedUntilMs) return 0;
    let done = 0;
    for (const root of this.#table.roots) {
      const leftMs = sliceMs - (performance.now() - startedAtMs);
      if (leftMs <= 0) break;
      if (!root.isOpen) this.#known.delete(root.spaceIndex);
      else if (root.load("associatedCount") < root.load("nodeCount")) done += await this.#space(root, leftMs);
    }
    return done;
  }

  close(): void {
    this.#searcher.close();
  }

  async #space(root: SpaceRoot, leftMs: number): Promise<number> {
    const batch = this.#epoch.inside(() => this.#gather(root, leftMs));
    if (batch === undefined) return 0;
    const { payload, memories, generation } = batch;
    try {
      await sendCompound(this.#client, { root, generation }, payload, "memory");
      return memories;
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      this.#pausedUntilMs = performance.now() + PAUSE_MS;
      return 0;
    }
  }

  /** The bindings of the next memories of a space; undefined where it is gone. */
  #gather(root: SpaceRoot, leftMs: number): Batch | undefined {
    const associator = this.#knownOf(root);
    const { reader } = associator;
    if (!reader.isCurrent) return undefined;
    const from = root.load("associatedCount");
    const until = Math.min(root.load("nodeCount"), from + BATCH_MAX);
    const endsAtMs = performance.now() + leftMs;
    const compound = this.#compound.clear();
    let slot = from;
    do {
      this.#bind(reader, slot, associator.ties(slot));
      slot += 1;
    } while (slot < until && performance.now() < endsAtMs);
    compound.progress("association", sequenceOf(reader.headers, slot - 1));
    return { payload: compound.payload.slice(), memories: slot - from, generation: reader.generation };
  }

  /** Adds the ties of a memory that are not bound yet: a memory that replaced another has inherited bindings. */
  #bind(reader: SpaceReader, slot: number, ties: readonly Tie[]): void {
    const bound = new Set<number>();
    const list = this.#list;
    const count = reader.bindings.read(slot, reader.root.load("nodeCount"), list);
    for (let i = 0; i < count; i++) bound.add(pairOf(list.targets[i]!, list.kinds[i]!));
    const source = reader.nodeAt(slot);
    const lastUsedSeconds = Math.floor(reader.storedAtMs(slot) / 1000);
    for (const { slot: other, kind, strength } of ties) {
      const pair = pairOf(other, kind);
      if (bound.has(pair)) continue;
      bound.add(pair);
      const destination = reader.nodeAt(other);
      // Two versions of one memory are one node.
      if (destination.low === source.low && destination.high === source.high) continue;
      this.#compound.bind({ source, destination, kind, strength, lastUsedSeconds, useCount: 0 });
    }
  }

  #knownOf(root: SpaceRoot): SpaceAssociator {
    const known = this.#known.get(root.spaceIndex);
    if (known?.reader.isCurrent) return known;
    const fresh = new SpaceAssociator({
      reader: new SpaceReader(root, this.#bm25, this.#accumulator),
      settings: this.#settings,
      accumulator: this.#accumulator,
      searcher: this.#searcher,
    });
    this.#known.set(root.spaceIndex, fresh);
    return fresh;
  }
}

/** One number for a node and a kind of binding. */
function pairOf(slot: number, kind: number): number {
  return slot * 8 + kind;
}
