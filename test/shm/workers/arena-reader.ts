/** Follows an arena while it grows: every slot below the published count must hold what the writer put there. */
import { SlotArenaReader } from "../../../src/shm/arena.ts";
import { arenaValue, TEST_GEOMETRY } from "./arena-facts.ts";

export type ArenaJob = {
  readonly tableAddress: number;
  /** one i32: slots published */
  readonly published: SharedArrayBuffer;
  readonly slotCount: number;
};

export type ArenaReport = { readonly looks: number; readonly wrong: number };

declare const self: {
  onmessage: ((event: { data: ArenaJob }) => void) | null;
  postMessage(report: ArenaReport): void;
};

self.onmessage = ({ data: { tableAddress, published, slotCount } }) => {
  const reader = new SlotArenaReader({ ...TEST_GEOMETRY, tableAddress });
  const count = new Int32Array(published);
  const numbersPerSlot = TEST_GEOMETRY.strideBytes / 8;
  let looks = 0;
  let wrong = 0;
  let checked = 0;
  while (checked < slotCount) {
    const end = Atomics.load(count, 0);
    for (; checked < end; checked++) {
      const numbers = reader.f64(reader.chunkOfSlot(checked));
      const at = reader.indexInChunk(checked) * numbersPerSlot;
      for (let i = 0; i < numbersPerSlot; i++) if (numbers[at + i] !== arenaValue(checked, i)) wrong += 1;
    }
    looks += 1;
  }
  self.postMessage({ looks, wrong });
};
