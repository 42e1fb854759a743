/**
 * How long does it take to compute what is left of many memories, native against plain JavaScript?
 *
 * Sketch: an exponential of libm costs 5-10 ns, a power 20-40 ns. Written as polynomials without a call, four
 * run at once in AVX2: some 25 multiply-adds for 4 memories, 2-4 ns each, so 4 to 10 times faster. Fan division
 * is a root and a division, 8 at once: below 1 ns against 2 ns. A recall decays some 200 candidates.
 *
 *   bun bench/cognition/decay.bench.ts [--small]
 */
import { Random } from "../../src/base/random.ts";
import { fanShare } from "../../src/cognition/fan.ts";
import { CURVE_CONSTANTS, retention } from "../../src/cognition/forgetting.ts";
import { batchFanShares, batchRetention } from "../../src/ffi/decay.ts";
import { FORGETTING_CURVE, type ForgettingCurve } from "../../src/layout/forgetting-curve.ts";
import { benchArguments, median, Report } from "../support/report.ts";

const given = benchArguments();
const COUNT = given.isSmall ? 2000 : 100_000;
const ROUNDS = given.isSmall ? 3 : 31;

const random = new Random(given.seed);
const ages = Float32Array.from({ length: COUNT }, () => 10 ** (random.float() * 5 - 1));
const stabilities = Float32Array.from({ length: COUNT }, () => 10 ** (random.float() * 3));
const fans = Uint32Array.from({ length: COUNT }, () => random.below(200));
const activations = Float32Array.from({ length: COUNT }, () => random.float());
const left = new Float32Array(COUNT);

const report = new Report({
  name: "cognition/decay",
  arguments: given,
  parameters: { memories: COUNT, rounds: ROUNDS },
});

/** Median ns a memory of both, interleaved, so that both see the same machine. */
function compare(native: () => void, plain: () => void): { nativeNs: number; plainNs: number } {
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    [native, plain].forEach((run, i) => {
      const startedAtNs = Bun.nanoseconds();
      run();
      times[i]!.push((Bun.nanoseconds() - startedAtNs) / COUNT);
    });
  }
  return { nativeNs: median(times[0]), plainNs: median(times[1]) };
}

function tell(name: string, ns: { nativeNs: number; plainNs: number }, atLeast: number): void {
  const { nativeNs, plainNs } = ns;
  report.line(name, `native ${nativeNs.toFixed(2)} ns, plain ${plainNs.toFixed(2)} ns a memory`);
  report.figure(name, ns);
  report.target({ name: `${name}: times faster than plain`, figure: plainNs / nativeNs, unit: "", atLeast });
}

for (const curve of Object.keys(FORGETTING_CURVE) as ForgettingCurve[]) {
  const constants = CURVE_CONSTANTS[curve];
  const native = (): void => batchRetention(curve, constants, { ages, stabilities, left }, COUNT);
  const plain = (): void => {
    for (let i = 0; i < COUNT; i++) left[i] = retention(curve, ages[i]!, stabilities[i]!);
  };
  tell(curve, compare(native, plain), 2);
}
tell(
  "fan",
  compare(
    () => batchFanShares(activations, fans, left, COUNT),
    () => {
      for (let i = 0; i < COUNT; i++) left[i] = fanShare(activations[i]!, fans[i]!);
    },
  ),
  1,
);
report.finish();
