/**
 * Arenas: memory that grows without moving, as a list of equal chunks.
 *
 *   chunk table (a region of u64, one per chunk, 0 where there is none yet)
 *        | address of chunk 0 | address of chunk 1 | … | 0 |
 *
 * The table is the one truth, read alike by JavaScript and C. The arena's one writer maps a chunk, stores its
 * address, and only then publishes what lies in it (a node count, a term head): whoever has seen that count
 * may follow the table without a lock. Chunks are never moved or given back before the whole arena is.
 * Threads other than the writer open a reader with the table's address and the geometry, and make views of a
 * chunk when they first need it.
 *
 * The first chunk is on base pages that come as they are touched, so that a small space stays small. Later
 * ones follow memory.huge_pages: reserved huge pages, populated at once, since a touch that finds the pool
 * of a node empty kills the process; else transparent ones, as they are touched. "require" is therefore held
 * from the second chunk on.
 *
 * A view counts as heap of the thread that makes it, whole chunk by whole chunk (docs/decisions/
 * views-and-the-heap.md). Where a place here and there is touched, as in vectors and contents, use `write`,
 * `readInto` and `equals`, which copy by address; view what is walked, as headers and postings are.
 *
 * Offsets and slots are plain numbers: a byte arena may pass 4 GiB, slots stay below 2^32.
 */
import { assert } from "../base/assert.ts";
import { OperatorError } from "../base/errors.ts";
import { copyFromAddress, copyToAddress, equalsAtAddress } from "../ffi/memory.ts";
import type { MemoryPolicy } from "./memory-policy.ts";
import { mapRegion, type Region, viewMemory } from "./region.ts";

/** Chunks of an arena: 33 million memories at 4,096 a chunk. The table's pages come on touch. */
export const CHUNKS_MAX = 8192;

/** What C needs to find a slot or a byte: `struct vector_arena` of native/vector-arena.h. */
export type ArenaRef = {
  readonly tableAddress: number;
  /** log2 of slots per chunk; 0 for a byte arena */
  readonly chunkShift: number;
  /** bytes per slot; 1 for a byte arena */
  readonly strideBytes: number;
  readonly chunkBytes: number;
};

/** A part of an arena as it lies in memory, for writing to and reading from files. */
export type ArenaPiece = { readonly address: number; readonly bytes: number };

/** Views of chunks, made on first use and kept. */
class ChunkViews {
  readonly ref: ArenaRef;
  readonly #table: Uint32Array;
  readonly #u8: (Uint8Array | undefined)[] = [];
  readonly #u32: (Uint32Array | undefined)[] = [];
  readonly #f32: (Float32Array | undefined)[] = [];
  readonly #f64: (Float64Array | undefined)[] = [];

  constructor(ref: ArenaRef) {
    this.ref = ref;
    this.#table = new Uint32Array(viewMemory(ref.tableAddress, CHUNKS_MAX * 8));
  }

  /** Address of a chunk that was published, 0 where there is none. */
  chunkAddress(chunkIndex: number): number {
    return this.#table[chunkIndex * 2]! + this.#table[chunkIndex * 2 + 1]! * 2 ** 32;
  }

  u8(chunkIndex: number): Uint8Array {
    return this.#u8[chunkIndex] ?? this.#open(chunkIndex).u8;
  }

  u32(chunkIndex: number): Uint32Array {
    return this.#u32[chunkIndex] ?? this.#open(chunkIndex).u32;
  }

  f32(chunkIndex: number): Float32Array {
    return this.#f32[chunkIndex] ?? this.#open(chunkIndex).f32;
  }

  f64(chunkIndex: number): Float64Array {
    return this.#f64[chunkIndex] ?? this.#open(chunkIndex).f64;
  }

  /** Where bytes `[from, to)` of the arena lie, chunk by chunk. */
  protected piecesOf(from: number, to: number): ArenaPiece[] {
    const { chunkBytes } = this.ref;
    const pieces: ArenaPiece[] = [];
    for (let at = from; at < to; ) {
      const chunkIndex = Math.floor(at / chunkBytes);
      const inChunk = at - chunkIndex * chunkBytes;
      const bytes = Math.min(to - at, chunkBytes - inChunk);
      const address = this.chunkAddress(chunkIndex);
      assert(address !== 0, "pieces are of chunks that were published");
      pieces.push({ address: address + inChunk, bytes });
      at += bytes;
    }
    return pieces;
  }

  #open(chunkIndex: number): { u8: Uint8Array; u32: Uint32Array; f32: Float32Array; f64: Float64Array } {
    const address = this.chunkAddress(chunkIndex);
    assert(address !== 0, "a chunk is read after it was published");
    const buffer = viewMemory(address, this.ref.chunkBytes);
    const u8 = new Uint8Array(buffer);
    const u32 = new Uint32Array(buffer);
    const f32 = new Float32Array(buffer);
    const f64 = new Float64Array(buffer);
    this.#u8[chunkIndex] = u8;
    this.#u32[chunkIndex] = u32;
    this.#f32[chunkIndex] = f32;
    this.#f64[chunkIndex] = f64;
    return { u8, u32, f32, f64 };
  }
}

export type SlotGeometry = {
  /** a power of two */
  readonly slotsPerChunk: number;
  /** a multiple of 8 */
  readonly strideBytes: number;
};

/** Reads records of equal size by their slot. */
export class SlotArenaReader extends ChunkViews {
  readonly strideBytes: number;
  readonly #shift: number;
  readonly #mask: number;

  constructor(options: SlotGeometry & { readonly tableAddress: number }) {
    const { slotsPerChunk, strideBytes, tableAddress } = options;
    assert(
      slotsPerChunk > 0 && (slotsPerChunk & (slotsPerChunk - 1)) === 0,
      "slots per chunk are a power of two",
    );
    assert(strideBytes > 0 && strideBytes % 8 === 0, "a slot's stride is a multiple of 8");
    const chunkShift = 31 - Math.clz32(slotsPerChunk);
    super({ tableAddress, chunkShift, strideBytes, chunkBytes: slotsPerChunk * strideBytes });
    this.strideBytes = strideBytes;
    this.#shift = chunkShift;
    this.#mask = slotsPerChunk - 1;
  }

  chunkOfSlot(slot: number): number {
    return slot >>> this.#shift;
  }

  /** Position among the slots of its chunk. */
  indexInChunk(slot: number): number {
    return slot & this.#mask;
  }

  /** Address of a slot. */
  address(slot: number): number {
    return this.chunkAddress(slot >>> this.#shift) + (slot & this.#mask) * this.strideBytes;
  }

  /**
   * Copies the first `byteLength` bytes of a slot to the start of `target`, without a view of the chunk.
   */
  readInto(slot: number, target: Uint8Array, byteLength: number): void {
    copyFromAddress(this.#published(slot), target, 0, byteLength);
  }

  /** Where the slots `[fromSlot, toSlot)` lie. */
  pieces(fromSlot: number, toSlot: number): ArenaPiece[] {
    return this.piecesOf(fromSlot * this.strideBytes, toSlot * this.strideBytes);
  }

  #published(slot: number): number {
    const chunk = this.chunkAddress(slot >>> this.#shift);
    assert(chunk !== 0, "a slot is read after it was published");
    return chunk + (slot & this.#mask) * this.strideBytes;
  }
}

/** Reads a byte arena by offset. */
export class ByteArenaReader extends ChunkViews {
  readonly #chunkBytes: number;

  constructor(options: { readonly chunkBytes: number; readonly tableAddress: number }) {
    const { chunkBytes, tableAddress } = options;
    assert(chunkBytes > 0 && chunkBytes % 4096 === 0, "a byte arena's chunk is whole pages");
    super({ tableAddress, chunkShift: 0, strideBytes: 1, chunkBytes });
    this.#chunkBytes = chunkBytes;
  }

  chunkOf(at: number): number {
    return Math.floor(at / this.#chunkBytes);
  }

  /** Position in its chunk. */
  offsetIn(at: number): number {
    return at % this.#chunkBytes;
  }

  /** Address of a byte. */
  address(at: number): number {
    return this.chunkAddress(this.chunkOf(at)) + this.offsetIn(at);
  }

  /** Copies the bytes `[at, at + byteLength)` of one record to the start of `target`, without a view. */
  readInto(at: number, target: Uint8Array, byteLength: number): void {
    copyFromAddress(this.#published(at, byteLength), target, 0, byteLength);
  }

  /** Whether the bytes at `at` are those of `source[sourceAt, sourceAt + byteLength)`. */
  equals(at: number, source: Uint8Array, sourceAt: number, byteLength: number): boolean {
    return equalsAtAddress(this.#published(at, byteLength), source, sourceAt, byteLength);
  }

  /** Where the bytes `[from, to)` lie. */
  pieces(from: number, to: number): ArenaPiece[] {
    return this.piecesOf(from, to);
  }

  #published(at: number, byteLength: number): number {
    const chunk = this.chunkAddress(this.chunkOf(at));
    const inChunk = this.offsetIn(at);
    assert(chunk !== 0, "a byte is read after it was published");
    assert(inChunk + byteLength <= this.#chunkBytes, "a record lies in one chunk");
    return chunk + inChunk;
  }
}

type ArenaOwnership = { readonly purpose: string; readonly policy: MemoryPolicy };

/** The chunks of one arena, as their writer owns them. */
class ChunkOwner {
  readonly #options: ArenaOwnership;
  readonly #table: Region;
  readonly #entries: BigUint64Array;
  readonly #chunks: Region[] = [];
  #mappedBytes: number;

  constructor(options: ArenaOwnership) {
    this.#options = options;
    this.#table = mapRegion({
      bytes: CHUNKS_MAX * 8,
      purpose: `${options.purpose}, chunk table`,
      policy: options.policy,
      pages: "small",
    });
    this.#entries = new BigUint64Array(this.#table.buffer);
    this.#mappedBytes = this.#table.bytes;
  }

  get tableAddress(): number {
    return this.#table.address;
  }

  get count(): number {
    return this.#chunks.length;
  }

  get mappedBytes(): number {
    return this.#mappedBytes;
  }

  /** Maps and publishes chunks until there are `count`. @throws {OperatorError} */
  grow(count: number, chunkBytes: number): void {
    const { purpose, policy } = this.#options;
    while (this.#chunks.length < count) {
      const chunkIndex = this.#chunks.length;
      if (chunkIndex >= CHUNKS_MAX) {
        throw new OperatorError({
          code: "memory-refused",
          message: `Cannot grow ${purpose}: an arena has ${CHUNKS_MAX} chunks at most`,
          remedy: "Lower spaces.max_memories, or spread the memories over more spaces",
        });
      }
      const chunk = mapRegion({
        bytes: chunkBytes,
        purpose,
        policy,
        pages: chunkIndex === 0 ? "small" : "touch",
      });
      this.#chunks.push(chunk);
      this.#mappedBytes += chunk.bytes;
      Atomics.store(this.#entries, chunkIndex, BigInt(chunk.address));
    }
  }

  free(): void {
    for (const chunk of this.#chunks) chunk.unmap();
    this.#table.unmap();
  }
}

/** A slot arena as its one writer has it. */
export class SlotArena extends SlotArenaReader {
  readonly #owner: ChunkOwner;
  readonly #slotsPerChunk: number;

  constructor(options: SlotGeometry & ArenaOwnership) {
    const owner = new ChunkOwner(options);
    super({ ...options, tableAddress: owner.tableAddress });
    this.#owner = owner;
    this.#slotsPerChunk = options.slotsPerChunk;
  }

  /** Slots the chunk table has room for. */
  get slotsMax(): number {
    return CHUNKS_MAX * this.#slotsPerChunk;
  }

  get mappedBytes(): number {
    return this.#owner.mappedBytes;
  }

  /** Maps what is missing up to and with `slot`; new slots are zeroed. @throws {OperatorError} `memory-refused` */
  ensure(slot: number): void {
    const count = this.chunkOfSlot(slot) + 1;
    if (count > this.#owner.count) this.#owner.grow(count, this.ref.chunkBytes);
  }

  /** Copies `source[sourceAt, sourceAt + byteLength)` to the start of a slot, without a view of the chunk. */
  write(slot: number, source: NodeJS.TypedArray, sourceAt: number, byteLength: number): void {
    assert(byteLength <= this.strideBytes, "a record fits its slot");
    copyToAddress(this.address(slot), source, sourceAt, byteLength);
  }

  /** Gives everything back. No reader may be inside. */
  free(): void {
    this.#owner.free();
  }
}

/** A byte arena as its one writer has it: records are appended, and none spans two chunks. */
export class ByteArena extends ByteArenaReader {
  readonly #owner: ChunkOwner;
  readonly #alignBytes: number;
  #usedBytes = 0;

  /** @param options.alignBytes records start at a multiple of this power of two; 8 where absent */
  constructor(options: ArenaOwnership & { readonly chunkBytes: number; readonly alignBytes?: number }) {
    const owner = new ChunkOwner(options);
    super({ chunkBytes: options.chunkBytes, tableAddress: owner.tableAddress });
    this.#owner = owner;
    this.#alignBytes = options.alignBytes ?? 8;
    assert((this.#alignBytes & (this.#alignBytes - 1)) === 0, "an alignment is a power of two");
  }

  /** Bytes from the start to the end of the last record, gaps at the ends of chunks included. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  get mappedBytes(): number {
    return this.#owner.mappedBytes;
  }

  /** Maps what `allocate(bytes)` will need, so that it can not fail. @throws {OperatorError} `memory-refused` */
  reserve(bytes: number): void {
    this.ensure(this.#placeFor(bytes) + bytes);
  }

  /**
   * Takes room for a record of `bytes`.
   *
   * @returns its byte offset in the arena
   * @throws {OperatorError} `memory-refused`
   */
  allocate(bytes: number): number {
    const at = this.#placeFor(bytes);
    this.ensure(at + bytes);
    this.#usedBytes = at + bytes;
    return at;
  }

  /** Writes the first `byteLength` bytes of `source` at `at`. */
  write(at: number, source: Uint8Array, byteLength: number): void {
    this.writeFrom(at, source, 0, byteLength);
  }

  /** Writes `source[sourceAt, sourceAt + byteLength)` at `at`. */
  writeFrom(at: number, source: Uint8Array, sourceAt: number, byteLength: number): void {
    const inChunk = this.offsetIn(at);
    assert(inChunk + byteLength <= this.ref.chunkBytes, "a record lies in one chunk");
    copyToAddress(this.chunkAddress(this.chunkOf(at)) + inChunk, source, sourceAt, byteLength);
  }

  /** Maps chunks for the bytes `[0, bytes)`, for a loader to fill. @throws {OperatorError} `memory-refused` */
  ensure(bytes: number): void {
    const count = Math.ceil(bytes / this.ref.chunkBytes);
    if (count > this.#owner.count) this.#owner.grow(count, this.ref.chunkBytes);
  }

  /** Takes the bytes `[0, bytes)` as used, as a checkpoint left them. */
  restoreUsed(bytes: number): void {
    assert(this.#usedBytes <= bytes, "an arena is restored before it is used");
    this.ensure(bytes);
    this.#usedBytes = bytes;
  }

  /** Gives everything back. No reader may be inside. */
  free(): void {
    this.#owner.free();
  }

  #placeFor(bytes: number): number {
    const { chunkBytes } = this.ref;
    assert(bytes <= chunkBytes, "a record fits one chunk");
    const at = Math.ceil(this.#usedBytes / this.#alignBytes) * this.#alignBytes;
    const left = chunkBytes - (at % chunkBytes);
    return left < bytes ? at + left : at;
  }
}
