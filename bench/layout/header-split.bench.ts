/**
 * Do headers and vectors belong in one record of 3,200 bytes, or apart?
 *
 * Sketch: a filtered scan reads one line of each header. Apart, headers lie 128 bytes from each other: two
 * lines each, which the hardware prefetches, and 12.8 MB for 100,000. In one record they lie 3,200 bytes
 * apart: a page for each, so a TLB miss and a cache miss that no prefetcher sees. Expected: 3 to 10 times.
 * Measured on a processor with 300 MB of last-level cache: 1.1 times. See docs/decisions/headers-and-vectors.md.
 *
 *   bun bench/layout/header-split.bench.ts [--small]
 */
import { cpus } from "node:os";
import { mapRegion } from "../../src/shm/region.ts";

const SMALL = process.argv.includes("--small");
const SLOTS = SMALL ? 20_000 : 100_000;
const ROUNDS = SMALL ? 5 : 31;
const TIMESTAMP_AT = 8;

type Layout = { readonly name: string; readonly strideBytes: number; readonly numbers: Float64Array };

function layout(name: string, strideBytes: number): Layout {
  const region = mapRegion({
    bytes: SLOTS * strideBytes,
    purpose: "bench",
    policy: { hugePages: "try" },
    pages: "now",
  });
  const numbers = new Float64Array(region.buffer);
  for (let slot = 0; slot < SLOTS; slot++)
    numbers[(slot * strideBytes + TIMESTAMP_AT) / 8] = (slot * 7919) % SLOTS;
  return { name, strideBytes, numbers };
}

/** What a time filter does: compares one number of each header. */
function scan({ strideBytes, numbers }: Layout): number {
  const stride = strideBytes / 8;
  let found = 0;
  for (let at = TIMESTAMP_AT / 8, slot = 0; slot < SLOTS; slot++, at += stride) {
    if (numbers[at]! < SLOTS / 10) found += 1;
  }
  return found;
}

const layouts = [layout("apart, 128 B a header", 128), layout("one record, 3,200 B", 3200)];
const times = layouts.map((): number[] => []);
let checksum = 0;
for (let round = 0; round < ROUNDS; round++) {
  layouts.forEach((each, i) => {
    const start = Bun.nanoseconds();
    checksum += scan(each);
    times[i]!.push((Bun.nanoseconds() - start) / SLOTS);
  });
}
const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >>> 1]!;
const ratios = times[1]!.map((value, round) => value / times[0]![round]!);
console.log(`machine: ${cpus()[0]!.model}, ${cpus().length} cores, Bun ${Bun.version}`);
console.log(`slots ${SLOTS}, rounds ${ROUNDS} interleaved, checksum ${checksum}`);
const [apart, together] = times.map(median);
console.log(`${layouts[0]!.name}: ${apart!.toFixed(2)} ns a slot`);
console.log(`${layouts[1]!.name}: ${together!.toFixed(2)} ns a slot`);
console.log(`median ratio: ${median(ratios).toFixed(1)}`);
