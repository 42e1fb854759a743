/**
 * CRC32C through the shim: 10-15 GB/s with the processor's instruction, and one FFI call of 30 ns
 * (bench/ffi/calls.bench.ts).
 *
 * `crc32c(b, crc32c(a))` is the checksum of a followed by b.
 */
import { ptr } from "bun:ffi";
import { openShim } from "./library.ts";

const shim = openShim({
  shim_crc32c: { args: ["u32", "ptr", "u64"], returns: "u32" },
  shim_crc32c_serial: { args: ["u32", "ptr", "u64"], returns: "u32" },
  shim_crc32c_hardware: { args: [], returns: "i32" },
});

/** Checksum of a whole view. @param seed the checksum so far; 0 to begin */
export function crc32c(bytes: NodeJS.TypedArray | DataView, seed = 0): number {
  return bytes.byteLength === 0 ? seed >>> 0 : shim.shim_crc32c(seed, ptr(bytes), bytes.byteLength);
}

/** Checksum of memory by its address, which must be mapped. @param seed the checksum so far; 0 to begin */
export function crc32cAt(address: number, byteLength: number, seed = 0): number {
  return shim.shim_crc32c(seed, address as ReturnType<typeof ptr>, byteLength);
}

/** The same by tables alone, for comparison and for processors without the instruction: 1.4 GB/s. */
export function crc32cSerial(bytes: NodeJS.TypedArray | DataView, seed = 0): number {
  return bytes.byteLength === 0 ? seed >>> 0 : shim.shim_crc32c_serial(seed, ptr(bytes), bytes.byteLength);
}

/** Whether this processor has the instruction. */
export const hasCrc32cInstruction: boolean = shim.shim_crc32c_hardware() === 1;
