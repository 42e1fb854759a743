/**
 * Counters of the processor and the kernel for one thread: the binding of `native/perf-events.c`.
 *
 * `PerfEvents` is the door; `perfEvents` the real one. Tests hand in another to stand for processors and rights
 * that the machine at hand does not have.
 */
import { ptr } from "bun:ffi";
import { errnoName, openShim } from "./library.ts";

/** `type` of perf_event_attr. */
export const PERF_TYPE = { hardware: 0, software: 1, cache: 3, raw: 4 } as const;

/** Numbers before the counters of a group: ns enabled, ns running. */
export const PERF_GROUP_TIMES = 2;
export const PERF_GROUP_COUNTERS_MAX = 8;

export type PerfEvent = {
  readonly type: (typeof PERF_TYPE)[keyof typeof PERF_TYPE];
  readonly config: number;
};

export interface PerfEvents {
  /**
   * Opens a counter of a thread of this process.
   *
   * @param group the leader's handle; undefined to become one, which stands still until `start`
   * @returns its handle, or the errno's name where it can not be had: "ENOENT", "EACCES", ...
   */
  open(options: {
    readonly event: PerfEvent;
    readonly threadId: number;
    readonly group: number | undefined;
    readonly isUserOnly: boolean;
  }): number | string;
  /** Lets a group count from now on. @returns undefined, or the errno's name */
  start(leader: number): string | undefined;
  /**
   * What a group counted since it was read last, into `since`: ns enabled, ns running, then each counter.
   *
   * @param totals the state between readings, as long as `since`, zeros before the first
   * @returns undefined, or the errno's name; `since` is as it was then
   */
  read(leader: number, totals: BigUint64Array, since: Float64Array): string | undefined;
  /** Lets go of a counter; a leader last. */
  close(counter: number): void;
}

const shim = openShim({
  shim_perf_open: { args: ["u32", "u64", "i32", "i32", "i32"], returns: "i32" },
  shim_perf_start: { args: ["i32"], returns: "i32" },
  shim_perf_read: { args: ["i32", "u32", "ptr", "ptr"], returns: "i32" },
  shim_perf_close: { args: ["i32"], returns: "i32" },
});

export const perfEvents: PerfEvents = {
  open({ event, threadId, group, isUserOnly }) {
    const answer = shim.shim_perf_open(
      event.type,
      BigInt(event.config),
      threadId,
      group ?? -1,
      isUserOnly ? 1 : 0,
    );
    return answer < 0 ? errnoName(-answer) : answer;
  },
  start: (leader) => refusal(shim.shim_perf_start(leader)),
  read: (leader, totals, since) =>
    refusal(shim.shim_perf_read(leader, totals.length - PERF_GROUP_TIMES, ptr(totals), ptr(since))),
  close: (counter) => void shim.shim_perf_close(counter),
};

function refusal(answer: number): string | undefined {
  return answer < 0 ? errnoName(-answer) : undefined;
}
