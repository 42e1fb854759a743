import { describe, expect, test } from "bun:test";
import type { Terminal, TerminalListener } from "../../../src/cli/terminal.ts";
import type { TopFacts } from "../../../src/cli/top/facts.ts";
import { PLAIN } from "../../../src/cli/top/ink.ts";
import { showLive } from "../../../src/cli/top/live.ts";
import { AT_MS, busyFacts } from "./made-facts.ts";

/** A terminal of paper, and time that passes when the test says so. */
class Stage implements Terminal {
  columns = 80;
  rows = 24;
  isOpen = false;
  shown = "";
  atMs = AT_MS;
  readings = 0;
  read: () => Promise<TopFacts> = async () => busyFacts();
  listener!: TerminalListener;
  interrupt!: () => void;
  readonly ended: Promise<void>;
  #tick = Promise.withResolvers<void>();

  constructor() {
    this.ended = showLive(busyFacts(), {
      terminal: this,
      ink: PLAIN,
      intervalMs: 2000,
      read: () => {
        this.readings += 1;
        return this.read();
      },
      nowMs: () => this.atMs,
      pause: () => this.#tick.promise,
      onInterrupt: (interrupt) => {
        this.interrupt = interrupt;
        return { stop: () => {} };
      },
    });
  }

  async tick(ms = 2000): Promise<void> {
    this.atMs += ms;
    const due = this.#tick;
    this.#tick = Promise.withResolvers();
    due.resolve();
    await Bun.sleep(1);
  }

  open(listener: TerminalListener): void {
    this.listener = listener;
    this.isOpen = true;
  }

  draw(lines: readonly string[]): void {
    this.shown = lines.join("\n");
  }

  close(): void {
    this.isOpen = false;
  }
}

describe("showLive", () => {
  test("showLive reads again at every tick, and q closes the terminal", async () => {
    const stage = new Stage();
    stage.read = async () => busyFacts({ uptimeSeconds: 120 });
    await stage.tick();
    expect(stage.shown).toContain("up 2 min");
    stage.listener.onInput("q");
    await stage.ended;
    expect([stage.isOpen, stage.readings]).toEqual([false, 1]);
  });

  test("showLive says that the appliance was lost and goes on trying, until it is back", async () => {
    const stage = new Stage();
    stage.read = async () => {
      throw new Error("Cannot reach the appliance");
    };
    await stage.tick();
    await stage.tick();
    expect(stage.shown).toContain("No answer since 12:00:05 UTC, trying again: Cannot reach the appliance");
    stage.read = async () => busyFacts();
    await stage.tick();
    expect(stage.shown).not.toContain("No answer");
    stage.listener.onInput("\x1b");
    await stage.ended;
  });

  test("showLive follows keys and sizes while the appliance hangs, says so, and asks it once only", async () => {
    const stage = new Stage();
    stage.read = () => new Promise(() => {});
    await stage.tick();
    await stage.tick(6000);
    expect(stage.shown).toContain("it does not answer");
    expect(stage.readings).toBe(1);
    stage.columns = 40;
    stage.listener.onResize();
    expect(Math.max(...stage.shown.split("\n").map((line) => Bun.stringWidth(line)))).toBeLessThanOrEqual(40);
    stage.interrupt();
    await stage.ended;
    expect(stage.isOpen).toBe(false);
  });

  test("showLive reads nothing while it is paused, but for r", async () => {
    const stage = new Stage();
    stage.listener.onInput("p");
    await stage.tick();
    expect([stage.readings, stage.shown.includes("PAUSED")]).toEqual([0, true]);
    stage.listener.onInput("r");
    await Bun.sleep(1);
    expect(stage.readings).toBe(1);
    stage.listener.onEnd();
    await stage.ended;
  });
});
