/**
 * The view that stays: reads the facts again and again, draws them, and obeys the keys until one says to leave.
 *
 * Drawing waits for nobody: while the appliance does not answer, keys and sizes are followed, and the frame says since
 * when. There is one reading at a time.
 */
import type { Terminal } from "../terminal.ts";
import type { TopFacts } from "./facts.ts";
import { frame } from "./frame.ts";
import type { Ink } from "./ink.ts";
import { FIRST_VIEW, keysOf, press } from "./view.ts";

export type LiveWorld = {
  readonly terminal: Terminal;
  readonly ink: Ink;
  readonly intervalMs: number;
  readonly read: () => Promise<TopFacts>;
  readonly nowMs: () => number;
  readonly pause: (ms: number) => Promise<unknown>;
  /** calls back when the process is asked to end */
  readonly onInterrupt: (interrupt: () => void) => { readonly stop: () => void };
};

/** A reading that takes longer is told of as no answer. */
const ANSWER_MS_MAX = 5000;

/** @param first facts that were read already */
export async function showLive(first: TopFacts, world: LiveWorld): Promise<void> {
  const { terminal, ink, intervalMs, read, nowMs, pause } = world;
  const left = Promise.withResolvers<void>();
  let isOver = false;
  let facts = first;
  let view = FIRST_VIEW;
  let readingSinceMs: number | undefined;
  const leave = (): void => {
    isOver = true;
    left.resolve();
  };
  const draw = (): void => {
    if (!isOver) terminal.draw(frame(facts, terminal, { view, ink }));
  };
  const lose = (reason: string): void => {
    facts = { ...facts, lost: { sinceMs: facts.lost?.sinceMs ?? facts.atMs, reason } };
  };
  const refresh = async (): Promise<void> => {
    if (readingSinceMs !== undefined) return;
    readingSinceMs = nowMs();
    try {
      facts = await read();
    } catch (error) {
      lose(error instanceof Error ? error.message : String(error));
    }
    readingSinceMs = undefined;
    draw();
  };
  const onInput = (text: string): void => {
    for (const key of keysOf(text)) {
      const next = press(view, key);
      if (next === "leave") {
        leave();
        return;
      }
      view = next;
      if (key === "r") void refresh();
    }
    draw();
  };
  const interrupted = world.onInterrupt(leave);
  terminal.open({ onInput, onResize: draw, onEnd: leave });
  try {
    draw();
    for (;;) {
      await Promise.race([left.promise, pause(intervalMs)]);
      if (isOver) return;
      if (readingSinceMs !== undefined && nowMs() - readingSinceMs > ANSWER_MS_MAX)
        lose("it does not answer");
      if (!view.isPaused) void refresh();
      draw();
    }
  } finally {
    interrupted.stop();
    terminal.close();
  }
}
