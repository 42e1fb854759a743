/**
 * What is left of many memories, read from their headers: each gets its age since the last use, its half-life and
 * its retention, all at one moment.
 *
 * A moment in the past is answered with what is still known: when a memory was stored. Of its uses only the last is
 * kept, so a memory that was used after that moment counts as never used; `isRewound` says which those are.
 */
import { CURVE_CONSTANTS, effectiveStability, HOUR_MS } from "../../cognition/forgetting.ts";
import { batchRetention } from "../../ffi/decay.ts";
import { NODE_HEADER, NODE_HEADER_BYTES } from "../../layout/node-header.ts";
import type { SlotArenaReader } from "../../shm/arena.ts";
import type { Forgetting } from "../space-forgetting.ts";
import { readTraits } from "./node-traits.ts";
import { type NodeTraits, TRAITS_AT_BIRTH } from "./traits-record.ts";

const NUMBERS = NODE_HEADER_BYTES / 8;

/** Arrays by position, kept from reading to reading; entries at and beyond `count` say nothing. */
export class RetentionReader {
  count = 0;
  /** hours since the last use, or since it was stored */
  ages = new Float32Array(256);
  /** half-lives in hours, stretched by importance and feeling */
  stabilities = new Float32Array(256);
  /** 0 to 1 */
  left = new Float32Array(256);
  /** 0 where it was not used by then */
  lastUsedMs = new Float64Array(256);
  useCounts = new Uint32Array(256);
  /** 1 where it was used after the moment asked for, and what it was before is not known any more */
  isRewound = new Uint8Array(256);
  readonly #traits: NodeTraits = { ...TRAITS_AT_BIRTH };

  /** Reads `count` slots as they stood at `atMs`. */
  read(
    headers: SlotArenaReader,
    slots: ArrayLike<number>,
    count: number,
    { atMs, forgetting }: { atMs: number; forgetting: Forgetting },
  ): void {
    this.#reserve(count);
    this.count = count;
    const { ages, stabilities, lastUsedMs, useCounts, isRewound } = this;
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      const traits = readTraits(headers, slot, this.#traits);
      const rewound = traits.lastUsedMs > atMs;
      const isUsed = traits.lastUsedMs > 0 && !rewound;
      const sinceMs = isUsed ? traits.lastUsedMs : storedAtMs(headers, slot);
      const stability = (rewound ? 0 : traits.stabilityHours) || forgetting.stabilityHours;
      ages[i] = Math.max(0, atMs - sinceMs) / HOUR_MS;
      stabilities[i] = effectiveStability(stability, traits.importance, traits.valence);
      lastUsedMs[i] = isUsed ? traits.lastUsedMs : 0;
      useCounts[i] = rewound ? 0 : traits.useCount;
      isRewound[i] = rewound ? 1 : 0;
    }
    batchRetention(forgetting.curve, CURVE_CONSTANTS[forgetting.curve], this, count);
  }

  #reserve(count: number): void {
    if (this.ages.length >= count) return;
    const length = 2 ** Math.ceil(Math.log2(count));
    this.ages = new Float32Array(length);
    this.stabilities = new Float32Array(length);
    this.left = new Float32Array(length);
    this.lastUsedMs = new Float64Array(length);
    this.useCounts = new Uint32Array(length);
    this.isRewound = new Uint8Array(length);
  }
}

function storedAtMs(headers: SlotArenaReader, slot: number): number {
  return headers.f64(headers.chunkOfSlot(slot))[
    headers.indexInChunk(slot) * NUMBERS + NODE_HEADER.storedAtMs / 8
  ]!;
}
