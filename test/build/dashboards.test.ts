/** The Grafana dashboards: sound as Grafana's model, and every expression one that our PromQL answers. */
import { describe, expect, test } from "bun:test";
import { systemClock } from "../../src/base/clock.ts";
import { dashboardFiles } from "../../src/build/dashboards.ts";
import { seriesNamesIn } from "../../src/observe/alerts/judge.ts";
import { ALERT_RULES } from "../../src/observe/alerts/rules.ts";
import { METRIC_NAMES } from "../../src/observe/catalogue.ts";
import { parsePromql } from "../../src/observe/promql/parse.ts";
import { queryInstant } from "../../src/observe/promql/query.ts";
import { metricOfSeries } from "../../src/observe/series-name.ts";

type GridPos = { readonly h: number; readonly w: number; readonly x: number; readonly y: number };
type Panel = {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: GridPos;
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly targets?: readonly {
    readonly refId: string;
    readonly expr: string;
    readonly legendFormat: string;
  }[];
  readonly fieldConfig?: { readonly defaults: { readonly unit: string } };
};
type Dashboard = {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
  readonly panels: readonly Panel[];
};

const FILES = dashboardFiles().map(([path, text]) => [path, JSON.parse(text) as Dashboard] as const);

describe("dashboardFiles", () => {
  test("every metric of the catalogue has a panel, and every alert rule", () => {
    const asked = FILES.flatMap(([, { panels }]) => panels.flatMap(({ targets = [] }) => targets))
      .flatMap(({ expr }) => seriesNamesIn(parsePromql(expr)))
      .map(metricOfSeries);
    expect(METRIC_NAMES.filter((name) => !asked.includes(name))).toEqual([]);
    const alerts = FILES.find(([path]) => path.endsWith("alerts.json"))![1].panels.map(({ title }) => title);
    expect(ALERT_RULES.filter(({ name }) => !alerts.includes(name))).toEqual([]);
  });

  test("dashboards have names of their own, as Grafana takes them", () => {
    expect(new Set(FILES.map(([, { uid }]) => uid)).size).toBe(FILES.length);
    for (const [path, { uid, title, schemaVersion, templating }] of FILES) {
      expect(path).toMatch(/^docs\/grafana\/[a-z-]+\.json$/);
      expect(uid).toMatch(/^[a-z-]{1,40}$/);
      expect(title.length).toBeGreaterThan(0);
      expect(schemaVersion).toBe(39);
      expect(templating.list).toMatchObject([{ name: "datasource", type: "datasource" }]);
    }
  });

  for (const [path, { panels }] of FILES) {
    test(`${path}: panels lie in the grid and not on each other`, () => {
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
      for (const [index, { gridPos: a, title }] of panels.entries()) {
        expect([title, a.x >= 0 && a.x + a.w <= 24 && a.h > 0]).toEqual([title, true]);
        const under = panels.slice(index + 1).filter(({ gridPos: b }) => overlap(a, b));
        expect([title, under.map((panel) => panel.title)]).toEqual([title, []]);
      }
    });

    test(`${path}: every expression parses, names what the catalogue has, and is answered`, () => {
      for (const { type, title, targets, datasource, fieldConfig } of panels) {
        if (type === "row") continue;
        expect([title, type, datasource?.type]).toEqual([title, "timeseries", "prometheus"]);
        expect([title, datasource?.uid]).toEqual([title, `\${datasource}`]);
        expect([title, (fieldConfig?.defaults.unit ?? "") !== ""]).toEqual([title, true]);
        expect([title, (targets ?? []).length > 0]).toEqual([title, true]);
        for (const { expr, legendFormat } of targets!) {
          const unknown = seriesNamesIn(parsePromql(expr)).filter(
            (name) => metricOfSeries(name) === undefined,
          );
          expect([expr, unknown]).toEqual([expr, []]);
          expect([expr, legendFormat !== ""]).toEqual([expr, true]);
          const options = {
            store: { select: () => [] },
            clock: systemClock,
            timeoutMs: 1000,
            yieldToOthers: () => Promise.resolve(),
          };
          expect([expr, queryInstant(expr, 0, options).type]).toEqual([expr, "vector"]);
        }
      }
    });
  }
});

function overlap(a: GridPos, b: GridPos): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}
