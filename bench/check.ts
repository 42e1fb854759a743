/**
 * Has a figure fallen since its baseline was recorded?
 *
 * Every registered bench (`bench/registered.ts`) is measured as ratios to a reference loop of this run and
 * compared with `bench/baseline.json`. One that is more than 5 % slower, beyond the noise, is measured twice
 * more, and has fallen when it is slower each time: a busy neighbour seldom stays for three runs.
 *
 *   bun run bench:check                 compares; ends with 1 when a figure has fallen
 *   bun run bench:check -- --record     measures anew and writes the baseline, to be committed with its reason
 *
 * Further: `--only TEXT` for figures whose name contains it, `--small` for a small size of its own baseline
 * file, `--baseline FILE`, `--seed N`.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { machineText } from "../src/base/machine-text.ts";
import { registered } from "./registered.ts";
import { type Baseline, judge, measureRatio, type Ratio, type Verdict } from "./support/baseline.ts";
import type { Figure, FigureBench } from "./support/figure.ts";

export type CheckOptions = {
  readonly isSmall: boolean;
  readonly seed: number;
  readonly only: string | undefined;
  readonly baseline: Baseline | undefined;
};

export type CheckResult = { readonly figures: Record<string, Ratio>; readonly fallen: readonly string[] };

const TRIES = 3;

/** Measures what is registered and compares it, a line for each figure. */
export async function checkFigures(
  benches: readonly FigureBench[],
  { isSmall, seed, only, baseline }: CheckOptions,
  log: (line: string) => void,
): Promise<CheckResult> {
  const figures: Record<string, Ratio> = {};
  const fallen: string[] = [];
  for (const bench of benches) {
    for (const figure of await bench.make({ isSmall, seed })) {
      if (only !== undefined && !figure.name.includes(only)) continue;
      const { ratio, verdict } = measured(figure, baseline, isSmall ? 15 : 101);
      figures[figure.name] = ratio;
      if (verdict.kind === "fallen") fallen.push(figure.name);
      log(`${verdictText(verdict)} ${figure.name}: ${ratioText(ratio)}`);
    }
    bench.close?.();
  }
  for (const name of Object.keys(baseline?.figures ?? {})) {
    if (name in figures || (only !== undefined && !name.includes(only))) continue;
    fallen.push(name);
    log(`GONE ${name}: in the baseline, but no bench measures it`);
  }
  return { figures, fallen };
}

/** The best of up to three measurements; the first that holds ends it. */
function measured(
  figure: Figure,
  baseline: Baseline | undefined,
  rounds: number,
): { ratio: Ratio; verdict: Verdict } {
  let best: Ratio | undefined;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const ratio = measureRatio(figure, rounds);
    if (best === undefined || ratio.ratio < best.ratio) best = ratio;
    const verdict = judge(ratio, baseline?.figures[figure.name]);
    if (verdict.kind !== "fallen") return { ratio, verdict };
  }
  return { ratio: best!, verdict: judge(best!, baseline?.figures[figure.name]) };
}

function verdictText(verdict: Verdict): string {
  if (verdict.kind === "unknown") return "NEW ";
  const percent = (share: number): string => `${share >= 0 ? "+" : ""}${(share * 100).toFixed(1)} %`;
  const word = verdict.kind === "held" ? "HELD" : "FELL";
  return `${word} ${percent(verdict.change)} (allowed ${percent(verdict.allowed)})`;
}

function ratioText({ ratio, noise }: Ratio): string {
  return `${Number(ratio.toPrecision(4))} of the reference loop, noise ${(noise * 100).toFixed(1)} %`;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      record: { type: "boolean", default: false },
      small: { type: "boolean", default: false },
      only: { type: "string" },
      seed: { type: "string", default: "1" },
      baseline: { type: "string", default: join(import.meta.dir, "baseline.json") },
    },
  });
  const file = values.baseline;
  const seed = Number(values.seed);
  const machine = machineText();
  const size = values.small ? "small" : "full";
  const known = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Baseline) : undefined;
  const baseline = values.record ? undefined : known;
  console.log(`machine     ${machine}`);
  console.log(`parameters  ${size} size, seed ${seed}`);
  if (baseline === undefined && !values.record) console.log("There is no baseline yet: --record writes one");
  else if (baseline !== undefined && baseline.machine !== machine)
    console.log(`The baseline comes from another machine, whose ratios may differ: ${baseline.machine}`);
  if (baseline !== undefined && (baseline.size !== size || baseline.seed !== seed)) {
    console.error(`The baseline is of ${baseline.size} size and seed ${baseline.seed}: give the same`);
    process.exit(2);
  }
  const options = { isSmall: values.small, seed, only: values.only, baseline };
  const { figures, fallen } = await checkFigures(registered, options, console.log);
  if (values.record) {
    const kept = values.only === undefined ? {} : (known?.figures ?? {});
    const sorted = Object.fromEntries(
      Object.entries({ ...kept, ...figures }).sort(([a], [b]) => (a < b ? -1 : 1)),
    );
    const fresh: Baseline = { machine, seed, size, figures: sorted };
    writeFileSync(file, `${JSON.stringify(fresh, null, 2)}\n`);
    console.log(`recorded ${Object.keys(figures).length} figures`);
    return;
  }
  if (fallen.length === 0) return;
  console.log(`\n${fallen.length} fell by more than 5 % beyond the noise: ${fallen.join("; ")}`);
  console.log("Find what made them slower; where it was meant: bun run bench:check -- --record --only NAME");
  process.exit(1);
}

if (import.meta.main) await main();
