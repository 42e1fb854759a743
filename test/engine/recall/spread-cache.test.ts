import { describe, expect, test } from "bun:test";
import { makeSpreadResult, type SpreadSeeds } from "../../../src/cognition/spreading.ts";
import { settingsSchema } from "../../../src/config/schema.ts";
import { activationSettings } from "../../../src/engine/recall/activation-settings.ts";
import { SpreadCache, type SpreadScene } from "../../../src/engine/recall/spread-cache.ts";

const ASKED = activationSettings(settingsSchema.parse({}));
const SCENE: SpreadScene = { spaceIndex: 1, generation: 2, mindGeneration: 3, nodeCount: 100, minute: 7 };
const OUTCOME = { visited: 9, hops: 2, exhausted: 0 } as const;

function seedsOf(...pairs: readonly (readonly [slot: number, activation: number])[]): SpreadSeeds {
  return {
    count: pairs.length,
    slots: Uint32Array.from(pairs, ([slot]) => slot),
    activations: Float64Array.from(pairs, ([, activation]) => activation),
  };
}

/** A cache that keeps one spreading from the seeds. */
function keeping(seeds: SpreadSeeds): SpreadCache {
  const cache = new SpreadCache();
  const result = makeSpreadResult(4, 16);
  expect(cache.find(seeds, ASKED, SCENE, result)).toBeUndefined();
  result.count = 3;
  result.seedCount = 1;
  result.slots.set([5, 8, 13]);
  result.received.set([0, 0.5, 0.25]);
  result.via.set([0xffffffff, 0, 1]);
  result.viaStrengths.set([0, 0.75, 0.5]);
  cache.keep(result, OUTCOME);
  return cache;
}

describe("SpreadCache", () => {
  const seeds = seedsOf([5, 1], [6, 0.25]);

  test("SpreadCache gives back what was kept for the same seeds in the same state", () => {
    const cache = keeping(seeds);
    const result = makeSpreadResult(4, 16);
    expect(cache.find(seedsOf([5, 1], [6, 0.25]), ASKED, { ...SCENE }, result)).toEqual(OUTCOME);
    expect([result.count, result.seedCount]).toEqual([3, 1]);
    expect([...result.slots.subarray(0, 3)]).toEqual([5, 8, 13]);
    expect([...result.received.subarray(0, 3)]).toEqual([0, 0.5, 0.25]);
    expect([...result.via.subarray(0, 3)]).toEqual([0xffffffff, 0, 1]);
    expect(cache.bytes).toBeGreaterThan(3 * 20);
  });

  test("SpreadCache finds nothing once anything is another", () => {
    const result = makeSpreadResult(4, 16);
    for (const name of Object.keys(SCENE) as (keyof SpreadScene)[]) {
      const scene = { ...SCENE, [name]: SCENE[name] + 1 };
      expect([name, keeping(seeds).find(seeds, ASKED, scene, result)]).toEqual([name, undefined]);
    }
    for (const name of ["hops", "decay", "threshold", "visits", "cyclePenalty"] as const) {
      const asked = { ...ASKED, [name]: ASKED[name] / 2 };
      expect([name, keeping(seeds).find(seeds, asked, SCENE, result)]).toEqual([name, undefined]);
    }
    const others = [
      seedsOf([5, 1]),
      seedsOf([5, 1], [7, 0.25]),
      seedsOf([5, 1], [6, 0.26]),
      seedsOf([6, 0.25], [5, 1]),
    ];
    for (const other of others) expect(keeping(seeds).find(other, ASKED, SCENE, result)).toBeUndefined();
  });
});
