/** Filling, repairing, saving and loading a graph; what a damaged file does. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clustered, row } from "../../bench/support/clustered.ts";
import { BugError, OperatorError } from "../../src/base/errors.ts";
import { Random } from "../../src/base/random.ts";
import { crc32c } from "../../src/ffi/crc32c.ts";
import { FileError } from "../../src/ffi/file-error.ts";
import { VectorGraph } from "../../src/index/vector-graph.ts";
import { SEARCH_PLAN, VectorSearcher } from "../../src/index/vector-searcher.ts";
import { TestSpace } from "./vector-space.ts";

// Seconds on an idle machine; graphs take their time where other work runs beside.
setDefaultTimeout(120_000);

const SEED = 11;
const DIMENSIONS = 32;
const COUNT = 3000;

const data = clustered({ seed: SEED, dimensions: DIMENSIONS, count: COUNT, queries: 50, centres: 100 });
const vector = (slot: number): Float32Array => row(data.vectors, slot, DIMENSIONS);
const query = (i: number): Float32Array => row(data.queries, i, DIMENSIONS);
const directory = mkdtempSync(join(tmpdir(), "vector-graph-"));
const searcher = new VectorSearcher();
const opened: VectorGraph[] = [];
afterAll(() => {
  for (const graph of opened) graph.close();
  searcher.close();
  rmSync(directory, { recursive: true });
});

function makeSpace(count = COUNT): TestSpace {
  const space = new TestSpace({
    dimensions: DIMENSIONS,
    quantization: "bf16",
    slotsMax: COUNT,
    slotsPerChunk: 256,
  });
  for (let slot = 0; slot < count; slot++) space.push(vector(slot));
  return space;
}

/** 400 slots, the first 200 of one vector. */
function crowdedSpace(): TestSpace {
  const space = new TestSpace({ dimensions: DIMENSIONS, quantization: "bf16", slotsMax: 1000 });
  for (let slot = 0; slot < 400; slot++) space.push(vector(slot < 200 ? 0 : slot));
  return space;
}

function open(
  space: TestSpace,
  options: { M?: number; nodesMax?: number; efConstruction?: number } = {},
): VectorGraph {
  const graph = VectorGraph.open(space.config(options));
  opened.push(graph);
  return graph;
}

function walk(graph: VectorGraph, i: number): number[] {
  const found = searcher.search(graph.address, query(i), {
    k: 10,
    ef: 64,
    nodeCount: COUNT,
    plan: SEARCH_PLAN.walk,
  });
  return Array.from(searcher.slots.subarray(0, found));
}

/** Slots whose own vector does not lead back to them. */
function lost(graph: VectorGraph, count: number): number[] {
  const missing: number[] = [];
  for (let slot = 0; slot < count; slot++) {
    const wanted = { k: 1, ef: 64, nodeCount: count, plan: SEARCH_PLAN.walk };
    searcher.search(graph.address, vector(slot), wanted);
    if (searcher.slots[0] !== slot) missing.push(slot);
  }
  return missing;
}

describe("VectorGraph.add", () => {
  test("leads every vector's own search back to it, in whatever batches they came", () => {
    const random = new Random(SEED);
    const graph = open(makeSpace());
    for (let at = 0; at < COUNT; ) {
      const count = Math.min(COUNT - at, 1 + random.below(64));
      expect(graph.add(at, count)).toBe(count);
      at += count;
    }
    graph.repair();
    expect(lost(graph, COUNT)).toEqual([]);
    const stats = graph.stats();
    expect(stats.nodes).toBe(COUNT);
    expect(stats.covered).toBe(COUNT);
    expect(stats.levelMax).toBeGreaterThan(0);
    expect(stats.usedBytes / COUNT).toBeLessThan(220);
  });

  test("skips what is forgotten or has no vector, and goes on after it", () => {
    const space = makeSpace(100);
    space.forget(3);
    space.push(vector(100), { embedded: false });
    space.push(vector(101));
    const graph = open(space);
    expect(graph.add(0, 10)).toBe(9);
    expect(graph.add(10, 92)).toBe(91);
    expect(graph.stats()).toMatchObject({ nodes: 100, covered: 102 });
  });

  test("refuses slots out of order: it would link one twice", () => {
    const graph = open(makeSpace(100));
    graph.add(0, 50);
    expect(() => graph.add(40, 10)).toThrow(BugError);
    expect(() => graph.add(60, 10)).toThrow(BugError);
    expect(graph.add(50, 50)).toBe(50);
  });

  test("says when it is full, and stays searchable", () => {
    const graph = open(makeSpace(100), { nodesMax: 60 });
    let caught: unknown;
    try {
      graph.add(0, 100);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(OperatorError);
    expect((caught as OperatorError).code).toBe("vector-index-full");
    expect(graph.stats()).toMatchObject({ nodes: 60, covered: 60 });
    // The rest is the tail, so nothing is missed.
    const found = searcher.search(graph.address, vector(99), { k: 1, ef: 64, nodeCount: 100 });
    expect([found, searcher.slots[0]]).toEqual([1, 99]);
  });

  test("puts equal vectors beside one node, so that they do not crowd out the others", () => {
    const space = crowdedSpace();
    const graph = open(space);
    expect(graph.add(0, 400)).toBe(400);
    expect(graph.stats()).toMatchObject({ nodes: 201, twins: 199, covered: 400 });
    expect(lost(graph, 400).filter((slot) => slot >= 200)).toEqual([]);
    for (const k of [1, 10, 200]) {
      searcher.search(graph.address, vector(0), { k, ef: 64, nodeCount: 400, plan: SEARCH_PLAN.walk });
      expect(Array.from(searcher.slots.subarray(0, k))).toEqual(Array.from({ length: k }, (_, i) => i));
    }
    // The node's own slot and most others go: the rest is still found.
    for (let slot = 0; slot < 200; slot++) if (slot % 50 !== 7) space.forget(slot);
    const wanted = { k: 4, ef: 64, nodeCount: 400, plan: SEARCH_PLAN.walk };
    expect(searcher.search(graph.address, vector(0), wanted)).toBe(4);
    expect(Array.from(searcher.slots.subarray(0, 4))).toEqual([7, 57, 107, 157]);
  });
});

test("VectorGraph.repair makes every node reachable", () => {
  // Two links a node and a short search while building: such a graph loses nodes.
  const graph = open(makeSpace(), { M: 2, efConstruction: 4 });
  graph.add(0, COUNT);
  const { before, after } = graph.repair(50);
  expect(before).toBeGreaterThan(0);
  expect(after).toBeLessThan(before / 4);
});

test("VectorGraph.quantise fills the quantised vectors as pushing one by one does", () => {
  const space = makeSpace();
  const graph = open(space);
  const expected = Array.from({ length: COUNT }, (_, slot) => space.quantisedBytes(slot).slice());
  for (let slot = 0; slot < COUNT; slot++) space.quantisedBytes(slot).fill(0);
  graph.quantise(0, COUNT, 4);
  for (let slot = 0; slot < COUNT; slot++) expect(space.quantisedBytes(slot)).toEqual(expected[slot]!);
});

describe("VectorGraph.load", () => {
  const space = makeSpace();
  const saved = open(space);
  saved.add(0, COUNT - 100);
  const path = join(directory, "graph");
  const offset = 4096;
  const fd = openSync(path, "w+");
  const size = saved.save(fd, offset);
  closeSync(fd);
  const bytes = new Uint8Array(readFileSync(path));

  /** Loads changed bytes into a fresh graph. */
  function load(
    contents: Uint8Array,
    into = open(space),
    slotsMax = COUNT,
  ): { graph: VectorGraph; outcome: string } {
    const copy = join(directory, "copy");
    writeFileSync(copy, contents);
    const from = openSync(copy, "r");
    try {
      return { graph: into, outcome: into.load(from, offset, slotsMax) };
    } finally {
      closeSync(from);
    }
  }

  test("gives back the graph that was saved, and goes on from there", () => {
    expect(size).toMatchObject({ covered: COUNT - 100, nodes: COUNT - 100 });
    expect(bytes.length).toBe(offset + size.bytes);
    const { graph, outcome } = load(bytes);
    expect(outcome).toBe("loaded");
    expect(graph.stats()).toMatchObject({
      nodes: COUNT - 100,
      covered: COUNT - 100,
      levelMax: saved.stats().levelMax,
    });
    for (let i = 0; i < 50; i++) expect(walk(graph, i)).toEqual(walk(saved, i));
    expect(graph.add(COUNT - 100, 100)).toBe(100);
    graph.repair();
    expect(lost(graph, COUNT)).toEqual([]);
  });

  test("saves the same bytes again", () => {
    const { graph } = load(bytes);
    const again = join(directory, "again");
    const to = openSync(again, "w+");
    graph.save(to, offset);
    expect(fstatSync(to).size).toBe(bytes.length);
    closeSync(to);
    expect(new Uint8Array(readFileSync(again))).toEqual(bytes);
  });

  test("gives back equal vectors, and still knows them when more come", () => {
    const crowded = crowdedSpace();
    const graph = open(crowded);
    graph.add(0, 300);
    const to = openSync(join(directory, "crowded"), "w+");
    graph.save(to, offset);
    const fresh = open(crowded);
    expect(fresh.load(to, offset, 400)).toBe("loaded");
    closeSync(to);
    expect(fresh.stats()).toMatchObject({ nodes: 101, twins: 199, covered: 300 });
    for (let i = 0; i < 5; i++) crowded.push(vector(0));
    fresh.add(300, 105);
    expect(fresh.stats()).toMatchObject({ nodes: 201, twins: 204, covered: 405 });
    const wanted = { k: 300, ef: 64, nodeCount: 405, plan: SEARCH_PLAN.walk };
    searcher.search(fresh.address, vector(0), wanted);
    const equal = [...Array.from({ length: 200 }, (_, i) => i), 400, 401, 402, 403, 404];
    expect(Array.from(searcher.slots.subarray(0, 205))).toEqual(equal);
  });

  test("saves and loads an empty graph, with what it has covered", () => {
    const empty = new TestSpace({ dimensions: DIMENSIONS, quantization: "bf16", slotsMax: 10 });
    for (let slot = 0; slot < 4; slot++) empty.push(vector(slot), { embedded: false });
    const graph = open(empty);
    expect(graph.add(0, 4)).toBe(0);
    const to = openSync(join(directory, "empty"), "w+");
    graph.save(to, offset);
    const fresh = open(empty);
    expect(fresh.load(to, offset, 4)).toBe("loaded");
    expect(fresh.stats()).toMatchObject({ nodes: 0, covered: 4 });
    closeSync(to);
  });

  test("refuses a flipped bit anywhere, and leaves the graph empty and usable", () => {
    const random = new Random(SEED);
    const places = Array.from({ length: 64 }, (_, i) => i);
    for (let i = 0; i < 150; i++) places.push(64 + random.below(size.bytes - 64));
    const into = open(space);
    for (const place of places) {
      const changed = bytes.slice();
      changed[offset + place]! ^= 1 << random.below(8);
      expect({ place, outcome: load(changed, into).outcome }).toEqual({ place, outcome: "damaged" });
      expect(into.stats()).toMatchObject({ nodes: 0, covered: 0 });
    }
    expect(load(bytes, into).outcome).toBe("loaded");
    expect(walk(into, 0)).toEqual(walk(saved, 0));
  });

  test("refuses a file that is cut", () => {
    const random = new Random(SEED);
    const into = open(space);
    for (let i = 0; i < 100; i++) {
      const cutAt = i < 70 ? offset + i : offset + random.below(size.bytes);
      expect(load(bytes.subarray(0, cutAt), into).outcome).toBe("damaged");
    }
  });

  test("survives bytes that are wrong in themselves though the checksums fit", () => {
    const random = new Random(SEED);
    const outcomes = { loaded: 0, damaged: 0 };
    for (let i = 0; i < 300; i++) {
      const changed = bytes.slice();
      const spots = 1 + random.below(4);
      for (let j = 0; j < spots; j++) {
        // Every other time in the payload's head, the levels and the first records, where the structure is.
        const place = 64 + random.below(i % 2 === 0 ? 6200 : size.bytes - 64);
        changed[offset + place] = random.below(256);
      }
      seal(changed.subarray(offset));
      const into = VectorGraph.open(space.config());
      const { outcome } = load(changed, into);
      outcomes[outcome as keyof typeof outcomes]++;
      // A link to another node is no damage that could be told; searches and inserts must stay inside.
      if (outcome === "loaded") {
        for (let q = 0; q < 5; q++) for (const slot of walk(into, q)) expect(slot).toBeLessThan(COUNT);
        into.add(COUNT - 100, 5);
      }
      into.close();
    }
    expect(outcomes.loaded).toBeGreaterThan(0);
    expect(outcomes.damaged).toBeGreaterThan(100);
  });

  test("refuses a graph that names slots the arenas do not hold", () => {
    expect(load(bytes, open(space), COUNT - 101).outcome).toBe("damaged");
    expect(load(bytes, open(space), COUNT - 100).outcome).toBe("loaded");
  });

  test("tells a graph of another shape from a damaged one", () => {
    expect(load(bytes, open(space, { M: 8 })).outcome).toBe("mismatched");
    const f16 = new TestSpace({ dimensions: DIMENSIONS, quantization: "f16", slotsMax: COUNT });
    expect(load(bytes, open(f16)).outcome).toBe("mismatched");
  });

  test("throws what the system says of a file that can not be read or written", () => {
    const readOnly = openSync(path, "r");
    expect(() => saved.save(readOnly, 0)).toThrow(FileError);
    closeSync(readOnly);
    expect(() => open(space).load(readOnly, 0, COUNT)).toThrow(FileError);
  });

  test("is only into an empty graph", () => {
    expect(() => load(bytes, saved)).toThrow(BugError);
  });
});

/** Puts right checksums on a changed graph, as native/vector-file.cpp lays them. */
function seal(graph: Uint8Array): void {
  const view = new DataView(graph.buffer, graph.byteOffset, graph.byteLength);
  view.setUint32(48, crc32c(graph.subarray(64)), true);
  view.setUint32(52, crc32c(graph.subarray(0, 52)), true);
}
