import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { Random } from "../../../src/base/random.ts";
import { clean, fit, flow, pad } from "../../../src/cli/top/cells.ts";
import { frame } from "../../../src/cli/top/frame.ts";
import { COLOURED } from "../../../src/cli/top/ink.ts";
import { FIRST_VIEW, SECTION_NAMES, type TopView } from "../../../src/cli/top/view.ts";
import { expectGolden } from "../../support/golden.ts";
import { AT_MS, busyFacts, emptyFacts } from "./made-facts.ts";

const SMALL = { columns: 80, rows: 24 };
const LARGE = { columns: 120, rows: 40 };
const golden = (name: string, lines: readonly string[]): void =>
  expectGolden(join(import.meta.dir, "../golden/top", `${name}.txt`), `${lines.join("\n")}\n`);

describe("frame", () => {
  test("frame of a busy appliance reads as it did, in 80 x 24 and in 120 x 40", () => {
    golden("busy-80x24", frame(busyFacts(), SMALL));
    golden("busy-120x40", frame(busyFacts(), LARGE));
  });

  test("frame of an appliance that has counted nothing invents no figure", () => {
    golden("empty-80x24", frame(emptyFacts(), SMALL));
    const text = frame(emptyFacts(), LARGE).join("\n");
    expect(text).not.toMatch(/NaN|undefined|null|Infinity|–/);
    expect(text).toMatch(/memories -.*resident -/);
  });

  test("frame of one section shows all of it, and scrolls", () => {
    const view: TopView = { ...FIRST_VIEW, section: "workers", sort: "slow" };
    golden("workers-80x24", frame(busyFacts(), SMALL, { view }));
    const short = { columns: 80, rows: 7 };
    const scrolled = frame(busyFacts(), short, { view: { ...view, scrolled: 2 } });
    expect(scrolled).toHaveLength(7);
    expect(scrolled[2]).toStartWith("WORKERS");
    // As far as there are lines, and no further.
    const end = frame(busyFacts(), short, { view: { ...view, scrolled: 99 } });
    expect(end[5]).toStartWith("writer-1");
    expect(end[3]).not.toBe(scrolled[3]!);
  });

  test("frame shows the keys, and that it is paused", () => {
    golden("help-80x24", frame(busyFacts(), SMALL, { view: { ...FIRST_VIEW, isHelpShown: true } }));
    const paused = frame(busyFacts(), SMALL, { view: { ...FIRST_VIEW, isPaused: true } });
    expect(paused[0]).toContain("PAUSED");
    expect(paused.at(-1)).toContain("p go on");
  });

  test("frame says since when there is no answer, and keeps what was known", () => {
    const lost = { sinceMs: AT_MS, reason: "Cannot reach the appliance at http://127.0.0.1:7432" };
    const text = frame(busyFacts({ lost }), SMALL).join("\n");
    expect(text).toContain("No answer since 12:00:05 UTC, trying again: Cannot reach the appliance");
    expect(text).toContain("recall");
  });

  test("frame at 24 rows keeps every section, the worst alert first", () => {
    const lines = frame(busyFacts(), SMALL);
    for (const name of SECTION_NAMES) {
      expect(lines.some((line) => line.startsWith(name.toUpperCase()))).toBe(true);
    }
    expect(lines.findIndex((line) => line.includes("EngramRecallSlow"))).toBeLessThan(6);
  });

  test("frame is never wider or higher than its room, whatever the texts are", () => {
    const seed = 20_260_131;
    const random = new Random(seed);
    const wild = [
      "日本語の記憶",
      "👩‍👩‍👧 famille",
      "e\u0301e\u0301",
      "\x1b[31mred\x1b[2J",
      "a\nb\tc",
      "\u202eback",
      "plain words",
    ];
    const text = (): string => Array.from({ length: 8 }, () => random.pick(wild)).join(" ");
    for (let turn = 0; turn < 300; turn++) {
      const room = { columns: 1 + random.below(160), rows: 1 + random.below(50) };
      const facts = busyFacts({
        url: random.below(2) === 0 ? "http://[::1]:7432" : text(),
        unwell: [{ name: text(), status: "failed", reason: text() }],
        alerts: [
          {
            name: text(),
            severity: "critical",
            state: "firing",
            summary: text(),
            sinceMs: Number.NaN,
            isSilenced: false,
          },
        ],
        lost: random.below(2) === 0 ? undefined : { sinceMs: AT_MS, reason: text() },
      });
      const view: TopView = {
        ...FIRST_VIEW,
        section: random.pick(["all", ...SECTION_NAMES]),
        scrolled: random.below(20),
        isHelpShown: random.below(9) === 0,
      };
      const ink = random.below(2) === 0 ? { ink: COLOURED } : {};
      const lines = frame(facts, room, { view, ...ink });
      const told = JSON.stringify({ seed, turn, room, view });
      expect(lines.length, told).toBe(room.rows);
      expect(Math.max(...lines.map((line) => Bun.stringWidth(line))), told).toBeLessThanOrEqual(room.columns);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: only our own colours may be obeyed
      expect(lines.join("").replace(/\x1b\[[0-9]+m/g, ""), told).not.toMatch(/[\x00-\x1f\u202e]/);
      if (!("ink" in ink)) expect(lines.join(""), told).not.toContain("\x1b");
    }
  });

  test("frame has as many rows as there is to say where nobody limits them", () => {
    const lines = frame(busyFacts(), { columns: 80, rows: Number.POSITIVE_INFINITY });
    expect(lines.length).toBeGreaterThan(24);
    expect(lines.join("\n")).toContain("writer-1");
    expect(lines.join("\n")).not.toContain("q leave");
  });
});

describe("cells", () => {
  test("fit cuts between characters, and knows that some take two cells", () => {
    expect(fit("abcdef", 4)).toBe("abc…");
    expect(fit("日本語", 6)).toBe("日本語");
    expect(fit("日本語", 5)).toBe("日本…");
    expect(fit("日本語", 4)).toBe("日…");
    expect(fit("e\u0301e\u0301e\u0301", 2)).toBe("e\u0301…");
    expect(fit("abc", 0)).toBe("");
  });

  test("pad fills up to the width, numbers from the left", () => {
    expect(pad("日", 4)).toBe("日  ");
    expect(pad("7", 3, true)).toBe("  7");
  });

  test("flow divides no item, and begins a line where the next does not fit", () => {
    expect(flow(["aa 1", "bb 2", "cc 3"], 11)).toEqual(["aa 1   bb 2", "cc 3"]);
    expect(flow([], 10)).toEqual([]);
  });

  test("clean leaves nothing that a terminal would obey", () => {
    expect(clean("a\x1b[2Jb\r\nc\u009bd\u202ee")).toBe("a [2Jb c d e");
  });
});
