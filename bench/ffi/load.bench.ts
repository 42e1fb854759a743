/**
 * How long does it take to read a checkpoint of 300 MB into memory and check it?
 *
 * Expected: reading from the page cache moves 5-10 GB/s a core into pages that are there and 2-3 GB/s into
 * fresh ones, the checksum 10 GB/s and more: 0.1 s on two cores, well under the 0.3 s that a start may spend.
 *
 *   bun bench/ffi/load.bench.ts [--small]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { machineText } from "../../src/base/machine-text.ts";
import { Random } from "../../src/base/random.ts";
import { formatBytes, MIB } from "../../src/base/units.ts";
import { crc32cAt } from "../../src/ffi/crc32c.ts";
import { closeFile, type LoadRange, loadRanges, OPEN, openFile, pwriteAll } from "../../src/ffi/files.ts";
import { mapRegion, type Region } from "../../src/shm/region.ts";

const small = process.argv.includes("--small");
const SEED = 1;
const rangeBytes = 4 * MIB;
const rangeCount = small ? 4 : 75;
const rounds = small ? 2 : 7;
const totalBytes = rangeBytes * rangeCount;

console.log(machineText());
console.log(
  `seed ${SEED}, ${formatBytes(totalBytes)} in ranges of ${formatBytes(rangeBytes)}, ${rounds} rounds\n`,
);

const directory = mkdtempSync(join(tmpdir(), "engram-load-"));
const fd = openFile(join(directory, "checkpoint"), OPEN.readWrite | OPEN.create);
const piece = new Random(SEED).fill(new Uint8Array(rangeBytes));
for (let i = 0; i < rangeCount; i++) pwriteAll(fd, piece, 0, rangeBytes, i * rangeBytes);

const policy = { hugePages: "try" } as const;
const warm = mapRegion({ bytes: totalBytes, purpose: "load bench", policy, pages: "now" });
const sum = crc32cAt(loadInto(warm, 1), rangeBytes);
for (const threadCount of [1, availableParallelism()]) {
  report(`into memory that is there, ${threadCount} threads`, () => load(warm, threadCount));
  report(`into fresh memory, ${threadCount} threads`, () => {
    const fresh = mapRegion({ bytes: totalBytes, purpose: "load bench", policy });
    const tookMs = load(fresh, threadCount);
    fresh.unmap();
    return tookMs;
  });
}
console.log(`\nchecksum of a range: ${sum.toString(16)}`);
warm.unmap();
closeFile(fd);
rmSync(directory, { recursive: true });

function rangesFor(region: Region, crc32c: number): LoadRange[] {
  return Array.from({ length: rangeCount }, (_, i) => ({
    fd,
    fileOffset: i * rangeBytes,
    address: region.address + i * rangeBytes,
    bytes: rangeBytes,
    crc32c,
  }));
}

function loadInto(region: Region, threadCount: number): number {
  loadRanges(rangesFor(region, 0), threadCount);
  return region.address;
}

function load(region: Region, threadCount: number): number {
  const ranges = rangesFor(region, sum);
  const startedAtMs = performance.now();
  const damaged = loadRanges(ranges, threadCount);
  const tookMs = performance.now() - startedAtMs;
  if (damaged.length > 0) throw new Error(`range ${damaged[0]!.rangeIndex}: ${damaged[0]!.reason}`);
  return tookMs;
}

function report(name: string, run: () => number): void {
  const times = Array.from({ length: rounds }, run).sort((a, b) => a - b);
  const median = times[rounds >> 1]!;
  const rate = (totalBytes / median / 1e6).toFixed(1);
  console.log(
    `${name.padEnd(38)} median ${median.toFixed(0)} ms (${rate} GB/s), ${times[0]!.toFixed(0)}-${times.at(-1)!.toFixed(0)} ms`,
  );
}
