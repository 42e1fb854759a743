import { heapStats } from "bun:jsc";
import { expect, test } from "bun:test";
import { BugError } from "../../src/base/errors.ts";
import { entropySeed, Random } from "../../src/base/random.ts";
import { ByteArena, ByteArenaReader, SlotArena, SlotArenaReader } from "../../src/shm/arena.ts";
import type { MemoryPolicy } from "../../src/shm/memory-policy.ts";
import { viewMemory } from "../../src/shm/region.ts";
import { listRegions, regionPages } from "../../src/shm/region-registry.ts";
import { arenaValue, TEST_GEOMETRY } from "./workers/arena-facts.ts";
import type { ArenaJob, ArenaReport } from "./workers/arena-reader.ts";

const policy: MemoryPolicy = { hugePages: "try" };

test("SlotArena shows every published slot whole to readers on other threads while it grows", async () => {
  const slotCount = 20_000;
  const arena = new SlotArena({ ...TEST_GEOMETRY, purpose: "arena test: growth", policy });
  const published = new SharedArrayBuffer(4);
  const count = new Int32Array(published);
  const workers = Array.from({ length: 2 }, () => {
    const worker = new Worker(new URL("./workers/arena-reader.ts", import.meta.url));
    const report = new Promise<ArenaReport>((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data as ArenaReport);
      worker.onerror = reject;
    });
    worker.postMessage({ tableAddress: arena.ref.tableAddress, published, slotCount } satisfies ArenaJob);
    return { worker, report };
  });
  const numbersPerSlot = TEST_GEOMETRY.strideBytes / 8;
  for (let slot = 0; slot < slotCount; slot++) {
    arena.ensure(slot);
    const numbers = arena.f64(arena.chunkOfSlot(slot));
    const at = arena.indexInChunk(slot) * numbersPerSlot;
    for (let i = 0; i < numbersPerSlot; i++) numbers[at + i] = arenaValue(slot, i);
    Atomics.store(count, 0, slot + 1);
    if (slot % 500 === 0) await Bun.sleep(0);
  }
  for (const { worker, report } of workers) {
    expect((await report).wrong).toBe(0);
    worker.terminate();
  }
  arena.free();
}, 30_000);

test("SlotArena maps no more than its slots need, and starts on base pages as they are touched", () => {
  const arena = new SlotArena({
    slotsPerChunk: 4096,
    strideBytes: 3072,
    purpose: "arena test: small",
    policy,
  });
  arena.ensure(0);
  arena.u8(0)[0] = 1;
  const regions = listRegions().filter((region) => region.purpose === "arena test: small");
  expect(regions).toHaveLength(1);
  expect(regions[0]).toMatchObject({ kind: "base", bytes: 4096 * 3072 });
  expect(regionPages(regions).get(regions[0]!.address)!.resident).toBeLessThanOrEqual(65_536);
  arena.ensure(4096);
  const grown = listRegions().filter((region) => region.purpose === "arena test: small");
  expect(grown.map((region) => region.asked.hugePages).sort()).toEqual(["off", "try"]);
  expect(arena.mappedBytes).toBeGreaterThanOrEqual(2 * 4096 * 3072);
  arena.free();
  expect(listRegions().filter((region) => region.purpose.startsWith("arena test: small"))).toEqual([]);
});

test("SlotArena.pieces covers a range of slots, and address finds each of them", () => {
  const arena = new SlotArena({ slotsPerChunk: 8, strideBytes: 512, purpose: "arena test: pieces", policy });
  arena.ensure(30);
  for (let slot = 0; slot <= 30; slot++)
    arena.u32(arena.chunkOfSlot(slot))[arena.indexInChunk(slot) * 128] = slot;
  const pieces = arena.pieces(5, 29);
  expect(pieces.map((piece) => piece.bytes)).toEqual([3 * 512, 8 * 512, 8 * 512, 5 * 512]);
  const seen: number[] = [];
  for (const { address, bytes } of pieces) {
    const words = new Uint32Array(viewMemory(address, bytes));
    for (let at = 0; at < words.length; at += 128) seen.push(words[at]!);
  }
  expect(seen).toEqual(Array.from({ length: 24 }, (_, index) => index + 5));
  expect(new Uint32Array(viewMemory(arena.address(17), 4))[0]).toBe(17);
  expect(arena.pieces(4, 4)).toEqual([]);
  arena.free();
});

test("SlotArenaReader refuses a chunk that is not there, instead of faulting", () => {
  const arena = new SlotArena({ slotsPerChunk: 8, strideBytes: 512, purpose: "arena test: absent", policy });
  const reader = new SlotArenaReader({
    slotsPerChunk: 8,
    strideBytes: 512,
    tableAddress: arena.ref.tableAddress,
  });
  expect(() => reader.u8(3)).toThrow(BugError);
  arena.ensure(31);
  expect(reader.u8(3)).toHaveLength(4096);
  arena.free();
});

test("ByteArena keeps records of any size apart and never lets one span two chunks", () => {
  const random = new Random(entropySeed());
  const chunkBytes = 8192;
  const arena = new ByteArena({ chunkBytes, purpose: "arena test: bytes", policy });
  const records: { at: number; fill: number; bytes: number }[] = [];
  for (let index = 0; index < 2000; index++) {
    const bytes = 1 + random.below(random.float() < 0.05 ? chunkBytes : 300);
    arena.reserve(bytes);
    const mappedBytes = arena.mappedBytes;
    const at = arena.allocate(bytes);
    expect(arena.mappedBytes, "reserve maps what allocate needs").toBe(mappedBytes);
    expect(at % 8).toBe(0);
    expect(arena.chunkOf(at)).toBe(arena.chunkOf(at + bytes - 1));
    expect(arena.usedBytes).toBe(at + bytes);
    const source = new Uint8Array(bytes + 5).fill(index & 255);
    if (index % 2 === 0) arena.write(at, source, bytes);
    else arena.writeFrom(at, source, 5, bytes);
    records.push({ at, fill: index & 255, bytes });
  }
  const reader = new ByteArenaReader({ chunkBytes, tableAddress: arena.ref.tableAddress });
  for (const { at, fill, bytes } of records) {
    const offset = reader.offsetIn(at);
    const record = reader.u8(reader.chunkOf(at)).subarray(offset, offset + bytes);
    expect(
      record.every((byte) => byte === fill),
      `record at ${at}, seed ${random.seed}`,
    ).toBe(true);
  }
  expect(() => arena.allocate(chunkBytes + 1)).toThrow(BugError);
  arena.free();
});

test("ByteArena.restoreUsed goes on where a checkpoint left off", () => {
  const arena = new ByteArena({ chunkBytes: 8192, purpose: "arena test: restore", policy, alignBytes: 1 });
  arena.ensure(20_000);
  expect(arena.pieces(0, 20_000).map((piece) => piece.bytes)).toEqual([8192, 8192, 3616]);
  arena.restoreUsed(20_000);
  expect(arena.allocate(3)).toBe(20_000);
  expect(arena.allocate(1)).toBe(20_003);
  expect(arena.allocate(8192)).toBe(24_576);
  arena.free();
});

test("SlotArena.write and readInto copy a slot without a view of its chunk", () => {
  const arena = new SlotArena({ slotsPerChunk: 8, strideBytes: 512, purpose: "arena test: copy", policy });
  arena.ensure(20);
  const source = new Random(4).fill(new Uint8Array(600));
  arena.write(17, source, 50, 512);
  const target = new Uint8Array(520);
  arena.readInto(17, target, 512);
  expect(target.subarray(0, 512)).toEqual(source.subarray(50, 562));
  expect(target.subarray(512)).toEqual(new Uint8Array(8));
  const at = arena.indexInChunk(17) * 512;
  expect(arena.u8(arena.chunkOfSlot(17)).subarray(at, at + 512)).toEqual(source.subarray(50, 562));
  expect(() => arena.write(17, source, 0, 513)).toThrow(BugError);
  expect(() => arena.write(17, source, 100, 512)).toThrow(BugError);
  expect(() => arena.readInto(24, target, 512)).toThrow(BugError);
  expect(() => arena.readInto(17, new Uint8Array(10), 11)).toThrow(BugError);
  arena.free();
});

test("ByteArenaReader.equals compares a part of a record, and readInto copies it", () => {
  const arena = new ByteArena({ chunkBytes: 8192, purpose: "arena test: compare", policy });
  const source = Buffer.from("-- the same words --");
  arena.allocate(8000);
  const at = arena.allocate(source.length);
  arena.write(at, source, source.length);
  const reader = new ByteArenaReader({ chunkBytes: 8192, tableAddress: arena.ref.tableAddress });
  expect(reader.equals(at + 3, source, 3, 10)).toBe(true);
  expect(reader.equals(at + 3, source, 4, 10)).toBe(false);
  expect(reader.equals(at, source, 0, 0)).toBe(true);
  const target = Buffer.alloc(10);
  reader.readInto(at + 3, target, 10);
  expect(target.toString()).toBe("the same w");
  expect(() => reader.readInto(8190, target, 4)).toThrow(BugError);
  arena.free();
});

test("an arena that is written and read by address takes nothing of the heap's budget", () => {
  const arena = new SlotArena({
    slotsPerChunk: 4096,
    strideBytes: 3072,
    purpose: "arena test: heap",
    policy,
  });
  const vector = new Uint8Array(3072).fill(1);
  Bun.gc(true);
  const before = heapStats().extraMemorySize;
  for (let slot = 0; slot < 20_000; slot += 100) {
    arena.ensure(slot);
    arena.write(slot, vector, 0, 3072);
    arena.readInto(slot, vector, 3072);
  }
  Bun.gc(true);
  expect(heapStats().extraMemorySize - before).toBeLessThan(1024 * 1024);
  arena.free();
});
