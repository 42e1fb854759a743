/** A desk of concepts without any: every run it is asked for ends at once, and has found nothing. */
import type { ConceptDesk, ConceptPage } from "../../../src/engine/consolidation/concept-desk.ts";
import type { ConsolidationRun } from "../../../src/engine/consolidation/consolidation-board.ts";
import { noFigures } from "../../../src/engine/consolidation/consolidation-figures.ts";

export class NaiveConcepts implements ConceptDesk {
  readonly #runs: ConsolidationRun[] = [];

  async consolidate(space: string, { cyclesMax }: { cyclesMax: number }): Promise<ConsolidationRun> {
    const nowMs = Date.now();
    const run: ConsolidationRun = {
      id: this.#runs.length + 1,
      space,
      spaceIndex: 0,
      spaceGeneration: 1,
      state: "done",
      isRequested: true,
      cyclesMax,
      reason: "",
      requestedAtMs: nowMs,
      startedAtMs: nowMs,
      endedAtMs: nowMs,
      pausedMs: 0,
      unconsolidated: 0,
      figures: { ...noFigures(), cycles: 1 },
    };
    this.#runs.unshift(run);
    return run;
  }

  runs(): ConsolidationRun[] {
    return [...this.#runs];
  }

  concepts(): ConceptPage {
    return { concepts: [], nextCursor: undefined };
  }
}
