/** The benches whose figures `bench/check.ts` holds against `bench/baseline.json`. */
import { bench as bindings } from "./cognition/bindings.bench.ts";
import { bench as centroids } from "./cognition/centroids.bench.ts";
import { bench as formation } from "./cognition/concept-formation.bench.ts";
import { bench as lookup } from "./cognition/concept-lookup.bench.ts";
import { bench as decay } from "./cognition/decay.bench.ts";
import { bench as spreading } from "./cognition/spreading.bench.ts";
import type { FigureBench } from "./support/figure.ts";

export const registered: readonly FigureBench[] = [bindings, centroids, formation, lookup, decay, spreading];
