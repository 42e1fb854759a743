/**
 * The calling thread: where it runs, its name and priority, what it has used. The binding of
 * `native/threads.c`.
 *
 * Bun gives no handle on a worker's thread, so each thread calls these for itself, once, when it starts.
 */
import { ptr } from "bun:ffi";
import { assert } from "../base/assert.ts";
import { errnoName, openShim } from "./library.ts";

const CPU_WORDS = 16;
const CPUS_MAX = CPU_WORDS * 64;

const shim = openShim({
  shim_thread_id: { args: [], returns: "i32" },
  shim_thread_set_cpus: { args: ["ptr", "u32"], returns: "i32" },
  shim_thread_get_cpus: { args: ["ptr", "u32"], returns: "i32" },
  shim_thread_set_name: { args: ["ptr"], returns: "i32" },
  shim_thread_set_nice: { args: ["i32", "i32"], returns: "i32" },
  shim_thread_cpu: { args: [], returns: "i32" },
  shim_thread_node: { args: [], returns: "i32" },
  shim_thread_set_memory_policy: { args: ["i32", "u64"], returns: "i32" },
  shim_thread_usage: { args: ["ptr"], returns: "i32" },
});

/** The kernel's id of this thread: its directory in /proc/self/task. */
export function threadId(): number {
  return shim.shim_thread_id();
}

/**
 * Lets this thread run on these CPUs only; threads it starts inherit that.
 *
 * @returns undefined, or the errno's name: "EINVAL" when none of them may be used
 */
export function setThreadCpus(cpus: readonly number[]): string | undefined {
  const mask = new BigUint64Array(CPU_WORDS);
  for (const cpu of cpus) {
    assert(Number.isInteger(cpu) && cpu >= 0 && cpu < CPUS_MAX, "CPUs are numbered from 0 to 1023");
    mask[cpu >>> 6]! |= 1n << BigInt(cpu & 63);
  }
  return refusal(shim.shim_thread_set_cpus(ptr(mask), CPU_WORDS));
}

/** CPUs this thread may run on: at the start, those the system gives the process. */
export function threadCpus(): number[] {
  const mask = new BigUint64Array(CPU_WORDS);
  const words = shim.shim_thread_get_cpus(ptr(mask), CPU_WORDS);
  assert(words >= 0, `a thread may ask where it may run (${errnoName(-words)})`);
  const cpus: number[] = [];
  for (let cpu = 0; cpu < words * 64; cpu++) if ((mask[cpu >>> 6]! >> BigInt(cpu & 63)) & 1n) cpus.push(cpu);
  return cpus;
}

/** Names this thread for ps -L, top -H and perf; the first 15 bytes count. */
export function setThreadName(name: string): void {
  const answer = shim.shim_thread_set_name(ptr(Buffer.from(`${name}\0`)));
  assert(answer === 0, `a thread can be named (${errnoName(-answer)})`);
}

/**
 * Sets the priority of a thread: -20 comes first, 19 last.
 *
 * @returns undefined, or the errno's name: "EACCES" for a lower number without CAP_SYS_NICE
 */
export function setThreadNice(thread: number, nice: number): string | undefined {
  return refusal(shim.shim_thread_set_nice(thread, nice));
}

/** CPU this thread is on at this moment. */
export function currentCpu(): number {
  return shim.shim_thread_cpu();
}

/** NUMA node of that CPU. */
export function currentNode(): number {
  return shim.shim_thread_node();
}

const MEMORY_MODE = { default: 0, preferred: 1, bound: 2, interleaved: 3 } as const;

/**
 * Where the memory that this thread touches first comes from, beside what a region says for itself: its
 * JavaScript heap above all.
 *
 * @returns undefined, or the errno's name
 */
export function setThreadMemoryPolicy(
  mode: keyof typeof MEMORY_MODE,
  nodes: readonly number[] = [],
): string | undefined {
  let mask = 0n;
  for (const node of nodes) mask |= 1n << BigInt(node);
  return refusal(shim.shim_thread_set_memory_policy(MEMORY_MODE[mode], mask));
}

export type ThreadUsage = {
  readonly userSeconds: number;
  readonly systemSeconds: number;
  readonly minorFaults: number;
  readonly majorFaults: number;
  readonly voluntarySwitches: number;
  readonly involuntarySwitches: number;
};

/** What this thread has used since it began. */
export function threadUsage(): ThreadUsage {
  const usage = new Float64Array(6);
  const answer = shim.shim_thread_usage(ptr(usage));
  assert(answer === 0, `a thread may ask what it used (${errnoName(-answer)})`);
  return {
    userSeconds: usage[0]!,
    systemSeconds: usage[1]!,
    minorFaults: usage[2]!,
    majorFaults: usage[3]!,
    voluntarySwitches: usage[4]!,
    involuntarySwitches: usage[5]!,
  };
}

function refusal(answer: number): string | undefined {
  return answer < 0 ? errnoName(-answer) : undefined;
}
