/** What consolidation tells whoever watches it; see `engine/meters.ts`. */
import type { ConsolidationFigures } from "./consolidation-figures.ts";

export type ConsolidationMeter = {
  /** A cycle has ended. */
  readonly cycled: (outcome: "ok" | "failed", tookMs: number, figures: ConsolidationFigures) => void;
  /** Mean coherence of all concepts; undefined while there are none. */
  readonly concepts: (coherence: number | undefined) => void;
};

export const SILENT_CONSOLIDATION_METER: ConsolidationMeter = {
  cycled: () => undefined,
  concepts: () => undefined,
};
