/**
 * What does it cost to have a thread's counters open, and to read them?
 *
 * Expected: reading some 1-2 us a group, 5-15 us a thread with what is computed from it, some 40 us from /proc: at
 * once a second some 0.001 % of a core for each thread. Having counters open costs at every switch of the thread,
 * where the kernel takes them off and on again: nothing that can be seen with software counters alone (they are
 * all that a virtual machine shows), some 0.5-1 us a switch with hardware groups.
 *
 *   bun bench/observe/hardware-counters.bench.ts [--small]
 */

import { machineText } from "../../src/base/machine-text.ts";
import { formatNs } from "../../src/base/units.ts";
import { threadId } from "../../src/ffi/threads.ts";
import { type CountedThread, HardwareCounters } from "../../src/observe/hardware-counters.ts";
import { HARDWARE_EVENTS } from "../../src/observe/hardware-events.ts";
import { readText, threadTotals } from "../../src/observe/hardware-proc.ts";

const small = process.argv.includes("--small");
const rounds = small ? 4 : 40;
const readings = small ? 50 : 500;
const turns = small ? 200 : 2000;

console.log(`${machineText()}\n${rounds} interleaved rounds, medians with the middle half\n`);

const words = new Int32Array(new SharedArrayBuffer(256));
const partner = new Worker(new URL("./hardware-partner-worker.ts", import.meta.url).href);
const partnerId = await new Promise<number>((resolve) => {
  partner.onmessage = ({ data }: { data: number }) => resolve(data);
  partner.postMessage(words.buffer);
});
const threads: CountedThread[] = [threadId(), partnerId].map((id, ordinal) => ({
  role: "bench",
  ordinal,
  threadId: id,
  node: undefined,
}));

const probe = HardwareCounters.open(threads);
const state = probe.sample().threads[0]!.counters;
const measured = HARDWARE_EVENTS.filter((name) => state[name].state === "measured");
console.log(
  measured.length > 0
    ? `hardware counters: ${measured.join(", ")}`
    : `no hardware counters: ${state.cycles.state === "unavailable" ? state.cycles.reason : ""}; software ones only`,
);
console.log(`descriptors a thread: ${probe.handleCount / threads.length}\n`);
probe.close();

const openNs: number[] = [];
const sampleNs: number[] = [];
const procNs: number[] = [];
const turnNs = { without: [] as number[], with: [] as number[] };
for (let round = 0; round < rounds; round++) {
  // The order changes, so that neither side always comes after the other.
  const order = round % 2 === 0 ? (["without", "with"] as const) : (["with", "without"] as const);
  for (const side of order) {
    const startedAtNs = Bun.nanoseconds();
    const counters = side === "with" ? HardwareCounters.open(threads) : undefined;
    if (counters !== undefined) openNs.push((Bun.nanoseconds() - startedAtNs) / threads.length);
    turnNs[side].push(pingPongNs());
    if (counters !== undefined) sampleNs.push(meanNs(() => void counters.sample()) / threads.length);
    counters?.close();
  }
  procNs.push(meanNs(() => void threadTotals(partnerId, readText)));
}
partner.terminate();

print("opening the counters of a thread", openNs);
print("sampling a thread (reading, summing, deriving)", sampleNs);
print("the same software counters from /proc", procNs);
print("a turn of ping-pong, two switches: counters closed", turnNs.without);
print("a turn of ping-pong, two switches: counters open", turnNs.with);
print(
  "what open counters add to a turn",
  turnNs.with.map((ns, round) => ns - turnNs.without[round]!),
);

function pingPongNs(): number {
  const startedAtNs = Bun.nanoseconds();
  for (let turn = 0; turn < turns; turn++) {
    const next = (Atomics.load(words, 0) + 1) | 0;
    Atomics.store(words, 0, next);
    Atomics.notify(words, 0);
    Atomics.wait(words, 1, (next - 1) | 0);
  }
  return (Bun.nanoseconds() - startedAtNs) / turns;
}

function meanNs(work: () => void): number {
  const startedAtNs = Bun.nanoseconds();
  for (let count = 0; count < readings; count++) work();
  return (Bun.nanoseconds() - startedAtNs) / readings;
}

function print(name: string, figures: readonly number[]): void {
  const sorted = [...figures].sort((a, b) => a - b);
  const at = (share: number): string => {
    const ns = sorted[Math.floor((sorted.length - 1) * share)]!;
    return ns < 0 ? `-${formatNs(-ns)}` : formatNs(ns);
  };
  console.log(`${name.padEnd(54)} ${at(0.5).padStart(9)}   ${at(0.25)} to ${at(0.75)}`);
}
