import { expect, test } from "bun:test";
import { IndexPace } from "../../src/engine/index-pace.ts";

function paced() {
  const world = { nowMs: 0, recalls: 0, nodes: 0 };
  const pace = new IndexPace({ tailMax: 1000, recalls: () => world.recalls, now: () => world.nowMs });
  /** one turn of 100 ms */
  const turn = (tailLongest: number, change: { nodes?: number; recalls?: number } = {}): number => {
    world.nodes += change.nodes ?? 0;
    world.recalls += change.recalls ?? 0;
    pace.begin();
    world.nowMs += 100;
    pace.turned({ tailLongest, nodes: world.nodes });
    return pace.restMs;
  };
  return turn;
}

test("IndexPace rests while writes burst in that nobody recalls from, and the tail has room", () => {
  expect(paced()(100, { nodes: 500 })).toBe(100);
});

test("IndexPace goes on at once when recalls pay for every vector in the tail", () => {
  expect(paced()(100, { nodes: 500, recalls: 200 })).toBe(0);
});

test("IndexPace goes on at once when the tail is nearly full", () => {
  expect(paced()(900, { nodes: 500 })).toBe(0);
});

test("IndexPace goes on at once when the burst is over", () => {
  const turn = paced();
  expect(turn(100, { nodes: 500 })).toBeGreaterThan(0);
  expect(turn(100)).toBe(0);
});
