/**
 * A learned meaning as the learner owns it: the block that readers see, and the vectors of the memories.
 *
 *   new ──▶ fold … fold ──▶ publish ──▶ fold what is stored meanwhile … ──▶ replaced, or its space is gone ──▶ free
 */
import { assert } from "../../base/assert.ts";
import { MEANING_DIMENSIONS_MAX, meaningVectorBytes } from "../../ffi/meaning-fold.ts";
import {
  MEANING_CHUNK_SLOTS,
  MEANING_COVERED,
  MEANING_HEAD_BYTES,
  MEANING_NO_ROW,
  MEANING_NUMBER,
} from "../../layout/meaning-block.ts";
import { SlotArena } from "../../shm/arena.ts";
import type { MemoryPolicy } from "../../shm/memory-policy.ts";
import { mapRegion, type Region } from "../../shm/region.ts";
import type { SpaceRoot } from "../space-table.ts";
import { MeaningView } from "./meaning-reader.ts";

/** What a meaning says, wherever it lies: the same in a file and in memory. */
export type MeaningContent = {
  readonly version: number;
  readonly dimensions: number;
  readonly contextGain: number;
  readonly learnedFrom: number;
  readonly learnedAtMs: number;
  /** by row: the low and the high half of the term's hash */
  readonly hashes: Uint32Array;
  readonly gains: Float32Array;
  /** row-major i8 vectors with their trailers */
  readonly vectors: Uint8Array;
};

export class MeaningModel {
  readonly content: MeaningContent;
  readonly view: MeaningView;
  readonly #block: Region;
  readonly #memories: SlotArena;
  readonly #words: Uint32Array;

  /**
   * @param rowOf by term of the space: its row, or MEANING_NO_ROW
   * @throws {OperatorError} `memory-refused`
   */
  constructor(
    root: SpaceRoot,
    content: MeaningContent,
    rowOf: Uint32Array,
    options: { readonly purpose: string; readonly policy: MemoryPolicy },
  ) {
    const { dimensions, gains, vectors } = content;
    assert(dimensions <= MEANING_DIMENSIONS_MAX, "a meaning has as many dimensions as there is room for");
    const rowsAt = MEANING_HEAD_BYTES;
    const gainsAt = wholeLines(rowsAt + rowOf.byteLength);
    const vectorsAt = wholeLines(gainsAt + gains.byteLength);
    this.content = content;
    this.#block = mapRegion({
      bytes: vectorsAt + vectors.byteLength,
      purpose: `${options.purpose}: meaning of terms`,
      policy: options.policy,
    });
    this.#memories = new SlotArena({
      slotsPerChunk: MEANING_CHUNK_SLOTS,
      strideBytes: meaningVectorBytes(dimensions),
      purpose: `${options.purpose}: meaning of memories`,
      policy: options.policy,
    });
    const { buffer } = this.#block;
    this.#words = new Uint32Array(buffer, 0, MEANING_HEAD_BYTES / 4);
    const numbers = new Float64Array(buffer, 0, MEANING_HEAD_BYTES / 8);
    const facts: Record<keyof typeof MEANING_NUMBER, number> = {
      version: content.version,
      dimensions,
      termCount: rowOf.length,
      rowCount: gains.length,
      rowsAt,
      gainsAt,
      vectorsAt,
      memoryTable: this.#memories.ref.tableAddress,
      contextGain: content.contextGain,
      learnedFrom: content.learnedFrom,
      learnedAtMs: content.learnedAtMs,
    };
    for (const [name, value] of Object.entries(facts)) {
      numbers[MEANING_NUMBER[name as keyof typeof MEANING_NUMBER]] = value;
    }
    new Uint32Array(buffer, rowsAt, rowOf.length).set(rowOf);
    new Float32Array(buffer, gainsAt, gains.length).set(gains);
    new Uint8Array(buffer, vectorsAt, vectors.length).set(vectors);
    this.view = new MeaningView(root, this.#block.address);
  }

  get mappedBytes(): number {
    return this.#block.bytes + this.#memories.mappedBytes;
  }

  get covered(): number {
    return this.view.covered;
  }

  /** Folds the memories of the slots up to `slotCount` in, a few at a time. @throws {OperatorError} `memory-refused` */
  fold(slotCount: number, slotsMax: number): void {
    const from = this.covered;
    const to = Math.min(slotCount, from + slotsMax);
    if (to <= from) return;
    this.#memories.ensure(to - 1);
    this.view.handle.fold(from, to);
    Atomics.store(this.#words, MEANING_COVERED, to);
  }

  /** Shows it to readers. The space is open, and is held so by the caller's epoch. */
  publish(root: SpaceRoot): void {
    const generation = root.load("meaningGeneration") + 1;
    root.setNumber((generation & 1) === 0 ? "meaningAddress0" : "meaningAddress1", this.#block.address);
    root.publish("meaningGeneration", generation);
  }

  /** Gives the memory back. No reader may hold it. */
  free(): void {
    this.#block.unmap();
    this.#memories.free();
  }
}

/** The row of every term of a space, found by their hashes. */
export function rowsByTerm(
  content: MeaningContent,
  termCount: number,
  termIndex: (hashLow: number, hashHigh: number) => number,
): Uint32Array {
  const rows = new Uint32Array(termCount).fill(MEANING_NO_ROW);
  const { hashes } = content;
  for (let row = 0; row * 2 < hashes.length; row++) {
    const term = termIndex(hashes[row * 2]!, hashes[row * 2 + 1]!);
    if (term >= 0 && term < termCount) rows[term] = row;
  }
  return rows;
}

function wholeLines(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}
