/**
 * The bytes of a vector in the quantised arena, by kind; native/kernel-dot.h says the same to C, and
 * `test/index/vector-kernels.test.ts` compares them.
 *
 *   f32, bf16, f16  the components, one after another
 *   i8              the components, padded with zeros to a multiple of 4, then
 *                   | scale, f32 | sum of the components, i32 |
 *
 * A component of i8 is worth its number times the scale (largest absolute component / 127): one scale for all
 * unit vectors would leave 768 dimensions some 4 of the 127 steps, and would clip sparse vectors.
 */
import type { Quantization } from "./space-root.ts";

const I8_TRAILER_BYTES = 8;

/** Bytes of one vector without padding to cache lines; the arena's stride is at least this. */
export function quantisedVectorBytes(quantization: Quantization, dimensions: number): number {
  switch (quantization) {
    case "f32":
      return 4 * dimensions;
    case "bf16":
    case "f16":
      return 2 * dimensions;
    case "i8":
      return Math.ceil(dimensions / 4) * 4 + I8_TRAILER_BYTES;
  }
}
