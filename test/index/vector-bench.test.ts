/** The benches of this room in their small size: they run, and both sides find what there is to find. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { benchInsert } from "../../bench/index/insert.bench.ts";
import { benchSearch } from "../../bench/index/search.bench.ts";

// Seconds on an idle machine; graphs take their time where other work runs beside.
setDefaultTimeout(120_000);

test("the search bench compares our walk with usearch at equal recall", async () => {
  const lines: string[] = [];
  const result = await benchSearch(
    { count: 1000, queries: 50, rounds: 1, seed: 1, quantization: "bf16", ef: 64 },
    (line) => lines.push(line),
  );
  expect(result.ours.recall).toBeGreaterThan(0.9);
  expect(result.usearch.recall).toBeGreaterThan(0.9);
  expect(result.ours.perSecond).toBeGreaterThan(0);
  expect(lines.some((line) => line.startsWith("ours / usearch"))).toBe(true);
});

test("the insert bench leaves no vector that its own search does not find", async () => {
  const result = await benchInsert({ count: 500, seed: 1, quantization: "i8" }, () => {});
  expect(result.lost).toBe(0);
  expect(result.oursPerSecond).toBeGreaterThan(0);
});
