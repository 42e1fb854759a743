/**
 * Figures as ratios to a reference loop, so that they can be compared between runs, and when one has fallen.
 *
 * A virtual machine runs half as fast when its neighbours are busy, and so does the reference loop: the two are
 * timed in turns, and the ratio is what is kept. What is in the way of a call only ever makes it longer, so each of
 * five blocks gives the ratio of the shortest calls, and the median of the five is the figure's. It has fallen when
 * it is more than 5 % above the baseline's, beyond the noise that both measured: half the distance between the
 * blocks' second lowest and second highest ratio, as a share of the median.
 */

import type { Figure } from "./figure.ts";

/** What `bench/baseline.json` holds. */
export type Baseline = {
  /** where it was recorded: ratios differ between processors, and a verdict on another one says so */
  readonly machine: string;
  readonly seed: number;
  readonly size: "small" | "full";
  readonly figures: Readonly<Record<string, Ratio>>;
};

export type Ratio = {
  /** time of an operation over that of the reference loop; smaller is faster */
  readonly ratio: number;
  /** share of the ratio */
  readonly noise: number;
};

export type Verdict =
  | { readonly kind: "held" | "fallen"; readonly change: number; readonly allowed: number }
  | { readonly kind: "unknown" };

/** What a figure may lose. */
export const LOSS_MAX = 0.05;

const BLOCKS = 5;
const REFERENCE_ROWS = 64;
const REFERENCE_DIMENSIONS = 768;

/** Compares what was measured with the baseline. */
export function judge(measured: Ratio, baseline: Ratio | undefined): Verdict {
  if (baseline === undefined) return { kind: "unknown" };
  const change = measured.ratio / baseline.ratio - 1;
  const allowed = LOSS_MAX + baseline.noise + measured.noise;
  return { kind: change > allowed ? "fallen" : "held", change, allowed };
}

/**
 * One figure of several processes: code is compiled and memory is laid out anew in each, which can change a figure by
 * more than all that happens inside one. The noise is that inside, or half the distance between the processes.
 */
export function combined(ratios: readonly Ratio[]): Ratio {
  const sorted = ratios.map(({ ratio }) => ratio).sort((a, b) => a - b);
  const ratio = sorted[sorted.length >> 1]!;
  const inside = ratios.map(({ noise }) => noise).sort((a, b) => a - b)[ratios.length >> 1]!;
  return { ratio, noise: Math.max(inside, (sorted.at(-1)! - sorted[0]!) / 2 / ratio) };
}

/** Times a figure and the reference loop in turns, `rounds` times in each of five blocks. */
export function measureRatio(figure: Figure, rounds: number): Ratio {
  const reference = referenceLoop();
  for (let i = 0; i < 3; i++) figure.run();
  // A call that is much shorter than the loop is repeated, so that both see the same weather.
  const repeats = repeatsFor(figure, reference);
  const ratios = Float64Array.from({ length: BLOCKS }, () => {
    let figureNs = Number.POSITIVE_INFINITY;
    let referenceNs = Number.POSITIVE_INFINITY;
    for (let round = 0; round < rounds; round++) {
      referenceNs = Math.min(referenceNs, timed(reference));
      const startedNs = Bun.nanoseconds();
      for (let i = 0; i < repeats; i++) figure.run();
      figureNs = Math.min(figureNs, (Bun.nanoseconds() - startedNs) / repeats / figure.operations);
    }
    return figureNs / referenceNs;
  }).sort();
  const ratio = ratios[BLOCKS >> 1]!;
  return { ratio, noise: (ratios[BLOCKS - 2]! - ratios[1]!) / 2 / ratio };
}

/** Dot products of 64 rows of 768 numbers in plain JavaScript: some 35 µs of one core, from its own cache. */
function referenceLoop(): () => number {
  const rows = new Float32Array(REFERENCE_ROWS * REFERENCE_DIMENSIONS);
  for (let i = 0; i < rows.length; i++) rows[i] = (((i * 7919) % 1009) - 504) / 504;
  const loop = (): number => {
    let total = 0;
    for (let row = 0; row < REFERENCE_ROWS; row++) {
      let sum = 0;
      for (let d = 0, at = row * REFERENCE_DIMENSIONS; d < REFERENCE_DIMENSIONS; d++, at++)
        sum += rows[at]! * rows[d]!;
      total += sum;
    }
    return total;
  };
  for (let i = 0; i < 200; i++) loop();
  return loop;
}

function repeatsFor(figure: Figure, reference: () => number): number {
  const once = timed(figure.run);
  return Math.max(1, Math.min(1000, Math.round((4 * timed(reference)) / Math.max(once, 1))));
}

function timed(call: () => number): number {
  const startedNs = Bun.nanoseconds();
  call();
  return Math.max(1, Bun.nanoseconds() - startedNs);
}
