/**
 * What does a call into the native library cost, and what its clock and its checksum?
 *
 * Expected: some 4 ns for the call itself; 10-25 ns for the tick clock against 27-31 ns for `Bun.nanoseconds`
 * (the counter alone takes 10 in a virtual machine); `ptr()` of a view another 10-20 ns; CRC32C of 4 KiB
 * in 0.2-0.4 µs with the instruction, 3 µs by tables.
 *
 *   bun bench/ffi/calls.bench.ts [--small]
 */
import { ptr } from "bun:ffi";
import { machineText } from "../../src/base/machine-text.ts";
import { Random } from "../../src/base/random.ts";
import { formatNs } from "../../src/base/units.ts";
import { crc32c, crc32cAt, crc32cSerial, hasCrc32cInstruction } from "../../src/ffi/crc32c.ts";
import { currentCpu } from "../../src/ffi/threads.ts";
import { openTickClock } from "../../src/ffi/tick-clock.ts";

const small = process.argv.includes("--small");
const SEED = 1;
const rounds = small ? 5 : 40;
const callCount = small ? 2000 : 50_000;

console.log(machineText());
console.log(`seed ${SEED}, ${rounds} rounds of ${callCount} calls, the fastest and the median round\n`);

const clock = openTickClock();
const bytes = new Random(SEED).fill(new Uint8Array(4096));
const address = ptr(bytes);
const short = bytes.subarray(0, 64);
let sink = 0;

measure("shim_thread_cpu (a call and a system call)", () => currentCpu());
measure(`tick clock (${clock.source}${clock.reason === undefined ? "" : `: ${clock.reason}`})`, clock.nowNs);
measure("Bun.nanoseconds", () => Bun.nanoseconds());
measure("performance.now", () => performance.now());
measure("crc32c of 64 bytes by view", () => crc32c(short));
measure("crc32cAt of 64 bytes by address", () => crc32cAt(address, 64));
measure(
  `crc32cAt of 4 KiB (${hasCrc32cInstruction ? "instruction" : "tables"})`,
  () => crc32cAt(address, 4096),
  4096,
);
measure("crc32cSerial of 4 KiB", () => crc32cSerial(bytes), 4096, 10);
console.log(`\nchecksum of the work: ${crc32c(bytes).toString(16)} ${sink > 0 ? "" : "!"}`);

function measure(name: string, call: () => number, byteCount = 0, fewer = 1): void {
  const count = Math.ceil(callCount / fewer);
  const perCall: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const startedAtNs = Bun.nanoseconds();
    for (let i = 0; i < count; i++) sink += call();
    perCall.push((Bun.nanoseconds() - startedAtNs) / count);
  }
  perCall.sort((a, b) => a - b);
  const fastest = perCall[0]!;
  const rate = byteCount > 0 ? `  ${(byteCount / fastest).toFixed(1)} GB/s` : "";
  console.log(
    `${name.padEnd(52)} ${formatNs(fastest).padStart(8)} ${formatNs(perCall[rounds >> 1]!).padStart(8)}${rate}`,
  );
}
