import { expect, test } from "bun:test";
import { Random } from "../../src/base/random.ts";
import { bestScores } from "../../src/ffi/words.ts";
import { NODE_HEADER, NODE_HEADER_BYTES, NODE_STATE } from "../../src/layout/node-header.ts";
import { SlotArena } from "../../src/shm/arena.ts";

const SLOTS = 400;

function headers(isLive: (slot: number) => boolean): SlotArena {
  const arena = new SlotArena({
    slotsPerChunk: 256,
    strideBytes: NODE_HEADER_BYTES,
    purpose: "words test",
    policy: { hugePages: "off" },
  });
  arena.ensure(SLOTS - 1);
  for (let slot = 0; slot < SLOTS; slot++) {
    const words = arena.u32(arena.chunkOfSlot(slot));
    const state = isLive(slot) ? NODE_STATE.live : NODE_STATE.forgotten;
    words[(arena.indexInChunk(slot) * NODE_HEADER_BYTES + NODE_HEADER.state) / 4] = state;
  }
  return arena;
}

test("bestScores keeps the best of those that are live, or that pass, whatever their order", () => {
  const random = new Random(3);
  const isLive = (slot: number): boolean => slot % 3 !== 0;
  const arena = headers(isLive);
  for (const k of [1, 2, 7, 64, 500]) {
    for (const count of [0, 1, 5, 300]) {
      const scores = Float32Array.from({ length: SLOTS }, () => 1 + random.below(1000));
      const touched = Uint32Array.from({ length: SLOTS + 1 }, (_, i) => (i * 7) % SLOTS);
      const passes = Uint8Array.from({ length: count }, () => random.below(2));
      const out = { slots: new Uint32Array(k), scores: new Float32Array(k) };
      for (const filter of [undefined, passes]) {
        const kept = bestScores({ scores, touched }, count, filter, arena.ref, k, out);
        const fitting = [...touched.subarray(0, count)].filter((slot, i) =>
          filter === undefined ? isLive(slot) : filter[i] === 1,
        );
        const expected = fitting.map((slot) => scores[slot]!).sort((a, b) => b - a);
        expect([...out.scores.subarray(0, kept)].sort((a, b) => b - a)).toEqual(expected.slice(0, k));
        for (let i = 0; i < kept; i++) expect(scores[out.slots[i]!]).toBe(out.scores[i]!);
      }
    }
  }
  arena.free();
});
