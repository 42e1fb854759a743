import { describe, expect, test } from "bun:test";
import { type Competitors, interferenceOf, UNDISTURBED } from "../../src/cognition/interference.ts";

const HOUR_MS = 3_600_000;
const WINDOW_MS = 24 * HOUR_MS;

/** `count` memories that are all as alike as `cosine` says. */
function alike(count: number, cosine: number, timesMs: (at: number) => number = () => 0): Competitors {
  return {
    count,
    strengths: Array.from({ length: count }, () => 1),
    timesMs: Array.from({ length: count }, (_, at) => timesMs(at)),
    cosines: Array.from({ length: count * count }, () => cosine),
  };
}

describe("interferenceOf", () => {
  test("interferenceOf takes three quarters of recall to one quarter over 20 earlier lists (Underwood 1957)", () => {
    const firstList = 0.75;
    const later = firstList * interferenceOf(0, alike(21, 1), WINDOW_MS).share;
    expect(later).toBeWithin(0.2, 0.3);
    let last = 1;
    for (let lists = 1; lists <= 21; lists++) {
      const { share } = interferenceOf(0, alike(lists, 1), WINDOW_MS);
      expect(share).toBeLessThanOrEqual(last);
      last = share;
    }
  });

  test("interferenceOf tells what older memories take from what newer ones take", () => {
    const among = alike(3, 1, (at) => (at - 1) * HOUR_MS);
    const [oldest, middle, newest] = [0, 1, 2].map((memory) => interferenceOf(memory, among, WINDOW_MS));
    expect(oldest!.proactive).toBe(0);
    expect(newest!.retroactive).toBe(0);
    expect(middle!.proactive).toBeCloseTo(middle!.retroactive, 12);
    for (const each of [oldest!, middle!, newest!]) {
      expect(each.share + each.proactive + each.retroactive).toBeCloseTo(1, 12);
    }
  });

  test("interferenceOf is less the less alike (Osgood 1949) and the farther apart in time they are", () => {
    const shares = [0.95, 0.7, 0.5, 0.3, 0.1].map(
      (cosine) => interferenceOf(0, alike(5, cosine), WINDOW_MS).share,
    );
    for (let i = 1; i < shares.length; i++) expect(shares[i]!).toBeGreaterThanOrEqual(shares[i - 1]!);
    expect(shares.at(-1)).toBe(1);
    const far = interferenceOf(
      0,
      alike(5, 1, (at) => (at === 0 ? 0 : 30 * WINDOW_MS)),
      WINDOW_MS,
    );
    expect(far.share).toBeGreaterThan(0.999);
  });

  test("interferenceOf leaves a strong memory more than a weak one", () => {
    const among = { ...alike(2, 1), strengths: [0.9, 0.3] };
    expect(interferenceOf(0, among, WINDOW_MS).share).toBeGreaterThan(
      interferenceOf(1, among, WINDOW_MS).share,
    );
  });

  test("interferenceOf of a memory alone, or among others without vectors, is none", () => {
    expect(interferenceOf(0, alike(1, 1), WINDOW_MS)).toBe(UNDISTURBED);
    expect(interferenceOf(0, alike(4, Number.NaN), WINDOW_MS)).toBe(UNDISTURBED);
  });
});
