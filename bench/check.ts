/**
 * Has a figure fallen since its baseline was recorded?
 *
 * Every registered bench (`bench/registered.ts`) is measured as ratios to a reference loop of this run and
 * compared with `bench/baseline.json`. One that is more than 5 % slower, beyond the noise, is measured again, twice in
 * this process and twice in one of its own, and has fallen when it is slower each time: a busy neighbour seldom
 * stays, and another process lays memory out another way. A baseline is the middle of three processes.
 *
 *   bun run bench:check                 compares; ends with 1 when a figure has fallen
 *   bun run bench:check -- --record     measures anew and writes the baseline, to be committed with its reason
 *
 * Further: `--only TEXT` for figures whose name contains it, `--small` for a small size of its own baseline
 * file, `--baseline FILE`, `--seed N`.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { machineText } from "../src/base/machine-text.ts";
import { registered } from "./registered.ts";
import {
  type Baseline,
  combined,
  judge,
  measureRatio,
  type Ratio,
  type Verdict,
} from "./support/baseline.ts";
import type { Figure, FigureBench } from "./support/figure.ts";

export type CheckOptions = {
  readonly isSmall: boolean;
  readonly seed: number;
  readonly only: string | undefined;
  readonly baseline: Baseline | undefined;
};

export type CheckResult = { readonly figures: Record<string, Ratio>; readonly fallen: readonly string[] };

const TRIES = 3;
/** processes that a baseline is made of, and those that a fallen figure is measured in again */
const PROCESSES = 3;
const APART_TRIES = 2;

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
      const { ratio, verdict } = measured(figure, baseline, isSmall ? 3 : 25);
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
      // What it asks of processes of its own.
      measure: { type: "string" },
      once: { type: "boolean", default: false },
    },
  });
  if (values.measure !== undefined) return measureInto(values.measure, values);
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
  if (values.record) {
    const figures = measuredApart(values);
    const kept = values.only === undefined ? {} : (known?.figures ?? {});
    const sorted = Object.fromEntries(
      Object.entries({ ...kept, ...figures }).sort(([a], [b]) => (a < b ? -1 : 1)),
    );
    const fresh: Baseline = { machine, seed, size, figures: sorted };
    writeFileSync(file, `${JSON.stringify(fresh, null, 2)}\n`);
    for (const [name, ratio] of Object.entries(figures)) console.log(`${name}: ${ratioText(ratio)}`);
    console.log(`recorded ${Object.keys(figures).length} figures`);
    return;
  }
  const options = { isSmall: values.small, seed, only: values.only, baseline };
  const result = await checkFigures(registered, options, console.log);
  const fallen = values.once ? result.fallen : result.fallen.filter((name) => !holdsApart(name, values));
  if (fallen.length === 0) return;
  console.log(`\n${fallen.length} fell by more than 5 % beyond the noise: ${fallen.join("; ")}`);
  console.log("Find what made them slower; where it was meant: bun run bench:check -- --record --only NAME");
  process.exit(1);
}

type Asked = {
  readonly small: boolean;
  readonly seed: string;
  readonly only?: string | undefined;
  readonly baseline: string;
};

/** Measures and writes the figures down, for the process that started this one. */
async function measureInto(file: string, { small, seed, only }: Asked): Promise<void> {
  const options = { isSmall: small, seed: Number(seed), only, baseline: undefined };
  const { figures } = await checkFigures(registered, options, () => undefined);
  writeFileSync(file, JSON.stringify(figures));
}

/** The figures as processes of their own measure them. */
function measuredApart(asked: Asked): Record<string, Ratio> {
  const directory = mkdtempSync(join(tmpdir(), "engram-baseline-"));
  try {
    const passes = Array.from({ length: PROCESSES }, (_, pass) => {
      const file = join(directory, `${pass}.json`);
      const { exitCode } = runApart(["--measure", file], asked);
      if (exitCode !== 0) throw new Error("A process that measures figures failed");
      return JSON.parse(readFileSync(file, "utf8")) as Record<string, Ratio>;
    });
    return Object.fromEntries(
      Object.keys(passes[0]!).map((name) => [name, combined(passes.map((pass) => pass[name]!))]),
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Whether a figure holds in one of two processes of its own. */
function holdsApart(name: string, asked: Asked): boolean {
  for (let attempt = 0; attempt < APART_TRIES; attempt++) {
    const { exitCode } = runApart(["--once"], { ...asked, only: name });
    console.log(`${exitCode === 0 ? "HELD" : "FELL"} again, in a process of its own: ${name}`);
    if (exitCode === 0) return true;
  }
  return false;
}

function runApart(more: readonly string[], { small, seed, only, baseline }: Asked): { exitCode: number } {
  const given = ["--seed", seed, "--baseline", baseline, ...(small ? ["--small"] : [])];
  const named = only === undefined ? [] : ["--only", only];
  return Bun.spawnSync([process.execPath, import.meta.path, ...given, ...named, ...more], {
    stdout: "ignore",
    stderr: "inherit",
  });
}

if (import.meta.main) await main();
