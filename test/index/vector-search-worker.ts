/** A searcher in its own thread, for vector-concurrency.test.ts: searches until told to stop, and checks all. */
import { VectorSearcher } from "../../src/index/vector-searcher.ts";

declare const self: Worker;

export type SearchJob = {
  readonly graph: number;
  readonly dimensions: number;
  readonly vectors: SharedArrayBuffer;
  /** 0: slots published, 1: slots indexed, 2: stop */
  readonly words: SharedArrayBuffer;
  readonly seed: number;
};
export type SearchReport = {
  readonly searches: number;
  readonly missed: number;
  readonly wrong: string[];
};

self.onmessage = ({ data: job }: MessageEvent<SearchJob>) => {
  const words = new Int32Array(job.words);
  const vectors = new Float32Array(job.vectors);
  const searcher = new VectorSearcher();
  const wrong: string[] = [];
  let searches = 0;
  let missed = 0;
  let state = job.seed >>> 0;
  while (Atomics.load(words, 2) === 0 && wrong.length < 10) {
    // Indexed before published, so that the tail is never left out.
    const indexedCount = Atomics.load(words, 1);
    const nodeCount = Atomics.load(words, 0);
    if (nodeCount === 0) continue;
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const target = state % nodeCount;
    const query = vectors.subarray(target * job.dimensions, (target + 1) * job.dimensions);
    const found = searcher.search(job.graph, query, { k: 10, ef: 64, nodeCount, indexedCount });
    searches++;
    if (found !== Math.min(10, nodeCount)) wrong.push(`${found} results of ${nodeCount} slots`);
    // Not by slot: another one may have an equal vector.
    if (!(searcher.similarities[0]! > 1 - 1e-6)) missed++;
    for (let i = 0; i < found; i++) {
      const slot = searcher.slots[i]!;
      if (slot >= nodeCount) {
        wrong.push(`slot ${slot} of ${nodeCount}`);
        continue;
      }
      if (searcher.slots.subarray(0, i).includes(slot)) wrong.push(`slot ${slot} twice`);
      let exact = 0;
      for (let d = 0; d < job.dimensions; d++) exact += query[d]! * vectors[slot * job.dimensions + d]!;
      const similarity = searcher.similarities[i]!;
      if (!(Math.abs(similarity - exact) < 1e-5)) wrong.push(`slot ${slot}: ${similarity}, not ${exact}`);
    }
  }
  searcher.close();
  self.postMessage({ searches, missed, wrong } satisfies SearchReport);
};
