/**
 * Mapped memory by its address, without a view: copying and comparing, some 30 ns a call.
 *
 * An ArrayBuffer over mapped memory counts in full as the heap of the thread that made it, and the garbage
 * collector lets garbage grow in proportion (docs/decisions/views-and-the-heap.md). So what is large and
 * touched one place at a time, as vectors and contents are, is not viewed but copied.
 */
import { ptr } from "bun:ffi";
import { assert } from "../base/assert.ts";
import { openShim } from "./library.ts";

type Address = ReturnType<typeof ptr>;

const shim = openShim({
  shim_memory_copy: { args: ["ptr", "ptr", "u64"], returns: "void" },
  shim_memory_equal: { args: ["ptr", "ptr", "u64"], returns: "i32" },
});

/** Copies `source[sourceAt, sourceAt + byteLength)` to mapped memory. */
export function copyToAddress(
  address: number,
  source: NodeJS.TypedArray,
  sourceAt: number,
  byteLength: number,
): void {
  if (byteLength === 0) return;
  assert(sourceAt >= 0 && sourceAt + byteLength <= source.byteLength, "what is copied lies within the view");
  shim.shim_memory_copy(address as Address, ptr(source, sourceAt), byteLength);
}

/** Copies mapped memory to `target[targetAt, targetAt + byteLength)`. */
export function copyFromAddress(
  address: number,
  target: NodeJS.TypedArray,
  targetAt: number,
  byteLength: number,
): void {
  if (byteLength === 0) return;
  assert(targetAt >= 0 && targetAt + byteLength <= target.byteLength, "there is room for what is copied");
  shim.shim_memory_copy(ptr(target, targetAt), address as Address, byteLength);
}

/** Whether mapped memory holds `source[sourceAt, sourceAt + byteLength)`. */
export function equalsAtAddress(
  address: number,
  source: NodeJS.TypedArray,
  sourceAt: number,
  byteLength: number,
): boolean {
  if (byteLength === 0) return true;
  assert(
    sourceAt >= 0 && sourceAt + byteLength <= source.byteLength,
    "what is compared lies within the view",
  );
  return shim.shim_memory_equal(address as Address, ptr(source, sourceAt), byteLength) === 1;
}
