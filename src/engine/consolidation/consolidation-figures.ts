/** What a run of consolidation did, in numbers that add up over its cycles. */
export type ConsolidationFigures = {
  /** cycles of bounded work */
  cycles: number;
  /** memories replayed */
  replayed: number;
  /** concepts that formed, took members in, became one with another, fell apart, and lost their members */
  formed: number;
  grown: number;
  merged: number;
  split: number;
  retired: number;
  /** memories that came into these phases */
  consolidating: number;
  remote: number;
};

export const FIGURE_NAMES = [
  "cycles",
  "replayed",
  "formed",
  "grown",
  "merged",
  "split",
  "retired",
  "consolidating",
  "remote",
] as const satisfies readonly (keyof ConsolidationFigures)[];

export function noFigures(): ConsolidationFigures {
  return {
    cycles: 0,
    replayed: 0,
    formed: 0,
    grown: 0,
    merged: 0,
    split: 0,
    retired: 0,
    consolidating: 0,
    remote: 0,
  };
}

export function addFigures(sum: ConsolidationFigures, more: ConsolidationFigures): void {
  for (const name of FIGURE_NAMES) sum[name] += more[name];
}

/** Whether anything was changed. */
export function isIdle(figures: ConsolidationFigures): boolean {
  return FIGURE_NAMES.every((name) => name === "cycles" || name === "replayed" || figures[name] === 0);
}
