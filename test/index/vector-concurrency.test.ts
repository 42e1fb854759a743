/** One thread inserts, saves and repairs while others search the same graph by its address. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clustered, row } from "../../bench/support/clustered.ts";
import { VectorGraph } from "../../src/index/vector-graph.ts";
import { SEARCH_PLAN, VectorSearcher } from "../../src/index/vector-searcher.ts";
import type { SearchJob, SearchReport } from "./vector-search-worker.ts";
import { TestSpace } from "./vector-space.ts";

// Seconds on an idle machine; graphs take their time where other work runs beside.
setDefaultTimeout(120_000);

const DIMENSIONS = 64;
const COUNT = 6000;
const WORKERS = 3;

test("VectorGraph is searched by several workers while it grows past its capacity again and again", async () => {
  const data = clustered({ seed: 3, dimensions: DIMENSIONS, count: COUNT, queries: 0, centres: 100 });
  // Every eighth is one that came before, so that chains of equal vectors grow under the searchers too.
  for (let slot = 8; slot < COUNT; slot += 8) {
    row(data.vectors, slot, DIMENSIONS).set(row(data.vectors, (slot >> 6) << 3, DIMENSIONS));
  }
  const shared = new SharedArrayBuffer(COUNT * DIMENSIONS * 4);
  new Float32Array(shared).set(data.vectors);
  const words = new SharedArrayBuffer(16);
  const published = new Int32Array(words);
  const space = new TestSpace({
    dimensions: DIMENSIONS,
    quantization: "bf16",
    slotsMax: COUNT,
    slotsPerChunk: 256,
  });
  const graph = VectorGraph.open(space.config());
  const directory = mkdtempSync(join(tmpdir(), "vector-concurrency-"));

  const reports = Array.from({ length: WORKERS }, (_, i) => {
    const worker = new Worker(new URL("./vector-search-worker.ts", import.meta.url).href);
    const report = new Promise<SearchReport>((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<SearchReport>) => resolve(data);
      worker.onerror = (event) => reject(new Error(event.message));
    }).finally(() => worker.terminate());
    const job: SearchJob = {
      graph: graph.address,
      dimensions: DIMENSIONS,
      vectors: shared,
      words,
      seed: 77 * (i + 1),
    };
    worker.postMessage(job);
    return report;
  });

  const fd = openSync(join(directory, "graph"), "w+");
  let indexed = 0;
  for (let slot = 0; slot < COUNT; slot++) {
    space.push(row(data.vectors, slot, DIMENSIONS));
    Atomics.store(published, 0, slot + 1);
    if (slot % 32 === 31) {
      graph.add(indexed, 24);
      indexed += 24;
      Atomics.store(published, 1, indexed);
    }
    // The workers have to get a turn on machines with few cores.
    if (slot % 500 === 499) {
      graph.save(fd, 0);
      await Bun.sleep(5);
    }
  }
  while (indexed < COUNT) {
    const count = Math.min(16, COUNT - indexed);
    graph.add(indexed, count);
    indexed += count;
    Atomics.store(published, 1, indexed);
  }
  graph.repair();
  await Bun.sleep(20);
  Atomics.store(published, 2, 1);

  let searches = 0;
  let missed = 0;
  for (const report of await Promise.all(reports)) {
    expect(report.wrong).toEqual([]);
    expect(report.searches).toBeGreaterThan(0);
    searches += report.searches;
    missed += report.missed;
  }
  // A walk may pass a list while it is being rewritten; few do, and none ends there.
  expect(missed / searches).toBeLessThan(0.005);

  const loaded = VectorGraph.open(space.config());
  graph.save(fd, 0);
  expect(loaded.load(fd, 0, COUNT)).toBe("loaded");
  closeSync(fd);
  const searcher = new VectorSearcher();
  for (const address of [graph.address, loaded.address]) {
    for (let slot = 0; slot < COUNT; slot++) {
      const wanted = { k: 1, ef: 64, nodeCount: COUNT, plan: SEARCH_PLAN.walk };
      searcher.search(address, row(data.vectors, slot, DIMENSIONS), wanted);
      expect(searcher.similarities[0]).toBeGreaterThan(1 - 1e-6);
    }
  }
  searcher.close();
  loaded.close();
  graph.close();
  rmSync(directory, { recursive: true });
});
