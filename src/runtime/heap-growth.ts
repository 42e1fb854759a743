/**
 * Bounds how much garbage the JavaScript heaps gather before they are collected.
 *
 * The engine lets a heap grow to three times what survived the last collection, and counts every view of
 * mapped memory as surviving: with 640 MiB of arenas viewed, a thread that answers HTTP requests gathered
 * 540 MB of garbage; bounded to a tenth, 30 MB. It is bounded to a half, which costs writes less
 * (docs/decisions/views-and-the-heap.md). The bound is an option that is read from the environment before any
 * JavaScript runs, so the process replaces itself once, in place: same process id, 20 ms. A unit or a shell
 * that sets the variable beforehand saves these, and may choose another bound.
 */
import { readFileSync } from "node:fs";
import { replaceProcess } from "../ffi/process.ts";

/** What each heap may grow by, as a share of what survived; the second kind is read where memory is below 16 GB. */
const GROWTH_OPTIONS: Readonly<Record<string, string>> = {
  BUN_JSC_heapGrowthMaxIncrease: "0.5",
  BUN_JSC_smallHeapGrowthFactor: "1.5",
  BUN_JSC_mediumHeapGrowthFactor: "1.5",
  BUN_JSC_largeHeapGrowthFactor: "1.5",
};

/**
 * Call it first of all in a process that will serve, before threads are started or files opened. Where the
 * growth is bounded already it does nothing; else it does not return, and the program starts again.
 *
 * @returns undefined, or why the growth could not be bounded; the appliance then only takes more memory
 */
export function boundHeapGrowth(): string | undefined {
  if (Object.keys(GROWTH_OPTIONS).some((name) => process.env[name] !== undefined)) return undefined;
  /* As the kernel has them: Bun's own argv leaves out what it took for itself. */
  const args = readFileSync("/proc/self/cmdline", "utf8").split("\0").slice(0, -1);
  return replaceProcess("/proc/self/exe", args, { ...process.env, ...GROWTH_OPTIONS });
}
