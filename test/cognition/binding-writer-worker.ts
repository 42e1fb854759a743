/** Takes entries out of one extent and puts them back, as a home writer does, until it is told to stop. */
import {
  BINDING_BYTES,
  BINDING_CHUNK_BYTES,
  BINDING_EXTENT,
  BINDING_EXTENT_HEAD_BYTES,
} from "../../src/layout/binding.ts";
import { viewMemory } from "../../src/shm/region.ts";

declare const self: Worker;

self.onmessage = ({ data }: MessageEvent<{ address: number; base: number; stop: SharedArrayBuffer }>) => {
  const words = new Uint32Array(viewMemory(data.address, BINDING_CHUNK_BYTES));
  const flags = new Int32Array(data.stop);
  const { base } = data;
  const countAt = base + BINDING_EXTENT.count / 4;
  const version = base + BINDING_EXTENT.version / 4;
  const full = words[countAt]!;
  const entryAt = (index: number): number => base + (BINDING_EXTENT_HEAD_BYTES + index * BINDING_BYTES) / 4;
  let rounds = 0;
  while (Atomics.load(flags, 0) === 0) {
    const gap = entryAt(rounds % (full - 1));
    const last = entryAt(full - 1);
    const taken = [0, 1, 2, 3].map((word) => words[gap + word]!);
    Atomics.add(words, version, 1);
    for (let word = 0; word < 4; word++) Atomics.store(words, gap + word, words[last + word]!);
    Atomics.store(words, countAt, full - 1);
    Atomics.add(words, version, 1);
    for (let word = 0; word < 4; word++) Atomics.store(words, last + word, taken[word]!);
    Atomics.store(words, countAt, full);
    rounds += 1;
    // A writer has other things to do between two changes of one node.
    for (let pause = 0; pause < 200; pause++) Atomics.load(flags, 0);
    Atomics.store(flags, 1, rounds);
  }
  self.postMessage(rounds);
};
