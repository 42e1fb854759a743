/**
 * How long does it take to derive all posting lists at the start?
 *
 * Sketch: two passes over the forward lists, one random write each: 10 to 30 ns a posting. Memory by memory, as
 * writes do it, a posting costs a hash look-up and checks on top: some 100 to 300 ns, cold code the more.
 *
 *   bun bench/index/posting-rebuild.bench.ts [--small]
 */

import { machineText } from "../../src/base/machine-text.ts";
import { Random } from "../../src/base/random.ts";
import { encodeLengthByte } from "../../src/index/bm25.ts";
import { WordIndexWriter } from "../../src/index/word-index-writer.ts";
import { ByteArena, SlotArena } from "../../src/shm/arena.ts";
import { SharedTable } from "../../src/shm/shared-table.ts";

const MEMORIES = process.argv.includes("--small") ? 2000 : 100_000;
const TERMS_EACH = 17;
const VOCABULARY = 20_000;
const SEED = 5;
const policy = { hugePages: "off" } as const;

function arenas() {
  const byte = (chunkBytes: number, alignBytes: number) =>
    new ByteArena({ chunkBytes, alignBytes, purpose: "bench", policy });
  return {
    terms: new SlotArena({ slotsPerChunk: 65_536, strideBytes: 32, purpose: "bench", policy }),
    postings: byte(2 << 20, 16),
    forward: byte(2 << 20, 1),
    termHashes: new SharedTable({
      words: new Int32Array(32),
      numbers: new Float64Array(48),
      generationWord: "termTableGeneration",
      purpose: "bench",
      policy,
    }),
  };
}

const random = new Random(SEED);
const first = arenas();
const writer = new WordIndexWriter(first, 0);
const forwardAt = new Float64Array(MEMORIES);
let postings = 0;
const addStart = Bun.nanoseconds();
for (let slot = 0; slot < MEMORIES; slot++) {
  const terms = new Set<number>();
  while (terms.size < TERMS_EACH) terms.add(Math.floor(VOCABULARY * random.float() ** 3));
  const los = Uint32Array.from(terms, (term) => Math.imul(term + 1, 0x9e3779b1) >>> 0);
  forwardAt[slot] = writer.add(slot, TERMS_EACH, {
    count: terms.size,
    los,
    his: los,
    frequencies: new Uint32Array(terms.size).fill(1),
  });
  postings += terms.size;
}
const addNs = (Bun.nanoseconds() - addStart) / postings;

const second = { ...arenas(), terms: first.terms, forward: first.forward };
const rebuilt = new WordIndexWriter(second, writer.termCount);
const rebuildStart = Bun.nanoseconds();
rebuilt.rebuildTermHashes(writer.termCount);
rebuilt.rebuild({
  count: MEMORIES,
  slots: Uint32Array.from({ length: MEMORIES }, (_, slot) => slot),
  lengthBytes: new Uint8Array(MEMORIES).fill(encodeLengthByte(TERMS_EACH)),
  forwardAt,
});
const rebuildMs = (Bun.nanoseconds() - rebuildStart) / 1e6;
console.log(`machine     ${machineText()}`);
console.log(
  `parameters  memories ${MEMORIES}, terms each ${TERMS_EACH}, vocabulary ${VOCABULARY}, seed ${SEED}`,
);
console.log(`added one by one, making the terms up included: ${addNs.toFixed(0)} ns a posting`);
console.log(
  `rebuilt at once: ${((rebuildMs * 1e6) / postings).toFixed(0)} ns a posting, ${rebuildMs.toFixed(0)} ms in all`,
);
