/** The watch as a whole, over samples that a test sets: who is told when, what a restart and a silence change. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { type AlertView, alertViewOf } from "../../src/observe/alerts/alert-view.ts";
import { AlertWatch } from "../../src/observe/alerts/alert-watch.ts";
import { Judge } from "../../src/observe/alerts/judge.ts";
import { KeptAlerts } from "../../src/observe/alerts/kept-alerts.ts";
import type { AlertRule } from "../../src/observe/alerts/rule.ts";
import { ALERT_RULES } from "../../src/observe/alerts/rules.ts";
import { Silences } from "../../src/observe/alerts/silences.ts";
import { Labels } from "../../src/observe/promql/labels.ts";
import { NativeDisk } from "../../src/storage/native-disk.ts";
import { ScratchDirectory } from "../support/appliance-process.ts";

const rule: AlertRule = {
  ...ALERT_RULES.find(({ name }) => name === "EngramWatchingCostly")!,
  value: "max(engram_observe_recording_ratio)",
  forS: 0,
  keepFiringS: 0,
};
const slow: AlertRule = { ...rule, name: "EngramSlowRule", isSlow: true };
const START_MS = 1_700_000_000_000;
const S = 1000;

let directory: ScratchDirectory;
beforeEach(() => {
  directory = new ScratchDirectory("alert-watch");
});
afterEach(() => directory[Symbol.dispose]());

/** A watch over one number. */
class Desk {
  value: number | undefined = 0;
  readonly told: string[] = [];
  readonly warnings: string[] = [];
  readonly firing: Record<string, number> = {};
  evaluations = 0;
  readonly silences = new Silences(new NativeDisk(1), directory.path, (ms) => Bun.sleep(ms));
  readonly watch: AlertWatch;
  #nowMs = START_MS;
  #text = "";

  constructor(rules: readonly AlertRule[] = [rule], startMs = START_MS) {
    this.#nowMs = startMs;
    const store = {
      select: () =>
        this.value === undefined
          ? []
          : [
              {
                labels: new Labels([["__name__", "engram_observe_recording_ratio"]]),
                times: Float64Array.of(this.#nowMs),
                values: Float64Array.of(this.value),
                goneAt: undefined,
              },
            ],
    };
    this.watch = new AlertWatch({
      rules,
      judge: new Judge(store, systemClock),
      intervalMs: 5000,
      patience: 1,
      silences: this.silences,
      kept: new KeptAlerts(new NativeDisk(1), directory.path),
      webhooks: [],
      externalUrl: "http://127.0.0.1:7432",
      show: (text) => {
        this.#text = text;
      },
      tell: ({ rule: of, state }) => this.told.push(`${of.name} ${state}`),
      warn: (text) => this.warnings.push(text),
      nowMs: () => performance.now(),
      meter: {
        evaluated: () => {
          this.evaluations += 1;
        },
        firing: (severity, count) => {
          this.firing[severity] = count;
        },
      },
    });
    this.watch.open(startMs);
  }

  get view(): AlertView {
    return alertViewOf(this.#text)!;
  }

  pass(ms: number, value: number | undefined): void {
    this.#nowMs += ms;
    this.value = value;
    this.watch.tick(this.#nowMs);
  }
}

describe("AlertWatch", () => {
  test("AlertWatch tells once that an alert fires, and once that it ended", () => {
    const desk = new Desk();
    desk.pass(0, 0.001);
    expect(desk.view.rules[0]).toMatchObject({ state: "inactive", value: 0.001 });
    desk.pass(5 * S, 0.01);
    desk.pass(5 * S, 0.02);
    expect(desk.told).toEqual(["EngramWatchingCostly firing"]);
    expect(desk.firing["info"]).toBe(1);
    expect(desk.view.alerts).toMatchObject([{ state: "firing", value: 0.02 }]);
    desk.pass(5 * S, 0.001);
    desk.pass(5 * S, 0.001);
    expect(desk.told).toEqual(["EngramWatchingCostly firing", "EngramWatchingCostly resolved"]);
    expect(desk.firing["info"]).toBe(0);
    desk.pass(5 * S, undefined);
    expect(desk.view.rules[0]).toMatchObject({
      state: "unavailable",
      reason: "there are no samples of engram_observe_recording_ratio",
    });
  });

  test("AlertWatch evaluates no more often than asked, slow rules once a minute, all when the clock was set back", () => {
    const desk = new Desk([rule, slow]);
    for (let second = 0; second < 60; second++) desk.pass(S, 0);
    expect(desk.evaluations).toBe(12);
    const evaluatedAt = () => desk.view.rules.map(({ evaluatedAtMs }) => evaluatedAtMs);
    expect(evaluatedAt()).toEqual([START_MS + 56 * S, START_MS + S]);
    desk.pass(S, 0);
    expect(evaluatedAt()).toEqual([START_MS + 61 * S, START_MS + 61 * S]);
    desk.pass(-30 * S, 0);
    expect(evaluatedAt()).toEqual([START_MS + 31 * S, START_MS + 31 * S]);
  });

  test("AlertWatch does not tell again after a restart, and tells of the end", () => {
    const before = new Desk();
    before.pass(0, 0.01);
    expect(before.told).toEqual(["EngramWatchingCostly firing"]);
    // Killed: nothing is closed.
    const after = new Desk([rule], START_MS + 60 * S);
    after.pass(S, 0.01);
    expect(after.told).toEqual([]);
    expect(after.view.alerts).toMatchObject([{ state: "firing", firedAtMs: START_MS }]);
    after.pass(5 * S, 0);
    expect(after.told).toEqual(["EngramWatchingCostly resolved"]);
  });

  test("AlertWatch begins anew, and says so, where its file is damaged", () => {
    writeFileSync(join(directory.path, "alerts"), "engram alerts 1 00000000 3\n{}\n");
    const desk = new Desk();
    expect(desk.warnings).toEqual([
      "The states of alerts begin anew: their file is damaged (its checksum is wrong)",
    ]);
    desk.pass(0, 0.01);
    expect(new Desk().warnings).toEqual([]);
  });

  test("AlertWatch tells nobody of a silenced alert until the silence ends, and of nothing that ended before", async () => {
    const desk = new Desk();
    const matchers = [{ name: "alertname", operator: "=" as const, value: rule.name }];
    const until = (seconds: number) => ({
      matchers,
      untilMs: START_MS + seconds * S,
      author: "a test",
      comment: "for a while",
    });
    await desk.silences.add(until(20), START_MS);
    desk.pass(0, 0.01);
    desk.pass(10 * S, 0.001);
    expect(desk.told).toEqual([]);
    desk.pass(5 * S, 0.01);
    expect(desk.told).toEqual([]);
    expect(desk.view.alerts.map(({ state }) => state)).toEqual(["firing"]);
    desk.pass(5 * S, 0.01);
    expect(desk.told).toEqual(["EngramWatchingCostly firing"]);
    // Silenced after it was told: the end is told all the same.
    await desk.silences.add(until(1000), START_MS + 21 * S);
    desk.pass(5 * S, 0.001);
    expect(desk.told).toEqual(["EngramWatchingCostly firing", "EngramWatchingCostly resolved"]);
  });
});
