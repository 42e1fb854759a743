/** What guards the figures: it sees a figure that fell, is not misled by noise, and misses none that is gone. */
import { describe, expect, test } from "bun:test";
import { checkFigures } from "../../bench/check.ts";
import { registered } from "../../bench/registered.ts";
import { type Baseline, combined, judge, measureRatio } from "../../bench/support/baseline.ts";
import { type Figure, type FigureBench, timeFigure } from "../../bench/support/figure.ts";

/** An operation of `rounds` multiplications, one after another. */
function figure(rounds: number, plainRounds = rounds): Figure {
  const spin = (count: number) => (): number => {
    let value = 1;
    for (let i = 0; i < count; i++) value = (value * 1.000_000_1) % 7;
    return value > 0 ? 1 : 0;
  };
  return { name: "spinning", operations: 1, run: spin(rounds), plain: spin(plainRounds) };
}

function bench(made: Figure): FigureBench {
  return { name: "spin", parameters: () => ({}), calls: () => 10, make: () => [made] };
}

function baselineOf(figures: Baseline["figures"]): Baseline {
  return { machine: "any", seed: 1, size: "small", figures };
}

const check = (made: Figure, baseline: Baseline | undefined, lines: string[] = []) =>
  checkFigures([bench(made)], { isSmall: true, seed: 1, only: undefined, baseline }, (line) =>
    lines.push(line),
  );

describe("judge", () => {
  test("lets a figure lose 5 % and what the noise of both runs explains, and no more", () => {
    const baseline = { ratio: 2, noise: 0.02 };
    expect(judge({ ratio: 2.17, noise: 0.02 }, baseline).kind).toBe("held");
    expect(judge({ ratio: 2.19, noise: 0.02 }, baseline).kind).toBe("fallen");
    expect(judge({ ratio: 2.19, noise: 0.05 }, baseline).kind).toBe("held");
    expect(judge({ ratio: 0.5, noise: 0 }, baseline).kind).toBe("held");
    expect(judge({ ratio: 2, noise: 0 }, undefined).kind).toBe("unknown");
  });
});

describe("checkFigures", () => {
  test("finds the figure that takes three times as long, and says so", async () => {
    const { figures } = await check(figure(40_000), undefined);
    const lines: string[] = [];
    const { fallen } = await check(figure(120_000), baselineOf(figures), lines);
    expect(fallen).toEqual(["spinning"]);
    expect(lines.join("\n")).toMatch(/^FELL \+\d/);
  });

  test("holds a figure against a baseline that was slower", async () => {
    const { figures } = await check(figure(120_000), undefined);
    expect((await check(figure(40_000), baselineOf(figures))).fallen).toEqual([]);
  });

  test("counts a figure that no bench measures any more as fallen", async () => {
    const baseline = baselineOf({ forgotten: { ratio: 1, noise: 0 } });
    expect((await check(figure(10_000), baseline)).fallen).toEqual(["forgotten"]);
  });
});

test("combined is the middle of several processes, and as noisy as they differ", () => {
  const ratios = [1, 1.4, 1.1].map((ratio) => ({ ratio, noise: 0.01 }));
  expect(combined(ratios).ratio).toBe(1.1);
  expect(combined(ratios).noise).toBeCloseTo(0.4 / 2 / 1.1, 12);
  expect(combined([{ ratio: 2, noise: 0.3 }])).toEqual({ ratio: 2, noise: 0.3 });
});

test("measureRatio grows with the work, whatever the machine", () => {
  const once = measureRatio(figure(40_000), 5).ratio;
  expect(measureRatio(figure(200_000), 5).ratio / once).toBeGreaterThan(2.5);
});

test("timeFigure refuses a plain version that does other work", () => {
  const wrong: Figure = { name: "wrong", operations: 1, run: () => 1, plain: () => 2 };
  expect(() => timeFigure(wrong, 3)).toThrow("checksum");
});

describe.each(registered.map((each) => [each.name, each] as const))("the %s bench", (_, each) => {
  test("runs in its small size, and does what its plain version does", async () => {
    const size = { isSmall: true, seed: 1 };
    for (const made of await each.make(size)) {
      const { ns, plainNs } = timeFigure(made, each.calls(size));
      expect(Math.min(...ns)).toBeGreaterThan(0);
      expect(Math.min(...plainNs)).toBeGreaterThan(0);
    }
    each.close?.();
  }, 60_000);
});
