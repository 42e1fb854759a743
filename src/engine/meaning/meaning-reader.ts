/**
 * What a space has learned of its words, as a thread reads it: follows the learner from block to block.
 *
 * To be used inside an epoch, with a space that is open; `follow` again in each.
 */
import { MeaningHandle } from "../../ffi/meaning-fold.ts";
import {
  MEANING_CHUNK_SLOTS,
  MEANING_COVERED,
  MEANING_HEAD_BYTES,
  MEANING_NO_ROW,
  MEANING_NUMBER,
} from "../../layout/meaning-block.ts";
import { viewMemory } from "../../shm/region.ts";
import { quantizationOf, spaceGeometry } from "../space-geometry.ts";
import type { SpaceRoot } from "../space-table.ts";

/** One published meaning. */
export class MeaningView {
  readonly handle: MeaningHandle;
  readonly #numbers: Float64Array;
  readonly #words: Uint32Array;
  readonly #rows: Uint32Array;

  constructor(root: SpaceRoot, address: number) {
    const head = viewMemory(address, MEANING_HEAD_BYTES);
    this.#numbers = new Float64Array(head);
    this.#words = new Uint32Array(head);
    const termCount = this.number("termCount");
    const rowsAddress = address + this.number("rowsAt");
    this.#rows =
      termCount === 0 ? new Uint32Array(0) : new Uint32Array(viewMemory(rowsAddress, termCount * 4));
    const g = spaceGeometry(root.load("dimensions"), quantizationOf(root.load("quantization")));
    this.handle = new MeaningHandle({
      rowsAddress,
      gainsAddress: address + this.number("gainsAt"),
      vectorsAddress: address + this.number("vectorsAt"),
      termCount,
      dimensions: this.number("dimensions"),
      headers: {
        tableAddress: root.number("headerTable"),
        chunkShift: Math.log2(g.headers.slotsPerChunk),
      },
      forward: { tableAddress: root.number("forwardTable"), chunkBytes: g.forwardChunkBytes },
      memories: {
        tableAddress: this.number("memoryTable"),
        chunkShift: Math.log2(MEANING_CHUNK_SLOTS),
      },
    });
  }

  number(name: keyof typeof MEANING_NUMBER): number {
    return this.#numbers[MEANING_NUMBER[name]]!;
  }

  /** Slots below this are folded in. */
  get covered(): number {
    return Atomics.load(this.#words, MEANING_COVERED);
  }

  knows(termIndex: number): boolean {
    return termIndex < this.#rows.length && this.#rows[termIndex] !== MEANING_NO_ROW;
  }
}

/** Address of the block a space publishes now; 0 where there is none. */
export function meaningAddress(root: SpaceRoot): number {
  const generation = root.load("meaningGeneration");
  if (generation === 0) return 0;
  return root.number((generation & 1) === 0 ? "meaningAddress0" : "meaningAddress1");
}

/** The meanings of all spaces, as one thread has met them. */
export class MeaningReader {
  readonly #known: ({ spaceGeneration: number; generation: number; view: MeaningView } | undefined)[] = [];

  /** What the space has learned; undefined where that is nothing yet. */
  follow(root: SpaceRoot): MeaningView | undefined {
    const generation = root.load("meaningGeneration");
    if (generation === 0) return undefined;
    const spaceGeneration = root.load("generation");
    const known = this.#known[root.spaceIndex];
    if (known?.generation === generation && known.spaceGeneration === spaceGeneration) return known.view;
    const address = meaningAddress(root);
    if (address === 0) return undefined;
    const view = new MeaningView(root, address);
    this.#known[root.spaceIndex] = { spaceGeneration, generation, view };
    return view;
  }
}
