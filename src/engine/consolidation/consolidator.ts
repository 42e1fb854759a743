/**
 * Consolidation in the background: cycles of bounded work (`concept-cycle.ts`) in the spaces that are due, one at a
 * time, and the runs that clients ask for.
 *
 *   a space is due   when a whole batch of memories waits, or any that have waited `delay_s`;
 *                    and every `rest_s` while it has older ones that are consolidating still, or concepts
 *   a run            asked for: cycles until nothing waits and the older ones were gone over once, `cyclesMax` at most;
 *                    by itself: one cycle, kept on the board where it changed something
 *
 * Under load (`load-pause.ts`) it waits; a run that somebody asked for does not.
 */
import { RequestError } from "../../base/errors.ts";
import type { Bm25Settings, ScoreAccumulator } from "../../index/word-index-reader.ts";
import { RUN_REASONS, type RunReason } from "../../layout/consolidation-board.ts";
import type { EpochReader } from "../../shm/epochs.ts";
import { sendCompound } from "../mind/mind-client.ts";
import { SpaceReader } from "../space-reader.ts";
import type { SpaceRoot, SpaceTable } from "../space-table.ts";
import type { WriteClient } from "../write-client.ts";
import { ConceptCycle, type CycleResult } from "./concept-cycle.ts";
import { ConceptList } from "./concept-list.ts";
import type { ConsolidationBoard, ConsolidationRun } from "./consolidation-board.ts";
import { addFigures, type ConsolidationFigures, isIdle, noFigures } from "./consolidation-figures.ts";
import type { ConsolidationMeter } from "./consolidation-meter.ts";
import type { ConsolidationRules } from "./consolidation-rules.ts";
import { Kinship } from "./kinship.ts";
import { LoadPause } from "./load-pause.ts";

export type ConsolidatorOptions = {
  readonly table: SpaceTable;
  readonly epoch: EpochReader;
  readonly client: WriteClient;
  readonly board: ConsolidationBoard;
  readonly rules: ConsolidationRules;
  readonly bm25: Bm25Settings;
  readonly accumulator: ScoreAccumulator;
  readonly meter: ConsolidationMeter;
  /** recalls and writes since the start */
  readonly operations: () => number;
  /** told of a concept and of the memories that joined it */
  readonly told: (space: string, concept: string, memories: readonly string[]) => void;
  /** monotonic, ms */
  readonly now: () => number;
  /** ms since the epoch */
  readonly wallClock: () => number;
};

/** What is kept of a space between two cycles. */
type Desk = {
  readonly reader: SpaceReader;
  readonly kinship: Kinship;
  readonly concepts: ConceptList;
  oldFrom: number;
  upkeepFrom: number;
  /** monotonic ms of the last cycle; 0 before the first */
  cycledAtMs: number;
  /** since when memories wait; undefined while none does */
  waitingSinceMs: number | undefined;
};

/** A run under way. */
type Run = { readonly wish: ConsolidationRun; readonly figures: ConsolidationFigures; hasRestedAll: boolean };

/** After the home writer refused a step, so that a full disk is not tried again four times a second. */
const RETRY_MS = 10_000;

export class Consolidator {
  readonly #options: ConsolidatorOptions;
  readonly #pause: LoadPause;
  readonly #desks = new Map<number, Desk>();
  #run: Run | undefined;
  #tryAgainAtMs = 0;
  #pausedSinceMs: number | undefined;
  /** its own writes, which are no load */
  #steps = 0;

  constructor(options: ConsolidatorOptions) {
    const { operations, rules, now } = options;
    this.#options = options;
    this.#pause = new LoadPause({
      operations: () => operations() - this.#steps,
      perSecondMax: rules.pauseOperations,
      nowMs: now(),
    });
  }

  /** Does one cycle at most. @returns whether there was anything to do */
  async turn(): Promise<boolean> {
    const { board, now, rules } = this.#options;
    this.#run ??= this.#begin(board.nextWaiting());
    if (this.#run !== undefined) {
      await this.#continue(this.#run);
      return true;
    }
    if (!rules.isEnabled || now() < this.#tryAgainAtMs) return false;
    const due = this.#nextDue();
    if (due === undefined) return false;
    if (this.#pause.shouldWait(now())) {
      this.#pausedSinceMs ??= now();
      return false;
    }
    await this.#byItself(due);
    return true;
  }

  #begin(wish: ConsolidationRun | undefined): Run | undefined {
    if (wish === undefined) return undefined;
    this.#options.board.tell(wish.id, { state: "running", startedAtMs: this.#options.wallClock() });
    return { wish, figures: noFigures(), hasRestedAll: false };
  }

  /** The next cycle of a run that somebody asked for. */
  async #continue(run: Run): Promise<void> {
    const { board, table } = this.#options;
    const { wish, figures } = run;
    const root = table.roots[wish.spaceIndex]!;
    const desk = root.load("generation") === wish.spaceGeneration ? this.#deskOf(root) : undefined;
    if (desk === undefined) return this.#end(run, "space-gone");
    try {
      const result = await this.#cycle(desk);
      addFigures(figures, result.figures);
      board.tell(wish.id, { figures });
      if (result.walked === 0 && result.oldNext === 0) run.hasRestedAll = true;
      const isDone = waiting(root) === 0 && run.hasRestedAll && desk.upkeepFrom === 0;
      if (isDone || figures.cycles >= wish.cyclesMax) this.#end(run, "");
    } catch (error) {
      this.#end(run, reasonOf(error));
    }
  }

  #end({ wish, figures }: Run, reason: RunReason): void {
    const { board, table, wallClock } = this.#options;
    this.#run = undefined;
    board.tell(wish.id, {
      state: reason === "" ? "done" : "failed",
      reason,
      figures,
      endedAtMs: wallClock(),
      unconsolidated: reason === "space-gone" ? 0 : waiting(table.roots[wish.spaceIndex]!),
    });
  }

  /** A cycle that nobody asked for. */
  async #byItself(desk: Desk): Promise<void> {
    const { board, now, wallClock } = this.#options;
    const { root, name, generation } = desk.reader;
    const startedAtMs = wallClock();
    const pausedMs = this.#pausedSinceMs === undefined ? 0 : now() - this.#pausedSinceMs;
    this.#pausedSinceMs = undefined;
    let figures = noFigures();
    let reason: RunReason = "";
    try {
      figures = (await this.#cycle(desk)).figures;
    } catch (error) {
      reason = reasonOf(error);
      this.#tryAgainAtMs = now() + RETRY_MS;
    }
    if (reason === "" && isIdle(figures)) return;
    const id = board.claim({
      space: name,
      spaceIndex: root.spaceIndex,
      spaceGeneration: generation,
      isRequested: false,
      cyclesMax: 1,
      requestedAtMs: startedAtMs,
    });
    if (id === undefined) return;
    board.tell(id, {
      state: reason === "" ? "done" : "failed",
      reason,
      startedAtMs,
      endedAtMs: wallClock(),
      pausedMs,
      figures,
      unconsolidated: waiting(root),
    });
  }

  async #cycle(desk: Desk): Promise<CycleResult> {
    const { epoch, client, rules, meter, told, now, wallClock } = this.#options;
    const { reader, kinship, concepts, oldFrom, upkeepFrom } = desk;
    const { root, generation, name } = reader;
    const startedAtMs = now();
    desk.cycledAtMs = startedAtMs;
    const cycle = new ConceptCycle({
      reader,
      epoch,
      concepts,
      kinship,
      rules,
      oldFrom,
      upkeepFrom,
      nowMs: wallClock(),
      told: (concept, memories) => told(name, concept, memories),
      send: async (payload) => {
        this.#steps += 1;
        return !(await sendCompound(client, { root, generation }, payload, "memory")).gone;
      },
    });
    try {
      const result = await cycle.run();
      desk.oldFrom = result.oldNext;
      desk.upkeepFrom = result.upkeepNext;
      meter.cycled("ok", now() - startedAtMs, result.figures);
      this.#meterConcepts();
      return result;
    } catch (error) {
      meter.cycled("failed", now() - startedAtMs, noFigures());
      throw error;
    }
  }

  /** Mean coherence over the concepts of all spaces that were looked after. */
  #meterConcepts(): void {
    const { meter, epoch } = this.#options;
    let sum = 0;
    let count = 0;
    for (const { reader, concepts } of this.#desks.values()) {
      epoch.inside(() => {
        if (!reader.isCurrent) return;
        for (const slot of concepts.slots) sum += concepts.traits(slot).coherence;
        count += concepts.slots.length;
      });
    }
    meter.concepts(count === 0 ? undefined : sum / count);
  }

  /** The space that has waited longest among those that are due. */
  #nextDue(): Desk | undefined {
    const { table, rules, now } = this.#options;
    const nowMs = now();
    let found: Desk | undefined;
    for (const root of table.roots) {
      if (!root.isOpen) continue;
      const desk = this.#deskOf(root);
      if (desk === undefined) continue;
      const count = waiting(root);
      if (count === 0) desk.waitingSinceMs = undefined;
      else desk.waitingSinceMs ??= nowMs;
      const hasWaited = desk.waitingSinceMs !== undefined && nowMs - desk.waitingSinceMs >= rules.delayMs;
      const hasOlder = root.number("consolidatingCount") > 0 || root.load("conceptCount") > 0;
      const isRested = hasOlder && nowMs - desk.cycledAtMs >= rules.restMs;
      if (count < rules.freshMax && !hasWaited && !isRested) continue;
      if (found === undefined || desk.cycledAtMs < found.cycledAtMs) found = desk;
    }
    if (found !== undefined) found.waitingSinceMs = undefined;
    return found;
  }

  /** What is kept of a space; made anew where the space is another one by now, or has other slots. */
  #deskOf(root: SpaceRoot): Desk | undefined {
    const known = this.#desks.get(root.spaceIndex);
    if (known?.reader.isCurrent) return known;
    this.#desks.delete(root.spaceIndex);
    if (!root.isOpen) return undefined;
    const { bm25, accumulator, epoch } = this.#options;
    const reader = epoch.inside(() => new SpaceReader(root, bm25, accumulator));
    if (!reader.isCurrent) return undefined;
    const desk: Desk = {
      reader,
      kinship: new Kinship(reader.dimensions),
      concepts: new ConceptList(),
      oldFrom: 0,
      upkeepFrom: 0,
      cycledAtMs: known?.cycledAtMs ?? 0,
      waitingSinceMs: known?.waitingSinceMs,
    };
    this.#desks.set(root.spaceIndex, desk);
    return desk;
  }
}

/** Slots that the walk has not come to. */
export function waiting(root: SpaceRoot): number {
  return Math.max(0, root.load("nodeCount") - root.load("consolidatedCount"));
}

/** @throws what is no refusal of the home writer */
function reasonOf(error: unknown): RunReason {
  if (!(error instanceof RequestError)) throw error;
  const reason = RUN_REASONS.find((each) => each === error.code);
  return reason ?? "overloaded";
}
