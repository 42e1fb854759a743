import { expect, test } from "bun:test";
import { bindingDecayTable, strengthNow } from "../../src/cognition/binding-decay.ts";

const DAY = 86_400;
const NOW = 1_800_000_000;

test("strengthNow halves about every half-life, and never grows with age", () => {
  const table = bindingDecayTable(30 * DAY);
  let last = 1;
  for (const days of [0, 0.1, 1, 5, 15, 30, 60, 120, 400]) {
    const found = strengthNow(1, NOW - days * DAY, NOW, table);
    expect(found).toBeLessThanOrEqual(last);
    // Between the ages a third shorter and half as long again.
    expect(found).toBeLessThanOrEqual(2 ** (-days / 1.5 / 30) + 0.02);
    expect(found).toBeGreaterThanOrEqual(2 ** ((-days * 1.5) / 30) - 0.02);
    last = found;
  }
});

test("strengthNow leaves what was used within the hour as it was", () => {
  const table = bindingDecayTable(DAY);
  expect(strengthNow(0.7, NOW - 3600, NOW, table)).toBe(Math.fround(0.7));
  expect(strengthNow(0.7, NOW - 9000, NOW, table)).toBeLessThan(0.7);
});

test("strengthNow leaves bindings without a time, and of the future, as they are", () => {
  const table = bindingDecayTable(DAY);
  expect(strengthNow(0.7, 0, NOW, table)).toBe(0.7);
  expect(strengthNow(0.7, NOW + 5, NOW, table)).toBe(0.7);
});
