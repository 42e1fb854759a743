import { describe, expect, test } from "bun:test";
import { AlertStates, fingerprintOf } from "../../src/observe/alerts/alert-states.ts";
import type { Judgement } from "../../src/observe/alerts/judge.ts";
import { ALERT_RULES } from "../../src/observe/alerts/rules.ts";

const rule = {
  ...ALERT_RULES.find(({ name }) => name === "EngramLatencyOverBaseline")!,
  forS: 60,
  keepFiringS: 30,
};
const judged = (values: Record<string, number>): Judgement => ({
  state: "judged",
  elements: Object.entries(values).map(([operation, value]) => ({ labels: { operation }, value })),
});
const gone: Judgement = { state: "unavailable", reason: "for a test" };
const S = 1000;

/** States by operation. */
function shown(states: AlertStates): Record<string, string> {
  return Object.fromEntries(states.all().map(({ labels, state }) => [labels["operation"]!, state]));
}

describe("AlertStates", () => {
  test("AlertStates keep an alert for each element, pending until its time has come", () => {
    const states = new AlertStates([rule], 1);
    expect(states.apply(rule, judged({ recall: 1.3, remember: 1.19 }), 0).length).toBe(1);
    expect(shown(states)).toEqual({ recall: "pending" });
    states.apply(rule, judged({ recall: 1.3, remember: 1.3 }), 30 * S);
    expect(shown(states)).toEqual({ recall: "pending", remember: "pending" });
    const changed = states.apply(rule, judged({ recall: 1.3, remember: 1.3 }), 60 * S);
    expect(changed.map(({ labels }) => labels["operation"])).toEqual(["recall"]);
    expect(shown(states)).toEqual({ recall: "firing", remember: "pending" });
  });

  test("AlertStates forget what was pending and is not beyond the threshold any more", () => {
    const states = new AlertStates([rule], 1);
    states.apply(rule, judged({ recall: 1.3 }), 0);
    states.apply(rule, judged({ recall: 1.15 }), 30 * S);
    expect(shown(states)).toEqual({});
    states.apply(rule, judged({ recall: 1.3 }), 60 * S);
    states.apply(rule, judged({ recall: 1.3 }), 90 * S);
    expect(shown(states)).toEqual({ recall: "pending" });
  });

  test("AlertStates hold on between the two thresholds, and end only after a while back", () => {
    const states = new AlertStates([rule], 0.1);
    states.apply(rule, judged({ recall: 1.3 }), 0);
    states.apply(rule, judged({ recall: 1.3 }), 6 * S);
    states.apply(rule, judged({ recall: 1.15 }), 1000 * S);
    expect(shown(states)).toEqual({ recall: "firing" });
    states.apply(rule, judged({ recall: 1 }), 1001 * S);
    states.apply(rule, judged({ recall: 1.15 }), 1003 * S);
    states.apply(rule, judged({ recall: 1 }), 1004 * S);
    states.apply(rule, judged({ recall: 1 }), 1006 * S);
    expect(shown(states)).toEqual({ recall: "firing" });
    expect(states.apply(rule, judged({ recall: 1 }), 1007 * S).map(({ state }) => state)).toEqual([
      "resolved",
    ]);
    // A quarter of an hour later it is not shown any more.
    states.apply(rule, judged({ recall: 1 }), 1907 * S);
    expect(shown(states)).toEqual({ recall: "resolved" });
    states.apply(rule, judged({ recall: 1 }), 1908 * S);
    expect(shown(states)).toEqual({});
  });

  test("AlertStates end an alert whose value is gone, after the same while", () => {
    const states = new AlertStates([rule], 1);
    states.apply(rule, judged({ recall: 1.3 }), 0);
    states.apply(rule, judged({ recall: 1.3 }), 60 * S);
    states.apply(rule, gone, 70 * S);
    expect(shown(states)).toEqual({ recall: "firing" });
    states.apply(rule, gone, 100 * S);
    expect(shown(states)).toEqual({ recall: "resolved" });
  });

  test("AlertStates go on after a restart: what fired fires, what was pending has not waited meanwhile", () => {
    const states = new AlertStates([rule], 1);
    states.apply(rule, judged({ recall: 1.3 }), 0);
    states.apply(rule, judged({ recall: 1.3 }), 60 * S);
    states.apply(rule, judged({ recall: 1.3, remember: 1.4 }), 80 * S);
    const saved = JSON.parse(JSON.stringify(states.save()));
    const after = new AlertStates([rule], 1);
    after.restore(saved, 100 * S, 500 * S);
    expect(shown(after)).toEqual({ recall: "firing", remember: "pending" });
    after.apply(rule, judged({ recall: 1.3, remember: 1.4 }), 530 * S);
    expect(shown(after)).toEqual({ recall: "firing", remember: "pending" });
    after.apply(rule, judged({ recall: 1.3, remember: 1.4 }), 540 * S);
    expect(shown(after)).toEqual({ recall: "firing", remember: "firing" });
    // A rule that is no more takes its alerts with it.
    const without = new AlertStates([], 1);
    without.restore(saved, 100 * S, 500 * S);
    expect(shown(without)).toEqual({});
  });

  test("fingerprintOf is the same for the same labels in any order", () => {
    expect(fingerprintOf({ a: "1", b: "2" })).toBe(fingerprintOf({ b: "2", a: "1" }));
    expect(fingerprintOf({ a: "1" })).not.toBe(fingerprintOf({ a: "2" }));
  });
});
