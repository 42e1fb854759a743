/** Searches against exact comparison in JavaScript: recall by quantisation, the tail, filters, ties, bounds. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { clustered, row } from "../../bench/support/clustered.ts";
import { Random } from "../../src/base/random.ts";
import { VectorGraph } from "../../src/index/vector-graph.ts";
import { SEARCH_PLAN, VectorSearcher, VIA } from "../../src/index/vector-searcher.ts";
import type { Quantization } from "../../src/layout/space-root.ts";
import { filterBlock, type SlotFacts, TestSpace } from "./vector-space.ts";

// Seconds on an idle machine; graphs take their time where other work runs beside.
setDefaultTimeout(120_000);

const SEED = 7;
const DIMENSIONS = 96;
const COUNT = 4000;
const QUERIES = 60;
const K = 10;
const EF = 64;

const data = clustered({ seed: SEED, dimensions: DIMENSIONS, count: COUNT, queries: QUERIES, centres: 200 });
const query = (i: number): Float32Array => row(data.queries, i, DIMENSIONS);
const vector = (slot: number): Float32Array => row(data.vectors, slot, DIMENSIONS);

type Built = { readonly space: TestSpace; readonly graph: VectorGraph };
const searcher = new VectorSearcher(COUNT);
const opened: VectorGraph[] = [];
afterAll(() => {
  for (const graph of opened) graph.close();
  searcher.close();
});

function build(
  quantization: Quantization,
  options: { readonly indexed?: number; readonly facts?: (slot: number) => SlotFacts } = {},
): Built {
  const space = new TestSpace({
    dimensions: DIMENSIONS,
    quantization,
    slotsMax: COUNT + 100,
    slotsPerChunk: 512,
  });
  for (let slot = 0; slot < COUNT; slot++) space.push(vector(slot), options.facts?.(slot));
  const graph = VectorGraph.open(space.config());
  opened.push(graph);
  graph.add(0, options.indexed ?? COUNT);
  return { space, graph };
}

function similarity(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < DIMENSIONS; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** The k most similar slots that pass, found the slow way. */
function nearest(i: number, k: number, passes: (slot: number) => boolean = () => true): number[] {
  const all: { slot: number; similarity: number }[] = [];
  for (let slot = 0; slot < COUNT; slot++) {
    if (passes(slot)) all.push({ slot, similarity: similarity(query(i), vector(slot)) });
  }
  all.sort((a, b) => b.similarity - a.similarity || a.slot - b.slot);
  return all.slice(0, k).map(({ slot }) => slot);
}

function recall(
  { graph }: Built,
  options: { ef?: number; plan?: number; filter?: Uint8Array; passes?: (slot: number) => boolean },
): number {
  let hits = 0;
  let wanted = 0;
  for (let i = 0; i < QUERIES; i++) {
    const expected = new Set(nearest(i, K, options.passes));
    const found = searcher.search(graph.address, query(i), {
      k: K,
      ef: options.ef ?? EF,
      nodeCount: COUNT,
      plan: options.plan,
      filter: options.filter,
    });
    expect(found).toBe(expected.size);
    for (let j = 0; j < found; j++) hits += expected.has(searcher.slots[j]!) ? 1 : 0;
    wanted += expected.size;
  }
  return wanted === 0 ? 1 : hits / wanted;
}

describe("VectorSearcher finds what exact comparison finds", () => {
  test.each([
    ["f32", 0.99],
    ["bf16", 0.99],
    ["f16", 0.99],
    ["i8", 0.98],
  ] as const)("by walking a graph of %s vectors, recall@10 at ef 64 at least %d", (quantization, least) => {
    const built = build(quantization);
    expect(recall(built, { plan: SEARCH_PLAN.walk })).toBeGreaterThanOrEqual(least);
    expect(recall(built, { plan: SEARCH_PLAN.walk, ef: 256 })).toBeGreaterThanOrEqual(0.999);
  });

  test.each(["f32", "bf16", "f16", "i8"] as const)("by scanning %s vectors, all of it", (quantization) => {
    const built = build(quantization, { indexed: 0 });
    expect(recall(built, {})).toBe(1);
    expect(searcher.stats().scanned).toBe(COUNT);
  });

  test("in the graph and in the tail at once", () => {
    const built = build("bf16", { indexed: 2500 });
    expect(recall(built, {})).toBeGreaterThanOrEqual(0.99);
    const found = searcher.search(built.graph.address, query(0), { k: 50, ef: EF, nodeCount: COUNT });
    for (let i = 0; i < found; i++) {
      expect(searcher.via[i] === VIA.tail).toBe(searcher.slots[i]! >= 2500);
    }
  });

  test("with similarities that are exact and sorted, whatever the quantisation", () => {
    for (const quantization of ["f32", "bf16", "f16", "i8"] as const) {
      const { graph } = build(quantization, { indexed: 3000 });
      for (let i = 0; i < QUERIES; i++) {
        const found = searcher.search(graph.address, query(i), { k: K, ef: EF, nodeCount: COUNT });
        for (let j = 0; j < found; j++) {
          const exact = similarity(query(i), vector(searcher.slots[j]!));
          expect(Math.abs(searcher.similarities[j]! - exact)).toBeLessThan(1e-5);
          if (j > 0) expect(searcher.similarities[j]!).toBeLessThanOrEqual(searcher.similarities[j - 1]!);
        }
      }
    }
  });
});

describe("VectorSearcher with a filter", () => {
  const random = new Random(SEED);
  const shares = [1, 0.5, 0.2, 0.1, 0.05, 0.01, 0.002, 0.00025];
  const draws = Float64Array.from({ length: COUNT }, () => random.float());
  // The last share is 1 slot of 4,000 whatever the draw.
  draws[1234] = 0;
  const facts = (slot: number): SlotFacts => ({
    timestampMs: 1000 + slot,
    confidence: Math.fround(1 - draws[slot]!),
    tags: shares.flatMap((share, tag) => (draws[slot]! < share ? [tag] : [])),
  });
  const built = build("bf16", { facts, indexed: 3600 });

  test.each(shares)("returns what exists where a share of %d passes, through tags", (share) => {
    const tag = shares.indexOf(share);
    const passes = (slot: number): boolean => draws[slot]! < share;
    const filter = filterBlock({ tags: [tag] });
    expect(recall(built, { filter, passes })).toBeGreaterThanOrEqual(0.98);
    expect(recall(built, { filter, passes, plan: SEARCH_PLAN.scan })).toBe(1);
  });

  test.each(shares)("returns what exists where a share of %d passes, through confidence", (share) => {
    const least = Math.fround(1 - share);
    const passes = (slot: number): boolean => Math.fround(1 - draws[slot]!) >= least;
    expect(recall(built, { filter: filterBlock({ minConfidence: least }), passes })).toBeGreaterThanOrEqual(
      0.98,
    );
  });

  test("takes both ends of a time range", () => {
    const passes = (slot: number): boolean => slot >= 100 && slot <= 140;
    expect(recall(built, { filter: filterBlock({ fromMs: 1100, toMs: 1140 }), passes })).toBe(1);
  });

  test("asks for all tags, and tells tags that share a bit of the bloom apart", () => {
    const space = new TestSpace({ dimensions: DIMENSIONS, quantization: "bf16", slotsMax: 100 });
    const tagsOf = [[1], [65], [1, 2], [1, 2, 65], []];
    for (let slot = 0; slot < 50; slot++) space.push(vector(slot), { tags: tagsOf[slot % 5]! });
    const graph = VectorGraph.open(space.config());
    opened.push(graph);
    graph.add(0, 30);
    for (const wanted of [[1], [65], [1, 2], [2, 65], [3], [1, 65, 2]]) {
      const found = searcher.search(graph.address, query(0), {
        k: 50,
        ef: EF,
        nodeCount: 50,
        filter: filterBlock({ tags: wanted }),
      });
      const expected = Array.from({ length: 50 }, (_, slot) => slot).filter((slot) =>
        wanted.every((tag) => tagsOf[slot % 5]!.includes(tag)),
      );
      expect(Array.from(searcher.slots.subarray(0, found)).sort((a, b) => a - b)).toEqual(expected);
    }
  });

  test("finds matches that lie far away from the query in the graph", () => {
    // Everything that passes is in the cluster least like the query.
    const ranked = nearest(0, COUNT);
    const far = new Set(ranked.slice(-40));
    const { graph } = build("bf16", { facts: (slot) => ({ tags: far.has(slot) ? [9] : [1] }) });
    const found = searcher.search(graph.address, query(0), {
      k: K,
      ef: EF,
      nodeCount: COUNT,
      filter: filterBlock({ tags: [9] }),
    });
    expect(Array.from(searcher.slots.subarray(0, found))).toEqual(ranked.slice(-40, -30));
  });
});

describe("VectorSearcher leaves out", () => {
  test("what is forgotten, in the graph and in the tail, and still gives k results", () => {
    const built = build("bf16", { indexed: 3000 });
    const forgotten = new Set<number>();
    for (let i = 0; i < 10; i++) for (const slot of nearest(i, 100)) forgotten.add(slot);
    for (const slot of forgotten) built.space.forget(slot);
    expect(recall(built, { passes: (slot) => !forgotten.has(slot) })).toBeGreaterThanOrEqual(0.98);
  });

  test("nearly everything, and finds the rest", () => {
    const built = build("bf16");
    for (let slot = 0; slot < COUNT; slot++) if (slot % 1000 !== 1) built.space.forget(slot);
    const found = searcher.search(built.graph.address, query(0), { k: K, ef: EF, nodeCount: COUNT });
    expect(Array.from(searcher.slots.subarray(0, found)).sort((a, b) => a - b)).toEqual([
      1, 1001, 2001, 3001,
    ]);
  });

  test("slots published after the recall began", () => {
    const { graph } = build("bf16", { indexed: 3000 });
    for (const nodeCount of [0, 1, 100, 2999, 3000, 3500]) {
      const found = searcher.search(graph.address, query(1), { k: 100, ef: EF, nodeCount });
      expect(found).toBe(Math.min(nodeCount, 100));
      for (let i = 0; i < found; i++) expect(searcher.slots[i]!).toBeLessThan(nodeCount);
    }
  });

  test("memories without a vector", () => {
    const { graph } = build("bf16", { indexed: 2000, facts: (slot) => ({ embedded: slot % 2 === 0 }) });
    expect(graph.stats().nodes).toBe(1000);
    const found = searcher.search(graph.address, query(1), { k: 1000, ef: EF, nodeCount: COUNT });
    expect(found).toBe(1000);
    for (let i = 0; i < found; i++) expect(searcher.slots[i]! % 2).toBe(0);
    const out = new Float32Array(2);
    searcher.compare(graph.address, query(1), Uint32Array.of(1, 2), 2, out);
    expect(out[0]).toBe(0);
    expect(out[1]).toBeCloseTo(similarity(query(1), vector(2)), 5);
  });
});

test("VectorSearcher orders equal similarities by slot", () => {
  const space = new TestSpace({ dimensions: DIMENSIONS, quantization: "bf16", slotsMax: 200 });
  for (let slot = 0; slot < 150; slot++) space.push(vector(0));
  const graph = VectorGraph.open(space.config());
  opened.push(graph);
  graph.add(0, 100);
  const found = searcher.search(graph.address, vector(0), {
    k: 20,
    ef: EF,
    nodeCount: 150,
    plan: SEARCH_PLAN.scan,
  });
  expect(Array.from(searcher.slots.subarray(0, found))).toEqual(Array.from({ length: 20 }, (_, i) => i));
});

test("VectorSearcher.filter says which slots are live and pass", () => {
  const space = new TestSpace({ dimensions: DIMENSIONS, quantization: "bf16", slotsMax: 200 });
  for (let slot = 0; slot < 20; slot++) space.push(vector(slot), { tags: slot % 3 === 0 ? [4] : [] });
  space.forget(3);
  const graph = VectorGraph.open(space.config());
  opened.push(graph);
  const slots = Uint32Array.of(0, 1, 3, 6, 9, 18, 19, 25);
  const out = new Uint8Array(slots.length);
  searcher.filter(graph.address, filterBlock({ tags: [4] }), 18, slots, slots.length, out);
  expect(Array.from(out)).toEqual([1, 0, 0, 1, 1, 0, 0, 0]);
  searcher.filter(graph.address, undefined, 20, slots, slots.length, out);
  expect(Array.from(out)).toEqual([1, 1, 0, 1, 1, 1, 1, 0]);
});

test("VectorSearcher searches spaces of different dimensions in turn", () => {
  for (const dimensions of [1, 3, 100, 768, 1536]) {
    const other = clustered({ seed: SEED, dimensions, count: 300, queries: 5, centres: 20 });
    const space = new TestSpace({ dimensions, quantization: "bf16", slotsMax: 300, slotsPerChunk: 64 });
    for (let slot = 0; slot < 300; slot++) space.push(row(other.vectors, slot, dimensions));
    const graph = VectorGraph.open(space.config());
    opened.push(graph);
    graph.add(0, 250);
    const found = searcher.search(graph.address, row(other.queries, 0, dimensions), {
      k: K,
      ef: EF,
      nodeCount: 300,
      plan: SEARCH_PLAN.walk,
    });
    expect(found).toBe(K);
    expect(searcher.similarities.subarray(0, found).every(Number.isFinite)).toBe(true);
  }
});
