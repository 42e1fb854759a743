import { expect, test } from "bun:test";
import { Random } from "../../src/base/random.ts";
import { normalised } from "../../src/engine/normalise.ts";

test("normalised scales to length 1 and keeps the length, at any number of dimensions and any size", () => {
  const random = new Random(2);
  for (const dimensions of [1, 3, 7, 8, 9, 100, 768, 1536]) {
    for (const size of [1e-30, 1e-3, 1, 1e15]) {
      const vector = Float32Array.from({ length: dimensions }, () => size * (0.5 + random.float()));
      const scaled = normalised(vector);
      if (scaled instanceof Error) throw scaled;
      const length = Math.sqrt(vector.reduce((sum, each) => sum + each * each, 0));
      expect(scaled.norm / length).toBeCloseTo(1, 6);
      expect(Math.hypot(...scaled.unit)).toBeCloseTo(1, 5);
      for (let i = 0; i < dimensions; i++)
        expect(scaled.unit[i]! * length).toBeCloseTo(vector[i]!, size > 1 ? -10 : 5);
    }
  }
});

test("normalised answers the error for vectors without a direction", () => {
  for (const bad of [
    [0, 0],
    [Number.NaN, 1],
    [Number.POSITIVE_INFINITY, 1],
    [3e38, 3e38],
    [1e-45, 0].map((x) => x / 2),
  ]) {
    const error = normalised(Float32Array.from(bad));
    expect(error).toBeInstanceOf(Error);
    expect((error as { code?: string }).code).toBe("embedding-invalid");
  }
});
