/**
 * What the kernel counts of a thread anyway, read from /proc: for where it does not let us open counters.
 *
 *   /proc/self/task/<tid>/schedstat   ns on a core, ns waiting for one, times it was given one
 *   /proc/self/task/<tid>/stat        page faults without (10th) and with (12th) reading the disk
 *   /proc/self/task/<tid>/status      context switches, by will and not
 *   /proc/self/task/<tid>/sched       migrations, on kernels built with CONFIG_SCHED_DEBUG
 *
 * Some 40 us a thread, against 13 us with open counters; the same figures.
 */
import { readFileSync } from "node:fs";
import type { SoftwareEvent } from "./hardware-events.ts";
import { type Unavailable, unavailable } from "./hardware-refusal.ts";

/** The text of a file; undefined where it can not be read. */
export type ReadText = (path: string) => string | undefined;

export const readText: ReadText = (path) => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
};

/** Totals since the thread began. */
export type ThreadTotals = Readonly<Record<SoftwareEvent, number | Unavailable>>;

export function threadTotals(threadId: number, read: ReadText): ThreadTotals {
  const directory = `/proc/self/task/${threadId}`;
  const number = (file: string, find: (text: string) => number | undefined): number | Unavailable => {
    const text = read(`${directory}/${file}`);
    if (text === undefined) return unavailable("failed", `${directory}/${file} can not be read`);
    const found = find(text);
    return found === undefined || Number.isNaN(found)
      ? unavailable("no_counter", `${directory}/${file} does not tell it on this kernel`)
      : found;
  };
  return {
    task_clock_ns: number("schedstat", (text) => Number.parseInt(text, 10)),
    page_faults: number("stat", (text) => {
      // The second field is the name in brackets, which may hold spaces and brackets of its own.
      const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
      return Number(fields[7] ?? Number.NaN) + Number(fields[9] ?? Number.NaN);
    }),
    context_switches: number("status", (text) => {
      const by = (will: string): number =>
        Number(new RegExp(`^${will}_ctxt_switches:\\s*(\\d+)`, "m").exec(text)?.[1] ?? Number.NaN);
      return by("voluntary") + by("nonvoluntary");
    }),
    migrations: number("sched", (text) => {
      const found = /^se\.nr_migrations\s*:\s*(\d+)/m.exec(text)?.[1];
      return found === undefined ? undefined : Number(found);
    }),
  };
}
