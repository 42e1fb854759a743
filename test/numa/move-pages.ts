/**
 * Moves the pages of a process from one NUMA node to another, as the kernel does when a node is full or when it thinks
 * that they are used from there.
 *
 *   bun move-pages.ts PROCESS FROM TO
 */
import { dlopen, FFIType, ptr } from "bun:ffi";

const MIGRATE_PAGES = process.arch === "x64" ? 256 : 238;
const NODES_MAX = 64;

const { symbols } = dlopen("libc.so.6", {
  syscall: {
    args: [FFIType.i64, FFIType.i64, FFIType.u64, FFIType.ptr, FFIType.ptr],
    returns: FFIType.i64,
  },
});
const [pid, from, to] = process.argv.slice(2).map(Number);
const nodeSet = (node: number): BigUint64Array => new BigUint64Array([1n << BigInt(node)]);
// The kernel reads one bit less than it is told there are.
const left = symbols.syscall(MIGRATE_PAGES, pid!, NODES_MAX + 1, ptr(nodeSet(from!)), ptr(nodeSet(to!)));
if (left < 0) throw new Error("migrate_pages failed");
console.log(`${left}`);
