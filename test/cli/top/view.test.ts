import { describe, expect, test } from "bun:test";
import { QUERIES } from "../../../src/cli/top/queries.ts";
import { FIRST_VIEW, keysOf, press, SECTION_NAMES, type TopView } from "../../../src/cli/top/view.ts";
import { CATALOGUE, METRIC_NAMES } from "../../../src/observe/catalogue.ts";
import { parsePromql } from "../../../src/observe/promql/parse.ts";
import { metricOfSeries } from "../../../src/observe/series-name.ts";

const after = (...keys: string[]): TopView =>
  keys.reduce((view, key) => {
    const next = press(view, key);
    if (next === "leave") throw new Error(`${JSON.stringify(key)} left`);
    return next;
  }, FIRST_VIEW);

describe("press", () => {
  test.each(["q", "Q", "\x1b", "\x03"])("press of %j leaves", (key) => {
    expect(press(FIRST_VIEW, key)).toBe("leave");
  });

  test("press goes through the sections and comes round, forward and back", () => {
    expect(after("\t").section).toBe(SECTION_NAMES[0]);
    expect(after("\x1b[D").section).toBe(SECTION_NAMES.at(-1)!);
    expect(after(...SECTION_NAMES.map(() => "\t"), "\x1b[C").section).toBe("all");
    expect(after("2").section).toBe("operations");
    expect(after("2", "0").section).toBe("all");
  });

  test("press sorts, pauses, helps and scrolls, never above the first line", () => {
    expect(after("s").sort).toBe("slow");
    expect(after("s", "s", "s").sort).toBe("busy");
    expect(after("p").isPaused).toBe(true);
    expect(after("p", " ").isPaused).toBe(false);
    expect(after("?").isHelpShown).toBe(true);
    expect(after("?", "h").isHelpShown).toBe(false);
    expect(after("\x1b[B", "\x1b[B", "\x1b[A").scrolled).toBe(1);
    expect(after("\x1b[A", "\x1b[5~").scrolled).toBe(0);
    expect(after("\x1b[6~", "\t").scrolled).toBe(0);
  });

  test("press passes over keys that mean nothing", () => {
    for (const key of ["x", "7", "\x1b[99~", "日"]) expect(press(FIRST_VIEW, key)).toEqual(FIRST_VIEW);
  });

  test("keysOf takes apart what came at once; a lone escape is Esc", () => {
    expect(keysOf("s\x1b[Aq")).toEqual(["s", "\x1b[A", "q"]);
    expect(keysOf("\x1bOB\x1b")).toEqual(["\x1bOB", "\x1b"]);
    expect(keysOf("")).toEqual([]);
  });
});

describe("QUERIES", () => {
  test.each(Object.entries(QUERIES))("%s asks for metrics of the catalogue: %s", (_, expr) => {
    parsePromql(expr);
    const names = expr.match(/\b(engram|process)_[a-z0-9_]+/g) ?? [];
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect(metricOfSeries(name), name).toBeDefined();
    for (const [, name, selector] of expr.matchAll(/\b(engram_[a-z0-9_]+)\{([^}]*)\}/g)) {
      const metric = METRIC_NAMES.find((each) => each === metricOfSeries(name!))!;
      const labels = CATALOGUE[metric].labels as Readonly<Record<string, unknown>>;
      for (const [, label, values] of selector!.matchAll(/(\w+)=~?"([^"]*)"/g)) {
        for (const value of values!.split("|")) expect(labels[label!]).toContain(value);
      }
    }
  });
});
