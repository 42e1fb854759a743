/**
 * What a thread did lately, sampled at each tick of its event loop (ten times a second), so that a slow operation can
 * say how late the loop ran and how often the kernel interrupted the thread, though nobody measured while it ran.
 *
 * The last WINDOWS samples are kept, some six seconds; an operation that ran longer is judged by those.
 */
import type { ThreadUsage } from "../ffi/threads.ts";

const WINDOWS = 64;

type Sample = { readonly atMs: number; readonly lateMs: number; readonly usage: ThreadUsage };

export type ThreadWindow = {
  readonly windowMs: number;
  readonly loopDelayMs: number;
  readonly usage: Pick<
    ThreadUsage,
    "minorFaults" | "majorFaults" | "voluntarySwitches" | "involuntarySwitches"
  >;
};

export class ThreadWindows {
  readonly #usage: () => ThreadUsage;
  readonly #samples: Sample[] = [];
  #dueAtMs = Number.POSITIVE_INFINITY;

  /** @param usage of the calling thread */
  constructor(usage: () => ThreadUsage) {
    this.#usage = usage;
  }

  /** A tick ran. @param lateMs later than asked @param dueAtMs when the next one should */
  tick(atMs: number, lateMs: number, dueAtMs: number): void {
    this.#samples.push({ atMs, lateMs: Math.max(0, lateMs), usage: this.#usage() });
    if (this.#samples.length > WINDOWS) this.#samples.shift();
    this.#dueAtMs = dueAtMs;
  }

  /** From the sample before `startedAtMs` to now; undefined before the first tick. */
  since(startedAtMs: number, nowMs: number): ThreadWindow | undefined {
    const samples = this.#samples;
    if (samples.length === 0) return undefined;
    let first = samples.length - 1;
    while (first > 0 && samples[first]!.atMs > startedAtMs) first -= 1;
    // A tick that is due and did not run yet is late already, by what this turn of the loop takes.
    let loopDelayMs = Math.max(0, nowMs - this.#dueAtMs);
    for (let at = first + 1; at < samples.length; at++) {
      loopDelayMs = Math.max(loopDelayMs, samples[at]!.lateMs);
    }
    const before = samples[first]!.usage;
    const now = this.#usage();
    return {
      windowMs: nowMs - samples[first]!.atMs,
      loopDelayMs,
      usage: {
        minorFaults: now.minorFaults - before.minorFaults,
        majorFaults: now.majorFaults - before.majorFaults,
        voluntarySwitches: now.voluntarySwitches - before.voluntarySwitches,
        involuntarySwitches: now.involuntarySwitches - before.involuntarySwitches,
      },
    };
  }
}
