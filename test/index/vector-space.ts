/**
 * A memory space as the vector graph sees it, without the engine: headers, vectors and records in chunks.
 *
 * Slots are filled in order and counted as published at once. Chunks are plain buffers, kept to the end of
 * the process: a graph knows them by address only, which keeps nothing from the garbage collector. Benches ask for mapped memory, on huge pages as the
 * appliance has it.
 */
import { ptr } from "bun:ffi";
import { type GraphConfig, quantiseVector } from "../../src/ffi/vector.ts";
import { CONTENT_RECORD, CONTENT_RECORD_HEAD_BYTES } from "../../src/layout/content-record.ts";
import { FILTER, FILTER_HEAD_BYTES } from "../../src/layout/filter.ts";
import { NODE_HEADER, NODE_HEADER_BYTES, NODE_STATE } from "../../src/layout/node-header.ts";
import { quantisedVectorBytes } from "../../src/layout/quantised-vector.ts";
import type { Quantization } from "../../src/layout/space-root.ts";
import { DEFAULT_MEMORY_POLICY } from "../../src/shm/memory-policy.ts";
import { mapRegion } from "../../src/shm/region.ts";

const CONTENT_CHUNK_BYTES = 1 << 16;

export type SlotFacts = {
  readonly timestampMs?: number;
  readonly confidence?: number;
  readonly tags?: readonly number[];
  /** false: stored without a vector */
  readonly embedded?: boolean;
};

const keptForever: Chunks[] = [];

class Chunks {
  readonly #chunks: DataView[] = [];
  readonly #table: BigUint64Array;
  readonly chunkBytes: number;

  readonly #isMapped: boolean;

  constructor(chunkBytes: number, chunksMax: number, isMapped: boolean) {
    this.chunkBytes = chunkBytes;
    this.#isMapped = isMapped;
    this.#table = new BigUint64Array(chunksMax);
    keptForever.push(this);
  }

  get tableAddress(): number {
    return ptr(this.#table);
  }

  view(chunk: number): DataView {
    while (this.#chunks.length <= chunk) {
      if (this.#isMapped) {
        const region = mapRegion({
          bytes: this.chunkBytes,
          purpose: "bench",
          policy: DEFAULT_MEMORY_POLICY,
          pages: "now",
        });
        this.#table[this.#chunks.length] = BigInt(region.address);
        this.#chunks.push(new DataView(region.buffer));
        continue;
      }
      // 64 bytes more, so that the chunk can start on a cache line.
      const buffer = new ArrayBuffer(this.chunkBytes + 64);
      const skip = (64 - (ptr(buffer) % 64)) % 64;
      this.#table[this.#chunks.length] = BigInt(ptr(buffer) + skip);
      this.#chunks.push(new DataView(buffer, skip, this.chunkBytes));
    }
    return this.#chunks[chunk]!;
  }
}

export type TestSpaceOptions = {
  readonly dimensions: number;
  readonly quantization: Quantization;
  readonly slotsMax: number;
  readonly slotsPerChunk?: number;
  /** in regions, on huge pages where there are any */
  readonly isMapped?: boolean;
};

export class TestSpace {
  readonly dimensions: number;
  readonly quantization: Quantization;
  count = 0;
  readonly #slotsPerChunk: number;
  readonly #shift: number;
  readonly #exactStride: number;
  readonly #quantisedStride: number;
  readonly #headers: Chunks;
  readonly #exact: Chunks;
  readonly #quantised: Chunks;
  readonly #content: Chunks;
  #contentAt = 0;

  constructor(options: TestSpaceOptions) {
    this.dimensions = options.dimensions;
    this.quantization = options.quantization;
    this.#slotsPerChunk = options.slotsPerChunk ?? 1024;
    this.#shift = Math.log2(this.#slotsPerChunk);
    this.#exactStride = wholeLines(4 * options.dimensions);
    this.#quantisedStride = wholeLines(quantisedVectorBytes(options.quantization, options.dimensions));
    const chunksMax = Math.ceil(options.slotsMax / this.#slotsPerChunk);
    const isMapped = options.isMapped ?? false;
    this.#headers = new Chunks(this.#slotsPerChunk * NODE_HEADER_BYTES, chunksMax, isMapped);
    this.#exact = new Chunks(this.#slotsPerChunk * this.#exactStride, chunksMax, isMapped);
    this.#quantised =
      options.quantization === "f32"
        ? this.#exact
        : new Chunks(this.#slotsPerChunk * this.#quantisedStride, chunksMax, isMapped);
    this.#content = new Chunks(
      CONTENT_CHUNK_BYTES,
      Math.ceil((options.slotsMax * 512) / CONTENT_CHUNK_BYTES) + 1,
      false,
    );
  }

  config(options: { M?: number; efConstruction?: number; nodesMax?: number } = {}): GraphConfig {
    const arena = (chunks: Chunks, strideBytes: number) => ({
      tableAddress: chunks.tableAddress,
      chunkShift: this.#shift,
      strideBytes,
    });
    return {
      dimensions: this.dimensions,
      quantization: this.quantization,
      M: options.M ?? 16,
      efConstruction: options.efConstruction ?? 128,
      node: -1,
      nodesMax: options.nodesMax ?? 1_000_000,
      headers: arena(this.#headers, NODE_HEADER_BYTES),
      exact: arena(this.#exact, this.#exactStride),
      quantised: arena(
        this.#quantised,
        this.quantization === "f32" ? this.#exactStride : this.#quantisedStride,
      ),
      content: { tableAddress: this.#content.tableAddress, chunkBytes: CONTENT_CHUNK_BYTES },
    };
  }

  /** Stores a unit vector and answers its slot. */
  push(vector: Float32Array, facts: SlotFacts = {}): number {
    const slot = this.count;
    const chunk = slot >>> this.#shift;
    const index = slot & (this.#slotsPerChunk - 1);
    const exact = this.#exact.view(chunk);
    new Float32Array(exact.buffer, exact.byteOffset + index * this.#exactStride, this.dimensions).set(vector);
    if (this.#quantised !== this.#exact) {
      const quantised = this.#quantised.view(chunk);
      quantiseVector(
        this.quantization,
        ptr(exact.buffer) + exact.byteOffset + index * this.#exactStride,
        ptr(quantised.buffer) + quantised.byteOffset + index * this.#quantisedStride,
        this.dimensions,
      );
    }
    const tags = facts.tags ?? [];
    const header = this.#headers.view(chunk);
    const at = index * NODE_HEADER_BYTES;
    header.setFloat64(at + NODE_HEADER.timestampMs, facts.timestampMs ?? slot, true);
    header.setFloat64(at + NODE_HEADER.contentAt, this.#record(tags), true);
    header.setFloat32(at + NODE_HEADER.confidence, facts.confidence ?? 0.7, true);
    header.setFloat32(at + NODE_HEADER.vectorNorm, facts.embedded === false ? 0 : 1, true);
    header.setBigUint64(at + NODE_HEADER.tagBloom, tagBloom(tags), true);
    header.setUint32(at + NODE_HEADER.state, NODE_STATE.live, true);
    this.count++;
    return slot;
  }

  forget(slot: number): void {
    this.#headers
      .view(slot >>> this.#shift)
      .setUint32(
        (slot & (this.#slotsPerChunk - 1)) * NODE_HEADER_BYTES + NODE_HEADER.state,
        NODE_STATE.forgotten,
        true,
      );
  }

  /** The bytes of a slot's quantised vector, to look at or to spoil. */
  quantisedBytes(slot: number): Uint8Array {
    const view = this.#quantised.view(slot >>> this.#shift);
    const stride = this.quantization === "f32" ? this.#exactStride : this.#quantisedStride;
    return new Uint8Array(
      view.buffer,
      view.byteOffset + (slot & (this.#slotsPerChunk - 1)) * stride,
      quantisedVectorBytes(this.quantization, this.dimensions),
    );
  }

  #record(tags: readonly number[]): number {
    const bytes = CONTENT_RECORD_HEAD_BYTES + 8 * tags.length;
    if ((this.#contentAt % CONTENT_CHUNK_BYTES) + bytes > CONTENT_CHUNK_BYTES) {
      this.#contentAt = Math.ceil(this.#contentAt / CONTENT_CHUNK_BYTES) * CONTENT_CHUNK_BYTES;
    }
    const at = this.#contentAt;
    const view = this.#content.view(Math.floor(at / CONTENT_CHUNK_BYTES));
    const inChunk = at % CONTENT_CHUNK_BYTES;
    view.setUint16(inChunk + CONTENT_RECORD.tagCount, tags.length, true);
    tags.forEach((tag, i) => {
      view.setBigUint64(inChunk + CONTENT_RECORD_HEAD_BYTES + 8 * i, tagHash(tag), true);
    });
    this.#contentAt += bytes;
    return at;
  }
}

/** A stand-in for the hash of a tag's text; the numbers 0 and 64 share a bit of the bloom. */
export function tagHash(tag: number): bigint {
  return ((BigInt(tag) * 0x9e3779b97f4a7c15n) & 0xffff_ffff_ffff_ffc0n) | BigInt(tag % 64);
}

function tagBloom(tags: readonly number[]): bigint {
  return tags.reduce((bloom, tag) => bloom | (1n << (tagHash(tag) & 63n)), 0n);
}

export type FilterFacts = {
  readonly fromMs?: number;
  readonly toMs?: number;
  readonly minConfidence?: number;
  readonly tags?: readonly number[];
};

export function filterBlock(facts: FilterFacts): Uint8Array {
  const tags = facts.tags ?? [];
  const view = new DataView(new ArrayBuffer(FILTER_HEAD_BYTES + 8 * tags.length));
  view.setFloat64(FILTER.fromMs, facts.fromMs ?? -Infinity, true);
  view.setFloat64(FILTER.toMs, facts.toMs ?? Infinity, true);
  view.setFloat32(FILTER.minConfidence, facts.minConfidence ?? 0, true);
  view.setUint32(FILTER.tagCount, tags.length, true);
  view.setBigUint64(FILTER.tagBloom, tagBloom(tags), true);
  tags.forEach((tag, i) => {
    view.setBigUint64(FILTER_HEAD_BYTES + 8 * i, tagHash(tag), true);
  });
  return new Uint8Array(view.buffer);
}

function wholeLines(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}
