import { expect, test } from "bun:test";
import { clustered } from "../../bench/support/clustered.ts";
import { ConceptFormer, FORMATION_RULES, formationCut } from "../../src/cognition/concept-formation.ts";
import { Rows } from "../../src/ffi/centroids.ts";

const DIMENSIONS = 96;

function batch(options: { count: number; centres: number; sigma: number; seed: number }): Float32Array {
  return clustered({ ...options, dimensions: DIMENSIONS, queries: 0 }).vectors;
}

test("ConceptFormer finds the groups that a batch was made of", () => {
  const vectors = batch({ count: 300, centres: 12, sigma: 0.5, seed: 2 });
  const former = new ConceptFormer(DIMENSIONS);
  const rows = Rows.of(vectors, DIMENSIONS);
  const background = former.background(rows, 1);
  const cut = formationCut(background, FORMATION_RULES);
  const proposals = former.form(rows, { cut, membersMin: 3, threads: 1 });
  expect(proposals.length).toBe(12);
  expect(proposals.reduce((sum, { members }) => sum + members.length, 0)).toBe(300);
  expect(cut).toBeGreaterThan(background.mean);
  for (const { members, direction, coherence } of proposals) {
    let sum = 0;
    for (const row of members)
      for (let d = 0; d < DIMENSIONS; d++) sum += direction[d]! * vectors[row * DIMENSIONS + d]!;
    expect(Math.abs(sum / members.length - coherence)).toBeLessThan(1e-5);
    expect(coherence).toBeGreaterThan(0.85);
  }
});

test("ConceptFormer forms the same concepts for any number of threads", () => {
  const vectors = batch({ count: 500, centres: 40, sigma: 1.2, seed: 3 });
  const rows = Rows.of(vectors, DIMENSIONS);
  const rules = { cut: 0.3, membersMin: 3 };
  const alone = new ConceptFormer(DIMENSIONS).form(rows, { ...rules, threads: 1 });
  expect(alone.length).toBeGreaterThan(5);
  for (const threads of [2, 5, 16]) {
    const shared = new ConceptFormer(DIMENSIONS).form(rows, { ...rules, threads });
    expect(shared).toEqual(alone);
  }
});

test("ConceptFormer forms nothing from strangers, nor from fewer members than a concept has", () => {
  const strangers = batch({ count: 200, centres: 200_000, sigma: 1, seed: 4 });
  const former = new ConceptFormer(DIMENSIONS);
  expect(former.form(Rows.of(strangers, DIMENSIONS), { cut: 0.5, membersMin: 3, threads: 1 })).toEqual([]);
  const pair = batch({ count: 2, centres: 1, sigma: 0.1, seed: 5 });
  expect(former.form(Rows.of(pair, DIMENSIONS), { cut: 0.1, membersMin: 3, threads: 1 })).toEqual([]);
});

test("formationCut lies above the background, between the least similarity and halfway to the same", () => {
  const rules = { membersMin: 3, distinctiveness: 2, similarityMin: 0.3 };
  expect(formationCut({ mean: 0.4, deviation: 0.1, pairs: 10 }, rules)).toBeCloseTo(0.6, 12);
  expect(formationCut({ mean: 0.05, deviation: 0.02, pairs: 10 }, rules)).toBe(0.3);
  expect(formationCut({ mean: 0.2, deviation: 0.3, pairs: 10 }, rules)).toBeCloseTo(0.6, 12);
});
