/**
 * How many searches a second does one core do through our walk, and through usearch called in-process?
 *
 * Expected: a search at ef 64 measures some 1,100 distances (about 32 links of each of 70 nodes, half of them
 * seen before). Each brings 24 cache lines from memory; at 10 GB/s that is 150 ns, 0.17 ms in all. Both walk the same
 * kind of graph, so ours can only win by keeping more lines on their way at once, by huge pages, and by a
 * kernel that does not wait for itself. The goal is to be no slower at the same recall.
 *
 * Both take turns, query by query in rounds, since the machine's other guests change its speed by half.
 *
 *   bun bench/index/search.bench.ts [--small] [--quantization bf16|f32|f16|i8] [--ef N] [--count N] [--seed N]
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
const K = 10;

export type SearchBenchOptions = {
  readonly count: number;
  readonly queries: number;
  readonly rounds: number;
  readonly seed: number;
  readonly quantization: Quantization;
  readonly ef: number;
};

export type Contender = {
  readonly perSecond: number;
  readonly recall: number;
  readonly latenciesUs: Float64Array;
};
export type SearchBenchResult = {
  readonly ours: Contender;
  readonly usearch: Contender;
};

export async function benchSearch(
  options: SearchBenchOptions,
  log: (line: string) => void,
): Promise<SearchBenchResult> {
  const { count, queries, rounds, seed, quantization, ef } = options;
  log(machineText());
  log(
    `${count} clustered vectors (${CLUSTERED_CENTRES} centres, sigma ${CLUSTERED_SIGMA}), ${DIMENSIONS}-d, ` +
      `${queries} queries, ${quantization}, M ${M}, ef_construction ${EF_CONSTRUCTION}, k ${K}, seed ${seed}`,
  );
  const data = clustered({ seed, dimensions: DIMENSIONS, count, queries });
  const query = (i: number): Float32Array => row(data.queries, i, DIMENSIONS);

  const space = new TestSpace({
    dimensions: DIMENSIONS,
    quantization,
    slotsMax: count,
    slotsPerChunk: 4096,
    isMapped: true,
  });
  for (let i = 0; i < count; i++) space.push(row(data.vectors, i, DIMENSIONS));
  const graph = VectorGraph.open(space.config({ M, efConstruction: EF_CONSTRUCTION }));
  const rival = await openUsearch({
    dimensions: DIMENSIONS,
    quantization,
    M,
    efConstruction: EF_CONSTRUCTION,
    ef,
  });

  let oursMs = 0;
  let theirsMs = 0;
  for (let from = 0; from < count; from += 1000) {
    const n = Math.min(1000, count - from);
    const startedAt = performance.now();
    graph.add(from, n);
    const turnedAt = performance.now();
    rival.add(from, data.vectors.subarray(from * DIMENSIONS, (from + n) * DIMENSIONS), n);
    oursMs += turnedAt - startedAt;
    theirsMs += performance.now() - turnedAt;
  }
  log(
    `insert: ours ${((oursMs / count) * 1000).toFixed(0)} us, usearch ${((theirsMs / count) * 1000).toFixed(0)} us a vector`,
  );
  const stats = graph.stats();
  const perVector = stats.usedBytes / count;
  log(`graph: ${perVector.toFixed(0)} bytes a vector beside the arenas, ${stats.levelMax + 1} levels`);

  const searcher = new VectorSearcher();
  const truth: Set<number>[] = [];
  for (let i = 0; i < queries; i++) {
    const found = searcher.scan(graph.address, query(i), { k: K, ef: K, nodeCount: count, rerank: 200 });
    truth.push(new Set(searcher.slots.subarray(0, found)));
  }

  const ours = new Side(queries * rounds);
  const theirs = new Side(queries * rounds);
  const wanted = { k: K, ef, nodeCount: count, plan: SEARCH_PLAN.walk };
  let distances = 0;
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < queries; i++) {
      const startedNs = Bun.nanoseconds();
      const found = searcher.search(graph.address, query(i), wanted);
      ours.took(Bun.nanoseconds() - startedNs);
      for (let j = 0; j < found; j++) ours.hits += truth[i]!.has(searcher.slots[j]!) ? 1 : 0;
      distances += searcher.stats().distances;
    }
    for (let i = 0; i < queries; i++) {
      const startedNs = Bun.nanoseconds();
      const keys = rival.search(query(i), K);
      theirs.took(Bun.nanoseconds() - startedNs);
      for (const key of keys) theirs.hits += truth[i]!.has(Number(key)) ? 1 : 0;
    }
  }
  const result = { ours: ours.result(), usearch: theirs.result() };
  log(`ef ${ef}: ours    ${ours.text()}, ${(distances / queries / rounds).toFixed(0)} distances`);
  log(`ef ${ef}: usearch ${theirs.text()}`);
  log(`ours / usearch: ${(result.ours.perSecond / result.usearch.perSecond).toFixed(2)}`);
  searcher.close();
  graph.close();
  return result;
}

class Side {
  hits = 0;
  readonly #latenciesUs: Float64Array;
  #count = 0;

  constructor(searches: number) {
    this.#latenciesUs = new Float64Array(searches);
  }

  took(ns: number): void {
    this.#latenciesUs[this.#count++] = ns / 1000;
  }

  result(): Contender {
    const total = this.#latenciesUs.reduce((sum, us) => sum + us, 0);
    return {
      perSecond: (this.#count / total) * 1e6,
      recall: this.hits / this.#count / K,
      latenciesUs: this.#latenciesUs,
    };
  }

  text(): string {
    const { perSecond, recall, latenciesUs } = this.result();
    const at = (share: number): string => quantile(latenciesUs, share).toFixed(0);
    return `${perSecond.toFixed(0)}/s, recall@${K} ${recall.toFixed(4)}, p50 ${at(0.5)} p90 ${at(0.9)} p99 ${at(0.99)} us`;
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      small: { type: "boolean", default: false },
      quantization: { type: "string", default: "bf16" },
      count: { type: "string" },
      seed: { type: "string", default: "1" },
      ef: { type: "string", default: "64" },
    },
  });
  await benchSearch(
    {
      count: Number(values.count ?? (values.small ? 2000 : 50_000)),
      queries: values.small ? 200 : 1000,
      rounds: values.small ? 2 : 10,
      seed: Number(values.seed),
      quantization: values.quantization as Quantization,
      ef: Number(values.ef),
    },
    console.log,
  );
}
