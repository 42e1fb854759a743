import { expect, test } from "bun:test";
import { Random } from "../../src/base/random.ts";
import { TopScores } from "../../src/engine/top-scores.ts";

test("TopScores keeps the best of a stream, whatever its order", () => {
  const random = new Random(3);
  const best = new TopScores(64);
  for (const capacity of [1, 2, 7, 64]) {
    for (const length of [0, 1, 5, 300]) {
      const scores = Float32Array.from({ length }, () => random.below(1000));
      best.start(capacity);
      scores.forEach((score, slot) => {
        if (best.wants(score)) best.add(slot, score);
      });
      const kept = [...best.scores.subarray(0, best.count)].sort((a, b) => b - a);
      expect(kept).toEqual([...scores].sort((a, b) => b - a).slice(0, capacity));
      for (let i = 0; i < best.count; i++) expect(scores[best.slots[i]!]).toBe(best.scores[i]!);
    }
  }
});
