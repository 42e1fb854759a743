import { expect, test } from "bun:test";
import { Random } from "../../../src/base/random.ts";
import { CONCEPTS_CACHED_MAX, ConceptCache } from "../../../src/engine/consolidation/concept-cache.ts";
import type { Concept } from "../../../src/engine/consolidation/concept-desk.ts";
import type { SpaceReader } from "../../../src/engine/space-reader.ts";

const versions = new Map<number, number>();
/** As much of a reader as the cache asks. */
const readerOf = () =>
  ({ bindingVersion: (slot: number) => versions.get(slot) ?? 0 }) as unknown as SpaceReader;
const conceptOf = (slot: number) => ({ id: `concept-${slot}` }) as Concept;

test("ConceptCache reads a concept again when its bindings changed, or the space has other slots", () => {
  const cache = new ConceptCache();
  const reader = readerOf();
  let reads = 0;
  const get = (from: SpaceReader) =>
    cache.get(from, 7, () => {
      reads += 1;
      return conceptOf(7);
    });
  expect(get(reader)).toBe(get(reader));
  expect(reads).toBe(1);
  versions.set(7, 1);
  get(reader);
  expect(reads).toBe(2);
  get(readerOf());
  expect(reads).toBe(3);
});

test("ConceptCache finds nine in ten of 10,000 concepts that are asked for by Zipf's law", () => {
  const cache = new ConceptCache();
  const reader = readerOf();
  const random = new Random(11);
  const weights = Array.from({ length: 10_000 }, (_, rank) => 1 / (rank + 1));
  let sum = 0;
  const cumulative = Float64Array.from(weights, (weight) => {
    sum += weight;
    return sum;
  });
  const draw = (): number => {
    const at = random.float() * sum;
    let low = 0;
    let high = cumulative.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (cumulative[middle]! < at) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const ask = (): void => {
    const slot = draw();
    cache.get(reader, slot, () => conceptOf(slot));
  };
  for (let i = 0; i < 50_000; i++) ask();
  const before = { hits: cache.hits, misses: cache.misses };
  for (let i = 0; i < 50_000; i++) ask();
  const hits = cache.hits - before.hits;
  expect(hits / 50_000).toBeGreaterThan(0.9);
  expect(CONCEPTS_CACHED_MAX).toBeLessThan(10_000);
});
