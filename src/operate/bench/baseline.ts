/**
 * The published baselines: a run of `bench --workload all` on the machine that it names, kept as its result file.
 * `docs/reference/performance-baselines.md` is made from it; refresh it with `bench --out` and put the file here.
 */
import baseline from "./baseline.json" with { type: "json" };
import { type BenchResult, resultSchema } from "./result.ts";

export const BASELINE: BenchResult = resultSchema.parse(baseline);
