/**
 * How many vectors a second does one core link into a graph, ours and usearch's?
 *
 * Expected: ours links with usearch's own code, so what differs is how fast two vectors are compared. Some
 * 1,500 comparisons an insert (ef_construction 128, and the lists of the neighbours) at 100-150 ns each are
 * 0.2 ms while the vectors fit the caches, 0.3-0.5 ms at 50,000. The goal is to be no slower.
 *
 * Both take turns in rounds of 1,000, ours in batches of 32 as the indexer adds them. Afterwards every vector
 * is searched for by itself, and what one core does while another inserts is left to the load tests.
 *
 *   bun bench/index/insert.bench.ts [--small] [--quantization bf16|f32|f16|i8] [--count N] [--seed N]
 */
import { parseArgs } from "node:util";
import { machineText } from "../../src/base/machine-text.ts";
import { VectorGraph } from "../../src/index/vector-graph.ts";
import { SEARCH_PLAN, VectorSearcher } from "../../src/index/vector-searcher.ts";
import type { Quantization } from "../../src/layout/space-root.ts";
import { quantile } from "../../src/operate/load/http-load.ts";
import { TestSpace } from "../../test/index/vector-space.ts";
import { CLUSTERED_CENTRES, CLUSTERED_SIGMA, clustered, row } from "../support/clustered.ts";
import { openUsearch } from "../support/usearch-rival.ts";

const DIMENSIONS = 768;
const M = 16;
const EF_CONSTRUCTION = 128;
const ROUND = 1000;
const BATCH = 32;

export type InsertBenchOptions = {
  readonly count: number;
  readonly seed: number;
  readonly quantization: Quantization;
};
export type InsertBenchResult = {
  readonly oursPerSecond: number;
  readonly usearchPerSecond: number;
  /** vectors that their own search does not find */
  readonly lost: number;
};

export async function benchInsert(
  options: InsertBenchOptions,
  log: (line: string) => void,
): Promise<InsertBenchResult> {
  const { count, seed, quantization } = options;
  log(machineText());
  log(
    `${count} clustered vectors (${CLUSTERED_CENTRES} centres, sigma ${CLUSTERED_SIGMA}), ${DIMENSIONS}-d, ` +
      `${quantization}, M ${M}, ef_construction ${EF_CONSTRUCTION}, batches of ${BATCH}, seed ${seed}`,
  );
  const data = clustered({ seed, dimensions: DIMENSIONS, count, queries: 0 });
  const space = new TestSpace({
    dimensions: DIMENSIONS,
    quantization,
    slotsMax: count,
    slotsPerChunk: 4096,
    isMapped: true,
  });
  for (let slot = 0; slot < count; slot++) space.push(row(data.vectors, slot, DIMENSIONS));
  const graph = VectorGraph.open(space.config({ M, efConstruction: EF_CONSTRUCTION }));
  const rival = await openUsearch({
    dimensions: DIMENSIONS,
    quantization,
    M,
    efConstruction: EF_CONSTRUCTION,
    ef: 64,
  });

  let oursMs = 0;
  let theirsMs = 0;
  const batchesMs: number[] = [];
  for (let from = 0; from < count; from += ROUND) {
    const end = Math.min(count, from + ROUND);
    for (let at = from; at < end; at += BATCH) {
      const startedAt = performance.now();
      graph.add(at, Math.min(BATCH, end - at));
      const tookMs = performance.now() - startedAt;
      batchesMs.push(tookMs);
      oursMs += tookMs;
    }
    const startedAt = performance.now();
    rival.add(from, data.vectors.subarray(from * DIMENSIONS, end * DIMENSIONS), end - from);
    theirsMs += performance.now() - startedAt;
    if (end % 10_000 === 0)
      log(`  ${end}: ${(oursMs / end).toFixed(3)} and ${(theirsMs / end).toFixed(3)} ms a vector`);
  }
  const result = {
    oursPerSecond: (count / oursMs) * 1000,
    usearchPerSecond: (count / theirsMs) * 1000,
    lost: countLost(graph, data.vectors, count),
  };
  const times = Float64Array.from(batchesMs);
  const at = (share: number): string => quantile(times, share).toFixed(1);
  log(
    `ours    ${result.oursPerSecond.toFixed(0)} vectors/s; a batch of ${BATCH}: p50 ${at(0.5)} p99 ${at(0.99)} max ${at(1)} ms`,
  );
  log(`usearch ${result.usearchPerSecond.toFixed(0)} vectors/s`);
  log(`ours / usearch: ${(result.oursPerSecond / result.usearchPerSecond).toFixed(2)}`);
  const startedAt = performance.now();
  const { before, after } = graph.repair();
  const repairMs = performance.now() - startedAt;
  log(
    `not found by their own search: ${result.lost}; unreachable: ${before}, after repair ${after} (${repairMs.toFixed(0)} ms)`,
  );
  log(`${(graph.stats().usedBytes / count).toFixed(0)} bytes a vector beside the arenas`);
  graph.close();
  return result;
}

function countLost(graph: VectorGraph, vectors: Float32Array, count: number): number {
  const searcher = new VectorSearcher();
  let lost = 0;
  for (let slot = 0; slot < count; slot++) {
    const wanted = { k: 1, ef: 64, nodeCount: count, plan: SEARCH_PLAN.walk };
    searcher.search(graph.address, row(vectors, slot, DIMENSIONS), wanted);
    if (searcher.slots[0] !== slot) lost++;
  }
  searcher.close();
  return lost;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      small: { type: "boolean", default: false },
      quantization: { type: "string", default: "bf16" },
      count: { type: "string" },
      seed: { type: "string", default: "1" },
    },
  });
  await benchInsert(
    {
      count: Number(values.count ?? (values.small ? 1000 : 50_000)),
      seed: Number(values.seed),
      quantization: values.quantization as Quantization,
    },
    console.log,
  );
}
