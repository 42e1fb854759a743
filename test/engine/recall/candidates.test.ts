import { expect, test } from "bun:test";
import { Random } from "../../../src/base/random.ts";
import { Candidates, DROPPED } from "../../../src/engine/recall/recall-work.ts";

function made(random: Random, count: number): Candidates {
  const candidates = new Candidates();
  const slots = Array.from({ length: count }, (_, i) => i).sort(() => random.float() - 0.5);
  // Few scores, so that many are equal.
  for (const slot of slots) candidates.scores[candidates.add(slot)] = random.below(8);
  return candidates;
}

test("Candidates.inOrder and best agree with sorting, whatever is looked at, equals by slot", () => {
  const random = new Random(11);
  for (const count of [0, 1, 5, 90, 400]) {
    const candidates = made(random, count);
    const { scores, slots } = candidates;
    const sorted = Array.from({ length: count }, (_, i) => i).sort(
      (a, b) => scores[b]! - scores[a]! || slots[a]! - slots[b]!,
    );
    for (const likely of [1, 10, 1000]) {
      expect([...candidates.inOrder(likely)]).toEqual(sorted);
      expect(candidates.best(likely)).toEqual(sorted.slice(0, likely));
    }
  }
});

test("Candidates.drop takes one out of the best and puts it last in order", () => {
  const candidates = made(new Random(3), 50);
  const [first, second] = candidates.best(2);
  candidates.drop(first!);
  expect(candidates.scores[first!]).toBe(DROPPED);
  expect(candidates.best(1)).toEqual([second!]);
  expect([...candidates.inOrder(5)].at(-1)).toBe(first!);
});

test("Candidates.rescale makes the best score what it is asked for and keeps the order", () => {
  const candidates = made(new Random(5), 50);
  const before = candidates.best(50);
  candidates.rescale(0.5);
  expect(candidates.scores[before[0]!]).toBeCloseTo(0.5, 6);
  expect(candidates.best(50)).toEqual(before);
});
