/**
 * How long does activation take to spread, 3 hops from 10 seeds over a million bindings?
 *
 * Sketch: with a fan-out of 20, decay and threshold let hundreds of nodes fire within a visit budget of 5,000, five
 * times that of a recall. A node that fires costs two cache misses (its header, its extent), mostly hidden by
 * fetching ahead; a visit costs a look into a table that stays in the second cache. 5,000 visits at 20 to 40 ns:
 * 0.1 to 0.2 ms. In JavaScript a visit costs a Map look-up and more: some 300 ns.
 *
 *   bun bench/cognition/spreading.bench.ts [--small] [--seed N] [--json FILE]
 */
import { Random } from "../../src/base/random.ts";
import { makeSpreadResult, type SpreadParameters, spread } from "../../src/cognition/spreading.ts";
import { SpreadScratch } from "../../src/ffi/spread.ts";
import { BindingGraph, randomEdges, viewOf } from "../../test/cognition/binding-graph.ts";
import { type FigureBench, type FigureSize, runFigures } from "../support/figure.ts";

const SEEDS = 10;
const VISITS_MAX = 5000;
const STARTS = 256;
const PARAMETERS: SpreadParameters = {
  hops: 3,
  decay: 0.8,
  threshold: 0.001,
  visitsMax: VISITS_MAX,
  cyclePenalty: 0.2,
  kindWeights: new Float32Array(8).fill(1),
  timeMsMax: Number.POSITIVE_INFINITY,
};

let arenas: BindingGraph | undefined;

export const bench: FigureBench = {
  name: "cognition/spreading",
  parameters: (size) => ({ ...sizesOf(size), seeds: SEEDS, hops: PARAMETERS.hops, visitsMax: VISITS_MAX }),
  calls: ({ isSmall }) => (isSmall ? 100 : 5000),
  make: (size) => {
    const { nodes, bindings } = sizesOf(size);
    const random = new Random(size.seed);
    const edges = randomEdges(random, nodes, bindings);
    const view = viewOf(edges);
    const graph = new BindingGraph(nodes, edges);
    arenas = graph;
    const starts = Array.from({ length: STARTS }, () => ({
      count: SEEDS,
      slots: Uint32Array.from({ length: SEEDS }, () => random.below(nodes)),
      activations: Float64Array.from({ length: SEEDS }, () => 0.2 + 0.8 * random.float()),
    }));
    const scratch = new SpreadScratch(SEEDS + VISITS_MAX);
    const native = makeSpreadResult(SEEDS, VISITS_MAX);
    const plain = makeSpreadResult(SEEDS, VISITS_MAX);
    let call = 0;
    return [
      {
        name: "spreading, 3 hops from 10 seeds",
        operations: 1,
        p99NsMax: 1e6,
        plainPerHundred: 5,
        run: () => {
          call += 1;
          native.count = scratch.spread(graph.graph, starts[call % STARTS]!, PARAMETERS, native);
          return received(native);
        },
        plain: () => received(spread(view, starts[call % STARTS]!, PARAMETERS, plain, () => 0)),
      },
    ];
  },
  close: () => arenas?.free(),
};

if (import.meta.main) await runFigures(bench);

function sizesOf({ isSmall }: FigureSize): { readonly nodes: number; readonly bindings: number } {
  return isSmall ? { nodes: 1000, bindings: 10_000 } : { nodes: 100_000, bindings: 1_000_000 };
}

/** What arrived at the seeds: a checksum that takes no time. */
function received({ received }: { readonly received: Float64Array }): number {
  let sum = 0;
  for (let node = 0; node < SEEDS; node++) sum += received[node]!;
  return sum + received[SEEDS]!;
}
