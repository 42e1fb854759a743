import { ptr } from "bun:ffi";
import { expect, test } from "bun:test";
import { entropySeed, Random } from "../../src/base/random.ts";
import { crc32c, crc32cAt, crc32cSerial, hasCrc32cInstruction } from "../../src/ffi/crc32c.ts";

/** Bit by bit, straight from the polynomial: what both implementations must equal. */
function naive(bytes: Uint8Array, seed = 0): number {
  let crc = ~seed;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}

test("crc32c gives the check values of RFC 3720", () => {
  expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(crc32c(new Uint8Array(32).map((_, i) => i))).toBe(0x46dd794e);
  expect(crc32c(new Uint8Array(0))).toBe(0);
});

test("crc32c and crc32cSerial equal the naive sum at all lengths and alignments", () => {
  const random = new Random(entropySeed());
  const memory = random.fill(new Uint8Array(16_384));
  const lengths = [...Array(140).keys(), 383, 384, 385, 1023, 1024, 3071, 3072, 3073, 4096, 9999];
  for (const length of lengths) {
    const bytes = memory.subarray(length % 9, (length % 9) + length);
    const seed = length % 3 === 0 ? 0 : random.u32();
    const expected = naive(bytes, seed);
    expect(crc32c(bytes, seed), `length ${length}, seed ${random.seed}`).toBe(expected);
    expect(crc32cSerial(bytes, seed), `serial, length ${length}, seed ${random.seed}`).toBe(expected);
  }
});

test("crc32c of a part continues from the part before it", () => {
  const random = new Random(entropySeed());
  const bytes = random.fill(new Uint8Array(10_000));
  for (let round = 0; round < 200; round++) {
    const cut = random.below(bytes.length + 1);
    const joined = crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut)));
    expect(joined, `cut at ${cut}, seed ${random.seed}`).toBe(crc32c(bytes));
  }
});

test("crc32cAt sums memory by its address", () => {
  const bytes = new Random(7).fill(new Uint8Array(5000));
  expect(crc32cAt(ptr(bytes, 3), 4000)).toBe(crc32c(bytes.subarray(3, 4003)));
});

test.skipIf(!hasCrc32cInstruction || process.env["NUMA_LAB"] === "1")(
  "crc32c sums 4 KiB several times as fast with the instruction as by tables",
  () => {
    const bytes = new Random(7).fill(new Uint8Array(4096));
    const fastest = (sum: (b: Uint8Array) => number): number => {
      let best = Number.POSITIVE_INFINITY;
      for (let round = 0; round < 200; round++) {
        const startedAtNs = Bun.nanoseconds();
        for (let i = 0; i < 10; i++) sum(bytes);
        best = Math.min(best, Bun.nanoseconds() - startedAtNs);
      }
      return best;
    };
    expect(fastest(crc32cSerial) / fastest(crc32c)).toBeGreaterThan(3);
  },
);
