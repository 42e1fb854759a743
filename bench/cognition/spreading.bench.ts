/**
 * How long does activation take to spread, 3 hops from 10 seeds over a million bindings?
 *
 * Sketch: with a fan-out of 20, decay and threshold let some hundred to a few thousand nodes fire within the visit
 * budget of 5,000. A node that fires costs two cache misses (its header, its extent), mostly hidden by fetching
 * ahead; a visit costs a look into a table that stays in the second cache. 5,000 visits at 20 to 40 ns: 0.1 to
 * 0.2 ms. In JavaScript a visit costs a Map look-up and more: some 100 ns.
 *
 *   bun bench/cognition/spreading.bench.ts [--small] [--seed N] [--json FILE]
 */
import { Random } from "../../src/base/random.ts";
import { makeSpreadResult, type SpreadParameters, spread } from "../../src/cognition/spreading.ts";
import { SpreadScratch } from "../../src/ffi/spread.ts";
import { BindingGraph, randomEdges, viewOf } from "../../test/cognition/binding-graph.ts";
import { benchArguments, Report } from "../support/report.ts";

const SEEDS = 10;
const VISITS_MAX = 5000;
const P99_MS_MAX = 1;
const IDLE_NS = 100_000;

const given = benchArguments();
const nodeCount = given.isSmall ? 1000 : 100_000;
const bindingCount = given.isSmall ? 10_000 : 1_000_000;
const rounds = given.isSmall ? 200 : 5000;
const parameters: SpreadParameters = {
  hops: 3,
  decay: 0.8,
  threshold: 0.001,
  visitsMax: VISITS_MAX,
  cyclePenalty: 0.2,
  kindWeights: new Float32Array(8).fill(1),
  timeMsMax: Number.POSITIVE_INFINITY,
};
const report = new Report({
  name: "cognition/spreading",
  arguments: given,
  parameters: { nodeCount, bindingCount, seeds: SEEDS, hops: parameters.hops, visitsMax: VISITS_MAX, rounds },
});
const random = new Random(given.seed);
const edges = randomEdges(random, nodeCount, bindingCount);
const arenas = new BindingGraph(nodeCount, edges);
const view = viewOf(edges);
const room = SEEDS + VISITS_MAX;
const scratch = new SpreadScratch(room);
const native = makeSpreadResult(SEEDS, VISITS_MAX);
const plain = makeSpreadResult(SEEDS, VISITS_MAX);
const nativeMs = new Float64Array(rounds);
const plainMs = new Float64Array(Math.ceil(rounds / 10));
/** A loop of about the same length that touches no memory: what of the tail is the machine's. */
const idleMs = new Float64Array(rounds);
let visits = 0;
let checksum = 0;
for (let round = 0; round < rounds; round++) {
  const seeds = {
    count: SEEDS,
    slots: Uint32Array.from({ length: SEEDS }, () => random.below(nodeCount)),
    activations: Float64Array.from({ length: SEEDS }, () => 0.2 + 0.8 * random.float()),
  };
  const startedAt = Bun.nanoseconds();
  native.count = scratch.spread(arenas.graph, seeds, parameters, native);
  nativeMs[round] = (Bun.nanoseconds() - startedAt) / 1e6;
  visits += scratch.outcome[1]!;
  const idleAt = Bun.nanoseconds();
  while (Bun.nanoseconds() - idleAt < IDLE_NS);
  idleMs[round] = (Bun.nanoseconds() - idleAt) / 1e6;
  if (round % 10 !== 0) continue;
  const plainAt = Bun.nanoseconds();
  spread(view, seeds, parameters, plain, () => 0);
  plainMs[round / 10] = (Bun.nanoseconds() - plainAt) / 1e6;
  for (let node = 0; node < native.count; node++) checksum += native.received[node]!;
  const differs =
    native.count !== plain.count ||
    native.received.some(
      (value, node) => node < native.count && Math.abs(value - plain.received[node]!) > 1e-6 * value,
    );
  if (differs) throw new Error(`The native version and the plain one differ in round ${round}`);
}
report.line("visits", `${(visits / rounds).toFixed(0)} a spread`);
report.line("native", report.percentiles("native", nativeMs));
report.line("idle", `${report.percentiles("idle", idleMs)}: a loop of ${IDLE_NS / 1e6} ms beside it`);
report.line("plain", report.percentiles("plain", plainMs));
const sorted = nativeMs.slice().sort();
report.line("checksum", checksum.toFixed(6));
report.target({
  name: "spreading, 3 hops from 10 seeds, P99",
  figure: sorted[Math.floor(0.99 * (rounds - 1))]!,
  unit: "ms",
  atMost: P99_MS_MAX,
});
report.finish();
arenas.free();
