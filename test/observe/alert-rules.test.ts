/** The alert rules: sound by themselves, true to the catalogue, and judged by our evaluator as promtool judges them. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { type AlertStory, alertStories, type SampleSeries, TICK_S } from "../../src/build/alert-samples.ts";
import { AlertStates } from "../../src/observe/alerts/alert-states.ts";
import { awaitedBy, Judge } from "../../src/observe/alerts/judge.ts";
import { type AlertRule, isBeyond, prometheusExpression } from "../../src/observe/alerts/rule.ts";
import { ALERT_RULES } from "../../src/observe/alerts/rules.ts";
import { CATALOGUE, declarationOf } from "../../src/observe/catalogue.ts";
import type { Expression, VectorSelector } from "../../src/observe/promql/expression.ts";
import { Labels } from "../../src/observe/promql/labels.ts";
import { parsePromql } from "../../src/observe/promql/parse.ts";
import type { SeriesSamples } from "../../src/observe/promql/samples.ts";
import { metricOfSeries } from "../../src/observe/series-name.ts";
import { ArrayStore } from "./promql-samples.ts";

const ALERTS = join(import.meta.dir, "../../docs/alerts");
const PROMTOOL = Bun.which("promtool");

/** What a rule gets wrong about the catalogue. */
function unknownIn(source: string): string[] {
  const wrong: string[] = [];
  for (const selector of selectorsIn(parsePromql(source))) {
    const name = selector.matchers.find((each) => each.name === "__name__")?.value ?? "";
    const metric = metricOfSeries(name);
    if (metric === undefined) {
      wrong.push(name);
      continue;
    }
    const { labels, perThread } = declarationOf(metric);
    for (const { name: label, operator, value } of selector.matchers) {
      if (label === "__name__" || label === "le" || (label === "thread" && perThread === true)) continue;
      const values = labels[label];
      if (values === undefined) wrong.push(`${name} has no label ${label}`);
      else if ("countMax" in values) continue;
      else if (operator === "=" && !values.includes(value)) wrong.push(`${name}: ${label}="${value}"`);
      else if (operator === "=~" && value.split("|").some((each) => !values.includes(each))) {
        wrong.push(`${name}: ${label}=~"${value}"`);
      }
    }
  }
  return wrong;
}

function selectorsIn(expression: Expression): VectorSelector[] {
  const found: VectorSelector[] = [];
  JSON.stringify(expression, (_, node: unknown) => {
    if (typeof node === "object" && node !== null && (node as Expression).kind === "vector-selector") {
      found.push(node as VectorSelector);
    }
    return node;
  });
  return found;
}

describe("ALERT_RULES", () => {
  test("ALERT_RULES name only metrics, labels and values that the catalogue has", () => {
    expect(
      ALERT_RULES.flatMap(({ name, value }) => unknownIn(value).map((each) => `${name}: ${each}`)),
    ).toEqual([]);
    expect(unknownIn('rate(engram_operations_totals[5m]) / engram_bindings{kind="smilar"}')).toEqual([
      "engram_operations_totals",
      'engram_bindings: kind="smilar"',
    ]);
  });

  test("ALERT_RULES cover what an operator has to hear of", () => {
    const names = ALERT_RULES.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => !/^Engram[A-Z][A-Za-z]+$/.test(name))).toEqual([]);
    expect(ALERT_RULES.filter(({ about }) => about === "mind").length).toBe(6);
    expect(ALERT_RULES.filter(({ about }) => about === "machine").length).toBe(10);
  });

  test("a rule ends on the other side of its threshold, so that it does not flutter", () => {
    const wrong = ALERT_RULES.filter(
      (rule) => isBeyond(rule, rule.clear, rule.raise) || !isBeyond(rule, rule.raise, rule.clear),
    );
    expect(wrong.map(({ name }) => name)).toEqual([]);
  });

  test("a rule is judged by its value alone: no comparison in it is left to stand for a threshold", () => {
    for (const rule of ALERT_RULES) {
      const top = parsePromql(rule.value);
      expect([rule.name, top.kind === "binary" && [">", "<"].includes(top.operator)]).toEqual([
        rule.name,
        false,
      ]);
      // What Prometheus gets parses as well, ALERTS and all.
      parsePromql(prometheusExpression(rule));
    }
  });
});

describe("Judge", () => {
  const judgeOver = (series: readonly SampleSeries[]) =>
    new Judge(new ArrayStore(samplesOf(series)), systemClock);
  const ruleOf = (name: string) => ALERT_RULES.find((rule) => rule.name === name)!;

  test("Judge says of a rule whose metrics are not there that it is unavailable, and why", () => {
    const judgement = judgeOver([]).judge(ruleOf("EngramWalFlushSlow"), 0);
    expect(judgement).toEqual({
      state: "unavailable",
      reason: "there are no samples of engram_wal_flush_duration_seconds_bucket",
    });
  });

  const awaiting = Object.entries(CATALOGUE).find(([, each]) => "awaits" in each)?.[0];
  test.skipIf(awaiting === undefined)("Judge says what part of the appliance a metric waits for", () => {
    expect(awaitedBy(parsePromql(`sum(rate(engram_operations_total[5m])) / max(${awaiting})`))).toMatch(
      new RegExp(`^${awaiting} is not recorded yet: it waits for `),
    );
  });

  test("Judge tells no traffic from no metrics", () => {
    const still = (series: string): SampleSeries => ({ series, runs: [{ start: 7, step: 0, count: 10 }] });
    const series = [
      still('engram_wal_flush_duration_seconds_bucket{le="0.001"}'),
      still('engram_wal_flush_duration_seconds_bucket{le="+Inf"}'),
    ];
    expect(judgeOver(series).judge(ruleOf("EngramWalFlushSlow"), 9 * TICK_S * 1000)).toEqual({
      state: "unavailable",
      reason: "nothing was written in two minutes",
    });
  });
});

describe("the stories of the alerts, which promtool is told as well", () => {
  for (const story of alertStories()) {
    test(story.title, () => {
      const expected = story.expectations.map(({ fires }) => (fires ? [labelsOf(story)] : []));
      expect(firings(story.rule, story)).toEqual(expected);
    });
  }

  test("a story fails with another threshold, another time to wait, or without hysteresis", () => {
    const story = alertStories().find(({ rule }) => rule.name === "EngramWalFlushSlow")!;
    const told = firings(story.rule, story);
    expect(firings({ ...story.rule, raise: 0.05, clear: 0.04 }, story)).not.toEqual(told);
    expect(firings({ ...story.rule, forS: 86_400 }, story)).not.toEqual(told);
    expect(firings({ ...story.rule, clear: story.rule.raise }, story)).not.toEqual(told);
  });

  test.skipIf(PROMTOOL === null)(
    `promtool accepts the rules and their tests${PROMTOOL === null ? ": promtool is not installed (apt-get install prometheus)" : ""}`,
    () => {
      for (const words of [
        ["check", "rules", "engram.rules.yml"],
        ["test", "rules", "engram.rules.test.yml"],
      ]) {
        const { exitCode, stdout, stderr } = Bun.spawnSync([PROMTOOL!, ...words], { cwd: ALERTS });
        const said = `${stdout}${stderr}`;
        expect([exitCode, said.includes("SUCCESS") ? "SUCCESS" : said]).toEqual([0, "SUCCESS"]);
      }
    },
    300_000,
  );
});

/** Labels of the alerts that fire at the instants a story asks about, when it is watched from its beginning. */
function firings(rule: AlertRule, story: AlertStory): Record<string, string>[][] {
  const judge = new Judge(new ArrayStore(samplesOf(story.series)), systemClock);
  const states = new AlertStates([rule], 1);
  const last = story.expectations.at(-1)!.atTick;
  const found: Record<string, string>[][] = [];
  for (let tick = 0; tick <= last; tick++) {
    const atMs = tick * TICK_S * 1000;
    states.apply(rule, judge.judge(rule, atMs), atMs);
    if (!story.expectations.some(({ atTick }) => atTick === tick)) continue;
    found.push(states.all().flatMap(({ state, labels }) => (state === "firing" ? [{ ...labels }] : [])));
  }
  return found;
}

function labelsOf({ rule, labels }: AlertStory): Record<string, string> {
  return { alertname: rule.name, severity: rule.severity, ...labels };
}

function samplesOf(series: readonly SampleSeries[]): SeriesSamples[] {
  return series.map(({ series: text, runs }) => {
    const { matchers } = selectorsIn(parsePromql(text))[0]!;
    const values = runs.flatMap(({ start, step, count }) =>
      Array.from({ length: count }, (_, index) => start + step * index),
    );
    return {
      labels: new Labels(matchers.map(({ name, value }) => [name, value] as const)),
      times: Float64Array.from(values, (_, tick) => tick * TICK_S * 1000),
      values: Float64Array.from(values),
      goneAt: undefined,
    };
  });
}
