import { describe, expect, test } from "bun:test";
import { CATALOGUE, METRIC_NAMES } from "../../src/observe/catalogue.ts";
import { parsePromql } from "../../src/observe/promql/parse.ts";
import { metricOfSeries } from "../../src/observe/series-name.ts";
import { formatSeconds, formatSpan, formatValue } from "../../src/page/format.ts";
import { COUNTER_STATES, FIGURES, NODE_QUERIES, PANELS, SECTIONS } from "../../src/page/panels.ts";

const EXPRESSIONS = [
  ...PANELS.flatMap(({ id, series }) => series.map(({ expr }) => [id, expr] as const)),
  ...FIGURES.map(({ id, expr }) => [id, expr] as const),
  ...Object.entries(NODE_QUERIES),
  ["counters", COUNTER_STATES] as const,
];

describe("the page's panels", () => {
  test.each(EXPRESSIONS)("%s asks for metrics of the catalogue in PromQL that we evaluate: %s", (_, expr) => {
    parsePromql(expr);
    const names = expr.match(/\b(engram|process)_[a-z0-9_]+/g) ?? [];
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => metricOfSeries(name) === undefined)).toEqual([]);
  });

  test("label values that a panel selects are declared", () => {
    for (const [, expr] of EXPRESSIONS) {
      for (const [, name, selector] of expr.matchAll(/\b(engram_[a-z0-9_]+)\{([^}]*)\}/g)) {
        const metric = METRIC_NAMES.find((each) => each === metricOfSeries(name!));
        const labels = CATALOGUE[metric!].labels as Readonly<Record<string, unknown>>;
        for (const [, label, values] of selector!.matchAll(/(\w+)=~?"([^"]*)"/g)) {
          const declared = labels[label!];
          if (!Array.isArray(declared)) continue;
          for (const value of values!.split("|")) expect(declared).toContain(value);
        }
      }
    }
  });

  test("every section has a panel, and every panel an id of its own", () => {
    expect(new Set(PANELS.map(({ id }) => id)).size).toBe(PANELS.length);
    for (const section of SECTIONS) expect(PANELS.some((panel) => panel.section === section)).toBe(true);
  });
});

describe("format", () => {
  test("formatValue shows three figures and a unit that fits", () => {
    expect(formatValue(123_456, "count")).toBe("123k");
    expect(formatValue(1.5 * 2 ** 30, "bytes")).toBe("1.5 GiB");
    expect(formatValue(0.25, "per second")).toBe("0.25/s");
    expect(formatValue(12.345, "percent")).toBe("12.3 %");
    expect(formatValue(Number.NaN, "count")).toBe("–");
  });

  test("formatSeconds and formatSpan read as people say them", () => {
    expect(formatSeconds(0.000_095_7)).toBe("95.7 µs");
    expect(formatSeconds(0.0126)).toBe("12.6 ms");
    expect(formatSeconds(2)).toBe("2 s");
    expect(formatSpan(0.4)).toBe("0 s");
    expect(formatSpan(93_784)).toBe("1 d 2 h");
    expect(formatSpan(3600)).toBe("1 h");
  });
});
