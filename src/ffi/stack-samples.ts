/**
 * Samples of where threads of this process are, from the kernel: the binding of `native/stack-samples.c`.
 *
 * `StackSamples` is the door; tests hand in another to stand for kernels that refuse.
 */
import { FFIType, ptr } from "bun:ffi";
import { errnoName, openShim } from "./library.ts";

/** The address that stands for all frames in the kernel. */
export const KERNEL_FRAME = 1;

export type StackSample = {
  /** ms since the epoch */
  readonly atMs: number;
  /** addresses, the innermost first */
  readonly frames: readonly number[];
};

export interface StackSamples {
  /** @returns its handle, or the errno's name */
  open(options: {
    readonly threadId: number;
    readonly periodNs: number;
    readonly isUserOnly: boolean;
  }): number | string;
  /** Samples since the last call, and how many found no room. */
  take(handle: number): { readonly samples: StackSample[]; readonly lost: number };
  close(handle: number): void;
}

const shim = openShim({
  shim_stacks_open: { args: ["i32", "u64", "i32", "ptr"], returns: "i32" },
  shim_stacks_read: { args: ["u64", "ptr", "u64", "ptr"], returns: FFIType.i64_fast },
  shim_stacks_close: { args: ["u64"], returns: "i32" },
  shim_library_base: { args: [], returns: FFIType.u64_fast },
});

/** More than a ring of the shim holds. */
const words = new BigUint64Array(8192);
const lostCount = new BigUint64Array(1);

export const stackSamples: StackSamples = {
  open({ threadId, periodNs, isUserOnly }) {
    const handle = new BigUint64Array(1);
    const answer = shim.shim_stacks_open(threadId, periodNs, isUserOnly ? 1 : 0, ptr(handle));
    return answer < 0 ? errnoName(-answer) : Number(handle[0]);
  },
  take(handle) {
    const count = Number(shim.shim_stacks_read(handle, ptr(words), words.length, ptr(lostCount)));
    const samples: StackSample[] = [];
    for (let at = 0; at < count; ) {
      const atMs = Number(words[at]! / 1000n) / 1000;
      const frameCount = Number(words[at + 1]);
      const frames = Array.from(words.subarray(at + 2, at + 2 + frameCount), Number);
      samples.push({ atMs, frames });
      at += 2 + frameCount;
    }
    return { samples, lost: Number(lostCount[0]) };
  },
  close: (handle) => void shim.shim_stacks_close(handle),
};

/** The address that `libengram.so` is loaded at. */
export function libraryBase(): number {
  return Number(shim.shim_library_base());
}
