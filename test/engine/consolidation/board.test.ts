import { expect, test } from "bun:test";
import {
  ConsolidationBoard,
  hasEnded,
  makeConsolidationBoard,
} from "../../../src/engine/consolidation/consolidation-board.ts";
import { noFigures } from "../../../src/engine/consolidation/consolidation-figures.ts";
import { LoadPause, PAUSE_MS_MAX } from "../../../src/engine/consolidation/load-pause.ts";
import { RUN_COUNT } from "../../../src/layout/consolidation-board.ts";

const WISH = {
  space: "default",
  spaceIndex: 3,
  spaceGeneration: 9,
  isRequested: true,
  cyclesMax: 64,
  requestedAtMs: 1000,
};

test("ConsolidationBoard takes a run from waiting to done, and tells the newest first", () => {
  const buffer = makeConsolidationBoard();
  const asking = new ConsolidationBoard(buffer);
  const working = new ConsolidationBoard(buffer);
  const first = asking.claim(WISH)!;
  const second = asking.claim({ ...WISH, space: "other" })!;
  expect(working.nextWaiting()).toMatchObject({ ...WISH, id: first, state: "waiting" });
  working.tell(first, { state: "running", startedAtMs: 1100 });
  expect(working.nextWaiting()!.id).toBe(second);
  const figures = { ...noFigures(), cycles: 2, replayed: 40, formed: 3, remote: 1 };
  working.tell(first, { state: "done", endedAtMs: 1200, figures, unconsolidated: 5 });
  const done = asking.run(first)!;
  expect(done).toMatchObject({ state: "done", startedAtMs: 1100, endedAtMs: 1200, unconsolidated: 5 });
  expect(done.figures).toEqual(figures);
  expect(hasEnded(done)).toBe(true);
  working.tell(second, { state: "failed", reason: "space-gone" });
  expect(asking.runs().map(({ id, reason }) => [id, reason])).toEqual([
    [second, "space-gone"],
    [first, ""],
  ]);
});

test("ConsolidationBoard is full of runs that wait, and drops the oldest that has ended", () => {
  const board = new ConsolidationBoard(makeConsolidationBoard());
  const ids = Array.from({ length: RUN_COUNT }, () => board.claim(WISH)!);
  expect(board.claim(WISH)).toBeUndefined();
  board.tell(ids[7]!, { state: "done" });
  board.tell(ids[3]!, { state: "done" });
  const next = board.claim(WISH)!;
  expect(board.run(ids[3]!)).toBeUndefined();
  expect(board.run(ids[7]!)!.state).toBe("done");
  expect(board.runs()[0]!.id).toBe(next);
});

test("LoadPause waits while there is load, and lets one cycle through every half a minute", () => {
  let operations = 0;
  const pause = new LoadPause({ operations: () => operations, perSecondMax: 100, nowMs: 0 });
  const passed: number[] = [];
  for (let nowMs = 500; nowMs <= 70_000; nowMs += 500) {
    operations += 1000;
    if (!pause.shouldWait(nowMs)) passed.push(nowMs);
  }
  expect(passed).toEqual([PAUSE_MS_MAX + 500, 2 * PAUSE_MS_MAX + 500]);
  // The load ends, and so does the pause.
  expect(pause.shouldWait(71_000)).toBe(false);
});
