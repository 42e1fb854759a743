import { expect, test } from "bun:test";
import { Random } from "../../src/base/random.ts";
import {
  EXHAUSTED,
  makeSpreadResult,
  NO_NODE,
  pathTo,
  type SpreadParameters,
  type SpreadResult,
  spread,
} from "../../src/cognition/spreading.ts";
import { SpreadScratch } from "../../src/ffi/spread.ts";
import { BindingGraph, type Edge, randomEdges, viewOf } from "./binding-graph.ts";

const PARAMETERS: SpreadParameters = {
  hops: 3,
  decay: 0.5,
  threshold: 0.001,
  visitsMax: 5000,
  cyclePenalty: 0.2,
  kindWeights: Float32Array.from({ length: 8 }, () => 1),
  timeMsMax: Number.POSITIVE_INFINITY,
};
const ROOM = 6000;
const still = (): number => 0;

function seedsOf(...pairs: readonly (readonly [slot: number, activation: number])[]) {
  return {
    count: pairs.length,
    slots: Uint32Array.from(pairs, ([slot]) => slot),
    activations: Float64Array.from(pairs, ([, activation]) => activation),
  };
}

function plain(edges: readonly (readonly Edge[])[], seeds: ReturnType<typeof seedsOf>, changed = {}) {
  return spread(
    viewOf(edges),
    seeds,
    { ...PARAMETERS, ...changed },
    makeSpreadResult(ROOM - 5000, 5000),
    still,
  );
}

function receivedBy(result: SpreadResult, slot: number): number {
  const at = result.slots.subarray(0, result.count).indexOf(slot);
  return at < 0 ? 0 : result.received[at]!;
}

/** Bindings in both directions. */
function linked(nodeCount: number, links: readonly (readonly [number, number, number, number?])[]): Edge[][] {
  const edges: Edge[][] = Array.from({ length: nodeCount }, () => []);
  for (const [a, b, strength, kind = 0] of links) {
    edges[a]!.push({ target: b, strength, kind });
    edges[b]!.push({ target: a, strength, kind });
  }
  return edges;
}

test("spread passes activation on by strength, decay and the square root of the fan-out", () => {
  const edges = linked(4, [
    [0, 1, 1],
    [0, 2, 0.5],
    [0, 3, 0.25],
    [2, 3, 0],
  ]);
  const result = plain(edges, seedsOf([0, 1]), { hops: 1 });
  const share = 0.5 / Math.sqrt(3);
  expect(receivedBy(result, 1)).toBeCloseTo(share, 12);
  expect(receivedBy(result, 2)).toBeCloseTo(share * 0.5, 12);
  expect(receivedBy(result, 3)).toBeCloseTo(share * 0.25, 12);
  expect(result.visited).toBe(3);
});

test("spread adds up what arrives from two seeds, and a seed counts what others give it", () => {
  const edges = linked(3, [
    [0, 1, 1],
    [2, 1, 1],
    [0, 2, 1],
  ]);
  const result = plain(edges, seedsOf([0, 1], [2, 0.5]), { hops: 1 });
  expect(receivedBy(result, 1)).toBeCloseTo((1.5 * 0.5) / Math.SQRT2, 12);
  expect(receivedBy(result, 0)).toBeCloseTo((0.5 * 0.5) / Math.SQRT2, 12);
});

test("spread reaches as far as its hops, and weakens with each", () => {
  const chain = linked(
    6,
    [0, 1, 2, 3, 4].map((i) => [i, i + 1, 1] as const),
  );
  for (const hops of [1, 2, 3, 4]) {
    const result = plain(chain, seedsOf([0, 1]), { hops });
    expect(receivedBy(result, hops)).toBeGreaterThan(0);
    expect(receivedBy(result, hops + 1)).toBe(0);
    expect(receivedBy(result, hops)).toBeLessThan(receivedBy(result, hops - 1) || 1);
  }
});

test("spread counts what returns on its own way by the cycle penalty", () => {
  const pair = linked(2, [[0, 1, 1]]);
  expect(receivedBy(plain(pair, seedsOf([0, 1]), { hops: 2, cyclePenalty: 0 }), 0)).toBe(0);
  expect(receivedBy(plain(pair, seedsOf([0, 1]), { hops: 2, cyclePenalty: 0.2 }), 0)).toBeCloseTo(0.05, 12);
});

test("spread does not follow kinds of weight 0, nor fire below the threshold", () => {
  const edges = linked(3, [
    [0, 1, 1, 2],
    [1, 2, 1, 0],
  ]);
  const kindWeights = PARAMETERS.kindWeights.slice();
  kindWeights[2] = 0;
  expect(plain(edges, seedsOf([0, 1]), { kindWeights }).count).toBe(1);
  expect(receivedBy(plain(edges, seedsOf([0, 1]), { threshold: 0.9 }), 1)).toBe(0.5);
  expect(receivedBy(plain(edges, seedsOf([0, 1]), { threshold: 0.9 }), 2)).toBe(0);
});

test("spread stops at its visits and at its time, strongest first, and says which", () => {
  const star = linked(30, [
    ...Array.from({ length: 9 }, (_, i) => [0, i + 2, 1] as const),
    ...Array.from({ length: 9 }, (_, i) => [1, i + 12, 1] as const),
  ]);
  const visits = plain(star, seedsOf([0, 0.5], [1, 1]), { visitsMax: 9 });
  expect([visits.exhausted, visits.visited]).toEqual([EXHAUSTED.visits, 9]);
  expect(receivedBy(visits, 12)).toBeGreaterThan(0);
  expect(receivedBy(visits, 2)).toBe(0);
  expect(plain(star, seedsOf([0, 1])).exhausted).toBe(EXHAUSTED.none);
});

test("spread ends at its time, of which a wait for a core counts half a millisecond", () => {
  const chain = linked(
    300,
    Array.from({ length: 299 }, (_, i) => [0, i + 1, 1] as const),
  );
  const seeds = seedsOf(...Array.from({ length: 100 }, (_, i) => [i, 1] as [number, number]));
  const after = (timeMsMax: number, msBetweenLooks: number): number => {
    let ms = 0;
    const result = makeSpreadResult(1000, 5000);
    const parameters = { ...PARAMETERS, hops: 1, timeMsMax };
    return spread(viewOf(chain), seeds, parameters, result, () => (ms += msBetweenLooks)).exhausted;
  };
  // A hundred seeds are looked at four times.
  expect(after(1.5, 0.4)).toBe(EXHAUSTED.time);
  expect(after(1.7, 0.4)).toBe(EXHAUSTED.none);
  expect(after(2.1, 20)).toBe(EXHAUSTED.none);
  expect(after(1.9, 20)).toBe(EXHAUSTED.time);
});

test("pathTo gives the way of the strongest part, from a seed", () => {
  const edges = linked(5, [
    [0, 1, 0.9],
    [1, 2, 0.8, 3],
    [0, 3, 0.1],
    [3, 2, 0.1],
  ]);
  const result = plain(edges, seedsOf([0, 1]));
  const at = result.slots.indexOf(2);
  expect(pathTo(result, at).map((node) => result.slots[node]!)).toEqual([0, 1, 2]);
  expect([result.viaKinds[at], result.viaStrengths[at]]).toEqual([3, Math.fround(0.8)]);
  expect(result.via[0]).not.toBe(NO_NODE);
});

test("the native spread equals the plain one on random graphs, budgets and parameters", () => {
  const random = new Random(41);
  for (let round = 0; round < 60; round++) {
    const nodeCount = 2 + random.below(600);
    const edges = randomEdges(random, nodeCount, random.below(6 * nodeCount));
    const arenas = new BindingGraph(nodeCount, edges);
    const seeds = seedsOf(
      ...Array.from(
        { length: 1 + random.below(12) },
        () => [random.below(nodeCount), 0.05 + random.float()] as const,
      ),
    );
    const parameters = {
      ...PARAMETERS,
      hops: 1 + random.below(5),
      decay: 0.2 + 0.8 * random.float(),
      threshold: 0.02 * random.float(),
      visitsMax: random.below(3) === 0 ? random.below(200) : 5000,
      cyclePenalty: random.float(),
      kindWeights: Float32Array.from({ length: 8 }, () => (random.below(4) === 0 ? 0 : random.float())),
    };
    const expected = spread(viewOf(edges), seeds, parameters, makeSpreadResult(1000, 5000), still);
    const found = makeSpreadResult(1000, 5000);
    const scratch = new SpreadScratch(ROOM);
    // Twice, since what one call leaves behind must not show in the next.
    for (let call = 0; call < 2; call++) {
      found.count = scratch.spread(arenas.graph, seeds, parameters, found);
      expect([...scratch.outcome]).toEqual([
        expected.seedCount,
        expected.visited,
        expected.hops,
        expected.exhausted,
      ]);
      expect(found.count).toBe(expected.count);
      for (let node = 0; node < found.count; node++) {
        expect(found.slots[node]).toBe(expected.slots[node]!);
        expect(found.via[node]).toBe(expected.via[node]!);
        const difference = Math.abs(found.received[node]! - expected.received[node]!);
        expect(difference).toBeLessThanOrEqual(1e-6 * expected.received[node]!);
      }
    }
    arenas.free();
  }
});

test("the native spread reads whole extents while a writer on another thread changes them", async () => {
  const FAN = 40;
  const nodeCount = 200;
  const edges: Edge[][] = Array.from({ length: nodeCount }, () => []);
  edges[0] = Array.from({ length: FAN }, (_, i) => ({ target: i + 1, strength: 1, kind: 0 }));
  const arenas = new BindingGraph(nodeCount, edges);
  const stop = new SharedArrayBuffer(8);
  const worker = new Worker(new URL("./binding-writer-worker.ts", import.meta.url).href);
  const done = new Promise<number>((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data as number);
    worker.onerror = ({ message }) => reject(new Error(message));
  });
  const { base } = arenas.extentOf(0);
  worker.postMessage({ address: arenas.bindings.address(0), base, stop });
  const flags = new Int32Array(stop);
  const result = makeSpreadResult(1000, 5000);
  const scratch = new SpreadScratch(ROOM);
  const parameters = { ...PARAMETERS, hops: 1 };
  while (Atomics.load(flags, 1) < 100) await Bun.sleep(1);
  let short = 0;
  let full = 0;
  // Both states are to be seen often; how long that takes is up to the machine.
  for (let read = 0; read < 20_000_000 && (read < 50_000 || short < 100 || full < 100); read++) {
    const count = scratch.spread(arenas.graph, seedsOf([0, 1]), parameters, result);
    // Either all are there, or one is taken out: never one twice, never a hole. A writer that was put to
    // sleep between the two halves of a change is not waited for.
    if (count === 1) continue;
    if (count !== 1 + FAN && count !== FAN) throw new Error(`read ${count - 1} of ${FAN} bindings`);
    if (scratch.outcome[1] !== count - 1) throw new Error("a binding was read twice");
    if (count === FAN) short += 1;
    else full += 1;
  }
  Atomics.store(flags, 0, 1);
  expect(await done).toBeGreaterThan(1000);
  expect(short).toBeGreaterThanOrEqual(100);
  expect(full).toBeGreaterThanOrEqual(100);
  worker.terminate();
  arenas.free();
});
